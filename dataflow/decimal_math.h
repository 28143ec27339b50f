// Exact 128-bit helpers for INT and DECIMAL.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "trefoil/value.h"

namespace trefoil::dataflow {

__extension__ using Int128 = __int128;

inline constexpr int kMaxScale = 18;

constexpr bool FitsInt64(Int128 number) {
  return number >= std::numeric_limits<std::int64_t>::min() &&
         number <= std::numeric_limits<std::int64_t>::max();
}

constexpr Int128 Magnitude(Int128 number) { return number < 0 ? -number : number; }

// 10^exponent, exponent 0..38.
constexpr Int128 PowerOfTen(int exponent) {
  Int128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// Half away from zero. The divisor is not 0.
constexpr Int128 DivideRounded(Int128 dividend, Int128 divisor) {
  const Int128 quotient = dividend / divisor;
  const Int128 rest = Magnitude(dividend % divisor);
  if (rest < Magnitude(divisor) - rest) return quotient;
  return (dividend < 0) == (divisor < 0) ? quotient + 1 : quotient - 1;
}

// The unscaled number at a scale that is not smaller.
constexpr Int128 ScaledUp(Decimal decimal, int scale) {
  return static_cast<Int128>(decimal.unscaled) * PowerOfTen(scale - decimal.scale);
}

inline std::optional<Value> MadeDecimal(Int128 unscaled, int scale) {
  if (!FitsInt64(unscaled)) return std::nullopt;
  return Value::Decimal(static_cast<std::int64_t>(unscaled), scale);
}

// A number of any kind as FLOAT, rounded to nearest.
inline double NumberAsFloat(const Value& number) {
  if (number.kind() == ValueKind::kFloat) return number.AsFloat();
  if (number.kind() == ValueKind::kInt) return static_cast<double>(number.AsInt());
  const Decimal decimal = number.AsDecimal();
  return static_cast<double>(static_cast<long double>(decimal.unscaled) /
                             static_cast<long double>(PowerOfTen(decimal.scale)));
}

}  // namespace trefoil::dataflow
