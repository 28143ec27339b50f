#include "lsm/memtable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

void Insert(Memtable& memtable, const std::string& key, SequenceNumber sequence,
            const std::string& value) {
  memtable.Insert({.key = key, .sequence = sequence, .kind = EntryKind::kPut, .value = value});
}

std::string ValueOf(const Memtable& memtable, const std::string& key) {
  PointLookup lookup = {.key = key, .snapshot = kLatestSequence};
  EXPECT_TRUE(memtable.Get(lookup).has_value());
  return lookup.found ? lookup.value.get().ToString() : "(none)";
}

// Batches are runs of ascending keys between and over those that are there, as commits write them.
TEST(MemtableInsertTest, RunsOfAscendingKeysGoWhereEachKeyBelongs) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 10 * testing::TestScale(); ++round) {
    Memtable memtable(4096);
    std::map<std::string, std::string> model;
    for (SequenceNumber sequence = 1; sequence <= 40; ++sequence) {
      for (std::uint64_t runs = 1 + random.Uniform(4); runs > 0; --runs) {
        std::uint64_t number = random.Uniform(20'000);
        for (std::uint64_t i = random.Uniform(200); i > 0; --i) {
          number += random.OneIn(3) ? random.Uniform(100) : 1;
          // Long keys agree in their heads.
          const std::string head = random.OneIn(4) ? "a key longer than its head " : "k";
          const std::string key = StrCat(head, 100'000 + number);
          model[key] = StrCat(sequence, " ", i);
          Insert(memtable, key, sequence, model[key]);
        }
      }
    }
    const auto cursor = memtable.NewCursor({.snapshot = kLatestSequence});
    cursor->SeekToFirst();
    for (const auto& [key, value] : model) {
      ASSERT_TRUE(cursor->Valid());
      ASSERT_EQ(cursor->entry().key, key);
      ASSERT_EQ(cursor->entry().value, value);
      ASSERT_EQ(ValueOf(memtable, key), value);
      cursor->Next();
    }
    ASSERT_FALSE(cursor->Valid());
  }
}

// Small batches, each of an entry of every column, as commits of one row write them.
TEST(MemtableInsertTest, BatchesThatResembleOneAnotherGoWhereEachKeyBelongs) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 10 * testing::TestScale(); ++round) {
    Memtable memtable(4096);
    std::map<std::string, std::pair<SequenceNumber, std::string>> model;
    const std::uint64_t columns = 1 + random.Uniform(20);
    std::uint64_t row = 0;
    for (SequenceNumber sequence = 1; sequence <= 1500; ++sequence) {
      row = random.OneIn(20) ? random.Uniform(2000) : row + 1;
      for (std::uint64_t column = 0; column < columns; ++column) {
        if (random.OneIn(10)) continue;  // a NULL
        const std::string key = StrCat("column ", 100 + column, " row ", 10'000 + row);
        model[key] = {sequence, StrCat(sequence)};
        Insert(memtable, key, sequence, model[key].second);
      }
    }
    const auto cursor = memtable.NewCursor({.snapshot = kLatestSequence});
    cursor->SeekToFirst();
    for (const auto& [key, written] : model) {
      ASSERT_TRUE(cursor->Valid());
      ASSERT_EQ(cursor->entry().key, key);
      ASSERT_EQ(cursor->entry().value, written.second);
      ASSERT_EQ(ValueOf(memtable, key), written.second);
      cursor->Next();
    }
    ASSERT_FALSE(cursor->Valid());
    for (int i = 0; i < 100; ++i) {
      const std::string start = StrCat("column ", 100 + random.Uniform(columns), " row ");
      const std::string limit = StrCat(start, 10'000 + random.Uniform(2000));
      SequenceNumber newest = 0;
      for (auto at = model.lower_bound(start); at != model.lower_bound(limit); ++at) {
        newest = std::max(newest, at->second.first);
      }
      ASSERT_GE(memtable.NewestSequenceIn(start, limit), newest);
    }
  }
}

TEST(MemtableInsertTest, BatchesOfOneRowLeaveFullLeavesBehind) {
  constexpr int kRows = 5000;
  constexpr int kColumns = 8;
  const auto key_of = [](int column, int row) { return StrCat("c", column, " ", 100'000 + row); };
  Memtable by_row(4096);
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      Insert(by_row, key_of(column, row), static_cast<SequenceNumber>(row + 1), "v");
    }
  }
  Memtable in_order(4096);
  for (int column = 0; column < kColumns; ++column) {
    for (int row = 0; row < kRows; ++row) Insert(in_order, key_of(column, row), 1, "v");
  }
  EXPECT_LE(by_row.memory_bytes(), in_order.memory_bytes() + in_order.memory_bytes() / 20);
}

TEST(MemtableInsertTest, ARunBelowOtherKeysLeavesFullLeavesBehind) {
  constexpr int kKeys = 20'000;
  const auto memory_of = [](const char* other) {
    Memtable memtable(4096);
    Insert(memtable, other, 1, "v");
    for (int i = 0; i < kKeys; ++i) Insert(memtable, StrCat("k", 100'000 + i), 2, "v");
    return memtable.memory_bytes();
  };
  // The last leaf of all is known to fill; a run in the middle must need hardly more.
  EXPECT_LE(memory_of("z"), memory_of("a") + memory_of("a") / 50);
}

// However the leaves were split, of which none is empty.
TEST(MemtableCountTest, FewKeysAreCountedAndManyAreEstimated) {
  Random random(testing::TestSeed());
  Memtable memtable(4096);
  std::set<std::string> keys;
  for (SequenceNumber sequence = 1; sequence <= 2000; ++sequence) {
    for (const char column : {'a', 'b', 'c'}) {
      const std::uint64_t row = column == 'c' ? random.Uniform(10'000) : sequence;
      const std::string key = StrCat(std::string(1, column), 100'000 + row);
      keys.insert(key);
      Insert(memtable, key, sequence, "1");
    }
  }
  for (int round = 0; round < 500; ++round) {
    const auto start =
        std::next(keys.begin(), static_cast<std::ptrdiff_t>(random.Uniform(keys.size())));
    const std::uint64_t left = static_cast<std::uint64_t>(std::distance(start, keys.end()));
    const std::uint64_t count = random.Uniform(std::min<std::uint64_t>(left, 4));
    const auto limit = std::next(start, static_cast<std::ptrdiff_t>(count));
    ASSERT_EQ(memtable.ApproximateCount(*start, *limit), count);
  }
  const std::uint64_t all = memtable.ApproximateCount("", "");
  EXPECT_GT(all, keys.size() / 2);
  EXPECT_LT(all, keys.size() * 2);
}

TEST(MemtableInsertTest, TheNewestSequenceIsThatOfTheLastBatch) {
  Memtable memtable;
  Insert(memtable, "a", 1, "v");
  Insert(memtable, "b", 1, "v");
  Insert(memtable, "c", 2, "v");
  EXPECT_EQ(memtable.NewestSequenceIn("c", "d"), 2u);
  EXPECT_EQ(memtable.NewestSequenceIn("a", "c"), 1u);
}

}  // namespace
}  // namespace trefoil::lsm
