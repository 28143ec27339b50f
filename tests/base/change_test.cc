#include "trefoil/change.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"

namespace trefoil {
namespace {

ObjectNames Names(std::vector<std::string> names) {
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}

Row Item(int key, int value) {
  static const ObjectNames kNames = Names({"id", "value"});
  return Row(kNames, {Value::Int(key), Value::Int(value)}, Value::Int(key));
}

TEST(ChangeTest, RendersTheLineThatOtherProgramsRead) {
  Change change{.from = Version{3}, .to = Version{4}, .origin = Origin::kMerged};
  change.added = {Item(1, 10)};
  change.removed = {Item(2, 20)};
  change.updated = {{Item(3, 1), Item(3, 2), 2}};
  EXPECT_EQ(ToJson(change, "a\"b"),
            R"({"live":"a\"b","from":3,"to":4,"origin":"merged","reset":false,)"
            R"("added":[{"id":1,"value":10}],"removed":[{"id":2,"value":20}],)"
            R"("updated":[{"before":{"id":3,"value":1},"after":{"id":3,"value":2}}]})");
  EXPECT_EQ(ToJson(Change{.reset = true}),
            R"({"from":0,"to":0,"origin":"local","reset":true,"added":[],"removed":[],)"
            R"("updated":[]})");
}

TEST(ChangeTest, AJsonPatchEscapesItsPointers) {
  Change change;
  change.edits = {{EditOp::kInsert, {std::size_t{0}}, Item(1, 2).object(), Value::Int(1)},
                  {EditOp::kReplace, {std::size_t{0}, "a/b~\""}, Value::Int(7), Value()},
                  {EditOp::kRemove, {std::size_t{0}, "list", std::size_t{3}}, Value(), Value()}};
  EXPECT_EQ(change.JsonPatch(), R"([{"op":"add","path":"/0","value":{"id":1,"value":2}},)"
                                R"({"op":"replace","path":"/0/a~1b~0\"","value":7},)"
                                R"({"op":"remove","path":"/0/list/3"}])");
  EXPECT_EQ((Change{.reset = true, .added = {Item(1, 2)}}).JsonPatch(),
            R"([{"op":"replace","path":"","value":[{"id":1,"value":2}]}])");
}

TEST(ChangeTest, AppliesEditsAtAnyDepth) {
  const ObjectNames outer = Names({"id", "list", "one"});
  const ObjectNames inner = Names({"x"});
  const auto object = [&](int x) { return Value::Object(inner, {Value::Int(x)}); };
  std::vector<Row> rows = {
      Row(outer, {Value::Int(1), Value::List({object(1), object(2)}), object(5)}, Value::Int(1))};
  const Row before = rows[0];
  Change change;
  change.edits = {
      {EditOp::kInsert, {std::size_t{0}, "list", std::size_t{2}}, object(3), Value()},
      {EditOp::kRemove, {std::size_t{0}, "list", std::size_t{0}}, Value(), Value()},
      {EditOp::kReplace, {std::size_t{0}, "list", std::size_t{0}, "x"}, Value::Int(9), Value()},
      {EditOp::kReplace, {std::size_t{0}, "one", "x"}, Value::Int(6), Value()},
      {EditOp::kReplace, {std::size_t{0}, "id"}, Value::Int(4), Value()}};
  Apply(change, rows);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].ToJson(), R"({"id":4,"list":[{"x":9},{"x":3}],"one":{"x":6}})");
  EXPECT_EQ(rows[0].key(), Value::Int(1));
  EXPECT_EQ(before.ToJson(), R"({"id":1,"list":[{"x":1},{"x":2}],"one":{"x":5}})");
}

TEST(ChangeTest, SaysWhichColumnsChangedAndGathersTheLastOnes) {
  EXPECT_EQ(ChangedColumns(Item(1, 2), Item(1, 3)), 2U);
  const ObjectNames many = Names(std::vector<std::string>(70, "c"));
  std::vector<Value> values(70);
  const Row before(many, values);
  values[66] = Value::Int(1);
  EXPECT_EQ(ChangedColumns(before, Row(many, values)), std::uint64_t{1} << 63);
}

TEST(ChangeTest, ComposingCancelsWhatCameAndWent) {
  const auto changed = [](int from, Change change) {
    change.from = Version{static_cast<std::uint64_t>(from)};
    change.to = Next(change.from);
    return change;
  };
  const Change insert = changed(1, {.added = {Item(1, 1)}});
  const Change update = changed(2, {.updated = {{Item(1, 1), Item(1, 2), 2}}});
  const Change back = changed(3, {.updated = {{Item(1, 2), Item(1, 1), 2}}});
  const Change remove = changed(4, {.origin = Origin::kMerged, .removed = {Item(1, 1)}});
  EXPECT_EQ(Compose(insert, update).added, std::vector<Row>{Item(1, 2)});
  EXPECT_TRUE(Compose(update, back).empty());
  const Change all = Compose(Compose(Compose(insert, update), back), remove);
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(all.from, Version{1});
  EXPECT_EQ(all.to, Version{5});
  EXPECT_EQ(all.origin, Origin::kBoth);

  const Change again = changed(5, {.added = {Item(1, 7)}});
  EXPECT_EQ(Compose(remove, again).updated, (std::vector<Update>{{Item(1, 1), Item(1, 7), 2}}));
}

// A model result: rows by key, ordered by key.
using Model = std::map<int, int>;

std::vector<Row> RowsOf(const Model& model) {
  std::vector<Row> rows;
  for (const auto& [key, value] : model) rows.push_back(Item(key, value));
  return rows;
}

Change RandomChange(Model& model, std::uint64_t version, std::mt19937_64& random) {
  Change change{.from = Version{version}, .to = Version{version + 1}};
  std::vector<Row> left;
  std::vector<Row> entered;
  const bool is_large = random() % 8 == 0;
  for (auto steps = random() % (is_large ? 40 : 4); steps-- > 0;) {
    const int key = static_cast<int>(random() % (is_large ? 30 : 6));
    const auto found = model.lower_bound(key);
    const auto at = static_cast<std::size_t>(std::distance(model.begin(), found));
    const bool present = found != model.end() && found->first == key;
    if (present) left.push_back(Item(key, found->second));
    if (present && random() % 2 == 0) {
      model.erase(found);
      change.edits.push_back({EditOp::kRemove, {at}, Value(), Value::Int(key)});
      continue;
    }
    const Row row = Item(key, static_cast<int>(random() % 3));
    model[key] = static_cast<int>(row[1].AsInt());
    entered.push_back(row);
    change.edits.push_back(
        {present ? EditOp::kReplace : EditOp::kInsert, {at}, row.object(), row.key()});
  }
  PairByKey(left, entered, change);
  return change;
}

// What a client does that keeps an unordered copy.
std::vector<Row> AppliedAsSets(std::vector<Row> rows, const Change& change) {
  std::vector<Row> gone = change.removed;
  for (const Update& update : change.updated) gone.push_back(update.before);
  for (const Row& row : gone) rows.erase(std::ranges::find(rows, row));
  rows.insert(rows.end(), change.added.begin(), change.added.end());
  for (const Update& update : change.updated) rows.push_back(update.after);
  std::ranges::sort(rows, {}, [](const Row& row) { return row[0].AsInt(); });
  return rows;
}

// Rows whose keys ascend are merged, others go through tables: both find the same.
TEST(ChangeTest, PairsRowsOfAscendingKeysAsItPairsAnyRows) {
  std::mt19937_64 random(testing::TestSeed());
  const auto some = [&] {
    std::vector<Row> rows;
    for (int key = 0; key < 8; ++key) {
      if (random() % 3 != 0) rows.push_back(Item(key, static_cast<int>(random() % 3)));
    }
    return rows;
  };
  for (int round = 0; round < 2'000 * testing::TestScale(); ++round) {
    std::vector<Row> left = some();
    std::vector<Row> entered = some();
    Change merged;
    PairByKey(left, entered, merged);
    // The last key is out of order, and nothing else.
    for (std::vector<Row>* rows : {&left, &entered}) rows->push_back(Item(-1, 0));
    Change paired;
    PairByKey(left, entered, paired);
    ASSERT_EQ(merged, paired) << ToJson(merged) << " and " << ToJson(paired);
  }
}

TEST(ChangeTest, TheSumOfRandomChangesLeadsFromTheFirstResultToTheLast) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 2000 * testing::TestScale(); ++round) {
    Model model;
    for (int key = 0; key < 6; key += 2) model[key] = key;
    const std::vector<Row> start = RowsOf(model);
    Change sum = RandomChange(model, 0, random);
    if (round % 5 == 0) sum = {.to = Version{1}, .reset = true, .added = RowsOf(model)};
    for (std::uint64_t version = 1; version < 6; ++version) {
      sum = Compose(sum, RandomChange(model, version, random));
    }
    std::vector<Row> rows = start;
    Apply(sum, rows);
    ASSERT_EQ(rows, RowsOf(model));
    if (!sum.reset) {
      ASSERT_EQ(AppliedAsSets(start, sum), RowsOf(model));
    }
  }
}

}  // namespace
}  // namespace trefoil
