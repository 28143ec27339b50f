#include "dataflow/ordered_aggregate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "dataflow/operators/group_by.h"
#include "tests/support/operator_harness.h"
#include "tests/support/zset.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

Value Int(int number) { return Value::Int(number); }

// All aggregates over (group, x, y) at once.
GroupBy AllOrdered() {
  return {.key = {0},
          .aggregates = {
              {.function = "min", .arguments = {1}},
              {.function = "max", .arguments = {1}},
              {.function = "first", .arguments = {1, 2}, .order = {{.column = 1}}},
              {.function = "last", .arguments = {1, 2}, .order = {{.column = 1}}},
              {.function = "arg_min", .arguments = {1, 2}},
              {.function = "arg_max", .arguments = {1, 2}},
              {.function = "string_agg",
               .arguments = {1, 2},
               .parameters = {Value::Text("|")},
               .order = {{.column = 1, .descending = true}}},
              {.function = "array_agg", .arguments = {1}},
              {.function = "percentile_disc", .arguments = {1}, .parameters = {Value::Float(0.3)}},
              {.function = "percentile_cont", .arguments = {1}, .parameters = {Value::Float(0.3)}},
              {.function = "median", .arguments = {1}},
              {.function = "count", .arguments = {1}, .distinct = true},
              {.function = "array_agg", .arguments = {1}, .distinct = true}}};
}

struct Pair {
  Value x;
  Value y;
};

Value FirstBy(std::vector<Pair> rows, bool (*less)(const Pair&, const Pair&)) {
  if (rows.empty()) return {};
  return std::ranges::min_element(rows, less)->x;
}

Value Cont(const std::vector<Value>& sorted, double fraction) {
  if (sorted.empty()) return {};
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto low = static_cast<double>(sorted[below].AsInt());
  if (static_cast<double>(below) == place) return Value::Float(low);
  const auto high = static_cast<double>(sorted[below + 1].AsInt());
  return Value::Float(low + (high - low) * (place - static_cast<double>(below)));
}

// Each aggregate by its definition over the expanded group.
Row ResultsOf(const std::vector<Pair>& rows) {
  std::vector<Value> all;
  std::vector<Value> sorted;  // without NULLs
  std::vector<Pair> with_y;
  for (const Pair& row : rows) {
    all.push_back(row.x);
    if (!row.x.is_null()) sorted.push_back(row.x);
    if (!row.y.is_null()) with_y.push_back(row);
  }
  std::ranges::sort(all);
  std::ranges::sort(sorted);
  const auto by_y = [](const Pair& a, const Pair& b) { return a.y != b.y ? a.y < b.y : a.x < b.x; };
  Row results;
  results.push_back(sorted.empty() ? Value() : sorted.front());
  results.push_back(sorted.empty() ? Value() : sorted.back());
  results.push_back(FirstBy(rows, by_y));
  results.push_back(FirstBy(
      rows, [](const Pair& a, const Pair& b) { return a.y != b.y ? a.y > b.y : a.x > b.x; }));
  results.push_back(FirstBy(with_y, by_y));
  results.push_back(FirstBy(
      with_y, [](const Pair& a, const Pair& b) { return a.y != b.y ? a.y > b.y : a.x < b.x; }));
  std::vector<Pair> texts = rows;
  std::erase_if(texts, [](const Pair& row) { return row.x.is_null(); });
  std::ranges::sort(
      texts, [](const Pair& a, const Pair& b) { return a.y != b.y ? a.y > b.y : a.x < b.x; });
  std::string joined;
  for (const Pair& row : texts) joined += (joined.empty() ? "" : "|") + ToText(row.x);
  results.push_back(texts.empty() ? Value() : Value::Text(joined));
  results.push_back(all.empty() ? Value() : Value::List(all));
  std::size_t disc = 0;
  while (disc + 1 < sorted.size() &&
         static_cast<double>(disc + 1) < 0.3 * static_cast<double>(sorted.size())) {
    ++disc;
  }
  results.push_back(sorted.empty() ? Value() : sorted[disc]);
  results.push_back(Cont(sorted, 0.3));
  results.push_back(Cont(sorted, 0.5));
  sorted.erase(std::ranges::unique(sorted).begin(), sorted.end());
  all.erase(std::ranges::unique(all).begin(), all.end());
  results.push_back(Int(static_cast<int>(sorted.size())));
  results.push_back(all.empty() ? Value() : Value::List(all));
  return results;
}

Subject AllOrderedSubject(std::vector<Row> domain) {
  return {
      .name = "ordered aggregates",
      .input_kinds = {{ValueKind::kInt, ValueKind::kInt, ValueKind::kInt}},
      .domains = {std::move(domain)},
      .build = [](Plan& plan,
                  const std::vector<NodeNumber>& inputs) { return plan.Add(AllOrdered(), inputs); },
      .reference =
          [](const std::vector<ZSet>& inputs) {
            std::map<Value, std::vector<Pair>> groups;
            for (const auto& [row, weight] : inputs[0]) {
              std::vector<Pair>& group = groups[row[0]];
              group.insert(group.end(), static_cast<std::size_t>(weight), {row[1], row[2]});
            }
            ZSet expected;
            for (const auto& [key, rows] : groups) {
              Row row = ResultsOf(rows);
              row.insert(row.begin(), key);
              expected[row] = 1;
            }
            return expected;
          }};
}

TEST(OrderedAggregateTest, EqualTheirDefinitionsOnAllSmallGroups) {
  testing::CheckExhaustively(AllOrderedSubject({{Int(1), Int(1), Int(2)},
                                                {Int(1), Int(3), Int(2)},
                                                {Int(1), Value(), Int(1)},
                                                {Int(1), Int(2), Value()}}));
}

TEST(OrderedAggregateTest, EqualTheirDefinitionsAlongRandomHistories) {
  std::vector<Row> domain;
  for (int x = 0; x < 6; ++x) {
    for (int y = 0; y < 3; ++y) {
      domain.push_back({Int(x % 2), x == 5 ? Value() : Int(x), y == 2 ? Value() : Int(y)});
    }
  }
  testing::CheckRandomly(AllOrderedSubject(domain), 400);
}

TEST(OrderedAggregateTest, RefuseWrongArgumentsAndParameters) {
  FunctionRegistry functions;
  RegisterAggregates(functions);
  const std::vector<ValueKind> one = {ValueKind::kText};
  const auto code = [&](const AggregateCall& call) {
    return MakeAggregate(call, one, functions).error().code;
  };
  EXPECT_EQ(code({.function = "min", .arguments = {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.function = "arg_min", .arguments = {0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.function = "median", .arguments = {0}}), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code({.function = "percentile_disc", .arguments = {0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      code({.function = "percentile_disc", .arguments = {0}, .parameters = {Value::Float(1.5)}}),
      ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.function = "string_agg", .arguments = {0}, .parameters = {Value::Int(1)}}),
            ErrorCode::kTypeMismatch);
}

}  // namespace
}  // namespace trefoil::dataflow
