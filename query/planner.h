// Planner: bound select -> plan. It writes down what the text says, node by node, without looking
// for a good order: that is what the passes are for (optimizer.h). Parameters become constants.
#pragma once

#include <span>

#include "query/bound.h"
#include "query/plan.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::query {

// `parameters` has one value for each parameter of the statement.
// Errors: kUnsupported, with a reason; kLimit.
Result<Plan> MakePlan(const BoundSelect& select, std::uint32_t source_count,
                      std::span<const Value> parameters, const schema::Schema& schema);

}  // namespace trefoil::query
