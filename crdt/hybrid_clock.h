// HybridClock stamps transactions: 48 bits of wall-clock milliseconds and 16 bits of counter,
// always greater than every time it has given or seen, so that what happened before has the smaller
// stamp whatever the wall clocks say. Source: Kulkarni, Demirbas et al., Logical Physical Clocks
// (2014).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace trefoil::crdt {

inline constexpr int kCounterBits = 16;
// What is stamped further ahead of the wall clock than this is not applied until its time has come.
inline constexpr std::uint64_t kDriftMax = std::uint64_t{5 * 60 * 1000} << kCounterBits;

// The hybrid time at which the wall clock shows `micros` since 1970; earlier moments count as 0.
constexpr std::uint64_t HybridTimeOf(std::int64_t micros) {
  return micros < 0 ? 0 : static_cast<std::uint64_t>(micros / 1000) << kCounterBits;
}
// The wall time in a hybrid time, microseconds since 1970.
constexpr std::int64_t WallMicrosOf(std::uint64_t hybrid_time) {
  return static_cast<std::int64_t>(hybrid_time >> kCounterBits) * 1000;
}

// One thread at a time. The clock outlives it.
class HybridClock {
 public:
  // `last`: the greatest time that may have been given out before.
  HybridClock(const Clock& wall, std::uint64_t last) : wall_(&wall), last_(last) {}

  // The time of a new transaction.
  std::uint64_t Next() {
    last_ = std::max(HybridTimeOf(wall_->NowMicros()), last_ + 1);
    return last_;
  }
  // Takes note of the time of a transaction from elsewhere.
  void Observe(std::uint64_t time) { last_ = std::max(last_, time); }

  std::uint64_t last() const { return last_; }

 private:
  const Clock* wall_;
  std::uint64_t last_;
};

}  // namespace trefoil::crdt
