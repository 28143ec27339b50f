// EXPLAIN as people read it: the plan as an indented tree, from the answer down to the scans. A
// line names an operator, its columns and conditions, the index that a scan or a probe uses, and
// about how many rows there are; the caller adds what it measured.
//
//   top 20 by i.modified desc, i.id                                     ~20 rows
//     filter i.priority >= 3                                            ~300 rows
//       scan issue i by index newest where open = TRUE                  ~1000 rows
//
// Nodes that only rename columns are left out. A node with several readers is shown once, with a
// number, and named by the number elsewhere.
#pragma once

#include <string>
#include <vector>

#include "query/column_names.h"
#include "query/estimate.h"
#include "query/plan.h"
#include "schema/schema.h"

namespace trefoil::query {

struct ExplainInput {
  const Plan& plan;
  const ColumnNames& names;
  const schema::Schema& schema;
  const Estimate& estimate;
  // By plan number; may be empty. `notes` end the line of a node, `below` are lines under it.
  std::vector<std::string> notes = {};
  std::vector<std::vector<std::string>> below = {};
};

std::string ExplainTree(const ExplainInput& input);
// The same as a digraph for Graphviz; rows flow along the edges.
std::string ExplainPicture(const ExplainInput& input);

// What the node does, without rows: "join i.creator = p.id".
std::string OperatorText(const ExplainInput& input, PlanNumber node);

// What one changed row of a table costs, for a table that the plan reads.
struct ChangeCost {
  std::string table;
  double probes = 0;  // look-ups in indexes, groups and shared arrangements
  double rows = 0;    // rows that operators hand on, the answer's included
};
std::vector<ChangeCost> CostsOfAChange(const ExplainInput& input);

}  // namespace trefoil::query
