// Text as values: what CAST and the importers read. Each parser takes the whole text, knows no
// locale and no surrounding blanks, and returns nothing when the text is not of its form or its
// value cannot be represented. Total over any bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trefoil/value.h"

namespace trefoil {

// [+-] digits
std::optional<std::int64_t> ParseInt(std::string_view text);
// [+-] digits [. digits] [e [+-] digits], or nan, inf, infinity in any case. Correctly rounded; a
// number too large for a double is nothing, one too small is zero.
std::optional<double> ParseFloat(std::string_view text);
// The same form without names, at `scale` (0..18) digits after the point, half rounded away from
// zero. 1.005 at scale 2 is 1.01.
std::optional<Decimal> ParseDecimal(std::string_view text, int scale);
// RFC 4648, with or without padding.
std::optional<std::string> ParseBase64(std::string_view text);
// 32 hexadecimal digits in any case, with the hyphens of 8-4-4-4-12 or without any. 16 bytes.
std::optional<std::string> ParseUuid(std::string_view text);

}  // namespace trefoil
