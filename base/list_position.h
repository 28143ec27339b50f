// Positions in a list that several writers insert into: text keys between any two of which there is
// room for another, so that inserting never moves the neighbours. A position is a fraction between
// 0 and 1, its digits after the point to the base 62, as 0-9A-Za-z; its order is that of its bytes.
//
// I1 A position has a digit and does not end in 0, so equal fractions are equal texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trefoil {

// A position behind `before` and ahead of `after`; none = the end of the list on that side.
// Writers that insert at one place at the same time get different positions with different
// `jitter`, mostly. An insertion at an end costs a digit in some 100,000; between two, a digit in 6
// halvings. Nothing when an argument is no position, or `before` is not ahead of `after`.
std::optional<std::string> PositionBetween(std::optional<std::string_view> before,
                                           std::optional<std::string_view> after,
                                           std::uint64_t jitter);

}  // namespace trefoil
