// SetOperation: what sets make of weights. With a and b the weights of a row on the left and right:
//
//   kDistinct                     a > 0             (one input; UNION is this over a union all)
//   kIntersect, kIntersectAll     a > 0 and b > 0,  min(a, b)
//   kExcept, kExceptAll           a > 0 and b = 0,  max(a - b, 0)
//
// State: the rows of each input with their weights. Cost of a step: O(delta). Answers asks for all
// columns, and no part of them, from its state: "is this row in".
#pragma once

#include <memory>
#include <string>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

enum class SetOperationKind : std::uint8_t {
  kDistinct,
  kIntersect,
  kIntersectAll,
  kExcept,
  kExceptAll,
};

struct SetOperation {
  SetOperationKind kind = SetOperationKind::kDistinct;

  std::string Describe() const;
  // Errors: kInvalidArgument for a wrong number of inputs or different widths.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
