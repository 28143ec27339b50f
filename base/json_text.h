// JSON (RFC 8259) as canonical text: no blanks, the names of an object sorted by bytes (the last of
// equal names stays), strings with the shortest escapes, numbers as INT, or as the shortest text of
// their double. Equal JSON values have equal canonical text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trefoil {

// Deeper nesting is not read.
inline constexpr int kJsonDepthMax = 256;

// Nothing when `text` is not one JSON value. Total over any bytes.
std::optional<std::string> CanonicalJson(std::string_view text);
// Why it is nothing: "character 7: expected a comma or a closing brace". `text` is no JSON.
std::string DescribeJsonProblem(std::string_view text);

// The member `name` of a canonical object, or element `index` of a canonical array, as canonical
// text; nothing when there is none. O(size).
std::optional<std::string_view> JsonMember(std::string_view canonical, std::string_view name);
std::optional<std::string_view> JsonElement(std::string_view canonical, std::size_t index);
// The elements of a canonical array; nothing when it is none.
std::optional<std::vector<std::string_view>> JsonElements(std::string_view canonical);

// The text of a canonical JSON string, escapes resolved; nothing when it is no string.
std::optional<std::string> JsonStringText(std::string_view canonical);

}  // namespace trefoil
