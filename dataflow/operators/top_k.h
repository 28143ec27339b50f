// TopK: the first rows of each partition in an order: ORDER BY, OFFSET, LIMIT, AFTER, per parent or
// per binding. Without a second input every partition has a window; with one, only the partitions
// that its rows name, each with bounds of its own, so state and work follow what somebody watches.
//
//   order of the partition:   . . . . . . . . . . . . . . . . . .
//                             |offset| output: limit |slack|  not kept
//                             |<--------- kept ----------->| bound
//
// A step puts the changes up to the bound into the kept run and drops those beyond it. When too few
// rows are left, the window reads on from the bound through an index or an ordered arrangement of
// the input; it never reads from the start again.
//
// State: offset + limit + slack rows per window, slack = max(4, limit / 4).
// Cost: O(log n) per change of a window, and one seek for `slack` departures.
//
// I1: the kept rows are exactly the rows of the partition behind `after` and up to the bound; all
//     of them when there is no bound.
// I2: between steps at least offset + limit rows are kept, or there is no bound.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

struct TopK {
  // How the rows of the second input name windows. Two windows may not have equal partition and id.
  struct Windows {
    // Their values name the partition: one per TopK::partition.
    std::vector<Column> partition = {};
    // Columns that go behind each row of the output, to tell windows of one partition apart.
    std::vector<Column> id = {};
    // INT columns that take the place of the constants; NULL or negative: no offset, no limit.
    std::optional<Column> offset = std::nullopt;
    std::optional<Column> limit = std::nullopt;
    // One per TopK::order, or none: the window begins strictly behind this place.
    std::vector<Column> after = {};
  };

  std::vector<Column> partition = {};
  // Ends with columns that tell the rows of a partition apart.
  std::vector<SortColumn> order = {};
  std::uint64_t offset = 0;
  std::uint64_t limit = kNoLimit;
  // Given when there is a second input. Changing the bounds of a window (-old +new of its row)
  // emits the difference.
  std::optional<Windows> windows = std::nullopt;

  std::string Describe() const;
  // Inputs: rows [, windows]. Output: the columns of rows, then Windows::id.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
