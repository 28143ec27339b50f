#include "schema/convert.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/errors.h"
#include "base/str_cat.h"
#include "base/utf8.h"
#include "schema/key_codec.h"

namespace trefoil::schema {

namespace {

using Int128 = __int128;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr std::size_t kShortenedBytes = 60;

constexpr std::array<std::int64_t, 19> kPowersOfTen = [] {
  std::array<std::int64_t, 19> powers = {1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

Int128 PowerOfTen(int exponent) {
  Int128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// unscaled / 10^scale as a DECIMAL(precision, target scale), if that is exact and fits.
std::optional<Value> Rescale(Int128 unscaled, int scale, const ValueType& type) {
  if (scale <= type.scale) {
    unscaled *= PowerOfTen(type.scale - scale);
  } else {
    const Int128 power = PowerOfTen(scale - type.scale);
    if (unscaled % power != 0) return std::nullopt;
    unscaled /= power;
  }
  const Int128 limit = PowerOfTen(type.precision == 0 ? 18 : type.precision);
  if (unscaled <= -limit || unscaled >= limit) return std::nullopt;
  return Value::Decimal(static_cast<std::int64_t>(unscaled), type.scale);
}

// A FLOAT counts as the shortest decimal that reads back as it.
std::optional<Value> FloatToDecimal(double number, const ValueType& type) {
  if (!(std::fabs(number) < 1e18)) return std::nullopt;
  char text[64];
  const std::to_chars_result end =
      std::to_chars(text, text + sizeof text, number, std::chars_format::fixed);
  Int128 unscaled = 0;
  int scale = 0;
  bool in_fraction = false;
  for (const char* c = text; c != end.ptr; ++c) {
    if (*c == '-') continue;
    if (*c == '.') {
      in_fraction = true;
      continue;
    }
    if (in_fraction && ++scale > 18) return std::nullopt;
    unscaled = unscaled * 10 + (*c - '0');
  }
  return Rescale(std::signbit(number) ? -unscaled : unscaled, scale, type);
}

std::optional<Value> ToInt(const Value& value) {
  if (value.kind() == ValueKind::kFloat) {
    const double number = value.AsFloat();
    if (!(number >= -0x1p63 && number < 0x1p63) || number != std::floor(number)) {
      return std::nullopt;
    }
    return Value::Int(static_cast<std::int64_t>(number));
  }
  const Decimal decimal = value.AsDecimal();
  const auto power = static_cast<std::int64_t>(PowerOfTen(decimal.scale));
  if (decimal.unscaled % power != 0) return std::nullopt;
  return Value::Int(decimal.unscaled / power);
}

std::optional<Value> ToFloat(const Value& value) {
  Value number = value.kind() == ValueKind::kInt
                     ? Value::Float(static_cast<double>(value.AsInt()))
                     : Value::Float(static_cast<double>(value.AsDecimal().unscaled) /
                                    static_cast<double>(PowerOfTen(value.AsDecimal().scale)));
  // A DECIMAL such as 0.1 has no equal double; the nearest one reads back as it.
  if (value.kind() == ValueKind::kDecimal) {
    const ValueType same = {.kind = ValueKind::kDecimal,
                            .precision = 18,
                            .scale = static_cast<std::uint8_t>(value.AsDecimal().scale)};
    const std::optional<Value> back = FloatToDecimal(number.AsFloat(), same);
    if (!back || *back != value) return std::nullopt;
    return number;
  }
  if (CompareAsSql(number, value) != 0) return std::nullopt;
  return number;
}

std::optional<Value> ToDecimal(const Value& value, const ValueType& type) {
  switch (value.kind()) {
    case ValueKind::kInt:
      return Rescale(value.AsInt(), 0, type);
    case ValueKind::kDecimal:
      return Rescale(value.AsDecimal().unscaled, value.AsDecimal().scale, type);
    case ValueKind::kFloat:
      return FloatToDecimal(value.AsFloat(), type);
    default:
      return std::nullopt;
  }
}

std::optional<Value> ToKind(const Value& value, const ValueType& type) {
  switch (type.kind) {
    case ValueKind::kInt:
      return value.is_number() ? ToInt(value) : std::nullopt;
    case ValueKind::kFloat:
      return value.is_number() ? ToFloat(value) : std::nullopt;
    case ValueKind::kDate:
      if (value.kind() != ValueKind::kTimestamp || value.AsInt() % kMicrosPerDay != 0) break;
      return Value::Date(value.AsInt() / kMicrosPerDay);
    case ValueKind::kTimestamp: {
      std::int64_t micros;
      if (value.kind() != ValueKind::kDate ||
          __builtin_mul_overflow(value.AsInt(), kMicrosPerDay, &micros)) {
        break;
      }
      return Value::Timestamp(micros);
    }
    default:
      break;
  }
  return std::nullopt;
}

std::optional<Value> Converted(const Value& value, const ValueType& type) {
  if (value.is_null()) return value;
  if (type.kind == ValueKind::kDecimal) return ToDecimal(value, type);
  if (value.kind() == ValueKind::kText && !IsUtf8(value.AsText())) return std::nullopt;
  if (type.is_any()) return CanBeKey(value) ? std::optional(value) : std::nullopt;
  if (value.kind() != type.kind) return ToKind(value, type);
  if (value.kind() == ValueKind::kUuid && value.AsText().size() != 16) return std::nullopt;
  return CanBeKey(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<Value> Convert(const Type& type, const Attribute& attribute, const Value& value) {
  std::optional<Value> converted = Converted(value, attribute.type);
  if (converted) return *std::move(converted);
  return MakeError(
      ErrorCode::kTypeMismatch,
      StrCat("column \"", type.name, ".", attribute.name, "\" is ", TypeName(attribute.type),
             " and cannot hold the ", KindName(value.kind()), " ", Shortened(value)),
      "only values that convert without loss are accepted; convert with CAST");
}

bool FitsAsIs(const ValueType& type, const Value& value) {
  if (value.is_null()) return true;
  if (value.kind() != type.kind) return false;
  switch (type.kind) {
    case ValueKind::kBool:
    case ValueKind::kInt:
    case ValueKind::kFloat:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return true;
    case ValueKind::kText:
      return IsUtf8(value.AsText());
    case ValueKind::kDecimal: {
      const Decimal decimal = value.AsDecimal();
      const std::int64_t limit = kPowersOfTen[type.precision == 0 ? 18 : type.precision];
      return decimal.scale == type.scale && -limit < decimal.unscaled && decimal.unscaled < limit;
    }
    default:
      return false;
  }
}

std::string TypeName(const ValueType& type) {
  if (type.is_any()) return "ANY";
  if (type.kind == ValueKind::kDecimal) {
    return StrCat("DECIMAL(", int{type.precision}, ",", int{type.scale}, ")");
  }
  return std::string(KindName(type.kind));
}

std::string Shortened(const Value& value) {
  std::string text;
  if (value.kind() == ValueKind::kText && !IsUtf8(value.AsText())) return "(not valid UTF-8)";
  if (value.kind() == ValueKind::kText || value.kind() == ValueKind::kJson) {
    const bool is_long = value.AsText().size() > kShortenedBytes;
    text = StrCat("'", value.AsText().substr(0, kShortenedBytes), is_long ? "...'" : "'");
    return text;
  }
  AppendJson(text, value);
  if (text.size() <= kShortenedBytes) return text;
  return text.substr(0, kShortenedBytes) + "...";
}

}  // namespace trefoil::schema
