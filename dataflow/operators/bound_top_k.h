// BoundTopK: the first rows of each binding in an order: a Route and the TopK behind it as one
// operator, so that a new binding reads the rows that it shows, and not all that it selects.
//
//   bindings ($id, $1, ...) --> group: those of equal $1, ... --> window: its first rows, in order
//                                   ^                               ^
//   rows -- a changed one finds ----'    a new or a short one reads on through an index
//           its groups by a Router
//
// Bindings that differ in column 0 only are one group with one window.
//
// The rows of a group are read, whichever is there first, (1) through a port that has them in
// order; (2) through a port that finds them, in no order: the window then keeps them all; (3)
// through an ordered arrangement of all rows, which all groups share.
//
// State: the router; per group the window of top_k_window.h, or in case (2) the rows it selects.
// Cost: of a new group O(limit + log n) in cases (1) and (3), of a new binding of a known group its
// output; of a changed row what Router says and O(log n) for each group.
//
// I1: between steps the window of every group holds what a new window would, I1 and I2 of top_k.h.
// I2: a group has a member.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/operator.h"
#include "dataflow/operators/top_k.h"
#include "dataflow/plan.h"
#include "dataflow/router.h"

namespace trefoil::dataflow {

struct BoundTopK {
  // A binding selects the rows that pass all slots; RouteTest::kIn is not among them.
  RouteAlternative slots;
  // What must be TRUE besides, over the columns of both. Column 0 is in neither.
  std::optional<Expression> condition = std::nullopt;
  // Columns of the rows; ends with some that tell the rows of a binding apart.
  std::vector<SortColumn> order;
  std::uint64_t offset = 0;
  std::uint64_t limit = kNoLimit;
  // Columns of both: those of the bindings first, then those of the rows.
  std::vector<Column> outputs;

  std::string Describe() const;
  // Inputs: bindings, whose column 0 tells them apart, and rows.
  // Errors: kInvalidArgument for columns that do not exist, an empty order or a test that is not
  // allowed; kTypeMismatch.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
