// FunctionRegistry.
#include "dataflow/functions.h"

#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

void FunctionRegistry::Add(std::string name, FunctionDescription function) {
  Check(function.call != nullptr, "a scalar function can be called");
  const bool is_new = functions_.emplace(std::move(name), function).second;
  Check(is_new, "a scalar function is registered once");
}

const FunctionDescription* FunctionRegistry::Find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

void FunctionRegistry::AddAggregate(std::string name, AggregateFactory factory) {
  Check(factory != nullptr, "an aggregate can be made");
  const bool is_new = aggregates_.emplace(std::move(name), factory).second;
  Check(is_new, "an aggregate is registered once");
}

AggregateFactory FunctionRegistry::FindAggregate(std::string_view name) const {
  const auto found = aggregates_.find(name);
  return found == aggregates_.end() ? nullptr : found->second;
}

}  // namespace trefoil::dataflow
