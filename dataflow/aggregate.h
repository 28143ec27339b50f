// Aggregates: what count, sum and their kin keep for one group. The state of a group is plain
// memory that an Aggregate interprets, so that all aggregates of a group lie side by side. Rows are
// added with weights and taken back with negative ones; the result depends on nothing but the
// multiset of what is in.
//
// Here: count, count_if, sum, total, avg, bool_and, bool_or; in ordered_aggregate.h those that need
// an order. Others are registered by name in a FunctionRegistry like these (RegisterAggregates).
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "dataflow/functions.h"
#include "dataflow/row.h"
#include "trefoil/result.h"

namespace trefoil::dataflow {

// One aggregate of a GROUP BY.
struct AggregateCall {
  std::string function;                         // lower case
  std::vector<Column> arguments;                // of the input
  std::optional<Column> filter = std::nullopt;  // BOOL: only rows where it is TRUE
  bool distinct = false;                        // each list of arguments once
  std::vector<Value> parameters = {};           // constants: a separator, a fraction
  std::vector<SortColumn> order = {};           // within the arguments, for ordered aggregates

  friend bool operator==(const AggregateCall&, const AggregateCall&) = default;
};

// One aggregate call, ready to run. Immutable; the state is the caller's, aligned to 16 bytes.
class Aggregate {
 public:
  virtual ~Aggregate() = default;

  virtual ValueKind result_kind() const = 0;  // kNull = any
  virtual std::size_t state_size_bytes() const = 0;
  virtual void Construct(void* state) const = 0;
  virtual void Destroy(void* state) const = 0;
  // Adds `weight` rows with these arguments, NULLs included. What is taken back was added before.
  virtual void Add(void* state, std::span<const Value> arguments, Weight weight) const = 0;
  virtual Value Result(const void* state) const = 0;
  // Memory behind the state.
  virtual std::size_t HeapBytes(const void*) const { return 0; }
};

// An Aggregate whose state is a State. Derived has
//   void AddTo(State& state, std::span<const Value> arguments, Weight weight) const;
//   Value ResultOf(const State& state) const;
template <typename Derived, typename State>
class AggregateOf : public Aggregate {
 public:
  std::size_t state_size_bytes() const final { return sizeof(State); }
  void Construct(void* state) const final { new (state) State(); }
  void Destroy(void* state) const final { static_cast<State*>(state)->~State(); }
  void Add(void* state, std::span<const Value> arguments, Weight weight) const final {
    static_cast<const Derived*>(this)->AddTo(*static_cast<State*>(state), arguments, weight);
  }
  Value Result(const void* state) const final {
    return static_cast<const Derived*>(this)->ResultOf(*static_cast<const State*>(state));
  }
};

// An AggregateFactory (functions.h) makes the aggregate of a call without DISTINCT and FILTER,
// which GROUP BY sees to; `kinds` are those of the arguments. Its errors: kInvalidArgument for a
// wrong number of arguments or parameters; kTypeMismatch.

// Makes the aggregate of a call, DISTINCT included.
// Errors: kUnknownFunction; those of the factory.
Result<std::unique_ptr<Aggregate>> MakeAggregate(const AggregateCall& call,
                                                 std::span<const ValueKind> kinds,
                                                 const FunctionRegistry& functions);

void RegisterAggregates(FunctionRegistry& functions);

// "sum(#2) filter #5"
std::string Describe(const AggregateCall& call);

}  // namespace trefoil::dataflow
