// ASCII case folding for keywords and names; bytes above 127 are left alone.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace trefoil {

constexpr char ToLowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return ToLowerAscii(c); }, [](char c) { return ToLowerAscii(c); });
}

inline std::string ToLowerAscii(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return ToLowerAscii(c); });
  return lower;
}

}  // namespace trefoil
