// The seed of a randomised test: fresh each run unless TREFOIL_SEED names one, and always printed,
// so that a failure can be repeated.
#pragma once

#include <cstdint>

namespace trefoil::testing {

std::uint64_t TestSeed();

// How much longer than by default randomised tests run: TREFOIL_SCALE, 1 if it is not set.
double TestScale();

}  // namespace trefoil::testing
