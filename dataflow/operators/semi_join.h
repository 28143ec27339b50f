// SemiJoin: the left rows that have, or have not, a match on the right; or every left row with a
// column that says so. This is EXISTS, NOT EXISTS, IN and NOT IN:
//
//   EXISTS, NOT EXISTS    kSemi, kAnti; kMark where the answer is a value among others
//   x IN (select)         kSemi on x
//   x NOT IN (select)     TRUE if the select is empty, or x is not NULL, none equals x and none is
//                         NULL: one kMark for each of the three, and a filter over the marks
//
// State: none of its own; the right is probed through an index, or through an arrangement, where a
// projection of the right to what is compared keeps the weight of a key as its support counter.
// Cost of a step: one probe per changed left row; per changed key on the right two probes, and the
// left rows of the keys whose answer turns.
// Invariant: a left row is emitted only when its answer turns, or when it comes or goes itself.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operators/join.h"

namespace trefoil::dataflow {

enum class SemiJoinKind : std::uint8_t {
  kSemi,  // rows with a match
  kAnti,  // rows without
  kMark,  // all rows, and a BOOL column: whether there is a match
};

struct SemiJoin {
  SemiJoinKind kind = SemiJoinKind::kSemi;
  // Columns are numbered as in Join: the right ones behind the left ones. Inputs: left, right.
  std::vector<Join::Equality> on;
  std::optional<Expression> condition = std::nullopt;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
