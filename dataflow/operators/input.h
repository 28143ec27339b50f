// Input: the rows of one type as the source stores them, all of them or those of one range.
//
//   step   the commit's changes of the type, cut to the columns and the range; no read
//   pull   an ask becomes a walk over the first access path that answers it: its leading columns
//   are
//          fixed by the ask or the range, and what follows is in the order asked for
//
// No state. Cost of a step: O(changes of the type); of a pull: O(answer + log n).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

// Which values of a range are parameters, put there by Operator::Bind; they have the kind of the
// column already.
struct RangeParameters {
  std::vector<std::optional<std::uint32_t>> prefix;  // empty: none
  std::optional<std::uint32_t> lower;
  std::optional<std::uint32_t> upper;
};

struct Input {
  BaseRelation relation;
  std::vector<ValueKind> kinds;  // of relation.columns; kNull = any
  // If given, only the rows in this range: the prefix and bounds of a probe of one path, whose
  // columns must be among relation.columns. Values have the kind of their column, and compare in
  // the total order of Value: NULL is least, so "x < 5" needs the lower bound NULL, exclusive.
  std::optional<Probe> only = std::nullopt;
  RangeParameters parameters = {};  // of `only`

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
