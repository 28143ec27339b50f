// StrCat joins text and numbers into a string: the one way error messages are put together.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "trefoil/slice.h"

namespace trefoil {

namespace str_cat_internal {

inline void Append(std::string& out, std::string_view text) { out.append(text); }
inline void Append(std::string& out, const char* text) { out.append(text); }
inline void Append(std::string& out, const std::string& text) { out.append(text); }
inline void Append(std::string& out, Slice text) { out.append(text.view()); }
inline void Append(std::string& out, char c) { out.push_back(c); }

template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>)
void Append(std::string& out, Number number) {
  char digits[64];
  const std::to_chars_result result = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, result.ptr);
}

}  // namespace str_cat_internal

template <typename... Parts>
std::string StrCat(const Parts&... parts) {
  std::string out;
  (str_cat_internal::Append(out, parts), ...);
  return out;
}

}  // namespace trefoil
