#include "cli/text.h"

#include <algorithm>

namespace trefoil::cli {

namespace {

constexpr std::size_t kExcerptBytes = 80;

// Bytes of the UTF-8 character (RFC 3629) at the front of `text`; 0 when there is none.
std::size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // No longer form than needed, no surrogate, nothing above U+10FFFF.
  const bool too_long = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool too_large = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return too_long || too_large ? 0 : size;
}

// The same of a printable character.
std::size_t PrintableBytes(std::string_view text) {
  const std::size_t size = CharacterBytes(text);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (size == 1) return byte(0) >= 0x20 && byte(0) != 0x7F ? 1 : 0;
  // U+0080 to U+009F are control characters.
  return size == 2 && byte(0) == 0xC2 && byte(1) < 0xA0 ? 0 : size;
}

}  // namespace

std::string Excerpt(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = PrintableBytes(text);
    if (shown.size() + std::max<std::size_t>(size, 4) > kExcerptBytes) return shown + "...";
    if (size > 0) {
      shown += text.substr(0, size);
    } else {
      const auto byte = static_cast<unsigned char>(text[0]);
      shown += "\\x";
      shown += kDigits[byte >> 4];
      shown += kDigits[byte & 15];
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return shown;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = CharacterBytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string Count(std::uint64_t number, std::string_view noun) {
  return Grouped(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace trefoil::cli
