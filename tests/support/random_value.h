// Random values that like the borders: small and extreme numbers, texts with zero bytes and common
// prefixes, nested references.
#pragma once

#include <random>

#include "schema/key_codec.h"
#include "trefoil/value.h"

namespace trefoil::testing {

using RandomEngine = std::mt19937_64;

// Uniform in [0, limit).
inline std::uint64_t Below(RandomEngine& random, std::uint64_t limit) { return random() % limit; }

// A value of `kind` (kNull: any kind that can be a key); DECIMALs have `scale`.
Value RandomValue(RandomEngine& random, ValueKind kind, int scale = 2);

}  // namespace trefoil::testing
