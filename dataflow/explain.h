// What stands in a graph, for people: as indented text or as a picture for Graphviz.
//
//   top 50 by #2 desc  (#9)  delta 3 rows in 2 steps, 180 ns per step; state 54 rows, 8.1 kB
//     route #1 = $1  (#8)  ...
//       feed bindings (INT, INT)  (#1)
//       input type 7 (1, 2)  (#2)
//     uses arrange by #0  (#7)
#pragma once

#include <span>
#include <string>

#include "dataflow/graph.h"

namespace trefoil::dataflow {

// From the nodes that nobody reads down to their inputs; a node with several readers is described
// once and named by its number elsewhere.
std::string ExplainText(std::span<const NodeReport> nodes);

// "123 B", "8.1 kB", "70.0 MB"
std::string BytesText(std::size_t bytes);

// A digraph; deltas flow along solid edges, probes into arrangements along dashed ones.
std::string ExplainDot(std::span<const NodeReport> nodes);

}  // namespace trefoil::dataflow
