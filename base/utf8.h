// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace trefoil {

// Length of the well-formed character at the front of `text`: 1 to 4 bytes, or 0 when there is
// none.
std::size_t Utf8CharacterBytes(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace trefoil
