#include "tests/support/seed.h"

#include <cstdio>
#include <cstdlib>
#include <random>

namespace trefoil::testing {

std::uint64_t TestSeed() {
  const char* given = std::getenv("TREFOIL_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed: %llu (repeat with TREFOIL_SEED=%llu)\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(seed));
  return seed;
}

double TestScale() {
  const char* given = std::getenv("TREFOIL_SCALE");
  return given != nullptr ? std::strtod(given, nullptr) : 1;
}

}  // namespace trefoil::testing
