// Project: some columns of each row, in any order, also repeated. Rows that become equal add up.
//
// No state. Cost: O(delta).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Project {
  std::vector<Column> columns;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

// `ask` in terms of the input when output column i is input column `origin[i]`, or nothing if it
// names a column that has no origin. For operators that pass columns through.
std::optional<Ask> MapAsk(const Ask& ask, std::span<const std::optional<Column>> origin);

}  // namespace trefoil::dataflow
