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

// Hints of every kind, right and wrong, change nothing but speed.
TEST(WriteSetTest, IsAMapWhateverTheHints) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 50; ++round) {
    WriteSet writes;
    Model model;
    Model remembered;
    bool remembers = false;
    const auto key = [&] {
      return std::string(Below(random, 2) * 15, 'k') + std::to_string(Below(random, 40));
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
