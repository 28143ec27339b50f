#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/filter.h"
#include "lsm/store.h"
#include "lsm/write_batch.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

TEST(FilterGuessTest, AsksUntilSeveralGroupsInARowWereThere) {
  FilterGuess guess;
  EXPECT_TRUE(guess.asks());
  for (int i = 0; i < 3; ++i) guess.Note(64, 64);
  EXPECT_TRUE(guess.asks());
  guess.Note(64, 56);
  EXPECT_FALSE(guess.asks());
  guess.Note(1, 1);
  EXPECT_FALSE(guess.asks());
}

TEST(FilterGuessTest, AsksAgainAfterOneGroupOfAbsentKeys) {
  FilterGuess guess;
  for (int i = 0; i < 10; ++i) guess.Note(64, 64);
  guess.Note(64, 55);
  EXPECT_TRUE(guess.asks());
}

// Even numbers below 20,000 are there, in files of several levels, level 0 and the memtable;
// multiples of ten are deleted.
class MultiGetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.background_work = false;
    options.memtable_bytes = 64 << 10;
    store_ = *Store::Open(env_, "db", options);
    Write(0, 2, "old");
    ASSERT_TRUE(store_->Flush().has_value());
    ASSERT_TRUE(store_->Compact({}).has_value());
    Write(4, 6, "new");
    ASSERT_TRUE(store_->Flush().has_value());
    Write(0, 10, "");
  }

  static std::string Key(std::uint64_t number) { return StrCat("key", 100'000 + number); }

  // An empty value deletes.
  void Write(std::uint64_t first, std::uint64_t step, const std::string& value) {
    WriteBatch batch;
    for (std::uint64_t i = first; i < 20'000; i += step) {
      const std::string key = Key(i);
      value.empty() ? batch.Delete(key) : batch.Put(key, value);
    }
    ASSERT_TRUE(store_->Write(batch, Durability::kRelaxed).has_value());
  }

  MemoryEnv env_;
  std::unique_ptr<Store> store_;
};

TEST_F(MultiGetTest, AnswersAsGetWhateverWasThereBefore) {
  Random random(testing::TestSeed());
  const Snapshot snapshot = store_->GetSnapshot();
  for (int round = 0; round < 60; ++round) {
    // Groups that are all there, all absent or mixed move the guesses of the files to and fro.
    const std::uint64_t what = random.Uniform(3);
    std::vector<std::string> keys;
    for (std::uint64_t i = 1 + random.Uniform(300); i > 0; --i) {
      const std::uint64_t number = random.Uniform(10'000);
      keys.push_back(Key(what == 0 ? 2 * number : what == 1 ? 2 * number + 1 : 3 * number));
    }
    if (random.OneIn(2)) std::ranges::sort(keys);
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const auto values = store_->MultiGet(slices, snapshot);
    ASSERT_TRUE(values.has_value());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto value = store_->Get(keys[i], snapshot);
      ASSERT_TRUE(value.has_value());
      ASSERT_EQ((*values)[i], *value) << keys[i];
    }
  }
}

TEST_F(MultiGetTest, FindsWhatIsInTheMemtableAlone) {
  EXPECT_FALSE((*store_->MultiGet(std::vector<Slice>{"zebra"}, store_->GetSnapshot()))[0]);
  WriteBatch batch;
  batch.Put("zebra", "1");
  ASSERT_TRUE(store_->Write(batch, Durability::kRelaxed).has_value());
  EXPECT_EQ((*store_->MultiGet(std::vector<Slice>{"zebra"}, store_->GetSnapshot()))[0], "1");
}

}  // namespace
}  // namespace trefoil::lsm
