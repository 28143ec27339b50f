// Constant: rows that stand in the plan itself: a SELECT without FROM (one row without columns), or
// VALUES. It never changes.
//
// No state beyond the rows. A plan that reads nothing else never steps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Constant {
  std::vector<ValueKind> kinds;
  std::vector<Row> rows;  // each as wide as `kinds`; equal rows count as often as they stand here

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
