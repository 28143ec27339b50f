#include "base/list_position.h"

#include <algorithm>

#include "base/check.h"

namespace trefoil {

namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::uint64_t kBase = kDigits.size();
// A position has so many digits that at least this many others would do.
constexpr std::uint64_t kRoomMin = 4096;
constexpr std::size_t kDigitsMin = 4;
// How far from its neighbour a position at an end lies, in units of its last digit.
constexpr std::uint64_t kStepMax = 64;

bool IsPosition(std::string_view text) {
  return !text.empty() && text.back() != kDigits.front() &&
         text.find_first_not_of(kDigits) == std::string_view::npos;
}

std::uint64_t DigitAt(std::string_view text, std::size_t i) {
  return i < text.size() ? kDigits.find(text[i]) : 0;
}

// `text` cut or filled up to `digits` digits, plus `offset` units of the last one.
std::string Advance(std::string_view text, std::size_t digits, std::uint64_t offset) {
  std::string result(digits, kDigits.front());
  for (std::size_t i = digits; i-- > 0;) {
    const std::uint64_t sum = DigitAt(text, i) + offset % kBase;
    result[i] = kDigits[sum % kBase];
    offset = offset / kBase + sum / kBase;
  }
  Check(offset == 0, "a position lies below its upper bound");
  result.resize(result.find_last_not_of(kDigits.front()) + 1);
  return result;
}

}  // namespace

std::optional<std::string> PositionBetween(std::optional<std::string_view> before,
                                           std::optional<std::string_view> after,
                                           std::uint64_t jitter) {
  if ((before && !IsPosition(*before)) || (after && !IsPosition(*after))) return std::nullopt;
  if (before && after && *before >= *after) return std::nullopt;
  const std::string_view low = before.value_or("");
  const std::string_view high = after.value_or("");
  std::uint64_t gap = after ? 0 : 1;  // between both cut to `digits` digits
  std::size_t digits = 0;
  // What is cut off `high` leaves room for the cut itself.
  const auto room = [&] { return gap - 1 + (high.size() > digits ? 1 : 0); };
  while (digits < kDigitsMin || gap == 0 || room() < kRoomMin) {
    gap = gap * kBase + DigitAt(high, digits) - DigitAt(low, digits);
    ++digits;
  }
  const std::uint64_t step = 1 + jitter % kStepMax;
  if (before && !after) return Advance(low, digits, step);
  if (!before && after) return Advance(low, digits, room() + 1 - step);
  return Advance(low, digits, room() / 4 + jitter % (room() / 2) + 1);
}

}  // namespace trefoil
