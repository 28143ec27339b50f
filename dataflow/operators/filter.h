// Filter: the rows for which a predicate is TRUE (not NULL).
//
// No state. Cost: O(delta). A pull passes on to the input, order included; its cost is that of the
// rows that the input offers, passed or not.
#pragma once

#include <memory>
#include <string>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Filter {
  Expression predicate;  // BOOL, over the columns of the input

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
