#include "cli/import/sniffer.h"

#include <algorithm>

namespace trefoil::cli {

namespace {

constexpr int kMaxDecimalDigits = 18;
constexpr int kMaxDecimalScale = 6;

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

void ColumnSniffer::See(const std::optional<std::string>& field) {
  if (!field) {
    has_nulls_ = true;
    return;
  }
  ++seen_;
  if (follows_values_) {
    if (!values_.insert(*field).second) unique_ = false;
    if (values_.size() > kValuesMax) {
      follows_values_ = false;
      unique_ = false;
      values_.clear();
    }
  }
  const std::string_view text = *field;
  may_be_bool_ = may_be_bool_ && IsBoolText(text);
  SeeNumber(text);
  may_be_date_ = may_be_date_ && text.size() == 10 && Fits(text, ValueKind::kDate);
  may_be_timestamp_ = may_be_timestamp_ && text.size() >= 10 && Fits(text, ValueKind::kTimestamp);
  may_be_uuid_ = may_be_uuid_ && text.size() == 36 && Fits(text, ValueKind::kUuid);
}

void ColumnSniffer::SeeNumber(std::string_view text) {
  if (!may_be_int_ && !may_be_decimal_ && !may_be_float_) return;
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && IsDigit(digits[1]);
  may_be_float_ = may_be_float_ && !leading_zero && !text.starts_with('+') && !digits.empty() &&
                  (IsDigit(digits[0]) || digits[0] == '.') && Fits(text, ValueKind::kFloat);
  may_be_int_ = may_be_int_ && may_be_float_ && Fits(text, ValueKind::kInt);
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

SniffedType ColumnSniffer::type() const {
  if (seen_ == 0) return {};
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
