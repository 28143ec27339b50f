#include "dataflow/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

using boost::multiprecision::cpp_int;

// The oracle: whole units of 2^-1074 in integers of any size.
cpp_int Units(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  const cpp_int mantissa(static_cast<long long>(std::ldexp(fraction, 53)));
  const int shift = exponent - 53 + 1074;
  return shift >= 0 ? cpp_int(mantissa << shift) : cpp_int(mantissa / (cpp_int(1) << -shift));
}

// numerator / denominator units, to the nearest double, ties to even.
double RoundUnits(cpp_int numerator, const cpp_int& denominator) {
  const bool negative = numerator < 0;
  if (negative) numerator = -numerator;
  const cpp_int whole = numerator / denominator;
  const int bits = whole == 0 ? 0 : static_cast<int>(msb(whole)) + 1;
  const int drop = std::max(bits - 53, 0);
  const cpp_int step = denominator << drop;
  cpp_int mantissa = numerator / step;
  const cpp_int twice = (numerator % step) * 2;
  if (twice > step || (twice == step && mantissa % 2 == 1)) ++mantissa;
  const double magnitude = std::ldexp(mantissa.convert_to<double>(), drop - 1074);
  return negative ? -magnitude : magnitude;
}

double RandomDouble(std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:  // any finite bit pattern
      for (;;) {
        const auto value = std::bit_cast<double>(random());
        if (std::isfinite(value)) return value;
      }
    case 1:  // subnormal
      return std::bit_cast<double>(random() >> 12);
    case 2:  // prices
      return static_cast<double>(random() % 100000) / 100;
    case 3:  // powers of two, for ties
      return std::ldexp(random() % 2 == 0 ? 1.0 : -1.0, static_cast<int>(random() % 120) - 60);
    case 4:  // the largest
      return std::numeric_limits<double>::max() * (random() % 2 == 0 ? 1 : -1);
    default:
      return std::normal_distribution<double>(0, 1e9)(random);
  }
}

TEST(ExactSumTest, EqualsTheSumInIntegersOfAnySizeForRandomDoubles) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 3000 * testing::TestScale(); ++round) {
    ExactSum sum;
    cpp_int units = 0;
    const std::size_t size = random() % 12;
    const bool heavy = random() % 4 == 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double value = RandomDouble(random);
      std::int64_t weight = random() % 2 == 0 ? 1 : -1;
      if (heavy) weight = static_cast<std::int64_t>(random()) >> (random() % 60);
      sum.Add(value, weight);
      units += Units(value) * weight;
    }
    EXPECT_EQ(sum.Round(), RoundUnits(units, 1));
    const std::uint64_t divisor = (random() >> (random() % 64)) | 1;
    const int scale = static_cast<int>(random() % 19);
    EXPECT_EQ(sum.RoundQuotient(divisor, 0), RoundUnits(units, divisor)) << divisor;
    EXPECT_EQ(sum.RoundQuotient(divisor, scale),
              RoundUnits(units, divisor * pow(cpp_int(10), static_cast<unsigned>(scale))));
  }
}

TEST(ExactSumTest, DoesNotDependOnTheOrderAndTakesBackEveryBit) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 500 * testing::TestScale(); ++round) {
    std::vector<double> kept(random() % 10);
    std::ranges::generate(kept, [&] { return RandomDouble(random); });
    ExactSum expected;
    for (const double value : kept) expected.Add(value, 1);

    std::vector<std::pair<double, int>> changes;
    for (const double value : kept) changes.emplace_back(value, 1);
    for (int i = 0; i < 20; ++i) {
      const double value = RandomDouble(random);
      changes.emplace_back(value, 1);
      changes.emplace_back(value, -1);
    }
    std::ranges::shuffle(changes, random);
    ExactSum sum;
    for (const auto& [value, weight] : changes) sum.Add(value, weight);
    EXPECT_EQ(sum.Round(), expected.Round());
  }
}

TEST(ExactSumTest, KeepsABinWithinItsRangeOverManyAdditions) {
  ExactSum sum;
  const double value = std::ldexp(0x1.fffffffffffffp+52, 31 - 18);  // shifted by 31 in its bin
  constexpr std::int64_t kWeight = 0xffffffff;
  for (int i = 0; i < 1000; ++i) sum.Add(value, kWeight);
  EXPECT_EQ(sum.Round(), RoundUnits(Units(value) * kWeight * 1000, 1));
  for (int i = 0; i < 1000; ++i) sum.Add(value, -kWeight);
  EXPECT_EQ(sum.Round(), 0);
}

// Of every magnitude up to 2^120, among them those around 2^80, from which on two bins are taken.
TEST(ExactSumTest, AddsIntegersExactly) {
  std::mt19937_64 random(testing::TestSeed());
  const auto some = [&](std::uint64_t bits) {
    const auto high = static_cast<Int128>(random() >> 8) << 64;
    const Int128 value = (high | static_cast<Int128>(random())) >> (120 - bits);
    return random() % 2 == 0 ? value : -value;
  };
  for (int round = 0; round < 1'000 * testing::TestScale(); ++round) {
    ExactSum sum;
    Int128 expected = 0;
    for (int i = 0; i < 8; ++i) {
      const Int128 value = some(random() % 3 == 0 ? 79 + random() % 3 : random() % 118);
      sum.AddInteger(value);
      expected += value;
      ASSERT_EQ(sum.Round(), static_cast<double>(expected));
    }
    sum.AddInteger(-expected);
    ASSERT_EQ(sum.Round(), 0.0);
  }
}

TEST(ExactSumTest, ARemainderBeyondAllBitsOfAQuotientBreaksItsTie) {
  constexpr double kUnit = std::numeric_limits<double>::denorm_min();
  ExactSum small;  // 4 1/2 units and 2^-40 more
  small.Add(kUnit, (std::int64_t{1} << 42) + (std::int64_t{1} << 39) + 1);
  EXPECT_EQ(small.RoundQuotient(std::uint64_t{1} << 40, 0), 5 * kUnit);
  ExactSum large;  // 2^54 + 2, half-way between two doubles, and 2^-40 more
  constexpr std::uint64_t kDivisor = (std::uint64_t{1} << 40) + 1;
  large.AddInteger(Int128{kDivisor} * ((std::int64_t{1} << 54) + 2) + 1);
  EXPECT_EQ(large.RoundQuotient(kDivisor, 0), 0x1p54 + 4);
}

TEST(ExactSumTest, CountsNaNAndInfinitiesAndTakesThemBack) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ExactSum sum;
  sum.Add(1.5, 1);
  sum.Add(kInfinity, 1);
  EXPECT_EQ(sum.Round(), kInfinity);
  sum.Add(-kInfinity, 1);
  EXPECT_TRUE(std::isnan(sum.Round()));
  sum.Add(kInfinity, -1);
  EXPECT_EQ(sum.Round(), -kInfinity);
  sum.Add(std::numeric_limits<double>::quiet_NaN(), 1);
  EXPECT_TRUE(std::isnan(sum.Round()));
  sum.Add(std::numeric_limits<double>::quiet_NaN(), -1);
  sum.Add(-kInfinity, -1);
  EXPECT_EQ(sum.Round(), 1.5);
}

TEST(SumStateTest, IsNullForNoNumbersAndForASumBeyondItsType) {
  SumState state;
  EXPECT_TRUE(state.Sum().is_null());
  EXPECT_TRUE(state.Average().is_null());
  state.Add(Value(), 1);
  state.Add(Value::Text("7"), 1);
  EXPECT_TRUE(state.Sum().is_null());

  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  state.Add(Value::Int(kMax), 2);
  EXPECT_TRUE(state.Sum().is_null());
  EXPECT_EQ(state.Average(), Value::Float(0x1p63));
  state.Add(Value::Int(kMax), -1);
  EXPECT_EQ(state.Sum(), Value::Int(kMax));

  SumState floats;
  floats.Add(Value::Float(std::numeric_limits<double>::max()), 2);
  EXPECT_TRUE(floats.Sum().is_null());
  EXPECT_EQ(floats.Average(), Value::Float(std::numeric_limits<double>::max()));
}

TEST(SumStateTest, HasTheWidestKindAmongItsValuesAndNarrowsAgain) {
  SumState state;
  state.Add(Value::Int(1), 1);
  EXPECT_EQ(state.Sum(), Value::Int(1));
  state.Add(Value::Decimal(25, 1), 1);
  state.Add(Value::Decimal(125, 2), 1);
  EXPECT_EQ(state.Sum(), Value::Decimal(475, 2));
  state.Add(Value::Float(0.25), 1);
  EXPECT_EQ(state.Sum(), Value::Float(5));
  EXPECT_EQ(state.Average(), Value::Float(1.25));
  state.Add(Value::Float(0.25), -1);
  state.Add(Value::Decimal(125, 2), -1);
  EXPECT_EQ(state.Sum(), Value::Decimal(35, 1));
  state.Add(Value::Decimal(25, 1), -1);
  EXPECT_EQ(state.Sum(), Value::Int(1));
}

TEST(SumStateTest, AveragesDecimalsWithOneRounding) {
  SumState state;
  state.Add(Value::Decimal(10, 2), 1);
  state.Add(Value::Decimal(20, 2), 2);
  EXPECT_EQ(state.Average(), Value::Float(0.5 / 3));
  state.Add(Value::Decimal(std::numeric_limits<std::int64_t>::max(), 18), 3);
  EXPECT_FALSE(state.Average().is_null());
}

}  // namespace
}  // namespace trefoil::dataflow
