#include "base/text_format.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "base/str_cat.h"
#include "base/utf8.h"

namespace trefoil {

namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHexDigits = "0123456789abcdef";

void AppendHex(std::string& out, unsigned char byte) {
  out.push_back(kHexDigits[byte >> 4]);
  out.push_back(kHexDigits[byte & 15]);
}

// The one-letter escape of a character, or 0.
constexpr char ShortEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

void AppendEscape(std::string& out, char c) {
  out.push_back('\\');
  if (const char letter = ShortEscape(c); letter != 0) {
    out.push_back(letter);
    return;
  }
  out.append("u00");
  AppendHex(out, static_cast<unsigned char>(c));
}

}  // namespace

void AppendDecimal(std::string& out, Decimal decimal) {
  const bool negative = decimal.unscaled < 0;
  const auto bits = static_cast<std::uint64_t>(decimal.unscaled);
  std::string digits = StrCat(negative ? 0 - bits : bits);
  const auto scale = static_cast<std::size_t>(decimal.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (negative) out.push_back('-');
  out.append(digits, 0, digits.size() - scale);
  if (scale == 0) return;
  out.push_back('.');
  out.append(digits, digits.size() - scale);
}

void AppendFloat(std::string& out, double number) {
  if (std::isnan(number)) {
    out.append("NaN");
  } else if (std::isinf(number)) {
    out.append(number < 0 ? "-Infinity" : "Infinity");
  } else {
    out.append(StrCat(number));
  }
}

void AppendBase64(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    std::uint32_t group = 0;  // three bytes, four digits
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(i <= bytes.size() ? kBase64Digits[(group >> (18 - 6 * i)) & 63] : '=');
    }
    bytes.remove_prefix(bytes.size() < 3 ? bytes.size() : 3);
  }
}

void AppendUuid(std::string& out, std::string_view bytes16) {
  Check(bytes16.size() == 16, "a UUID has 16 bytes");
  for (std::size_t i = 0; i < bytes16.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    AppendHex(out, static_cast<unsigned char>(bytes16[i]));
  }
}

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      AppendEscape(out, c);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t bytes = Utf8CharacterBytes(text);
    out.append(bytes == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, bytes));
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  out.push_back('"');
}

}  // namespace trefoil
