// Planner: bound select -> plan. It writes down what the text says, node by node, without looking
// for a good order: that is what the passes are for (optimizer.h). Parameters become constants;
// lifted slots (lift.h) become columns of the bindings, as if the select stood inside of a select
// over them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "query/bound.h"
#include "query/plan.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::query {

// The bindings whose columns stand in the place of slots.
struct PlanBindings {
  std::string name;
  SourceId source{};
  std::vector<ValueKind> kinds;  // of the slots
};

// `parameters` has one value for each parameter of the statement. With `bindings` the plan answers
// for all of them at once, and the first bucket column of its outermost level is their number.
// Errors: kUnsupported, with a reason; kLimit.
Result<Plan> MakePlan(const BoundSelect& select, std::uint32_t source_count,
                      std::span<const Value> parameters, const schema::Schema& schema,
                      const PlanBindings* bindings = nullptr);

}  // namespace trefoil::query
