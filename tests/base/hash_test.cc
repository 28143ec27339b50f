// Stored sums must mean the same for ever: known answers of the published algorithm.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace trefoil {
namespace {

TEST(HashTest, GivesThePublishedValues) {
  EXPECT_EQ(Hash64(""), 0x2d06800538d394c2u);
  EXPECT_EQ(DigestOf(""), (Hash128{.low = 0x6001c324468d497f, .high = 0x99aa06d3014798d8}));
}

TEST(HashTest, DependsOnEveryByteAndOnTheSeed) {
  const std::string page(4096, '\0');
  std::set<std::uint64_t> sums = {Hash64(page), Hash64(page, 1), Hash64(page, 2)};
  for (std::size_t i = 0; i < page.size(); i += 37) {
    std::string damaged = page;
    damaged[i] ^= 1;
    sums.insert(Hash64(damaged));
  }
  EXPECT_EQ(sums.size(), 3u + (page.size() + 36) / 37);
}

}  // namespace
}  // namespace trefoil
