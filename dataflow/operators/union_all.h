// UnionAll: the rows of all inputs, weights added. Inputs have equally many columns; where their
// kinds differ, the result is of any kind.
//
// No state. Cost: O(delta). A pull asks every input, so an ask is answered if all of them answer;
// ordered asks are not.
#pragma once

#include <memory>
#include <string>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct UnionAll {
  std::string Describe() const { return "union all"; }
  // Errors: kInvalidArgument for no input or different widths.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

// NegateRows: the same rows with opposite weights, for differences: a union all with a negated
// input.
struct NegateRows {
  std::string Describe() const { return "negate"; }
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
