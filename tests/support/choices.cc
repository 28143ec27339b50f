#include "tests/support/choices.h"

#include <algorithm>

namespace trefoil::testing {

std::vector<std::uint32_t> Shrink(
    std::vector<std::uint32_t> failing, std::size_t attempts,
    const std::function<bool(const std::vector<std::uint32_t>&)>& fails) {
  const auto accept = [&](std::vector<std::uint32_t> candidate) {
    if (attempts == 0 || candidate == failing) return false;
    --attempts;
    if (!fails(candidate)) return false;
    failing = std::move(candidate);
    return true;
  };
  for (bool progress = true; progress && attempts > 0;) {
    progress = false;
    for (const std::size_t length : {64u, 16u, 8u, 4u, 2u, 1u}) {
      for (std::size_t end = failing.size(); end >= length && end > 0 && attempts > 0; --end) {
        if (end > failing.size()) continue;
        std::vector<std::uint32_t> shorter = failing;
        const auto first = shorter.begin() + static_cast<std::ptrdiff_t>(end - length);
        shorter.erase(first, first + static_cast<std::ptrdiff_t>(length));
        progress = accept(std::move(shorter)) || progress;
      }
    }
    for (std::size_t i = 0; i < failing.size() && attempts > 0; ++i) {
      for (const std::uint32_t smaller : {0u, failing[i] / 2, failing[i] - 1}) {
        if (i >= failing.size() || smaller >= failing[i]) continue;
        std::vector<std::uint32_t> lower = failing;
        lower[i] = smaller;
        progress = accept(std::move(lower)) || progress;
      }
    }
  }
  return failing;
}

}  // namespace trefoil::testing
