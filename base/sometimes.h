// Sometimes takes rare paths often: a flush before it is due, a page that is not in the pool after
// all, a step that ends early. Code asks where both ways are right; random tests give a seed and
// so meet in a short history what otherwise takes a large one. Only in the verify build; elsewhere
// the question costs nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/random.h"

namespace trefoil {

// Any thread; with one thread the answers depend on the seed alone.
class Sometimes {
 public:
  // Seed 0: never.
  explicit Sometimes(std::uint64_t seed) : seed_(seed), state_(seed) {}

  // True about once in `n` times; n > 0.
  bool OneIn(std::uint64_t n) const {
    if constexpr (kVerifyBuild) {
      if (seed_ == 0) return false;
      std::uint64_t state = state_.fetch_add(1, std::memory_order_relaxed);
      return SplitMix64(state) % n == 0;
    }
    return false;
  }

 private:
  const std::uint64_t seed_;
  mutable std::atomic<std::uint64_t> state_;
};

}  // namespace trefoil
