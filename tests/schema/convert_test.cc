#include "schema/convert.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::schema {
namespace {

Result<Value> To(const ValueType& type, const Value& value) {
  return Convert({.name = "track"}, {.name = "price", .type = type}, value);
}

void ExpectRefused(const ValueType& type, const Value& value) {
  const Result<Value> converted = To(type, value);
  ASSERT_FALSE(converted) << ToJson(value);
  EXPECT_EQ(converted.error().code, ErrorCode::kTypeMismatch);
}

using enum ValueKind;

TEST(ConvertTest, KeepsWhatFits) {
  EXPECT_EQ(*To({.kind = kInt}, Value::Int(3)), Value::Int(3));
  EXPECT_EQ(*To({.kind = kInt}, Value()), Value());
  EXPECT_EQ(*To({}, Value::Text("x")), Value::Text("x"));
}

TEST(ConvertTest, GivesAsItIsWhatFitsAsItIs) {
  testing::RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    const ValueType type = {.kind = static_cast<ValueKind>(testing::Below(random, 12)),
                            .precision = static_cast<std::uint8_t>(2 + testing::Below(random, 17)),
                            .scale = static_cast<std::uint8_t>(testing::Below(random, 3))};
    Value value = testing::RandomValue(random, static_cast<ValueKind>(testing::Below(random, 12)));
    if (testing::Below(random, 20) == 0) value = Value::Text("\xff");
    if (!FitsAsIs(type, value)) continue;
    const Result<Value> converted = To(type, value);
    ASSERT_TRUE(converted) << ToJson(value);
    ASSERT_EQ(*converted, value);
  }
}

TEST(ConvertTest, ChangesNumbersOnlyWithoutLoss) {
  EXPECT_EQ(*To({.kind = kFloat}, Value::Int(3)), Value::Float(3));
  ExpectRefused({.kind = kFloat}, Value::Int((1LL << 53) + 1));
  EXPECT_EQ(*To({.kind = kInt}, Value::Float(-4)), Value::Int(-4));
  ExpectRefused({.kind = kInt}, Value::Float(0.5));
  ExpectRefused({.kind = kInt}, Value::Float(0x1p63));
  ExpectRefused({.kind = kInt}, Value::Float(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(*To({.kind = kInt}, Value::Decimal(300, 2)), Value::Int(3));
  ExpectRefused({.kind = kInt}, Value::Decimal(301, 2));
  EXPECT_EQ(*To({.kind = kFloat}, Value::Decimal(1, 1)), Value::Float(0.1));
  ExpectRefused({.kind = kFloat}, Value::Decimal(123'456'789'012'345'678, 17));
}

TEST(ConvertTest, RescalesDecimalsExactly) {
  const ValueType price = {.kind = kDecimal, .precision = 5, .scale = 2};
  EXPECT_EQ(*To(price, Value::Int(7)), Value::Decimal(700, 2));
  EXPECT_EQ(*To(price, Value::Float(19.99)), Value::Decimal(1999, 2));
  EXPECT_EQ(*To(price, Value::Float(-0.5)), Value::Decimal(-50, 2));
  EXPECT_EQ(*To(price, Value::Decimal(19'990, 3)), Value::Decimal(1999, 2));
  ExpectRefused(price, Value::Decimal(19'991, 3));
  ExpectRefused(price, Value::Int(1000));
  ExpectRefused(price, Value::Float(1e300));
  ExpectRefused(price, Value::Text("7"));
}

TEST(ConvertTest, TakesADateForItsMidnight) {
  EXPECT_EQ(*To({.kind = kTimestamp}, Value::Date(2)), Value::Timestamp(172'800'000'000));
  EXPECT_EQ(*To({.kind = kDate}, Value::Timestamp(172'800'000'000)), Value::Date(2));
  ExpectRefused({.kind = kDate}, Value::Timestamp(172'800'000'001));
  ExpectRefused({.kind = kTimestamp}, Value::Date(std::numeric_limits<std::int64_t>::max()));
}

TEST(ConvertTest, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(*To({.kind = kText}, Value::Text("h\xC3\xA9 \xF0\x9F\x98\x80")),
            Value::Text("h\xC3\xA9 \xF0\x9F\x98\x80"));
  ExpectRefused({.kind = kText}, Value::Text("\xC3"));
  ExpectRefused({.kind = kText}, Value::Text("\xC0\xAF"));
  ExpectRefused({.kind = kText}, Value::Text("\xED\xA0\x80"));
  ExpectRefused({}, Value::Text("\xFF"));
}

TEST(ConvertTest, NamesColumnKindAndValue) {
  const Result<Value> converted = To({.kind = kInt}, Value::Text(std::string(100, 'x')));
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().message, "column \"track.price\" is INT and cannot hold the TEXT '" +
                                           std::string(60, 'x') + "...'");
  ExpectRefused({}, Value::List({}));
}

}  // namespace
}  // namespace trefoil::schema
