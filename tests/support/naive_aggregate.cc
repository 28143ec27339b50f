// Aggregates of the naive evaluator: the values of the group in a list, then what they come to.
#include <algorithm>
#include <string>

#include "dataflow/exact_sum.h"
#include "tests/support/naive_context.h"

namespace trefoil::testing {

using query::Aggregate;

namespace {

using Int128 = __int128;

// Integers by themselves; with other numbers the exact sum of the engine, which has tests of its
// own.
Value SumOf(const std::vector<Value>& values) {
  if (values.empty()) return {};
  Int128 sum = 0;
  dataflow::SumState other;
  bool all_int = true;
  for (const Value& value : values) {
    all_int = all_int && value.kind() == ValueKind::kInt;
    if (value.kind() == ValueKind::kInt) sum += value.AsInt();
    other.Add(value, 1);
  }
  if (!all_int) return other.Sum();
  if (sum != static_cast<std::int64_t>(sum)) return {};
  return Value::Int(static_cast<std::int64_t>(sum));
}

Value AverageOf(const std::vector<Value>& values) {
  if (values.empty()) return {};
  dataflow::SumState sum;
  for (const Value& value : values) sum.Add(value, 1);
  return sum.Average();
}

Value ZeroOf(ValueKind kind) {
  if (kind == ValueKind::kFloat) return Value::Float(0);
  return kind == ValueKind::kDecimal ? Value::Decimal(0, 0) : Value::Int(0);
}

}  // namespace

Value NaiveContext::Aggregate(const query::BoundAggregate& aggregate,
                              const std::vector<Tuple>& rows) {
  std::vector<Value> values;
  std::int64_t row_count = 0;
  for (const Tuple& row : rows) {
    Stand(row);
    if (aggregate.filter && !IsTrue(*aggregate.filter)) continue;
    ++row_count;
    if (aggregate.argument) values.push_back(Evaluate(*aggregate.argument));
  }
  std::ranges::sort(values);
  if (aggregate.distinct) values.erase(std::ranges::unique(values).begin(), values.end());
  if (aggregate.function == Aggregate::kArrayAgg) {
    return values.empty() ? Value() : Value::List(std::move(values));
  }
  std::erase_if(values, [](const Value& value) { return value.is_null(); });
  const auto any_is = [&](bool truth) {
    return std::ranges::find(values, Value::Bool(truth)) != values.end();
  };
  switch (aggregate.function) {
    case Aggregate::kCount:
      return Value::Int(aggregate.argument ? std::ssize(values) : row_count);
    case Aggregate::kSum:
      return SumOf(values);
    case Aggregate::kTotal:
      return values.empty() ? ZeroOf(aggregate.type.kind) : SumOf(values);
    case Aggregate::kAvg:
      return AverageOf(values);
    case Aggregate::kMin:
      return values.empty() ? Value() : values.front();
    case Aggregate::kMax:
      return values.empty() ? Value() : values.back();
    case Aggregate::kBoolAnd:
      return values.empty() ? Value() : Value::Bool(!any_is(false));
    case Aggregate::kBoolOr:
      return values.empty() ? Value() : Value::Bool(any_is(true));
    case Aggregate::kStringAgg: {
      if (values.empty()) return {};
      std::string text;
      for (std::size_t i = 0; i < values.size(); ++i) {
        text += i == 0 ? "" : aggregate.separator;
        text += values[i].AsText();
      }
      return Value::Text(text);
    }
    case Aggregate::kArrayAgg:
      break;
  }
  return {};
}

}  // namespace trefoil::testing
