// Choices: a stream of small random decisions that is recorded, so that whatever was made from it
// can be made again from a shorter or smaller list. A generator takes every decision from here and
// lets 0 mean the simplest thing; then shrinking is deleting and lowering numbers, whatever is
// generated.
//
// Source: the design of Hypothesis (MacIver and Donaldson, "Test-case reduction via test-case
// generation", ECOOP 2020), section 3.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace trefoil::testing {

class Choices {
 public:
  explicit Choices(std::uint64_t seed) : random_(seed), is_replay_(false) {}
  // Behind the end of `recorded` every choice is 0.
  explicit Choices(std::vector<std::uint32_t> recorded) : recorded_(std::move(recorded)) {}

  // Below `limit`, which is not 0.
  std::uint32_t Pick(std::uint32_t limit) {
    std::uint32_t choice = 0;
    if (!is_replay_) {
      choice = static_cast<std::uint32_t>(random_() % limit);
    } else if (taken_.size() < recorded_.size()) {
      choice = std::min(recorded_[taken_.size()], limit - 1);
    }
    taken_.push_back(choice);
    return choice;
  }
  // True in one of `many`; false is the simple case.
  bool OneIn(std::uint32_t many) { return Pick(many) == many - 1; }

  const std::vector<std::uint32_t>& taken() const { return taken_; }

 private:
  std::mt19937_64 random_;
  bool is_replay_ = true;
  std::vector<std::uint32_t> recorded_;
  std::vector<std::uint32_t> taken_;
};

// A smaller list for which `fails` still holds, found with at most `attempts` calls.
std::vector<std::uint32_t> Shrink(
    std::vector<std::uint32_t> failing, std::size_t attempts,
    const std::function<bool(const std::vector<std::uint32_t>&)>& fails);

}  // namespace trefoil::testing
