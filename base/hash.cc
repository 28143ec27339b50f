#include "base/hash.h"

#include <xxhash.h>

namespace trefoil {

std::uint64_t Hash64(Slice bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 DigestOf(Slice bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.low = hash.low64, .high = hash.high64};
}

}  // namespace trefoil
