#include "base/list_position.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/seed.h"

namespace trefoil {
namespace {

// Inserts into a list of keys at `place`, which says where in the order of the list.
void InsertAt(std::vector<std::string>& list, std::size_t place, std::uint64_t jitter) {
  std::optional<std::string_view> before;
  std::optional<std::string_view> after;
  if (place > 0) before = list[place - 1];
  if (place < list.size()) after = list[place];
  const std::optional<std::string> position = PositionBetween(before, after, jitter);
  ASSERT_TRUE(position);
  if (before) {
    ASSERT_LT(*before, *position);
  }
  if (after) {
    ASSERT_LT(*position, *after);
  }
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(place), *position);
}

TEST(ListPositionTest, TheOrderOfPositionsIsTheOrderOfTheListWhereverIsInserted) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> list;
    const std::uint64_t habit = random.Uniform(4);  // front, back, one place, anywhere
    for (int i = 0; i < 500; ++i) {
      const std::size_t place = habit == 0   ? 0
                                : habit == 1 ? list.size()
                                : habit == 2 ? list.size() / 2
                                             : random.Uniform(list.size() + 1);
      ASSERT_NO_FATAL_FAILURE(InsertAt(list, place, random.OneIn(4) ? 0 : random.Next()));
    }
    ASSERT_TRUE(std::ranges::is_sorted(list));
    ASSERT_EQ(std::ranges::adjacent_find(list), list.end());
  }
}

TEST(ListPositionTest, AListThatGrowsAtItsEndsHasShortPositions) {
  std::vector<std::string> list = {*PositionBetween({}, {}, 0)};
  for (std::uint64_t i = 0; i < 20'000; ++i) list.push_back(*PositionBetween(list.back(), {}, i));
  EXPECT_LE(list.back().size(), 4u);
  std::string first = list.front();
  for (std::uint64_t i = 0; i < 20'000; ++i) first = *PositionBetween({}, first, i);
  EXPECT_LE(first.size(), 4u);
}

TEST(ListPositionTest, InsertingAtOnePlaceGrowsByADigitInSomeInsertions) {
  const std::string low = *PositionBetween({}, {}, 0);
  std::string high = *PositionBetween(low, {}, 0);
  for (std::uint64_t i = 0; i < 600; ++i) high = *PositionBetween(low, high, i * 7919);
  EXPECT_LE(high.size(), 600u / 2);
}

TEST(ListPositionTest, WritersAtOnePlaceGetDifferentPositions) {
  std::set<std::string> positions;
  for (std::uint64_t jitter = 0; jitter < 1000; ++jitter) {
    positions.insert(*PositionBetween("B", "C", jitter));
  }
  EXPECT_EQ(positions.size(), 1000u);
}

TEST(ListPositionTest, NeighboursThatAreNoneGiveNothing) {
  for (const char* bad : {"", "a0", "ä", "a b"}) {
    EXPECT_EQ(PositionBetween(bad, {}, 0), std::nullopt) << bad;
    EXPECT_EQ(PositionBetween({}, bad, 0), std::nullopt) << bad;
  }
  EXPECT_EQ(PositionBetween("b", "b", 0), std::nullopt);
  EXPECT_EQ(PositionBetween("c", "b", 0), std::nullopt);
}

}  // namespace
}  // namespace trefoil
