#include "dataflow/sorted_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

// Around every border of the places.
std::vector<Value> Borders() {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::vector<Value> values = {Value(),
                               Value::Bool(false),
                               Value::Bool(true),
                               Value::Float(std::nan("")),
                               Value::Float(HUGE_VAL),
                               Value::Float(-HUGE_VAL),
                               Value::Float(-0.5),
                               Value::Decimal(-15, 1),
                               Value::Decimal(kMost, 18),
                               Value::Text(""),
                               Value::Text("a text that does not fit inside"),
                               Value::Bytes("a")};
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{1} << 61, kMost}) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      if (number == kMost && offset > 0) continue;
      for (const std::int64_t signed_number : {number + offset, -(number + offset)}) {
        values.push_back(Value::Int(signed_number));
        values.push_back(Value::Float(static_cast<double>(signed_number)));
        values.push_back(Value::Timestamp(signed_number));
        values.push_back(Value::Date(signed_number));
        values.push_back(Value::Date(signed_number / 86'400'000'000));
      }
    }
  }
  return values;
}

TEST(SortedRowTest, ALesserValueHasNoGreaterPlace) {
  std::mt19937_64 random(testing::TestSeed());
  std::vector<Value> values = Borders();
  for (int i = 0; i < 300; ++i) values.push_back(testing::RandomValue(random, ValueKind::kNull));
  for (const Value& a : values) {
    for (const Value& b : values) {
      if (a < b) {
        ASSERT_LE(PlaceOf(a), PlaceOf(b)) << ToJson(a) << " and " << ToJson(b);
      }
    }
  }
  EXPECT_LT(PlaceOf(Value::Int(1)), PlaceOf(Value::Int(2))) << "it tells numbers apart";
  EXPECT_LT(PlaceOf(Value::Timestamp(1)), PlaceOf(Value::Timestamp(2)));
}

TEST(SortedRowTest, OrdersAsRowsDoForAnyDirection) {
  std::mt19937_64 random(testing::TestSeed());
  // Equal, nearly equal, and of other kinds: what shares its place.
  const std::vector<Value> near = {Value(),
                                   Value::Int(1),
                                   Value::Float(1),
                                   Value::Float(1.5),
                                   Value::Decimal(10, 1),
                                   Value::Decimal(12, 1),
                                   Value::Int(2),
                                   Value::Date(1),
                                   Value::Timestamp(86'400'000'000),
                                   Value::Text("a"),
                                   Value::Text("b"),
                                   Value::Int(std::int64_t{1} << 61),
                                   Value::Int((std::int64_t{1} << 61) + 1),
                                   Value::Float(HUGE_VAL)};
  std::vector<Row> rows;
  const auto any = [&] { return near[random() % near.size()]; };
  for (int i = 0; i < 200; ++i) rows.push_back({any(), any(), any()});
  for (const bool first_descends : {false, true}) {
    for (const bool second_descends : {false, true}) {
      const std::vector<SortColumn> columns = {{.column = 1, .descending = first_descends},
                                               {.column = 0, .descending = second_descends}};
      const RowOrder plain(columns);
      const SortedRowOrder sorted(columns);
      for (const Row& a : rows) {
        const SortedRow row = sorted.Make(a);
        for (const Row& b : rows) {
          const auto wanted = plain(RowView(a), RowView(b));
          ASSERT_EQ(sorted(row, sorted.Make(b)), wanted)
              << ToJson(Value::List(a)) << " and " << ToJson(Value::List(b));
          ASSERT_EQ(sorted(row, RowView(b)), wanted);
          const Value place[] = {b[1], b[0]};
          for (const std::size_t length : {0U, 1U, 2U}) {
            const RowOrder::Place prefix{std::span(place).first(length)};
            ASSERT_EQ(sorted(row, prefix), plain(RowView(a), prefix));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace trefoil::dataflow
