#include "dataflow/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "tests/support/zset.h"

namespace trefoil::dataflow {
namespace {

using testing::AddTo;
using testing::ZSet;

ObjectNames Names(std::vector<std::string> names) {
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}
Value Number(std::uint64_t number) { return Value::Int(static_cast<std::int64_t>(number)); }

// project(binding, id, owner, rank) -> {id, rank, issues: [...], owner: {...}}
//   issue(project, id, title) -> {id, title, labels: [...]}       by title descending
//     label(issue, name) -> name
//   user(id, name) -> {name}                                       single
constexpr std::size_t kProject = 0;
constexpr std::size_t kIssue = 1;
constexpr std::size_t kLabel = 2;
constexpr std::size_t kUser = 3;
constexpr std::size_t kLevels = 4;

ViewShape Shape() {
  ViewShape shape;
  shape.levels = {
      {.bucket = {0},
       .order = {{.column = 3}, {.column = 1}},
       .key = {1},
       .names = Names({"id", "rank", "issues", "owner"}),
       .fields = {{.column = 1},
                  {.column = 3},
                  {.child = ViewChild{.level = kIssue, .bucket = {1}}},
                  {.child = ViewChild{.level = kUser, .bucket = {2}, .single = true}}}},
      {.bucket = {0},
       .order = {{.column = 2, .descending = true}, {.column = 1}},
       .key = {1},
       .names = Names({"id", "title", "labels"}),
       .fields = {{.column = 1},
                  {.column = 2},
                  {.child = ViewChild{.level = kLabel, .bucket = {1}}}}},
      {.bucket = {0}, .order = {{.column = 1}}, .key = {1}, .names = nullptr, .fields = {{1}}},
      {.bucket = {0},
       .order = {{.column = 0}},
       .key = {0},
       .names = Names({"name"}),
       .fields = {{.column = 1}}},
  };
  return shape;
}

// The definition: nested loops and sorts.
std::vector<std::pair<Row, Value>> ItemsOf(const ViewShape& shape, const std::vector<ZSet>& levels,
                                           std::size_t level, const Row& bucket) {
  const ViewLevel& spec = shape.levels[level];
  std::vector<std::pair<Row, Weight>> rows;
  for (const auto& [row, weight] : levels[level]) {
    bool matches = true;
    for (std::size_t i = 0; i < bucket.size(); ++i) {
      matches = matches && row[spec.bucket[i]] == bucket[i];
    }
    if (matches) rows.emplace_back(row, weight);
  }
  std::ranges::sort(rows, [&](const auto& a, const auto& b) {
    for (const SortColumn& sort : spec.order) {
      const Value& x = a.first[sort.column];
      const Value& y = b.first[sort.column];
      if (x != y) return (x < y) != sort.descending;
    }
    return false;
  });
  std::vector<std::pair<Row, Value>> items;
  for (const auto& [row, weight] : rows) {
    std::vector<Value> values;
    for (const ViewField& field : spec.fields) {
      if (!field.child) {
        values.push_back(row[field.column]);
        continue;
      }
      Row key;
      bool has_null = false;
      for (const Column column : field.child->bucket) {
        key.push_back(row[column]);
        has_null = has_null || row[column].is_null();
      }
      std::vector<Value> below;
      if (!has_null) {
        for (auto& item : ItemsOf(shape, levels, field.child->level, key)) {
          below.push_back(item.second);
        }
      }
      values.push_back(!field.child->single ? Value::List(below)
                       : below.empty()      ? Value()
                                            : below[0]);
    }
    const Value item = spec.names == nullptr ? values[0] : Value::Object(spec.names, values);
    items.insert(items.end(), static_cast<std::size_t>(weight), {row, item});
  }
  return items;
}

std::string ShowRows(const std::vector<trefoil::Row>& rows) {
  std::string text;
  for (const trefoil::Row& row : rows) {
    text += row.ToJson() + " key " + ToJson(row.key()) + "\n";
  }
  return text;
}

// Levels as Z-sets, a view of them, and a client's copy of each root list that hears Changes.
class Bench {
 public:
  Bench() : shape_(Shape()), view_(Shape()), levels_(kLevels) {
    for (std::size_t width : {4, 3, 2, 2}) pending_.emplace_back(width);
  }

  void Change(std::size_t level, const Row& row, Weight weight) {
    pending_[level].Add(row, weight);
    AddTo(levels_[level], row, weight);
  }
  const ZSet& rows(std::size_t level) const { return levels_[level]; }

  void Step() {
    std::vector<const Batch*> deltas;
    for (Batch& batch : pending_) {
      batch.Consolidate();
      deltas.push_back(batch.empty() ? nullptr : &batch);
    }
    for (ListChange& list : view_.Step(deltas)) {
      const Row bucket = list.bucket;
      const trefoil::Change change =
          ToChange(std::move(list), Version{1}, Version{2}, Origin::kLocal);
      EXPECT_FALSE(change.empty());
      std::vector<trefoil::Row>& copy = copies_[bucket];
      const std::vector<trefoil::Row> as_sets = AppliedAsSets(copy, change);
      Apply(change, copy);
      EXPECT_EQ(Sorted(as_sets), Sorted(copy));
    }
    for (Batch& batch : pending_) batch.Clear();
  }

  void Compare(int bindings) {
    for (int binding = 0; binding < bindings; ++binding) {
      const Row bucket = {Value::Int(binding)};
      std::vector<trefoil::Row> expected;
      for (const auto& [row, item] : ItemsOf(shape_, levels_, kProject, bucket)) {
        expected.emplace_back(item, row[1]);
      }
      ASSERT_EQ(ShowRows(view_.Snapshot(bucket).ToRows()), ShowRows(expected));
      ASSERT_EQ(ShowRows(copies_[bucket]), ShowRows(expected));
    }
  }

  // A view that is loaded at once shows the same and weighs the same.
  void CompareFresh() {
    Bench fresh;
    for (std::size_t level = 0; level < kLevels; ++level) {
      for (const auto& [row, weight] : levels_[level]) fresh.Change(level, row, weight);
    }
    std::vector<const Batch*> deltas;
    for (const Batch& batch : fresh.pending_) deltas.push_back(&batch);
    fresh.view_.Load(deltas);
    for (const auto& [bucket, copy] : copies_) {
      ASSERT_EQ(ShowRows(fresh.view_.Snapshot(bucket).ToRows()), ShowRows(copy));
    }
    EXPECT_EQ(fresh.view_.state_rows(), view_.state_rows());
  }
  View& view() { return view_; }

 private:
  static std::vector<std::string> Sorted(const std::vector<trefoil::Row>& rows) {
    std::vector<std::string> sorted;
    for (const trefoil::Row& row : rows) sorted.push_back(row.ToJson());
    std::ranges::sort(sorted);
    return sorted;
  }
  static std::vector<trefoil::Row> AppliedAsSets(std::vector<trefoil::Row> rows,
                                                 const trefoil::Change& change) {
    std::vector<trefoil::Row> gone = change.removed;
    for (const Update& update : change.updated) {
      gone.push_back(update.before);
      EXPECT_NE(update.columns, 0U);
    }
    for (const trefoil::Row& row : gone) {
      const auto found = std::ranges::find(rows, row);
      EXPECT_NE(found, rows.end());
      if (found != rows.end()) rows.erase(found);
    }
    rows.insert(rows.end(), change.added.begin(), change.added.end());
    for (const Update& update : change.updated) rows.push_back(update.after);
    return rows;
  }

  ViewShape shape_;
  View view_;
  std::vector<ZSet> levels_;
  std::vector<Batch> pending_;
  std::map<Row, std::vector<trefoil::Row>> copies_;
};

Row RandomRow(std::size_t level, std::mt19937_64& random) {
  const auto maybe = [&](std::uint64_t range) {
    return random() % 6 == 0 ? Value() : Number(random() % range);
  };
  switch (level) {
    case kProject:
      return {Number(random() % 2), Number(random() % 4), maybe(3), maybe(3)};
    case kIssue:
      return {maybe(4), Number(random() % 6), maybe(3)};
    case kLabel:
      return {Number(random() % 6), Number(random() % 4)};
    default:
      return {Number(random() % 3), maybe(3)};
  }
}

// Rows of one list whose key columns agree may not be there at the same time.
bool SameKey(const ViewLevel& level, const Row& a, const Row& b) {
  for (const std::vector<Column>& columns : {level.bucket, level.key}) {
    for (const Column column : columns) {
      if (a[column] != b[column]) return false;
    }
  }
  return true;
}

TEST(ViewTest, ShowsWhatTheDefinitionSaysAndChangesLeadThere) {
  std::mt19937_64 random(testing::TestSeed());
  const ViewShape shape = Shape();
  for (int round = 0; round < 40 * testing::TestScale(); ++round) {
    Bench bench;
    for (int step = 0; step < 60; ++step) {
      for (auto changes = 1 + random() % 5; changes-- > 0;) {
        const std::size_t level = random() % kLevels;
        const Row row = RandomRow(level, random);
        Weight copies = 0;
        const ZSet before = bench.rows(level);
        for (const auto& [old_row, weight] : before) {
          if (old_row == row && random() % 4 == 0) copies = 1;  // one copy more
          if (!SameKey(shape.levels[level], old_row, row) || copies > 0) continue;
          bench.Change(level, old_row, -weight);
        }
        if (copies > 0 || random() % 3 != 0) bench.Change(level, row, 1);
      }
      bench.Step();
      bench.Compare(2);
      if (HasFatalFailure()) return;
    }
    bench.CompareFresh();
    // Everything goes, and nothing stays behind.
    for (std::size_t level = 0; level < kLevels; ++level) {
      const ZSet rows = bench.rows(level);
      for (const auto& [row, weight] : rows) bench.Change(level, row, -weight);
    }
    bench.Step();
    bench.Compare(2);
    EXPECT_EQ(bench.view().state_rows(), 0U);
    EXPECT_EQ(bench.view().state_bytes(), 0U);
  }
}

TEST(ViewTest, EditsTouchOnlyThePathToWhatChanged) {
  View view(Shape());
  std::vector<Batch> batches = {Batch(4), Batch(3), Batch(2), Batch(2)};
  const auto step = [&] {
    std::vector<const Batch*> deltas;
    for (Batch& batch : batches) {
      batch.Consolidate();
      deltas.push_back(&batch);
    }
    std::vector<ListChange> changes = view.Step(deltas);
    for (Batch& batch : batches) batch.Clear();
    return changes;
  };
  for (int id = 0; id < 3; ++id) {
    batches[kProject].Add(Row{Value::Int(0), Value::Int(id), Value(), Value::Int(id)}, 1);
    batches[kIssue].Add(Row{Value::Int(id), Value::Int(10 + id), Value::Text("t")}, 1);
    batches[kLabel].Add(Row{Value::Int(10 + id), Value::Text("bug")}, 1);
  }
  step();
  const std::vector<trefoil::Row> before = view.Snapshot(Row{Value::Int(0)}).ToRows();
  batches[kLabel].Add(Row{Value::Int(11), Value::Text("api")}, 1);
  const std::vector<ListChange> changes = step();
  ASSERT_EQ(changes.size(), 1U);
  ASSERT_EQ(changes[0].edits.size(), 1U);
  EXPECT_EQ(changes[0].edits[0],
            (Edit{EditOp::kInsert,
                  {std::size_t{1}, "issues", std::size_t{0}, "labels", std::size_t{0}},
                  Value::Text("api"),
                  Value()}));
  EXPECT_EQ(changes[0].entered[0].ToJson(),
            R"({"id":1,"rank":1,"issues":[{"id":11,"title":"t","labels":["api","bug"]}],)"
            R"("owner":null})");
  EXPECT_EQ(before[1].ToJson(),
            R"({"id":1,"rank":1,"issues":[{"id":11,"title":"t","labels":["bug"]}],"owner":null})")
      << "a snapshot stays as it was";
}

TEST(ViewTest, SnapshotsAreReadAndDroppedOnOtherThreads) {
  View view(Shape());
  Batch projects(4);
  Batch issues(3);
  for (int id = 0; id < 100; ++id) {
    projects.Add(Row{Value::Int(0), Value::Int(id), Value(), Value::Int(id)}, 1);
    issues.Add(Row{Value::Int(id), Value::Int(id), Value::Text("a title of some length")}, 1);
  }
  const Batch* deltas[] = {&projects, &issues, nullptr, nullptr};
  view.Load(deltas);
  deltas[0] = nullptr;
  for (int round = 0; round < 20; ++round) {
    std::thread reader([snapshot = view.Snapshot(Row{Value::Int(0)})]() mutable {
      EXPECT_EQ(snapshot.ToRows().size(), 100U);
      snapshot = ViewSnapshot();
    });
    for (int id = 0; id < 100; ++id) {
      issues.Clear();
      issues.Add(Row{Value::Int(id), Value::Int(1000 + round), Value::Text("another title")}, 1);
      view.Step(deltas);
    }
    reader.join();
  }
}

TEST(ViewTest, AChangeThatCancelsTellsNothing) {
  View view(Shape());
  Batch projects(4);
  const Row row = {Value::Int(0), Value::Int(1), Value(), Value::Int(1)};
  projects.Add(row, 1);
  projects.Add(row, -1);
  projects.Consolidate();
  const Batch* const deltas[] = {&projects, nullptr, nullptr, nullptr};
  EXPECT_TRUE(view.Step(deltas).empty());
  // A column that is not shown changes.
  projects.Add(row, 1);
  EXPECT_EQ(view.Step(deltas).size(), 1U);
  projects.Clear();
  projects.Add(row, -1);
  projects.Add(Row{row[0], row[1], Value::Int(5), row[3]}, 1);
  projects.Consolidate();
  EXPECT_TRUE(view.Step(deltas).empty());
}

}  // namespace
}  // namespace trefoil::dataflow
