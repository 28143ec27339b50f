// Aggregates that look at their group in order: min, max, first, last, arg_min, arg_max,
// string_agg, array_agg, percentile_disc, percentile_cont, median.
//
//   min(x) max(x)                   NULL is ignored
//   first(x, ..) last(x, ..)        x of the first or last row in AggregateCall::order, NULL or not
//   arg_min(x, y) arg_max(x, y)     x where y, not NULL, is least or greatest; the least such x
//   string_agg(x, ..) [separator]   texts in order, NULL ignored; parameter: ", " if none
//   array_agg(x, ..)                LIST in order, NULL or not
//   percentile_disc(x) [fraction]   the first value with at least that fraction of the values up to
//   percentile_cont(x) [fraction]     it; or FLOAT, between the two around it; median: the half
//
// Further arguments serve the order. Where the order leaves a tie, the arguments decide: the result
// depends on the multiset of rows alone. All are NULL over nothing.
//
// State: the group's argument rows in a counted tree. Change: O(log n). Result: O(log n); of
// string_agg and array_agg O(n).
#pragma once

#include "dataflow/aggregate.h"

namespace trefoil::dataflow {

void RegisterOrderedAggregates(FunctionRegistry& functions);

}  // namespace trefoil::dataflow
