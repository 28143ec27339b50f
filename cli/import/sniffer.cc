#include "cli/import/sniffer.h"

#include <algorithm>

namespace trefoil::cli {

namespace {

constexpr int kMaxDecimalDigits = 18;
constexpr int kMaxDecimalScale = 6;
constexpr std::size_t kSurelyFits = 18;  // digits that fit into 64 bits, whichever they are

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool Fits(std::string_view text, ValueKind kind) { return ParseValue(text, kind).has_value(); }

bool IsBoolText(std::string_view text) {
  return text == "true" || text == "false" || text == "TRUE" || text == "FALSE" || text == "True" ||
         text == "False";
}

}  // namespace

std::string TypeText(const SniffedType& type) {
  std::string text(KindName(type.kind));
  if (type.kind == ValueKind::kDecimal) {
    text += "(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
  }
  return text;
}

void TypeSniffer::See(std::string_view text) {
  seen_ = true;
  if (may_be_float_ || may_be_int_ || may_be_decimal_) SeeNumber(text);
  // Most columns are numbers, or text that the first value shows to be text.
  if (may_be_bool_ || may_be_date_ || may_be_timestamp_ || may_be_uuid_) SeeOther(text);
}

void TypeSniffer::SeeOther(std::string_view text) {
  may_be_bool_ = may_be_bool_ && IsBoolText(text);
  may_be_date_ = may_be_date_ && text.size() == 10 && Fits(text, ValueKind::kDate);
  may_be_timestamp_ = may_be_timestamp_ && text.size() >= 10 && Fits(text, ValueKind::kTimestamp);
  may_be_uuid_ = may_be_uuid_ && text.size() == 36 && Fits(text, ValueKind::kUuid);
}

void TypeSniffer::SeeNumber(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const auto other = std::ranges::find_if_not(digits, IsDigit);
  const bool is_plain = other == digits.end() && !digits.empty() && digits.size() <= kSurelyFits;
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && IsDigit(digits[1]);
  may_be_float_ = may_be_float_ && !leading_zero && !digits.empty() &&
                  (IsDigit(digits[0]) || digits[0] == '.') &&
                  (is_plain || Fits(text, ValueKind::kFloat));
  may_be_int_ = may_be_int_ && may_be_float_ && (is_plain || Fits(text, ValueKind::kInt));
  if (!may_be_decimal_) return;
  const std::size_t point = digits.find('.');
  const int whole = static_cast<int>(std::min(point, digits.size()));
  const int scale = point == digits.npos ? 0 : static_cast<int>(digits.size() - point - 1);
  whole_digits_ = std::max(whole_digits_, whole);
  may_be_decimal_ = may_be_float_ &&
                    std::ranges::all_of(digits, [](char c) { return IsDigit(c) || c == '.'; }) &&
                    scale > 0 && scale <= kMaxDecimalScale && (!scale_ || *scale_ == scale) &&
                    whole_digits_ + scale <= kMaxDecimalDigits;
  scale_ = scale;
}

SniffedType TypeSniffer::type() const {
  if (!seen_) return {};
  if (may_be_bool_) return {.kind = ValueKind::kBool};
  if (may_be_int_) return {.kind = ValueKind::kInt};
  if (may_be_decimal_) {
    // Room for larger values than those seen.
    return {.kind = ValueKind::kDecimal,
            .precision = std::clamp(whole_digits_ + *scale_ + 2, 10, kMaxDecimalDigits),
            .scale = *scale_};
  }
  if (may_be_float_) return {.kind = ValueKind::kFloat};
  if (may_be_date_) return {.kind = ValueKind::kDate};
  if (may_be_timestamp_) return {.kind = ValueKind::kTimestamp};
  if (may_be_uuid_) return {.kind = ValueKind::kUuid};
  return {};
}

}  // namespace trefoil::cli
