// Feed: a relation whose rows the caller gives (Graph::Feed): the bindings of prepared queries, the
// loop relation of a recursion, rows of a test.
//
// State: its rows, as a Z-set. Cost of a step: O(changes). Other nodes find rows by key through a
// shared arrangement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Feed {
  std::string name;  // feeds of one name in one graph are the same relation
  std::vector<ValueKind> kinds;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
