// The store through its public header, on a file system in memory.
#include "lsm/store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

StoreOptions QuietOptions() {
  StoreOptions options;
  options.background_work = false;
  return options;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", QuietOptions());
    ASSERT_TRUE(store) << ToString(store.error());
    store_ = *std::move(store);
  }
  SequenceNumber Put(Slice key, Slice value) {
    WriteBatch batch;
    batch.Put(key, value);
    return Write(batch);
  }
  SequenceNumber Delete(Slice key) {
    WriteBatch batch;
    batch.Delete(key);
    return Write(batch);
  }
  SequenceNumber DeleteRange(Slice start, Slice limit) {
    WriteBatch batch;
    batch.DeleteRange(start, limit);
    return Write(batch);
  }
  SequenceNumber Write(const WriteBatch& batch) {
    const Result<SequenceNumber> sequence = store_->Write(batch, Durability::kRelaxed);
    EXPECT_TRUE(sequence) << ToString(sequence.error());
    return sequence ? *sequence : 0;
  }
  std::string Get(Slice key) { return Get(key, store_->GetSnapshot()); }
  std::string Get(Slice key, const Snapshot& snapshot) {
    const Result<std::optional<std::string>> value = store_->Get(key, snapshot);
    EXPECT_TRUE(value) << ToString(value.error());
    return value && *value ? **value : "(none)";
  }
  // "a=1 b=2" in key order, or in reverse.
  std::string Scan(const KeyRange& range, const Snapshot& snapshot, bool backward = false) {
    const std::unique_ptr<Iterator> iterator = store_->NewIterator(range, snapshot);
    std::string text;
    backward ? iterator->SeekToLast() : iterator->SeekToFirst();
    while (iterator->Valid()) {
      text += StrCat(text.empty() ? "" : " ", iterator->key(), "=", iterator->value());
      backward ? iterator->Prev() : iterator->Next();
    }
    EXPECT_TRUE(iterator->status());
    return text;
  }
  std::string Scan() { return Scan({}, store_->GetSnapshot()); }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, FindsWhatWasWrittenAndForgetsWhatWasDeleted) {
  EXPECT_EQ(Put("a", "1"), 1u);
  EXPECT_EQ(Put("b", "2"), 2u);
  EXPECT_EQ(Put("a", "3"), 3u);
  EXPECT_EQ(Get("a"), "3");
  Delete("a");
  EXPECT_EQ(Get("a"), "(none)");
  EXPECT_EQ(Get("b"), "2");
  EXPECT_EQ(Scan(), "b=2");
}

TEST_F(StoreTest, ASnapshotSeesWhatWasThereWhenItWasTaken) {
  Put("a", "1");
  const Snapshot before = store_->GetSnapshot();
  Put("a", "2");
  Put("b", "2");
  DeleteRange("a", "b");
  EXPECT_EQ(Get("a", before), "1");
  EXPECT_EQ(Scan({}, before), "a=1");
  EXPECT_EQ(Scan(), "b=2");
}

TEST_F(StoreTest, TheLastEditOfAKeyInABatchWins) {
  WriteBatch batch;
  batch.Put("a", "1");
  batch.Delete("a");
  batch.Put("a", "2");
  batch.Put("b", "3");
  batch.Delete("b");
  Write(batch);
  EXPECT_EQ(Scan(), "a=2");
}

TEST_F(StoreTest, ARangeDeleteHidesOlderBatchesOnly) {
  Put("a", "1");
  Put("b", "1");
  Put("c", "1");
  WriteBatch batch;
  batch.Put("b", "2");
  batch.DeleteRange("a", "c");
  Write(batch);
  EXPECT_EQ(Scan(), "b=2 c=1");
  Put("a", "3");
  EXPECT_EQ(Scan(), "a=3 b=2 c=1");
}

TEST_F(StoreTest, WalksInBothDirectionsWithinItsBounds) {
  for (const char* key : {"a", "b", "c", "d", "e"}) Put(key, key);
  Delete("c");
  const Snapshot now = store_->GetSnapshot();
  EXPECT_EQ(Scan({.start = "b", .limit = "e"}, now), "b=b d=d");
  EXPECT_EQ(Scan({.start = "b", .limit = "e"}, now, /*backward=*/true), "d=d b=b");
  const std::unique_ptr<Iterator> iterator = store_->NewIterator({.start = "b", .limit = "e"}, now);
  iterator->Seek("a");
  EXPECT_EQ(iterator->key(), "b");
  iterator->SeekForPrev("c");
  EXPECT_EQ(iterator->key(), "b");
  iterator->Next();
  EXPECT_EQ(iterator->key(), "d");
  iterator->Prev();
  EXPECT_EQ(iterator->key(), "b");
  iterator->Prev();
  EXPECT_FALSE(iterator->Valid());
  iterator->SeekForPrev("zzz");
  EXPECT_EQ(iterator->key(), "d");
  iterator->SeekForPrev("a");
  EXPECT_FALSE(iterator->Valid());
}

TEST_F(StoreTest, KeepsEverythingOverAReopen) {
  const std::string uuid = store_->uuid().ToString();
  Put("a", "1");
  Put("b", "2");
  DeleteRange("b", "c");
  Reopen();
  EXPECT_FALSE(store_->recovered());
  EXPECT_EQ(store_->uuid(), Slice(uuid));
  EXPECT_EQ(store_->last_sequence(), 3u);
  EXPECT_EQ(Scan(), "a=1");
  Put("c", "3");
  Reopen();
  EXPECT_EQ(store_->last_sequence(), 4u);
  EXPECT_EQ(Scan(), "a=1 c=3");
}

TEST_F(StoreTest, KnowsTheBatchThatWroteAKeyLast) {
  Put("a", "1");
  Put("b", "1");
  EXPECT_EQ(store_->LatestSequence("a").value(), 1u);
  Delete("a");
  EXPECT_EQ(store_->LatestSequence("a").value(), 3u);
  DeleteRange("b", "z");
  EXPECT_EQ(store_->LatestSequence("b").value(), 4u);
  EXPECT_EQ(store_->LatestSequence("never").value(), 4u);
  EXPECT_EQ(store_->LatestSequence("A").value(), 0u);
}

TEST_F(StoreTest, ARandomHistoryReadsLikeAMap) {
  Random random(testing::TestSeed());
  std::map<std::string, std::string> model;
  for (int round = 0; round < 20'000; ++round) {
    const std::string key = StrCat("key", random.Uniform(500));
    switch (random.Uniform(6)) {
      case 0:
        Delete(key);
        model.erase(key);
        break;
      case 1:
        EXPECT_EQ(Get(key), model.contains(key) ? model[key] : "(none)");
        break;
      default:
        model[key] = StrCat(round);
        Put(key, model[key]);
    }
  }
  std::string forward;
  std::string backward;
  for (const auto& [key, value] : model) {
    forward += StrCat(forward.empty() ? "" : " ", key, "=", value);
    backward = StrCat(key, "=", value, backward.empty() ? "" : " ", backward);
  }
  EXPECT_EQ(Scan(), forward);
  EXPECT_EQ(Scan({}, store_->GetSnapshot(), /*backward=*/true), backward);
  Reopen();
  EXPECT_EQ(Scan(), forward);
}

// Files, pages and nodes of the memtable are found by the first bytes of a key; here those are all
// alike, so that the rest has to decide everywhere.
TEST(StoreFindsTest, KeysThatBeginAlike) {
  MemoryEnv env;
  StoreOptions options = QuietOptions();
  options.memtable_bytes = 64 << 10;
  options.file_bytes = 16 << 10;
  options.level1_bytes = 64 << 10;
  const std::unique_ptr<Store> store = *Store::Open(env, "db", options);
  constexpr int kKeys = 4000;
  const auto key_of = [](int i) { return StrCat("the same first bytes of all ", 100'000 + i); };
  const std::string filler(40, 'v');
  for (int i = 0; i < kKeys; i += 2) {
    WriteBatch batch;
    const std::string key = key_of(i);
    const std::string value = StrCat(filler, i);
    batch.Put(key, value);
    ASSERT_TRUE(store->Write(batch, Durability::kRelaxed));
    while (*store->Step(std::size_t{1} << 20)) {
    }
  }
  std::size_t files = 0;
  for (const LevelStats& level : store->Stats().levels) files += level.files;
  ASSERT_GT(files, 8U);
  const Snapshot snapshot = store->GetSnapshot();
  for (int i = -1; i < kKeys + 1; ++i) {
    const std::string key = key_of(i);
    const std::string value = StrCat(filler, i);
    const bool is_there = i >= 0 && i < kKeys && i % 2 == 0;
    ASSERT_EQ(*store->Get(key, snapshot), is_there ? std::optional(value) : std::nullopt) << i;
  }
}

}  // namespace
}  // namespace trefoil::lsm
