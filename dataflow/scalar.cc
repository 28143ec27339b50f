// Arithmetic and LIKE.
#include "dataflow/scalar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "base/utf8.h"
#include "dataflow/decimal_math.h"

namespace trefoil::dataflow {

namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
// Digits behind the point of a quotient of DECIMALs that have fewer.
constexpr int kQuotientScale = 6;

bool IsNumber(ValueKind kind) { return kind >= ValueKind::kInt && kind <= ValueKind::kDecimal; }
bool IsTime(ValueKind kind) { return kind == ValueKind::kDate || kind == ValueKind::kTimestamp; }

std::optional<Value> MadeInt(Int128 number) {
  if (!FitsInt64(number)) return std::nullopt;
  return Value::Int(static_cast<std::int64_t>(number));
}

std::optional<Value> IntArithmetic(ArithmeticOp op, Int128 a, Int128 b) {
  switch (op) {
    case ArithmeticOp::kAdd:
      return MadeInt(a + b);
    case ArithmeticOp::kSubtract:
      return MadeInt(a - b);
    case ArithmeticOp::kMultiply:
      return MadeInt(a * b);
    case ArithmeticOp::kDivide:
      if (b == 0) return std::nullopt;
      return MadeInt(a / b);
    case ArithmeticOp::kModulo:
      if (b == 0) return std::nullopt;
      return MadeInt(a % b);
  }
  return std::nullopt;
}

std::optional<Value> FloatArithmetic(ArithmeticOp op, double a, double b) {
  double result = 0;
  switch (op) {
    case ArithmeticOp::kAdd:
      result = a + b;
      break;
    case ArithmeticOp::kSubtract:
      result = a - b;
      break;
    case ArithmeticOp::kMultiply:
      result = a * b;
      break;
    case ArithmeticOp::kDivide:
    case ArithmeticOp::kModulo:
      if (b == 0) return std::nullopt;
      result = op == ArithmeticOp::kDivide ? a / b : std::fmod(a, b);
      break;
  }
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) return std::nullopt;
  return Value::Float(result);
}

std::optional<Value> DecimalArithmetic(ArithmeticOp op, Decimal a, Decimal b) {
  const int scale = std::max(a.scale, b.scale);
  switch (op) {
    case ArithmeticOp::kAdd:
      return MadeDecimal(ScaledUp(a, scale) + ScaledUp(b, scale), scale);
    case ArithmeticOp::kSubtract:
      return MadeDecimal(ScaledUp(a, scale) - ScaledUp(b, scale), scale);
    case ArithmeticOp::kMultiply: {
      const int product_scale = a.scale + b.scale;
      const Int128 product = static_cast<Int128>(a.unscaled) * b.unscaled;
      if (product_scale <= kMaxScale) return MadeDecimal(product, product_scale);
      return MadeDecimal(DivideRounded(product, PowerOfTen(product_scale - kMaxScale)), kMaxScale);
    }
    case ArithmeticOp::kDivide: {
      if (b.unscaled == 0) return std::nullopt;
      const int wanted = std::max(scale, kQuotientScale);
      // a / 10^sa / (b / 10^sb) * 10^wanted = a * 10^(wanted + sb - sa) / b, the power 0..36.
      int shift = wanted + b.scale - a.scale;
      Int128 dividend = a.unscaled;
      for (; shift > 0; --shift) {
        if (Magnitude(dividend) > std::numeric_limits<Int128>::max() / 10) return std::nullopt;
        dividend *= 10;
      }
      return MadeDecimal(DivideRounded(dividend, b.unscaled), wanted);
    }
    case ArithmeticOp::kModulo:
      if (b.unscaled == 0) return std::nullopt;
      return MadeDecimal(ScaledUp(a, scale) % ScaledUp(b, scale), scale);
  }
  return std::nullopt;
}

std::optional<Value> MadeTime(ValueKind kind, Int128 number) {
  if (!FitsInt64(number)) return std::nullopt;
  const auto units = static_cast<std::int64_t>(number);
  return kind == ValueKind::kDate ? Value::Date(units) : Value::Timestamp(units);
}

std::optional<Value> TimeArithmetic(ArithmeticOp op, const Value& a, const Value& b) {
  const bool adds = op == ArithmeticOp::kAdd;
  if (!adds && op != ArithmeticOp::kSubtract) return std::nullopt;
  if (IsTime(a.kind()) && b.kind() == ValueKind::kInt) {
    const Int128 amount = b.AsInt();
    return MadeTime(a.kind(), adds ? a.AsInt() + amount : a.AsInt() - amount);
  }
  if (adds && a.kind() == ValueKind::kInt && IsTime(b.kind())) return TimeArithmetic(op, b, a);
  if (adds || !IsTime(a.kind()) || !IsTime(b.kind())) return std::nullopt;
  const auto units = [&](const Value& time) {
    const bool converts = time.kind() == ValueKind::kDate && a.kind() != b.kind();
    return static_cast<Int128>(time.AsInt()) * (converts ? kMicrosPerDay : 1);
  };
  return MadeInt(units(a) - units(b));
}

Decimal DecimalOf(const Value& value) {
  return value.kind() == ValueKind::kInt ? Decimal{value.AsInt(), 0} : value.AsDecimal();
}

}  // namespace

std::optional<ValueKind> ArithmeticKind(ArithmeticOp op, ValueKind a, ValueKind b) {
  if (a == ValueKind::kNull || b == ValueKind::kNull) return ValueKind::kNull;
  if (IsNumber(a) && IsNumber(b)) {
    if (a == ValueKind::kFloat || b == ValueKind::kFloat) return ValueKind::kFloat;
    return a == ValueKind::kInt && b == ValueKind::kInt ? ValueKind::kInt : ValueKind::kDecimal;
  }
  if (op == ArithmeticOp::kSubtract && IsTime(a) && IsTime(b)) return ValueKind::kInt;
  if (op != ArithmeticOp::kAdd && op != ArithmeticOp::kSubtract) return std::nullopt;
  if (IsTime(a) && b == ValueKind::kInt) return a;
  if (op == ArithmeticOp::kAdd && a == ValueKind::kInt && IsTime(b)) return b;
  return std::nullopt;
}

std::optional<Value> Arithmetic(ArithmeticOp op, const Value& a, const Value& b) {
  if (a.kind() == ValueKind::kInt && b.kind() == ValueKind::kInt) {
    return IntArithmetic(op, a.AsInt(), b.AsInt());
  }
  if (!a.is_number() || !b.is_number()) return TimeArithmetic(op, a, b);
  if (a.kind() == ValueKind::kFloat || b.kind() == ValueKind::kFloat) {
    return FloatArithmetic(op, NumberAsFloat(a), NumberAsFloat(b));
  }
  return DecimalArithmetic(op, DecimalOf(a), DecimalOf(b));
}

std::optional<Value> Negate(const Value& number) {
  switch (number.kind()) {
    case ValueKind::kInt:
      return MadeInt(-static_cast<Int128>(number.AsInt()));
    case ValueKind::kFloat:
      return Value::Float(-number.AsFloat());
    case ValueKind::kDecimal:
      return MadeDecimal(-static_cast<Int128>(number.AsDecimal().unscaled),
                         number.AsDecimal().scale);
    default:
      return std::nullopt;
  }
}

bool AreComparable(ValueKind a, ValueKind b) {
  return a == b || a == ValueKind::kNull || b == ValueKind::kNull || (IsNumber(a) && IsNumber(b)) ||
         (IsTime(a) && IsTime(b));
}

// Greedy with one way back: a mismatch returns to the last %, which takes one character more. An
// earlier % never needs to take more, as the last one can. O(text * pattern).
bool MatchesLike(std::string_view text, std::string_view pattern, LetterCase letter_case) {
  const auto same = [&](char a, char b) {
    return letter_case == LetterCase::kMatters ? a == b : ToLowerAscii(a) == ToLowerAscii(b);
  };
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t percent = std::string_view::npos;  // behind the last % seen
  std::size_t retry = 0;                         // where the text behind it was tried
  while (t < text.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      percent = ++p;
      retry = t;
      continue;
    }
    if (p < pattern.size() && t < text.size()) {
      if (pattern[p] == '_') {
        t += std::max<std::size_t>(1, Utf8CharacterBytes(text.substr(t)));
        ++p;
        continue;
      }
      const bool escapes = pattern[p] == '\\' && p + 1 < pattern.size();
      if (same(text[t], pattern[p + (escapes ? 1 : 0)])) {
        ++t;
        p += escapes ? 2 : 1;
        continue;
      }
    }
    if (percent == std::string_view::npos || retry >= text.size()) return false;
    retry += std::max<std::size_t>(1, Utf8CharacterBytes(text.substr(retry)));
    t = retry;
    p = percent;
  }
  return true;
}

}  // namespace trefoil::dataflow
