// Join: the inner join of two or more inputs, as a delta join. No intermediate result is kept: each
// input has a path through the others, and a change of the input follows its path by probes.
//
//   d(A * B * C) = dA * B_new * C_new  +  A_old * dB * C_new  +  A_old * B_old * dC
//
// A probe goes to an index of the store if the input offers one for the columns, else to a shared
// arrangement of the input. State: none of its own. Cost of a step: per changed row, one probe for
// each other input and what it finds.
//
// Columns are numbered over all inputs: those of input 0 first, then those of input 1, and so on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Join {
  // Columns of two different inputs that hold the same Value: INT 1 and FLOAT 1 do not, so columns
  // of different kinds are refused; cast one before. NULL equals nothing, unless said.
  struct Equality {
    Column left = 0;
    Column right = 0;
    bool nulls_equal = false;

    friend bool operator==(const Equality&, const Equality&) = default;
  };
  std::vector<Equality> on;  // none between two inputs: a cross join
  // What else must be TRUE, over the columns of all inputs.
  std::optional<Expression> condition = std::nullopt;
  std::vector<Column> outputs;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
