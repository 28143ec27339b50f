// Map: new rows computed from each row. Rows that become equal add up.
//
// No state. Cost: O(delta). Columns that are passed on unchanged keep their asks: a pull by such a
// column goes on to the input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Map {
  std::vector<Expression> outputs;  // over the columns of the input

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
