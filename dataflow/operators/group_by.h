// GroupBy: one row per group: the key columns, then the result of each aggregate.
//
//   delta row --key--> slot of the group --> count | state 0 | state 1 | ...   updated in place
//   out: -(key, results before)  +(key, results after)  for each group touched, if they differ
//
// A group without rows is no row, except the one group of an empty key, which is always there.
// State: the keys, and per group the states of its aggregates. Cost of a step: O(delta).
// Answers asks for all its key columns from its own state.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/aggregate.h"
#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct GroupBy {
  std::vector<Column> key;  // of the input; NULL is a key like any other
  std::vector<AggregateCall> aggregates;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
