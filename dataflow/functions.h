// FunctionRegistry: the scalar functions that expressions may call, and the aggregates, by
// lower-case name. The engine knows none by itself; `query` registers those of TreeSQL, a program
// its own. Set up once, then shared and constant.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::dataflow {

// The result of a call; nothing means that it cannot be represented (a bad argument, overflow): the
// expression becomes NULL and is counted. Pure: equal arguments give equal results.
using ScalarFunction = std::optional<Value> (*)(std::span<const Value> arguments);

struct FunctionDescription {
  std::size_t least_arguments = 0;
  std::size_t most_arguments = 0;
  // Of the result; kNull = any kind, or that of the arguments.
  ValueKind result = ValueKind::kNull;
  // Most functions are NULL when an argument is: they are not even called then.
  bool called_with_null = false;
  ScalarFunction call = nullptr;
};

struct AggregateCall;
class Aggregate;
// aggregate.h says what it makes of what.
using AggregateFactory = Result<std::unique_ptr<Aggregate>> (*)(const AggregateCall& call,
                                                                std::span<const ValueKind> kinds);

class FunctionRegistry {
 public:
  // The name must be new.
  void Add(std::string name, FunctionDescription function);
  // Null if there is none. Valid as long as the registry.
  const FunctionDescription* Find(std::string_view name) const;

  // The name must be new among the aggregates.
  void AddAggregate(std::string name, AggregateFactory factory);
  // Null if there is none.
  AggregateFactory FindAggregate(std::string_view name) const;

 private:
  std::map<std::string, FunctionDescription, std::less<>> functions_;
  std::map<std::string, AggregateFactory, std::less<>> aggregates_;
};

}  // namespace trefoil::dataflow
