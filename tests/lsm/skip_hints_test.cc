#include "lsm/skip_hints.h"

#include <gtest/gtest.h>

#include "base/env_memory.h"
#include "base/str_cat.h"
#include "lsm/memtable.h"
#include "lsm/store.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

SkipHint Hint(std::string start, std::string limit, SequenceNumber sequence,
              std::uint64_t dead_keys = 100) {
  return {.start = std::move(start),
          .limit = std::move(limit),
          .sequence = sequence,
          .dead_keys = dead_keys};
}

TEST(SkipHintsTest, CoversFromItsStartToBeforeItsLimit) {
  SkipHints hints(0);
  EXPECT_TRUE(hints.empty());
  hints.Add(Hint("b", "d", 5));
  EXPECT_FALSE(hints.empty());
  EXPECT_FALSE(hints.Find("a", 9));
  EXPECT_EQ(hints.Find("b", 9)->limit, "d");
  EXPECT_EQ(hints.Find("czz", 5)->start, "b");
  EXPECT_FALSE(hints.Find("d", 9));
}

TEST(SkipHintsTest, IsNotForReadersOfAnOlderStateNorFromOnesBeforeTheFiles) {
  SkipHints hints(4);
  hints.Add(Hint("b", "d", 5));
  EXPECT_FALSE(hints.Find("b", 4));
  hints.Add(Hint("x", "z", 3));
  EXPECT_FALSE(hints.Find("x", 9));
}

TEST(SkipHintsTest, ANewHintTakesThePlaceOfThoseItOverlaps) {
  SkipHints hints(0);
  hints.Add(Hint("b", "d", 5));
  hints.Add(Hint("e", "g", 5));
  hints.Add(Hint("c", "f", 6));
  EXPECT_FALSE(hints.Find("b", 9));
  EXPECT_EQ(hints.Find("d", 9)->sequence, 6U);
  EXPECT_FALSE(hints.Find("f", 9));
}

TEST(SkipHintsTest, OfTooManyTheOneThatSavesLeastGoes) {
  SkipHints hints(0);
  for (std::size_t i = 0; i < SkipHints::kHintsMax; ++i) {
    hints.Add(Hint(StrCat("k", 100 + i), StrCat("k", 100 + i, "z"), 1, 1000 + i));
  }
  hints.Add(Hint("a", "b", 1, 999));
  EXPECT_FALSE(hints.Find("a", 1));
  hints.Add(Hint("a", "b", 1, 2000));
  EXPECT_TRUE(hints.Find("a", 1));
  EXPECT_FALSE(hints.Find("k100", 1));
  EXPECT_TRUE(hints.Find("k101", 1));
}

TEST(MemtableTest, KnowsTheNewestSequenceOfARange) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 20 * testing::TestScale(); ++round) {
    Memtable memtable(4096);
    std::map<std::string, SequenceNumber> newest;
    const std::uint64_t count = 1 + random.Uniform(3000);
    for (SequenceNumber sequence = 1; sequence <= count; ++sequence) {
      const std::string key = RandomBytesOf(random, random.Uniform(20), random.OneIn(2) ? 3 : 256);
      memtable.Insert({.key = key, .sequence = sequence, .kind = EntryKind::kPut, .value = "v"});
      newest[key] = sequence;
    }
    for (int i = 0; i < 100; ++i) {
      std::string start = RandomBytesOf(random, random.Uniform(4), 256);
      std::string limit = random.OneIn(2) ? start + 'x' : RandomBytesOf(random, 2, 256);
      if (limit < start) std::swap(start, limit);
      SequenceNumber expected = 0;
      for (auto key = newest.lower_bound(start); key != newest.lower_bound(limit); ++key) {
        expected = std::max(expected, key->second);
      }
      const SequenceNumber found = memtable.NewestSequenceIn(start, limit);
      ASSERT_GE(found, expected);
      // A leaf that lies inside the range answers for entries that a split took from it.
      ASSERT_LE(found, count);
      const bool none = newest.lower_bound(start) == newest.lower_bound(limit);
      ASSERT_TRUE(!none || found == 0);
    }
  }
}

class SkippingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.background_work = false;
    options.compression = Compression::kZstd;  // pages that are counted
    store_ = *Store::Open(env_, "db", options);
  }

  void Change(std::uint64_t first, std::uint64_t last, bool put) {
    WriteBatch batch;
    for (std::uint64_t i = first; i < last; ++i) {
      const std::string key = StrCat("key", 100000 + i);
      put ? batch.Put(key, "value") : batch.Delete(key);
    }
    ASSERT_TRUE(store_->Write(batch, Durability::kRelaxed));
  }

  // Pages that a walk over everything asks for, and the keys that it shows.
  std::uint64_t PagesOfWalk(bool forward, std::vector<std::string>* keys) {
    const StoreStats before = store_->Stats();
    const std::unique_ptr<Iterator> iterator = store_->NewIterator({}, store_->GetSnapshot());
    keys->clear();
    for (forward ? iterator->SeekToFirst() : iterator->SeekToLast(); iterator->Valid();
         forward ? iterator->Next() : iterator->Prev()) {
      keys->push_back(iterator->key().ToString());
    }
    EXPECT_TRUE(iterator->status());
    const StoreStats after = store_->Stats();
    return after.cache_hits + after.cache_misses - before.cache_hits - before.cache_misses;
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

TEST_F(SkippingTest, ALaterWalkDoesNotReadTheDeletionsAgain) {
  Change(0, 20000, true);
  ASSERT_TRUE(store_->Compact({}));
  Change(100, 19900, false);
  for (const bool forward : {true, false}) {
    std::vector<std::string> first;
    std::vector<std::string> second;
    ASSERT_TRUE(store_->Flush());  // the new version knows nothing
    const std::uint64_t pages = PagesOfWalk(forward, &first);
    EXPECT_EQ(first.size(), 200U);
    EXPECT_LT(PagesOfWalk(forward, &second), pages / 4);
    EXPECT_EQ(second, first);
    Change(19950, 19951, true);
  }
}

TEST_F(SkippingTest, AHintEndsWithAWriteInItsRange) {
  Change(0, 2000, true);
  ASSERT_TRUE(store_->Flush());
  Change(100, 1900, false);
  std::vector<std::string> keys;
  PagesOfWalk(true, &keys);
  const Snapshot before = store_->GetSnapshot();
  Change(1000, 1001, true);
  for (const bool forward : {true, false}) {
    PagesOfWalk(forward, &keys);
    EXPECT_EQ(keys.size(), 201U);
  }
  // A reader of the state before still sees that state.
  const std::unique_ptr<Iterator> iterator = store_->NewIterator({}, before);
  iterator->Seek("key100100");
  EXPECT_EQ(iterator->key(), Slice("key101900"));
  Change(1000, 1001, false);
  PagesOfWalk(true, &keys);
  EXPECT_EQ(keys.size(), 200U);
}

TEST_F(SkippingTest, AReaderOfThePastLeavesNoHintForThePresent) {
  store_->SetHistoryHorizon(0);
  Change(0, 500, true);
  Change(10, 490, false);
  const SequenceNumber past = store_->last_sequence();
  Change(100, 490, true);  // the first keys of the range stay deleted
  ASSERT_TRUE(store_->Flush());
  const Snapshot snapshot = *store_->SnapshotAt(past);
  const std::unique_ptr<Iterator> iterator = store_->NewIterator({}, snapshot);
  int seen = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++seen;
  EXPECT_EQ(seen, 20);
  std::vector<std::string> keys;
  PagesOfWalk(true, &keys);
  EXPECT_EQ(keys.size(), 410U);
}

}  // namespace
}  // namespace trefoil::lsm
