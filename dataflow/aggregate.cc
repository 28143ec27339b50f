// The linear aggregates: their state changes by what is added, never by what else is in the group.
#include "dataflow/aggregate.h"

#include <new>
#include <utility>

#include "base/errors.h"
#include "dataflow/decimal_math.h"
#include "dataflow/describe.h"
#include "dataflow/exact_sum.h"
#include "dataflow/ordered_aggregate.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

struct Count {
  Weight rows = 0;
};

// count(): all rows; count(x): rows where x is not NULL; count_if(x): rows where x is TRUE.
enum class Counted { kRows, kNotNull, kTrue };

class CountAggregate final : public AggregateOf<CountAggregate, Count> {
 public:
  explicit CountAggregate(Counted counted) : counted_(counted) {}
  ValueKind result_kind() const override { return ValueKind::kInt; }

  void AddTo(Count& state, std::span<const Value> arguments, Weight weight) const {
    if (counted_ == Counted::kNotNull && arguments[0].is_null()) return;
    if (counted_ == Counted::kTrue && arguments[0] != Value::Bool(true)) return;
    state.rows += weight;
  }
  Value ResultOf(const Count& state) const { return Value::Int(state.rows); }

 private:
  Counted counted_;
};

// sum, total, avg of INT alone: no other kind can come.
struct IntSum {
  Int128 sum = 0;
  Weight count = 0;
};

enum class SumOf { kSum, kTotal, kAverage };

class IntSumAggregate final : public AggregateOf<IntSumAggregate, IntSum> {
 public:
  explicit IntSumAggregate(SumOf what) : what_(what) {}
  ValueKind result_kind() const override {
    return what_ == SumOf::kAverage ? ValueKind::kFloat : ValueKind::kInt;
  }

  void AddTo(IntSum& state, std::span<const Value> arguments, Weight weight) const {
    if (arguments[0].is_null()) return;
    state.sum += static_cast<Int128>(arguments[0].AsInt()) * weight;
    state.count += weight;
  }
  Value ResultOf(const IntSum& state) const {
    if (state.count == 0) return what_ == SumOf::kTotal ? Value::Int(0) : Value();
    if (what_ == SumOf::kAverage) {
      ExactSum exact;
      exact.AddInteger(state.sum);
      return Value::Float(exact.RoundQuotient(static_cast<std::uint64_t>(state.count), 0));
    }
    return FitsInt64(state.sum) ? Value::Int(static_cast<std::int64_t>(state.sum)) : Value();
  }

 private:
  SumOf what_;
};

class SumAggregate final : public AggregateOf<SumAggregate, SumState> {
 public:
  SumAggregate(SumOf what, ValueKind kind) : what_(what), kind_(kind) {}
  ValueKind result_kind() const override {
    return what_ == SumOf::kAverage ? ValueKind::kFloat : kind_;
  }
  std::size_t HeapBytes(const void* state) const override {
    return static_cast<const SumState*>(state)->heap_bytes();
  }

  void AddTo(SumState& state, std::span<const Value> arguments, Weight weight) const {
    state.Add(arguments[0], weight);
  }
  Value ResultOf(const SumState& state) const {
    if (what_ == SumOf::kAverage) return state.Average();
    if (what_ == SumOf::kTotal && state.count() == 0) return Zero();
    return state.Sum();
  }

 private:
  Value Zero() const {
    if (kind_ == ValueKind::kFloat) return Value::Float(0);
    return kind_ == ValueKind::kDecimal ? Value::Decimal(0, 0) : Value::Int(0);
  }

  SumOf what_;
  ValueKind kind_;
};

struct Truths {
  Weight trues = 0;
  Weight falses = 0;
};

enum class Junction { kAnd, kOr };

class BoolAggregate final : public AggregateOf<BoolAggregate, Truths> {
 public:
  explicit BoolAggregate(Junction junction) : junction_(junction) {}
  ValueKind result_kind() const override { return ValueKind::kBool; }

  void AddTo(Truths& state, std::span<const Value> arguments, Weight weight) const {
    if (arguments[0].kind() != ValueKind::kBool) return;
    (arguments[0].AsBool() ? state.trues : state.falses) += weight;
  }
  Value ResultOf(const Truths& state) const {
    if (state.trues == 0 && state.falses == 0) return {};
    return Value::Bool(junction_ == Junction::kAnd ? state.falses == 0 : state.trues != 0);
  }

 private:
  Junction junction_;
};

// Passes each list of arguments on once, however often it comes.
struct DistinctState {
  explicit DistinctState(std::size_t width) : seen(width) {}
  RowTable seen;
};

class DistinctAggregate final : public Aggregate {
 public:
  DistinctAggregate(std::unique_ptr<Aggregate> inner, std::size_t width)
      : inner_(std::move(inner)), width_(width) {}

  ValueKind result_kind() const override { return inner_->result_kind(); }
  std::size_t state_size_bytes() const override {
    return kInnerOffset + inner_->state_size_bytes();
  }
  void Construct(void* state) const override {
    new (state) DistinctState(width_);
    inner_->Construct(Inner(state));
  }
  void Destroy(void* state) const override {
    inner_->Destroy(Inner(state));
    static_cast<DistinctState*>(state)->~DistinctState();
  }
  void Add(void* state, std::span<const Value> arguments, Weight weight) const override {
    const RowTable::Change change = static_cast<DistinctState*>(state)->seen.Add(arguments, weight);
    const Weight passed = (change.after > 0 ? 1 : 0) - (change.before > 0 ? 1 : 0);
    if (passed != 0) inner_->Add(Inner(state), arguments, passed);
  }
  Value Result(const void* state) const override {
    return inner_->Result(static_cast<const char*>(state) + kInnerOffset);
  }
  std::size_t HeapBytes(const void* state) const override {
    return static_cast<const DistinctState*>(state)->seen.bytes() +
           inner_->HeapBytes(static_cast<const char*>(state) + kInnerOffset);
  }

 private:
  static constexpr std::size_t kInnerOffset = (sizeof(DistinctState) + 15) / 16 * 16;
  static void* Inner(void* state) { return static_cast<char*>(state) + kInnerOffset; }

  std::unique_ptr<Aggregate> inner_;
  std::size_t width_;
};

Error WrongArguments(const AggregateCall& call) {
  return InvalidArgument(StrCat("aggregate \"", call.function, "\" does not take ",
                                call.arguments.size(), " arguments"));
}

template <SumOf what>
Result<std::unique_ptr<Aggregate>> MakeSum(const AggregateCall& call,
                                           std::span<const ValueKind> kinds) {
  if (kinds.size() != 1) return WrongArguments(call);
  switch (kinds[0]) {
    case ValueKind::kInt:
      return std::make_unique<IntSumAggregate>(what);
    case ValueKind::kFloat:
    case ValueKind::kDecimal:
    case ValueKind::kNull:
      return std::make_unique<SumAggregate>(what, kinds[0]);
    default:
      return MakeError(ErrorCode::kTypeMismatch,
                       StrCat("\"", call.function, "\" does not work on ", KindName(kinds[0])));
  }
}

Result<std::unique_ptr<Aggregate>> MakeCount(const AggregateCall& call,
                                             std::span<const ValueKind> kinds) {
  if (kinds.size() > 1) return WrongArguments(call);
  return std::make_unique<CountAggregate>(kinds.empty() ? Counted::kRows : Counted::kNotNull);
}

Status NeedOneBool(const AggregateCall& call, std::span<const ValueKind> kinds) {
  if (kinds.size() != 1) return WrongArguments(call);
  if (kinds[0] != ValueKind::kBool && kinds[0] != ValueKind::kNull) {
    return MakeError(ErrorCode::kTypeMismatch,
                     StrCat("\"", call.function, "\" does not work on ", KindName(kinds[0])));
  }
  return Ok();
}

Result<std::unique_ptr<Aggregate>> MakeCountIf(const AggregateCall& call,
                                               std::span<const ValueKind> kinds) {
  if (Status fits = NeedOneBool(call, kinds); !fits) return std::move(fits).error();
  return std::make_unique<CountAggregate>(Counted::kTrue);
}

template <Junction junction>
Result<std::unique_ptr<Aggregate>> MakeBool(const AggregateCall& call,
                                            std::span<const ValueKind> kinds) {
  if (Status fits = NeedOneBool(call, kinds); !fits) return std::move(fits).error();
  return std::make_unique<BoolAggregate>(junction);
}

}  // namespace

Result<std::unique_ptr<Aggregate>> MakeAggregate(const AggregateCall& call,
                                                 std::span<const ValueKind> kinds,
                                                 const FunctionRegistry& functions) {
  const AggregateFactory factory = functions.FindAggregate(call.function);
  if (factory == nullptr) {
    return MakeError(ErrorCode::kUnknownFunction,
                     StrCat("there is no aggregate \"", call.function, "\""));
  }
  Result<std::unique_ptr<Aggregate>> aggregate = factory(call, kinds);
  if (!aggregate || !call.distinct) return aggregate;
  return std::make_unique<DistinctAggregate>(*std::move(aggregate), kinds.size());
}

void RegisterAggregates(FunctionRegistry& functions) {
  functions.AddAggregate("count", MakeCount);
  functions.AddAggregate("count_if", MakeCountIf);
  functions.AddAggregate("sum", MakeSum<SumOf::kSum>);
  functions.AddAggregate("total", MakeSum<SumOf::kTotal>);
  functions.AddAggregate("avg", MakeSum<SumOf::kAverage>);
  functions.AddAggregate("bool_and", MakeBool<Junction::kAnd>);
  functions.AddAggregate("bool_or", MakeBool<Junction::kOr>);
  RegisterOrderedAggregates(functions);
}

std::string Describe(const AggregateCall& call) {
  std::string text =
      StrCat(call.function, call.distinct ? "(distinct " : "(", DescribeColumns(call.arguments));
  for (const Value& parameter : call.parameters) text += StrCat(", ", DescribeValue(parameter));
  if (!call.order.empty()) text += StrCat(" order ", DescribeOrder(call.order));
  text += ")";
  if (call.filter) text += StrCat(" filter #", *call.filter);
  return text;
}

}  // namespace trefoil::dataflow
