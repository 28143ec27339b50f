#include "dataflow/counted_tree.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

// Shared ownership makes a copy that is forgotten or done twice visible to the sanitizers.
struct Boxed {
  Boxed(int number) : value(std::make_shared<const int>(number)) {}
  std::shared_ptr<const int> value;
};
struct Ascending {
  std::strong_ordering operator()(const Boxed& a, const Boxed& b) const {
    return *a.value <=> *b.value;
  }
  std::strong_ordering operator()(const Boxed& a, int b) const { return *a.value <=> b; }
};
using Tree = CountedTree<Boxed, Ascending>;
using Model = std::map<int, std::int64_t>;

std::vector<std::pair<int, std::int64_t>> Contents(const Tree& tree) {
  std::vector<std::pair<int, std::int64_t>> contents;
  for (auto cursor = tree.First(); cursor; cursor.Next()) {
    contents.emplace_back(*cursor.key().value, cursor.weight());
  }
  return contents;
}

void ExpectSame(const Tree& tree, const Model& model) {
  ASSERT_TRUE(tree.IsConsistent());
  ASSERT_EQ(tree.size(), model.size());
  EXPECT_EQ(Contents(tree),
            (std::vector<std::pair<int, std::int64_t>>(model.begin(), model.end())));
  auto cursor = tree.Last();
  for (auto entry = model.rbegin(); entry != model.rend(); ++entry, cursor.Previous()) {
    ASSERT_TRUE(cursor);
    EXPECT_EQ(*cursor.key().value, entry->first);
  }
  EXPECT_FALSE(cursor);
}

void ExpectSamePlaces(const Tree& tree, const Model& model, int probe) {
  const auto key_of = [](const Tree::Cursor& cursor) { return cursor ? *cursor.key().value : -1; };
  const auto lower = model.lower_bound(probe);
  const auto upper = model.upper_bound(probe);
  EXPECT_EQ(key_of(tree.LowerBound(probe)), lower == model.end() ? -1 : lower->first);
  EXPECT_EQ(key_of(tree.UpperBound(probe)), upper == model.end() ? -1 : upper->first);
  EXPECT_EQ(key_of(tree.Below(probe)), lower == model.begin() ? -1 : std::prev(lower)->first);
  EXPECT_EQ(key_of(tree.Find(probe)), lower == upper ? -1 : probe);
  std::int64_t rank = 0;
  for (auto entry = model.begin(); entry != lower; ++entry) rank += entry->second;
  EXPECT_EQ(tree.Rank(probe), rank);
  EXPECT_EQ(tree.Rank(tree.LowerBound(probe)), rank);
  EXPECT_EQ(tree.RankAfter(probe), rank + (lower == upper ? 0 : lower->second));
}

void ExpectSamePositions(const Tree& tree, const Model& model) {
  std::int64_t before = 0;
  for (const auto& [key, weight] : model) {
    for (const std::int64_t n : {before, before + weight - 1}) {
      std::int64_t found_before = -1;
      const auto cursor = tree.Nth(n, &found_before);
      ASSERT_TRUE(cursor);
      EXPECT_EQ(*cursor.key().value, key);
      EXPECT_EQ(found_before, before);
    }
    before += weight;
  }
  EXPECT_EQ(tree.total(), before);
  EXPECT_FALSE(tree.Nth(before));
  EXPECT_FALSE(tree.Nth(-1));
}

TEST(CountedTreeTest, AgreesWithAMapThroughGrowthAndDecay) {
  std::mt19937_64 random(testing::TestSeed());
  for (const int range : {40, 2000, 30000}) {
    Tree tree;
    Model model;
    for (int phase = 0; phase < 6; ++phase) {
      const bool grows = phase % 2 == 0;
      for (int step = 0; step < range / 2; ++step) {
        const int key = static_cast<int>(random() % static_cast<unsigned>(range));
        const auto present = model.find(key);
        if (grows || present == model.end()) {
          const auto weight = static_cast<std::int64_t>(1 + random() % 3);
          EXPECT_EQ(tree.Add(key, weight), model[key] += weight);
        } else {
          EXPECT_EQ(tree.Add(key, -present->second), 0);
          model.erase(present);
        }
      }
      for (int i = 0; i < 50; ++i) {
        ExpectSamePlaces(tree, model, static_cast<int>(random() % static_cast<unsigned>(range)));
      }
      ExpectSame(tree, model);
      ExpectSamePositions(tree, model);
    }
    while (!model.empty()) {
      tree.Add(model.begin()->first, -model.begin()->second);
      model.erase(model.begin());
    }
    EXPECT_TRUE(tree.empty());
    EXPECT_EQ(tree.bytes(), Tree().bytes());
  }
}

TEST(CountedTreeTest, FillsItsLeavesWhenKeysArriveInOrder) {
  Tree ascending;
  for (int i = 0; i < 100000; ++i) ascending.Add(i, 1);
  ASSERT_TRUE(ascending.IsConsistent());
  EXPECT_LT(ascending.bytes() / 100000, 40U);
  for (int i = 99999; i >= 0; --i) ascending.Add(i, -1);
  EXPECT_TRUE(ascending.empty());
}

TEST(CountedTreeTest, ACopyIsASnapshotThatLaterChangesDoNotReach) {
  std::mt19937_64 random(testing::TestSeed());
  Tree tree;
  Model model;
  std::vector<std::pair<Tree, Model>> snapshots;
  for (int step = 0; step < 3000; ++step) {
    const int key = static_cast<int>(random() % 500);
    if (random() % 3 == 0 && model.contains(key)) {
      tree.Add(key, -model[key]);
      model.erase(key);
    } else {
      tree.Put(key);
      model[key] = 1;
    }
    if (step % 100 == 0) snapshots.emplace_back(tree, model);
  }
  snapshots.emplace_back(tree, model);
  for (const auto& [snapshot, expected] : snapshots) ExpectSame(snapshot, expected);
}

TEST(CountedTreeTest, ReplacesAKeyInPlaceUnlessACopySharesItsNode) {
  Tree tree;
  for (int i = 0; i < 5000; ++i) tree.Put(i);
  const Boxed other(1234);
  ASSERT_TRUE(tree.Replace(tree.Find(1234), other));
  EXPECT_EQ(tree.Find(1234).key().value, other.value);
  const Tree copy = tree;
  EXPECT_FALSE(tree.Replace(tree.Find(1234), Boxed(1234)));
  tree.Put(Boxed(1234));  // which copies the way there
  EXPECT_TRUE(tree.Replace(tree.Find(1234), Boxed(1234)));
  EXPECT_FALSE(tree.Replace(tree.Find(4999), Boxed(4999))) << "its leaf is shared still";
  EXPECT_EQ(copy.Find(1234).key().value, other.value);
  EXPECT_TRUE(tree.IsConsistent());
}

TEST(CountedTreeTest, KeepsNegativeWeightsUntilTheyCancel) {
  Tree tree;
  EXPECT_EQ(tree.Add(1, -2), -2);
  EXPECT_EQ(tree.Add(1, 0), -2);
  EXPECT_EQ(tree.Add(1, 2), 0);
  EXPECT_TRUE(tree.empty());
}

}  // namespace
}  // namespace trefoil::dataflow
