// The naive evaluator: what a bound query means, written down as directly as possible. It loops
// over all rows of every source, for each row of the selects around it again; it knows no index, no
// plan and no change. Slow on purpose: it is the oracle that the engine is held against.
//
//   sources bound to rows, from the outside in:
//   from (ref joins) -> where -> groups -> having -> outputs -> distinct -> set operations -> order
//
// Arithmetic and casts of single values are dataflow/scalar.h's, which has tests of its own;
// everything that is about NULL, rows, groups and order is written here a second time.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "query/bound.h"
#include "schema/schema.h"
#include "trefoil/value.h"

namespace trefoil::testing {

using NaiveRow = std::vector<Value>;

// One table: its attributes in any order, and rows with a value for each.
struct NaiveTable {
  std::vector<AttributeId> columns;
  std::vector<AttributeId> key;
  std::vector<NaiveRow> rows;
};
using NaiveData = std::map<TypeId, NaiveTable>;

// Pairs of rows that one evaluation may look at: loops inside loops inside loops take for ever.
inline constexpr std::size_t kNaiveStepsMax = 20'000;

// The rows of the answer in order, visible columns only; nothing when it takes too many steps.
// `parameters` has a value for each parameter of the statement that `select` is the query of.
std::optional<std::vector<NaiveRow>> EvaluateNaively(const query::BoundSelect& select,
                                                     std::uint32_t source_count,
                                                     const NaiveData& data,
                                                     std::span<const Value> parameters);

}  // namespace trefoil::testing
