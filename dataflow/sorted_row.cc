// The order of values in 64 bits.
#include "dataflow/sorted_row.h"

#include <algorithm>
#include <cmath>

namespace trefoil::dataflow {

namespace {

// NULL and BOOL, then numbers around kNumbers, times around kTimes, then the rest.
constexpr std::int64_t kReach = std::int64_t{1} << 61;
constexpr std::uint64_t kNumbers = std::uint64_t{1} << 62;
constexpr std::uint64_t kTimes = std::uint64_t{3} << 62;
constexpr std::uint64_t kRest = ~std::uint64_t{0};
constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

std::uint64_t Around(std::uint64_t middle, std::int64_t number) {
  return middle + static_cast<std::uint64_t>(std::clamp(number, -kReach, kReach));
}

std::int64_t WholePart(double number) {
  constexpr auto kLimit = static_cast<double>(kReach);
  if (!(number < kLimit)) return kReach;  // NaN, too, which sorts last
  if (number < -kLimit) return -kReach;
  return static_cast<std::int64_t>(std::floor(number));
}

std::int64_t WholePart(Decimal decimal) {
  std::int64_t unit = 1;
  for (int digit = 0; digit < decimal.scale; ++digit) unit *= 10;
  const std::int64_t whole = decimal.unscaled / unit;
  return whole * unit > decimal.unscaled ? whole - 1 : whole;
}

// Of a day's midnight, as far as it is within reach.
std::int64_t MicrosOf(std::int64_t days) {
  constexpr std::int64_t kDays = kReach / kMicrosPerDay;
  if (days > kDays) return kReach;
  return days < -kDays ? -kReach : days * kMicrosPerDay;
}

}  // namespace

bool IsAlone(const Value& value, std::uint64_t place) {
  if (value.kind() != ValueKind::kInt) return value.is_null();
  constexpr auto kSpan = static_cast<std::uint64_t>(kReach);
  return place > kNumbers - kSpan && place < kNumbers + kSpan;
}

std::uint64_t PlaceOf(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return 0;
    case ValueKind::kBool:
      return 1;
    case ValueKind::kInt:
      return Around(kNumbers, value.AsInt());
    case ValueKind::kFloat:
      return Around(kNumbers, WholePart(value.AsFloat()));
    case ValueKind::kDecimal:
      return Around(kNumbers, WholePart(value.AsDecimal()));
    case ValueKind::kDate:
      return Around(kTimes, MicrosOf(value.AsInt()));
    case ValueKind::kTimestamp:
      return Around(kTimes, value.AsInt());
    default:
      return kRest;
  }
}

}  // namespace trefoil::dataflow
