// FlatMap: for each row and each item of a LIST computed from it, the row with the item behind its
// columns. A value that is not a LIST, NULL included, has no items.
//
// No state. Cost: O(items of the delta). Asks for columns of the input go on to the input.
#pragma once

#include <memory>
#include <string>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct FlatMap {
  Expression list;  // over the columns of the input

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
