#include "cli/import/sniffer.h"

#include <algorithm>
#include <iterator>

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
  // The text of a date is one of a timestamp, too.
  may_be_date_ = may_be_date_ && text.size() == 10 && Fits(text, ValueKind::kDate);
  may_be_timestamp_ =
      may_be_timestamp_ && text.size() >= 10 && (may_be_date_ || Fits(text, ValueKind::kTimestamp));
  may_be_uuid_ = may_be_uuid_ && text.size() == 36 && Fits(text, ValueKind::kUuid);
}

void TypeSniffer::SeeNumber(std::string_view text) {
  const std::string_view number = text.substr(text.starts_with('-') ? 1 : 0);
  const auto point = std::ranges::find_if_not(number, IsDigit);
  const bool has_point = point != number.end() && *point == '.';
  const auto fraction = has_point ? std::next(point) : number.end();
  const bool only_digits =
      (has_point || point == number.end()) && std::all_of(fraction, number.end(), IsDigit);
  const auto whole_digits = static_cast<int>(point - number.begin());
  const auto scale = static_cast<int>(number.end() - fraction);
  const bool leading_zero = whole_digits > 1 && number[0] == '0';
  // Forms that need no parsing.
  const bool fits = only_digits && whole_digits > 0 && number.size() <= kSurelyFits;
  const bool is_whole = fits && !has_point;
  const bool is_fixed = fits && scale > 0;
  may_be_float_ = may_be_float_ && !leading_zero && (whole_digits > 0 || has_point) &&
                  (is_whole || is_fixed || Fits(text, ValueKind::kFloat));
  may_be_int_ =
      may_be_int_ && may_be_float_ && !is_fixed && (is_whole || Fits(text, ValueKind::kInt));
  if (!may_be_decimal_) return;
  whole_digits_ = std::max(whole_digits_, whole_digits);
  may_be_decimal_ = may_be_float_ && only_digits && scale > 0 && scale <= kMaxDecimalScale &&
                    (!scale_ || *scale_ == scale) && whole_digits_ + scale <= kMaxDecimalDigits;
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
