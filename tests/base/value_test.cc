#include "trefoil/value.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/seed.h"

namespace trefoil {
namespace {

TEST(ValueTest, KeepsNumbersOfDifferentKindsInOneExactOrder) {
  const std::vector<Value> ascending = {
      Value::Float(-std::numeric_limits<double>::infinity()),
      Value::Int(std::numeric_limits<std::int64_t>::min()),
      Value::Float(-1.5),
      Value::Decimal(-149, 2),
      Value::Decimal(-1, 18),
      Value::Float(-1e-19),
      Value::Float(-5e-324),
      Value::Int(0),
      Value::Float(5e-324),
      Value::Decimal(1, 18),
      Value::Float(0.1),  // slightly above one tenth
      Value::Int(9'007'199'254'740'992),
      Value::Int(9'007'199'254'740'993),
      Value::Float(9'007'199'254'740'994.0),
      Value::Int(std::numeric_limits<std::int64_t>::max()),
      Value::Float(9'223'372'036'854'775'808.0),
      Value::Float(std::numeric_limits<double>::quiet_NaN()),
  };
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << i << " against " << j;
    }
  }
  EXPECT_TRUE(CompareAsSql(Value::Decimal(1, 1), Value::Float(0.1)) < 0);
  EXPECT_TRUE(CompareAsSql(Value::Decimal(50, 2), Value::Float(0.5)) == 0);
}

TEST(ValueTest, EqualNumbersOfDifferentKindsAreEqualToSqlButNotTheSame) {
  EXPECT_TRUE(CompareAsSql(Value::Int(1), Value::Float(1)) == 0);
  EXPECT_NE(Value::Int(1), Value::Float(1));
  EXPECT_LT(Value::Int(1), Value::Float(1));
  EXPECT_NE(Value::Decimal(10, 1), Value::Decimal(100, 2));
}

TEST(ValueTest, HoldsShortAndLongTextAlike) {
  for (const std::size_t size : {0, 1, 13, 14, 15, 16, 1000}) {
    const std::string text(size, 'x');
    const Value value = Value::Text(text);
    const Value copy = value;
    EXPECT_EQ(copy.AsText(), text);
    EXPECT_EQ(copy, Value::Text(text));
    EXPECT_EQ(copy.Hash(), Value::Text(text).Hash());
    EXPECT_LT(value, Value::Text(text + "a"));
  }
}

TEST(ValueTest, SurvivesCopyMoveAndSelfAssignment) {
  Value value = Value::Text("a text that does not fit inside");
  Value& alias = value;
  value = alias;
  Value moved = std::move(value);
  EXPECT_EQ(moved.AsText(), "a text that does not fit inside");
  value = moved;
  EXPECT_EQ(value, moved);
}

TEST(ValueTest, ComparesObjectsByItemsThenNames) {
  const auto names =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b"});
  const Value object = Value::Object(names, {Value::Int(1), Value::Text("x")});
  EXPECT_EQ(object, Value::Object(names, {Value::Int(1), Value::Text("x")}));
  EXPECT_LT(object, Value::Object(names, {Value::Int(2), Value::Text("x")}));
}

// An order of numbers that shares nothing with the one under test: every FLOAT of moderate exponent
// and every DECIMAL is an integer over 10^18 * 2^20, which 128 bits hold for small magnitudes.
__int128 ScaledUp(const Value& value) {
  constexpr __int128 kTenTo18 = 1'000'000'000'000'000'000;
  constexpr int kShift = 20;
  switch (value.kind()) {
    case ValueKind::kInt:
      return value.AsInt() * kTenTo18 << kShift;
    case ValueKind::kFloat:
      return static_cast<__int128>(value.AsFloat() * (1 << kShift)) * kTenTo18;
    default:
      break;
  }
  __int128 scaled = value.AsDecimal().unscaled;
  for (int i = value.AsDecimal().scale; i < 18; ++i) scaled *= 10;
  return scaled << kShift;
}

TEST(ValueTest, OrdersRandomNumbersAsExactArithmeticDoes) {
  Random random(testing::TestSeed());
  const auto any = [&random]() -> Value {
    switch (random.Uniform(3)) {
      case 0:
        return Value::Int(random.Between(-50, 50));
      case 1:  // exact in binary: a multiple of 2^-20
        return Value::Float(
            static_cast<double>(random.Between(-50 << 20, 50 << 20) >> random.Uniform(20)) /
            (1 << 20));
      default: {
        const int scale = static_cast<int>(random.Uniform(19));
        return Value::Decimal(random.Between(-50, 50) * (scale > 2 ? 125 : 1), scale);
      }
    }
  };
  for (int i = 0; i < 200'000; ++i) {
    const Value a = any();
    const Value b = any();
    ASSERT_EQ(CompareAsSql(a, b), std::weak_ordering(ScaledUp(a) <=> ScaledUp(b)))
        << ToJson(a) << " against " << ToJson(b);
    ASSERT_EQ(a == b, a.kind() == b.kind() && ToJson(a) == ToJson(b));
    if (a == b) {
      ASSERT_EQ(a.Hash(), b.Hash());
    }
  }
}

TEST(ValueTest, OrdersRandomFloatsAndIntegersAsLongDoubleDoes) {
  static_assert(std::numeric_limits<long double>::digits == 64, "holds every INT and FLOAT");
  Random random(testing::TestSeed());
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t number = static_cast<std::int64_t>(random.Next()) >> random.Uniform(64);
    // Beside the integer, or anywhere.
    double other = static_cast<double>(number);
    for (std::uint64_t step = random.Uniform(3); step > 0; --step) {
      other = std::nextafter(other, random.OneIn(2) ? 1e300 : -1e300);
    }
    if (random.OneIn(4)) other = std::bit_cast<double>(random.Next());
    if (std::isnan(other)) continue;
    const auto expected = static_cast<long double>(number) <=> static_cast<long double>(other);
    ASSERT_EQ(std::partial_ordering(CompareAsSql(Value::Int(number), Value::Float(other))),
              expected)
        << number << " against " << ToJson(Value::Float(other));
    ASSERT_EQ(std::partial_ordering(CompareAsSql(Value::Float(other), Value::Int(number))),
              0 <=> expected);
  }
}

TEST(ValueTest, OrdersTextByItsBytes) {
  Random random(testing::TestSeed());
  const auto text = [&random] {
    std::string bytes(random.Uniform(18), '\0');
    for (char& byte : bytes) byte = "\0\0\x7f\x80"[random.Uniform(4)];
    return bytes;
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::string a = text();
    const std::string b = random.Uniform(2) == 0 ? text() : a.substr(0, random.Uniform(18));
    ASSERT_EQ(Value::Text(a) <=> Value::Text(b), a <=> b);
  }
}

TEST(ValueTest, IsATotalOrderOverAllKinds) {
  Random random(testing::TestSeed());
  const auto any = [&random]() -> Value {
    const std::int64_t small = random.Between(-2, 2);
    switch (random.Uniform(10)) {
      case 0:
        return Value();
      case 1:
        return Value::Bool(small > 0);
      case 2:
        return Value::Int(small);
      case 3:
        return Value::Float(static_cast<double>(small) / 2);
      case 4:
        return Value::Decimal(small * 5, static_cast<int>(random.Uniform(3)));
      case 5:
        return Value::Date(small);
      case 6:
        return Value::Timestamp(small * 86'400'000'000);
      case 7:
        return Value::Text(std::string(static_cast<std::size_t>(small + 2) * 7, 'x'));
      case 8:
        return Value::Bytes("x");
      default:
        return Value::List({Value::Int(small), Value::Float(static_cast<double>(small))});
    }
  };
  for (int i = 0; i < 100'000; ++i) {
    const Value a = any();
    const Value b = any();
    const Value c = any();
    ASSERT_EQ(a <=> b, 0 <=> (b <=> a));
    ASSERT_EQ((a <=> b) == 0, a == b);
    if (a <= b && b <= c) {
      ASSERT_LE(a, c);
    }
    if (CompareAsSql(a, b) < 0) {
      ASSERT_LT(a, b);
    }
  }
}

}  // namespace
}  // namespace trefoil
