// ParseValue: the inverse of ToText.
#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/text_parse.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "trefoil/value.h"

namespace trefoil {

namespace {

constexpr std::size_t kScaleMax = 18;

std::optional<Value> ParseBool(std::string_view text) {
  if (EqualIgnoringCase(text, "true")) return Value::Bool(true);
  if (EqualIgnoringCase(text, "false")) return Value::Bool(false);
  return std::nullopt;
}

// At the scale that the digits behind the point show.
std::optional<Value> ParseDecimalAsShown(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::size_t digits =
      point == std::string_view::npos
          ? 0
          : std::min(text.find_first_of("eE", point), text.size()) - point - 1;
  if (digits > kScaleMax) return std::nullopt;
  const std::optional<Decimal> decimal = ParseDecimal(text, static_cast<int>(digits));
  if (!decimal) return std::nullopt;
  return Value::Decimal(decimal->unscaled, decimal->scale);
}

template <typename T, typename Make>
std::optional<Value> MadeOf(const std::optional<T>& parsed, const Make& make) {
  if (!parsed) return std::nullopt;
  return make(*parsed);
}

}  // namespace

std::optional<Value> ParseValue(std::string_view text, ValueKind kind) {
  switch (kind) {
    case ValueKind::kBool:
      return ParseBool(text);
    case ValueKind::kInt:
      return MadeOf(ParseInt(text), Value::Int);
    case ValueKind::kFloat:
      return MadeOf(ParseFloat(text), Value::Float);
    case ValueKind::kDecimal:
      return ParseDecimalAsShown(text);
    case ValueKind::kDate:
      return MadeOf(ParseDate(text), Value::Date);
    case ValueKind::kTimestamp:
      return MadeOf(ParseTimestamp(text), Value::Timestamp);
    case ValueKind::kText:
      if (!IsUtf8(text)) return std::nullopt;
      return Value::Text(text);
    case ValueKind::kBytes:
      return MadeOf(ParseBase64(text), Value::Bytes);
    case ValueKind::kUuid:
      return MadeOf(ParseUuid(text), Value::Uuid);
    case ValueKind::kJson:
      return MadeOf(CanonicalJson(text), Value::Json);
    case ValueKind::kNull:
    case ValueKind::kRef:
    case ValueKind::kList:
    case ValueKind::kObject:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace trefoil
