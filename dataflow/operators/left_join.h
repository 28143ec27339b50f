// LeftJoin: the inner join of two inputs, and each left row without a match with NULLs in the
// columns of the right.
//
//   right join   the left join of the exchanged inputs
//   full join    the left join, union all the anti join of the right with the left, mapped to NULLs
//
// State: none of its own, as Join. Cost of a step: as Join, and two probes per changed key on the
// right to see whether its left rows gain or lose their only match.
// An ask for left columns, order included, goes on to the left.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operators/join.h"

namespace trefoil::dataflow {

struct LeftJoin {
  // As in Join; a condition decides what is a match, not which rows are shown. Inputs: left, right.
  std::vector<Join::Equality> on;
  std::optional<Expression> condition = std::nullopt;
  std::vector<Column> outputs;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
