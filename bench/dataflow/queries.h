// Q1 to Q7 and Q9 of the issue-tracker workload as plans built by hand.
#pragma once

#include <string>
#include <vector>

#include "dataflow/plan.h"

namespace trefoil::bench {

struct BuiltQuery {
  std::string name;
  dataflow::Plan plan;
  std::vector<dataflow::NodeNumber> roots;  // whose deltas a subscriber receives
};

std::vector<BuiltQuery> TrackerQueries();

// Open issues of one assignee, newest first, 20 of them; the assignee is the parameter. Root 0 is
// the result, root 1 the bindings (id, assignee).
BuiltQuery NewestOfAssignee();

}  // namespace trefoil::bench
