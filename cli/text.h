// Small pieces of text for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trefoil::cli {

// The beginning of foreign text, fit to show in a message: at most 80 bytes, bytes that are no
// printable UTF-8 as \xNN, with "..." if it was cut.
std::string Excerpt(std::string_view text);

// Well-formed, as RFC 3629 has it.
bool IsUtf8(std::string_view text);

// "1 row", "2 rows".
std::string Count(std::uint64_t number, std::string_view noun);

// 1234567 as "1,234,567".
std::string Grouped(std::uint64_t number);

}  // namespace trefoil::cli
