// Split-block Bloom filter: one key sets one bit in each of the eight lanes of one 32-byte bucket,
// so that a question costs one cache line. 127 buckets stand in a page behind its sum:
//
//   0 sum 8 | 8 zeros 24 | 127 buckets x 8 lanes x 4
//
// A key's hash picks the bucket with its high half and the bits with its low half. About 1.3 % of
// absent keys pass at 10 bits a key, 0.2 % at 16.
// Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007; the
// multipliers are those of the Parquet format specification.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/coding.h"
#include "base/hash.h"
#include "lsm/page_format.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

inline constexpr std::size_t kFilterBucketBytes = 32;
inline constexpr std::uint32_t kFilterBucketsPerPage = 127;

// The hash under which a key, or the equality prefix of a key, stands in every filter.
inline std::uint64_t FilterHashOfKey(Slice key) { return Hash64(key); }
inline std::uint64_t FilterHashOfPrefix(Slice prefix) { return Hash64(prefix, 0x7072656669780001); }

// Where a bucket lies in the filter's pages.
struct FilterPlace {
  std::uint32_t page = 0;  // counted from the first filter page
  std::uint32_t offset = 0;
};
constexpr FilterPlace PlaceInFilter(std::uint64_t hash, std::uint32_t buckets) {
  const std::uint64_t bucket = ((hash >> 32) * buckets) >> 32;
  return {.page = static_cast<std::uint32_t>(bucket / kFilterBucketsPerPage),
          .offset = static_cast<std::uint32_t>(kFilterBucketBytes *
                                               (1 + bucket % kFilterBucketsPerPage))};
}

inline constexpr std::array<std::uint32_t, 8> kFilterMultipliers = {
    0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

// False only if no key of this hash was added to the bucket.
inline bool BucketMayContain(const char* bucket, std::uint64_t hash) {
  const std::uint32_t low = static_cast<std::uint32_t>(hash);
  std::uint32_t missing = 0;
  for (std::size_t lane = 0; lane < kFilterMultipliers.size(); ++lane) {
    const std::uint32_t bit = std::uint32_t{1} << ((low * kFilterMultipliers[lane]) >> 27);
    missing |= bit & ~LoadFixed32(bucket + 4 * lane);
  }
  return missing == 0;
}

// Guesses from the last look-ups in a file whether the next are worth asking its filter. A filter
// spares the page of an absent key and costs two cache misses of its own for a key that is there,
// as rows by key mostly are. Any thread; a wrong guess costs time alone.
class FilterGuess {
 public:
  bool asks() const { return found_.load(std::memory_order_relaxed) < kEnough; }
  // Of the keys that were looked up together, so many were there.
  void Note(std::size_t asked, std::size_t found) {
    const std::size_t before = found_.load(std::memory_order_relaxed);
    const std::size_t after = found * 8 < asked * 7 ? 0 : std::min(before + found, kEnough);
    if (after != before) found_.store(after, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kEnough = 224;  // four groups of 64, of which an eighth was absent

  std::atomic<std::size_t> found_{0};  // since a group of which many keys were not there
};

// Buckets for so many keys; 0 for none.
std::uint32_t FilterBuckets(std::size_t keys, std::size_t bits_per_key);
// The pages of the filter of these hashes, without their sums.
std::string BuildFilter(std::span<const std::uint64_t> hashes, std::uint32_t buckets);

}  // namespace trefoil::lsm
