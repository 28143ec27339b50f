#include "base/sometimes.h"

#include <gtest/gtest.h>

namespace trefoil {
namespace {

int CountOf(std::uint64_t seed, std::uint64_t n) {
  const Sometimes sometimes(seed);
  int count = 0;
  for (int i = 0; i < 10000; ++i) count += sometimes.OneIn(n) ? 1 : 0;
  return count;
}

TEST(SometimesTest, IsTrueAboutOnceInSoManyTimesInTheVerifyBuildOnly) {
  EXPECT_EQ(CountOf(0, 1), 0);
  EXPECT_EQ(CountOf(5, 1), kVerifyBuild ? 10000 : 0);
  const int count = CountOf(7, 100);
  EXPECT_GE(count, kVerifyBuild ? 50 : 0);
  EXPECT_LE(count, kVerifyBuild ? 200 : 0);
  EXPECT_EQ(CountOf(7, 100), count);
}

}  // namespace
}  // namespace trefoil
