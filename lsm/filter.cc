#include "lsm/filter.h"

#include <algorithm>

namespace trefoil::lsm {

std::uint32_t FilterBuckets(std::size_t keys, std::size_t bits_per_key) {
  constexpr std::size_t kBucketBits = 8 * kFilterBucketBytes;
  const std::size_t buckets = (keys * bits_per_key + kBucketBits - 1) / kBucketBits;
  return static_cast<std::uint32_t>(std::min<std::size_t>(buckets, UINT32_MAX));
}

std::string BuildFilter(std::span<const std::uint64_t> hashes, std::uint32_t buckets) {
  const std::size_t pages = (buckets + kFilterBucketsPerPage - 1) / kFilterBucketsPerPage;
  std::string bytes(pages * kPageBytes, '\0');
  if (buckets == 0) return bytes;
  for (const std::uint64_t hash : hashes) {
    const FilterPlace place = PlaceInFilter(hash, buckets);
    char* bucket = bytes.data() + place.page * kPageBytes + place.offset;
    const std::uint32_t low = static_cast<std::uint32_t>(hash);
    for (std::size_t lane = 0; lane < kFilterMultipliers.size(); ++lane) {
      const std::uint32_t bit = std::uint32_t{1} << ((low * kFilterMultipliers[lane]) >> 27);
      StoreFixed32(bucket + 4 * lane, LoadFixed32(bucket + 4 * lane) | bit);
    }
  }
  return bytes;
}

}  // namespace trefoil::lsm
