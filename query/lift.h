// Lifting: what a query compares its columns with is data, not plan. Literals and parameters become
// slots, so that queries which differ in nothing else are one plan with many bindings:
//
//   ... WHERE assignee = 7 AND status = 'open'          key: ... assignee = ? and status = ?
//   ... WHERE assignee = :user AND status = 'open'      slots: (7, 'open'), (:user, 'open')
//
// A literal is lifted where it stands alone on one side of =, <, <=, >, >=, IS NOT DISTINCT FROM or
// in a short IN list, the other side is a plain column of a declared kind, and the value exists in
// that kind; within WHERE and ON, below AND and OR only. All other literals are part of the plan:
// there they decide types, names, or what can be computed once for all. A parameter is a slot
// wherever it stands, but for LIMIT and OFFSET, whose values belong to the key of the plan.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/bound.h"
#include "trefoil/value.h"

namespace trefoil::query {

struct Slot {
  ExprType type;                           // of the column that it is compared with, or its own
  std::optional<std::uint32_t> parameter;  // where the value comes from; else `literal`
  Value literal;
};

// A query without the values of its slots.
struct LiftedQuery {
  std::string key;  // equal keys: the same plan, if the parameters of `counts` are equal too
  std::vector<Slot> slots;
  std::vector<std::uint32_t> counts;  // parameters of LIMIT and OFFSET
};

// Items of an IN list that become slots, at most.
inline constexpr std::size_t kLiftedItemsMax = 8;

LiftedQuery Lift(const BoundQuery& bound, std::string_view text);

// The key of the plan for these parameter values.
std::string PlanKey(const LiftedQuery& lifted, std::span<const Value> parameters);

// The values of the slots for these parameter values; nothing when one is of a kind that its slot
// does not hold.
std::optional<std::vector<Value>> SlotValues(const LiftedQuery& lifted,
                                             std::span<const Value> parameters);

// Replaces slot i by column i + 1 of `bindings`.
void ReplaceSlots(BoundQuery& bound, SourceId bindings);

}  // namespace trefoil::query
