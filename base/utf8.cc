#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace trefoil {

namespace {

// What may follow a lead byte: the number of continuation bytes and the range of the first.
struct Follow {
  std::size_t count;
  unsigned char low;
  unsigned char high;
};

constexpr Follow FollowOf(unsigned char lead) {
  if (lead < 0xc2) return {0, 0, 0};  // a continuation byte, or an overlong form
  if (lead < 0xe0) return {1, 0x80, 0xbf};
  if (lead == 0xe0) return {2, 0xa0, 0xbf};
  if (lead == 0xed) return {2, 0x80, 0x9f};  // above are surrogates
  if (lead < 0xf0) return {2, 0x80, 0xbf};
  if (lead == 0xf0) return {3, 0x90, 0xbf};
  if (lead < 0xf4) return {3, 0x80, 0xbf};
  if (lead == 0xf4) return {3, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

std::size_t Utf8CharacterBytes(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const Follow follow = FollowOf(byte(0));
  if (follow.count == 0 || text.size() <= follow.count) return 0;
  if (byte(1) < follow.low || byte(1) > follow.high) return 0;
  for (std::size_t i = 2; i <= follow.count; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return follow.count + 1;
}

bool IsUtf8(std::string_view text) {
  constexpr std::uint64_t kNotAscii = 0x8080'8080'8080'8080;
  for (std::uint64_t bytes; text.size() >= sizeof bytes; text.remove_prefix(sizeof bytes)) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    if ((bytes & kNotAscii) != 0) break;
  }
  while (!text.empty()) {
    const std::size_t bytes = Utf8CharacterBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace trefoil
