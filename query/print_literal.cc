// Values as literals of TreeSQL.
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "base/str_cat.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string PrintBytes(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text + "'";
}

// Shortest digits that read back, always with an exponent: what tells FLOAT from DECIMAL.
std::string PrintFloat(double number) {
  if (std::isnan(number)) return "CAST('NaN' AS FLOAT)";
  if (std::isinf(number)) return number > 0 ? "1e999" : "-1e999";
  char digits[64];
  const auto result =
      std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific);
  return std::string(digits, result.ptr);
}

std::string PrintDecimal(Decimal decimal) {
  if (decimal.scale == 0) {
    return StrCat("CAST(", decimal.unscaled, " AS DECIMAL (18, 0))");
  }
  const bool negative = decimal.unscaled < 0;
  std::string digits = std::to_string(decimal.unscaled).substr(negative ? 1 : 0);
  const auto scale = static_cast<std::size_t>(decimal.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  digits.insert(digits.size() - scale, ".");
  return negative ? "-" + digits : digits;
}

}  // namespace

std::string PrintLiteral(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "NULL";
    case ValueKind::kBool:
      return value.AsBool() ? "TRUE" : "FALSE";
    case ValueKind::kInt:
      return StrCat(value.AsInt());
    case ValueKind::kFloat:
      return PrintFloat(value.AsFloat());
    case ValueKind::kDecimal:
      return PrintDecimal(value.AsDecimal());
    case ValueKind::kText:
      return QuoteText(value.AsText());
    case ValueKind::kBytes:
      return PrintBytes(value.AsText());
    default:
      return StrCat("CAST(", QuoteText(ToText(value)), " AS ", KindName(value.kind()), ")");
  }
}

}  // namespace trefoil::query
