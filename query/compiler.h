// Compiler: plan -> the engine's plan, one node for each, and the shape in which a view nests the
// levels of the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataflow/plan.h"
#include "dataflow/view.h"
#include "query/plan.h"
#include "trefoil/result.h"

namespace trefoil::query {

struct Compiled {
  dataflow::Plan plan;
  std::vector<dataflow::NodeNumber> levels;  // the outermost first
  dataflow::ViewShape shape;                 // of the same levels
  std::vector<dataflow::NodeNumber> nodes;   // by number of the query's plan, for EXPLAIN
  // Of a plan with bindings: the feed that holds them.
  std::optional<dataflow::NodeNumber> bindings;
};

// Whether the values of parameters are constants, or take their place when the graph is installed
// or restarted.
enum class Parameters : std::uint8_t { kFixed, kBound };

// Errors: kTypeMismatch, kUnsupported.
Result<Compiled> Compile(const Plan& plan, Parameters parameters = Parameters::kFixed);

}  // namespace trefoil::query
