// Values as text: what JSON, CAST AS TEXT, exports and messages print. text_parse.h reads it back.
#pragma once

#include <string>
#include <string_view>

#include "trefoil/value.h"

namespace trefoil {

// All digits of the scale: 5 at scale 2 is 0.05.
void AppendDecimal(std::string& out, Decimal decimal);
// The shortest text that reads back as the same double; NaN, Infinity, -Infinity.
void AppendFloat(std::string& out, double number);
// RFC 4648 with padding.
void AppendBase64(std::string& out, std::string_view bytes);
// 16 bytes as 8-4-4-4-12 lower-case hexadecimal digits.
void AppendUuid(std::string& out, std::string_view bytes16);
// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, one for each byte.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace trefoil
