// Numbers, and the functions that choose among values.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "query/functions.h"

namespace trefoil::query {

namespace {

using Arguments = std::span<const Value>;
using Answer = std::optional<Value>;
using Int128 = __int128;

double FloatOf(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kInt:
      return static_cast<double>(value.AsInt());
    case ValueKind::kDecimal:
      return static_cast<double>(value.AsDecimal().unscaled) /
             std::pow(10.0, value.AsDecimal().scale);
    default:
      return value.AsFloat();
  }
}

// Infinity and NaN stand for what is not defined.
Answer Finite(double number) { return std::isfinite(number) ? Value::Float(number) : Answer(); }

Answer Abs(Arguments in) {
  switch (in[0].kind()) {
    case ValueKind::kInt:
      if (in[0].AsInt() == INT64_MIN) return std::nullopt;
      return Value::Int(std::abs(in[0].AsInt()));
    case ValueKind::kDecimal:
      if (in[0].AsDecimal().unscaled == INT64_MIN) return std::nullopt;
      return Value::Decimal(std::abs(in[0].AsDecimal().unscaled), in[0].AsDecimal().scale);
    case ValueKind::kFloat:
      return Value::Float(std::abs(in[0].AsFloat()));
    default:
      return std::nullopt;
  }
}

Answer Sign(Arguments in) {
  if (!in[0].is_number()) return std::nullopt;
  const std::weak_ordering order = CompareAsSql(in[0], Value::Int(0));
  return Value::Int(order < 0 ? -1 : order > 0 ? 1 : 0);
}

// How a DECIMAL loses digits.
enum class Rounding { kHalfAway, kDown, kUp, kZero };

// unscaled / 10^digits, rounded.
Int128 Shrink(Int128 unscaled, int digits, Rounding rounding) {
  Int128 power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  Int128 quotient = unscaled / power;
  const Int128 rest = unscaled % power;
  if (rest == 0) return quotient;
  switch (rounding) {
    case Rounding::kHalfAway:
      if (rest * 2 >= power) ++quotient;
      if (rest * 2 <= -power) --quotient;
      break;
    case Rounding::kDown:
      if (rest < 0) --quotient;
      break;
    case Rounding::kUp:
      if (rest > 0) ++quotient;
      break;
    case Rounding::kZero:
      break;
  }
  return quotient;
}

double RoundFloat(double number, Rounding rounding) {
  switch (rounding) {
    case Rounding::kHalfAway:
      return std::round(number);
    case Rounding::kDown:
      return std::floor(number);
    case Rounding::kUp:
      return std::ceil(number);
    case Rounding::kZero:
      return std::trunc(number);
  }
  return number;
}

// To `places` digits behind the point, or before it if negative.
Answer RoundTo(const Value& number, std::int64_t places, Rounding rounding) {
  if (!number.is_number()) return std::nullopt;
  places = std::clamp<std::int64_t>(places, -19, 18);
  if (number.kind() == ValueKind::kFloat) {
    const double power = std::pow(10.0, static_cast<double>(std::abs(places)));
    const double value = number.AsFloat();
    const double scaled = places >= 0 ? value * power : value / power;
    if (!std::isfinite(scaled)) return number;  // no digit is that far behind the point
    const double rounded = RoundFloat(scaled, rounding);
    return Value::Float(places >= 0 ? rounded / power : rounded * power);
  }
  const bool is_int = number.kind() == ValueKind::kInt;
  const Decimal decimal = is_int ? Decimal{number.AsInt(), 0} : number.AsDecimal();
  if (places >= decimal.scale) return number;
  const auto digits = static_cast<int>(decimal.scale - places);
  Int128 rounded = Shrink(decimal.unscaled, digits, rounding);
  for (std::int64_t i = places; i < 0; ++i) rounded *= 10;
  if (rounded > INT64_MAX || rounded < INT64_MIN) return std::nullopt;
  const auto unscaled = static_cast<std::int64_t>(rounded);
  return is_int ? Value::Int(unscaled)
                : Value::Decimal(unscaled, static_cast<int>(std::max<std::int64_t>(places, 0)));
}

std::int64_t PlacesOf(Arguments in) { return in.size() > 1 ? in[1].AsInt() : 0; }
Answer Round(Arguments in) { return RoundTo(in[0], PlacesOf(in), Rounding::kHalfAway); }
Answer Truncate(Arguments in) { return RoundTo(in[0], PlacesOf(in), Rounding::kZero); }
Answer Floor(Arguments in) { return RoundTo(in[0], 0, Rounding::kDown); }
Answer Ceil(Arguments in) { return RoundTo(in[0], 0, Rounding::kUp); }

Answer SquareRoot(Arguments in) { return Finite(std::sqrt(FloatOf(in[0]))); }
Answer Exp(Arguments in) { return Finite(std::exp(FloatOf(in[0]))); }
Answer Ln(Arguments in) { return Finite(std::log(FloatOf(in[0]))); }
Answer Log10(Arguments in) { return Finite(std::log10(FloatOf(in[0]))); }
Answer Power(Arguments in) { return Finite(std::pow(FloatOf(in[0]), FloatOf(in[1]))); }

Answer Modulo(Arguments in) {
  if (in[1].AsInt() == 0) return std::nullopt;
  return Value::Int(in[1].AsInt() == -1 ? 0 : in[0].AsInt() % in[1].AsInt());
}

Answer Coalesce(Arguments in) {
  const auto found = std::ranges::find_if(in, [](const Value& value) { return !value.is_null(); });
  return found == in.end() ? Value() : *found;
}

Answer NullIf(Arguments in) {
  const bool equal = !in[0].is_null() && !in[1].is_null() && CompareAsSql(in[0], in[1]) == 0;
  return equal ? Value() : in[0];
}

Answer IfThenElse(Arguments in) {
  const bool holds = in[0].kind() == ValueKind::kBool && in[0].AsBool();
  return holds ? in[1] : in[2];
}

// NULLs are passed over, as in PostgreSQL.
Answer Extreme(Arguments in, bool greatest) {
  Value best;
  for (const Value& value : in) {
    if (value.is_null()) continue;
    const bool better = best.is_null() ||
                        (greatest ? CompareAsSql(value, best) > 0 : CompareAsSql(value, best) < 0);
    if (better) best = value;
  }
  return best;
}
Answer Greatest(Arguments in) { return Extreme(in, true); }
Answer Least(Arguments in) { return Extreme(in, false); }

Answer TypeOf(Arguments in) { return Value::Text(KindName(in[0].kind())); }

constexpr Function kFunctions[] = {
    {"abs", "n:0", false, Abs},
    {"ceil", "n:0", false, Ceil},
    {"coalesce", "aa*:u", true, Coalesce},
    {"exp", "n:f", false, Exp},
    {"floor", "n:0", false, Floor},
    {"greatest", "aa*:u", true, Greatest},
    {"ifnull", "aa:u", true, Coalesce},
    {"iif", "baa:2", true, IfThenElse},
    {"least", "aa*:u", true, Least},
    {"ln", "n:f", false, Ln},
    {"log10", "n:f", false, Log10},
    {"mod", "ii:i", false, Modulo},
    {"nullif", "aa:0", true, NullIf},
    {"power", "nn:f", false, Power},
    {"round", "n?i:0", false, Round},
    {"sign", "n:i", false, Sign},
    {"sqrt", "n:f", false, SquareRoot},
    {"trunc", "n?i:0", false, Truncate},
    {"typeof", "a:t", true, TypeOf},
};

}  // namespace

std::span<const Function> NumberFunctions() { return kFunctions; }

}  // namespace trefoil::query
