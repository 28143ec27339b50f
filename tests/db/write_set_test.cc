#include "db/write_set.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::db {
namespace {

using testing::Below;
using testing::RandomEngine;
using Model = std::map<std::string, std::optional<std::string>>;

std::optional<std::string> Held(const PendingValue& value) {
  if (value.deletes()) return std::nullopt;
  return value.slice().ToString();
}

Model ModelOf(const WriteSet& writes) {
  Model model;
  std::optional<std::string> last;
  for (const auto& [key, value] : writes) {
    EXPECT_TRUE(!last || *last < key.slice().ToString()) << "keys ascend";
    last = key.slice().ToString();
    model[*last] = Held(value);
  }
  return model;
}

TEST(WriteSetTest, KeepsKeysThatDifferBehindTheirHeadsOnly) {
  WriteSet writes;
  const std::string head(16, 'h');
  const std::string keys[] = {head, head + '\0', head + "b", "h", std::string("h\0", 2), ""};
  Model model;
  for (const std::string& key : keys) {
    writes.Put(Slice(key), Slice("v"));
    model[key] = "v";
  }
  EXPECT_EQ(ModelOf(writes), model);
  EXPECT_EQ(writes.Find(Slice("ha")), nullptr);
}

TEST(WriteSetTest, TellsAnEmptyValueFromADeletion) {
  WriteSet writes;
  writes.Put(Slice("a"), Slice());
  writes.Delete(Slice("b"));
  writes.DeleteUnlessWritten(Slice("a"));
  writes.DeleteUnlessWritten(Slice("c"));
  EXPECT_EQ(ModelOf(writes), (Model{{"a", ""}, {"b", std::nullopt}, {"c", std::nullopt}}));
}

TEST(WriteSetTest, UndoTakesBackWhatCameSinceRemember) {
  WriteSet writes;
  writes.Put(Slice("a"), Slice("long enough to write over"));
  writes.Put(Slice("b"), Slice("2"));
  const Model before = ModelOf(writes);
  writes.Remember();
  writes.Put(Slice("a"), Slice("x"));
  writes.Put(Slice("a"), Slice("y"));
  writes.Delete(Slice("b"));
  writes.Put(Slice("c"), Slice("3"));
  writes.Undo();
  EXPECT_EQ(ModelOf(writes), before);
  writes.Remember();
  writes.Put(Slice("c"), Slice("4"));
  writes.Forget();
  EXPECT_EQ(ModelOf(writes).at("c"), "4");
}

// Rows of a few kinds of entries that come in order, in part or not at all, as many as make chunks
// split everywhere; walks in both directions from any key.
TEST(WriteSetTest, WalksRowsOfManyKindsInOrder) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 20; ++round) {
    WriteSet writes;
    Model model;
    const std::uint64_t disorder = Below(random, 4);  // 0: rows ascend
    const bool descends = Below(random, 4) == 0;
    const auto key_of = [](std::uint64_t kind, std::uint64_t row) {
      const std::string number = std::to_string(100'000 + row);
      return std::string(1, static_cast<char>('a' + kind)) + number;
    };
    for (std::uint64_t i = 0; i < 300; ++i) {
      std::uint64_t row = descends ? 1000 - i : 1000 + i;
      if (Below(random, 4) < disorder) row = Below(random, 2000);
      for (std::uint64_t kind = 0; kind < 5; ++kind) {
        const std::string key = key_of(kind, row);
        writes.Put(Slice(key), Slice(key), kind);
        model[key] = key;
      }
    }
    ASSERT_EQ(ModelOf(writes), model);
    ASSERT_EQ(writes.size(), model.size());
    for (int probe = 0; probe < 200; ++probe) {
      const std::string key = key_of(Below(random, 7), Below(random, 2000));
      auto at = writes.LowerBound(Slice(key));
      const auto expected = model.lower_bound(key);
      ASSERT_EQ(at == writes.end(), expected == model.end());
      if (expected != model.end()) {
        ASSERT_EQ(at->first.slice(), Slice(expected->first));
      }
      if (expected != model.begin()) {
        ASSERT_EQ((--at)->first.slice(), Slice(std::prev(expected)->first));
      }
      const auto behind = model.upper_bound(key);
      ASSERT_EQ(writes.UpperBound(Slice(key)) == writes.end(), behind == model.end());
    }
  }
}

// Hints of every kind, right and wrong, change nothing but speed.
TEST(WriteSetTest, IsAMapWhateverTheHints) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 50; ++round) {
    WriteSet writes;
    Model model;
    Model remembered;
    bool remembers = false;
    const std::uint64_t keys = round % 2 == 0 ? 40 : 400;
    const auto key = [&] {
      return std::string(Below(random, 2) * 15, 'k') + std::to_string(Below(random, keys));
    };
    for (int step = 0; step < 300; ++step) {
      const std::string at = key();
      const WriteSet::Hint hint = Below(random, 40);
      switch (Below(random, 8)) {
        case 0:
          writes.Delete(Slice(at), hint);
          model[at] = std::nullopt;
          break;
        case 1: {
          const std::string limit = key();
          if (remembers || limit < at) break;
          writes.DeleteRange(Slice(at), Slice(limit));
          for (auto i = model.lower_bound(at); i != model.lower_bound(limit); ++i) {
            i->second = std::nullopt;
          }
          break;
        }
        case 2:
          if (remembers) {
            const bool undo = Below(random, 2) == 0;
            undo ? writes.Undo() : writes.Forget();
            if (undo) model = remembered;
          } else {
            writes.Remember();
            remembered = model;
          }
          remembers = !remembers;
          break;
        default: {
          const std::string value(Below(random, 30), static_cast<char>('a' + step % 26));
          writes.Put(Slice(at), Slice(value), hint);
          model[at] = value;
        }
      }
      const std::string asked = key();
      const PendingValue* found = writes.Find(Slice(asked), Below(random, 40));
      ASSERT_EQ(found != nullptr, model.contains(asked));
      if (found == nullptr) continue;
      ASSERT_EQ(Held(*found), model[asked]);
    }
    ASSERT_EQ(ModelOf(writes), model);
  }
}

}  // namespace
}  // namespace trefoil::db
