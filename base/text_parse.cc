#include "base/text_parse.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/ascii.h"
#include "base/check.h"

namespace trefoil {

namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a sign from the front; true for minus.
bool TakeSign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

std::string_view TakeDigits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, IsDigit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

// sign whole.fraction * 10^exponent, exactly as written.
struct NumberText {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

// No number of this length or exponent fits any kind of value; it bounds the arithmetic.
constexpr std::int64_t kExponentMax = 1'000'000;

std::optional<NumberText> SplitNumber(std::string_view text) {
  NumberText number;
  number.negative = TakeSign(text);
  number.whole = TakeDigits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = TakeDigits(text);
  }
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  if (text.empty()) return number;
  if (ToLowerAscii(text.front()) != 'e') return std::nullopt;
  text.remove_prefix(1);
  const bool negative_exponent = TakeSign(text);
  const std::string_view digits = TakeDigits(text);
  if (digits.empty() || !text.empty()) return std::nullopt;
  for (const char digit : digits) {
    number.exponent = std::min(number.exponent * 10 + (digit - '0'), kExponentMax);
  }
  if (negative_exponent) number.exponent = -number.exponent;
  return number;
}

// The position of the first digit that is not zero tells.
bool IsAboveOne(const NumberText& number) {
  const auto leading_zeros = [](std::string_view digits) {
    return static_cast<std::int64_t>(std::min(digits.find_first_not_of('0'), digits.size()));
  };
  const std::int64_t whole_digits =
      static_cast<std::int64_t>(number.whole.size()) - leading_zeros(number.whole);
  if (whole_digits > 0) return whole_digits + number.exponent > 0;
  return number.exponent > leading_zeros(number.fraction);
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (IsDigit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLowerAscii(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::int64_t> ParseInt(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

std::optional<double> ParseFloat(std::string_view text) {
  std::string_view name = text;
  const bool negative = TakeSign(name);
  if (EqualIgnoringCase(name, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (EqualIgnoringCase(name, "inf") || EqualIgnoringCase(name, "infinity")) {
    const double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  const std::optional<NumberText> parts = SplitNumber(text);
  if (!parts) return std::nullopt;
  double number = 0;
  const std::from_chars_result result =
      std::from_chars(name.data(), name.data() + name.size(), number);
  if (result.ec == std::errc::result_out_of_range) {
    if (IsAboveOne(*parts)) return std::nullopt;
    number = 0;
  }
  return negative ? -number : number;
}

std::optional<Decimal> ParseDecimal(std::string_view text, int scale) {
  Check(scale >= 0 && scale <= 18, "the scale of a DECIMAL is 0 to 18");
  const std::optional<NumberText> parts = SplitNumber(text);
  if (!parts) return std::nullopt;
  std::string digits(parts->whole);
  digits.append(parts->fraction);
  std::int64_t kept = static_cast<std::int64_t>(parts->whole.size()) + parts->exponent + scale;
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  kept -= static_cast<std::int64_t>(zeros);
  if (digits.empty() || kept < 0) return Decimal{0, scale};
  if (kept > std::numeric_limits<std::int64_t>::digits10 + 1) return std::nullopt;
  // At most 19 digits: below 2^64.
  std::uint64_t unscaled = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(kept); ++i) {
    const char digit = i < digits.size() ? digits[i] : '0';
    unscaled = unscaled * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  const auto next = static_cast<std::size_t>(kept);
  if (next < digits.size() && digits[next] >= '5') ++unscaled;
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (unscaled > limit) return std::nullopt;
  const auto magnitude = static_cast<std::int64_t>(unscaled);
  return Decimal{parts->negative ? -magnitude : magnitude, scale};
}

std::optional<std::string> ParseBase64(std::string_view text) {
  const bool whole_groups = text.size() % 4 == 0;
  for (int i = 0; i < 2 && whole_groups && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) return std::nullopt;
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(pending >> bits));
    pending &= (1u << bits) - 1;
  }
  if (pending != 0) return std::nullopt;  // bits that no byte holds
  return bytes;
}

std::optional<std::string> ParseUuid(std::string_view text) {
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  std::string bytes;
  int high = -1;  // first digit of a byte
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    if (high < 0) {
      high = digit;
      continue;
    }
    bytes.push_back(static_cast<char>(high << 4 | digit));
    high = -1;
  }
  return bytes;
}

}  // namespace trefoil
