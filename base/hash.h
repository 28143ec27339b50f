// XXH3-64, the one hash of Trefoil: checksums, filters, tables. The algorithm's output is fixed by
// its specification (xxHash 0.8), so values may reach the disk; each use there names its seed.
#pragma once

#include <cstdint>

#include "trefoil/slice.h"

namespace trefoil {

std::uint64_t Hash64(Slice bytes, std::uint64_t seed = 0);

// A 128-bit digest of the same family, for roots over many sums.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend bool operator==(const Hash128&, const Hash128&) = default;
};
Hash128 DigestOf(Slice bytes);

}  // namespace trefoil
