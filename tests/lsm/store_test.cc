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

}  // namespace
}  // namespace trefoil::lsm
