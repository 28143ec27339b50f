// CAST between kinds.
#include <cmath>
#include <string>

#include "base/json_text.h"
#include "dataflow/decimal_math.h"
#include "dataflow/scalar.h"

namespace trefoil::dataflow {

namespace {

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

std::string_view TrimSpaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<Value> IntOf(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kBool:
      return Value::Int(value.AsBool() ? 1 : 0);
    case ValueKind::kFloat: {
      const double rounded = std::nearbyint(value.AsFloat());
      // Both ends are exact as FLOAT; NaN fails every comparison.
      if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return std::nullopt;
      return Value::Int(static_cast<std::int64_t>(rounded));
    }
    case ValueKind::kDecimal: {
      const Decimal decimal = value.AsDecimal();
      return Value::Int(
          static_cast<std::int64_t>(DivideRounded(decimal.unscaled, PowerOfTen(decimal.scale))));
    }
    default:
      return std::nullopt;
  }
}

std::optional<Value> DecimalOf(const Value& value, const CastTarget& target) {
  Int128 unscaled = 0;
  if (value.kind() == ValueKind::kFloat) {
    const long double scaled = std::round(static_cast<long double>(value.AsFloat()) *
                                          static_cast<long double>(PowerOfTen(target.scale)));
    if (!(std::abs(scaled) < 0x1p63L)) return std::nullopt;
    unscaled = static_cast<Int128>(scaled);
  } else if (value.kind() == ValueKind::kInt || value.kind() == ValueKind::kDecimal) {
    const Decimal decimal =
        value.kind() == ValueKind::kInt ? Decimal{value.AsInt(), 0} : value.AsDecimal();
    unscaled = decimal.scale <= target.scale
                   ? ScaledUp(decimal, target.scale)
                   : DivideRounded(decimal.unscaled, PowerOfTen(decimal.scale - target.scale));
  } else {
    return std::nullopt;
  }
  if (Magnitude(unscaled) >= PowerOfTen(target.precision)) return std::nullopt;
  return MadeDecimal(unscaled, target.scale);
}

std::optional<Value> FromText(std::string_view text, const CastTarget& target) {
  const std::string_view trimmed = TrimSpaces(text);
  std::optional<Value> parsed = ParseValue(trimmed, target.kind);
  if (parsed && target.kind == ValueKind::kDecimal) return DecimalOf(*parsed, target);
  return parsed;
}

// A JSON string stands for its text, anything else for its own spelling.
std::optional<Value> FromJson(const Value& json, const CastTarget& target) {
  if (const std::optional<std::string> text = JsonStringText(json.AsText())) {
    return FromText(*text, target);
  }
  return FromText(json.AsText(), target);
}

std::optional<Value> TimeOf(const Value& value, ValueKind kind) {
  if (kind == ValueKind::kTimestamp && value.kind() == ValueKind::kDate) {
    const Int128 micros = static_cast<Int128>(value.AsInt()) * kMicrosPerDay;
    if (!FitsInt64(micros)) return std::nullopt;
    return Value::Timestamp(static_cast<std::int64_t>(micros));
  }
  if (kind == ValueKind::kDate && value.kind() == ValueKind::kTimestamp) {
    const std::int64_t micros = value.AsInt();
    const std::int64_t days = micros / kMicrosPerDay;
    return Value::Date(micros % kMicrosPerDay < 0 ? days - 1 : days);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Value> Cast(const Value& value, const CastTarget& target) {
  if (target.kind == ValueKind::kNull) return value;
  if (target.kind == ValueKind::kDecimal && value.is_number()) return DecimalOf(value, target);
  if (value.kind() == target.kind) return value;
  if (target.kind == ValueKind::kText) return Value::Text(ToText(value));
  if (value.kind() == ValueKind::kText) return FromText(value.AsText(), target);
  if (value.kind() == ValueKind::kJson) return FromJson(value, target);
  switch (target.kind) {
    case ValueKind::kBool:
      if (value.kind() == ValueKind::kInt) return Value::Bool(value.AsInt() != 0);
      return std::nullopt;
    case ValueKind::kInt:
      return IntOf(value);
    case ValueKind::kFloat:
      if (value.is_number()) return Value::Float(NumberAsFloat(value));
      return std::nullopt;
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return TimeOf(value, target.kind);
    case ValueKind::kUuid:
      if (value.kind() == ValueKind::kBytes && value.AsText().size() == 16) {
        return Value::Uuid(value.AsText());
      }
      return std::nullopt;
    case ValueKind::kJson: {
      const std::optional<std::string> canonical = CanonicalJson(ToJson(value));
      if (!canonical) return std::nullopt;
      return Value::Json(*canonical);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace trefoil::dataflow
