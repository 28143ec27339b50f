#include "dataflow/operators/top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dataflow/functions.h"
#include "dataflow/graph.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/input.h"
#include "tests/support/model_source.h"
#include "tests/support/operator_harness.h"
#include "tests/support/seed.h"
#include "tests/support/zset.h"

namespace trefoil::dataflow {
namespace {

using testing::AddTo;
using testing::ReadAll;
using testing::Show;
using testing::Subject;
using testing::ZSet;

// Rows: (partition, sort key or NULL, id). Windows: (partition, id, offset, limit, after...).
constexpr Column kPartition = 0;
constexpr Column kSort = 1;
constexpr Column kId = 2;

TopK Spec(bool descending) {
  return {.partition = {kPartition},
          .order = {{.column = kSort, .descending = descending}, {.column = kId}}};
}

// What SQL says, by sorting everything.
ZSet Expected(const TopK& spec, const ZSet& rows, const ZSet& windows) {
  ZSet expected;
  const auto before = [&](const Row& a, const Row& b) {
    for (const SortColumn& sort : spec.order) {
      if (a[sort.column] == b[sort.column]) continue;
      return (a[sort.column] < b[sort.column]) != sort.descending;
    }
    return a < b;
  };
  for (const auto& [window, count] : windows) {
    std::vector<Row> sorted;
    for (const auto& [row, weight] : rows) {
      if (!spec.partition.empty() && row[kPartition] != window[0]) continue;
      Row place(3);
      if (spec.windows && !spec.windows->after.empty()) {
        place[kSort] = window[4];
        place[kId] = window[5];
        const bool is_place = row[kSort] == place[kSort] && row[kId] == place[kId];
        if (is_place || before(row, place)) continue;
      }
      sorted.insert(sorted.end(), static_cast<std::size_t>(weight), row);
    }
    std::ranges::sort(sorted, before);
    const auto bound = [&](std::size_t column, std::size_t otherwise) {
      return window[column].is_null() ? otherwise
                                      : static_cast<std::size_t>(window[column].AsInt());
    };
    const std::size_t start = std::min(bound(2, 0), sorted.size());
    const std::size_t limit = bound(3, sorted.size());
    for (std::size_t i = start; i < sorted.size() && i - start < limit; ++i) {
      Row row = sorted[i];
      if (spec.windows) row.push_back(window[1]);
      AddTo(expected, row, 1);
    }
  }
  return expected;
}

class Bench {
 public:
  explicit Bench(const TopK& spec) : spec_(spec), graph_(source_, functions_, {}) {
    Plan plan;
    const ValueKind any = ValueKind::kNull;
    std::vector<NodeNumber> inputs = {plan.Add(Feed{.name = "rows", .kinds = {any, any, any}})};
    if (spec.windows) {
      inputs.push_back(plan.Add(Feed{.name = "windows", .kinds = {any, any, any, any, any, any}}));
    }
    const NodeNumber top = plan.Add(spec, inputs);
    inputs.push_back(top);
    Result<Installed> installed = graph_.Install(plan, inputs);
    EXPECT_TRUE(installed.has_value());
    ids_ = installed->roots;
  }

  // Changes wait for Step.
  void Rows(const Row& row, Weight weight) {
    AddTo(rows_, row, weight);
    graph_.Feed(ids_[0], row, weight);
  }
  void Windows(const Row& row, Weight weight) {
    AddTo(windows_, row, weight);
    graph_.Feed(ids_[1], row, weight);
  }
  const ZSet& rows() const { return rows_; }
  const ZSet& windows() const { return windows_; }
  Graph& graph() { return graph_; }

  void Step() {
    ASSERT_TRUE(graph_.Step({}).has_value());
    const Batch& delta = graph_.delta(ids_.back());
    EXPECT_TRUE(delta.IsConsolidated());
    AddTo(shown_, delta);
  }
  // Against the definition, and against a graph that begins now.
  void Compare() {
    const ZSet expected = Expected(spec_, rows_, windows_);
    ASSERT_EQ(Show(shown_), Show(expected));
    ASSERT_EQ(Show(ReadAll(graph_, ids_.back())), Show(expected));
  }
  void CompareFresh() {
    Bench fresh(spec_);
    for (const auto& [row, weight] : rows_) fresh.Rows(row, weight);
    for (const auto& [row, weight] : windows_) {
      if (spec_.windows) fresh.Windows(row, weight);
    }
    fresh.Step();
    ASSERT_EQ(Show(fresh.shown_), Show(shown_));
  }

  // The windows as they would be named, for a spec without an input of them.
  void NameWindows(ZSet windows) { windows_ = std::move(windows); }

 private:
  TopK spec_;
  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  std::vector<NodeId> ids_;
  ZSet rows_;
  ZSet windows_;
  ZSet shown_;
};

Value SmallOrNull(std::mt19937_64& random, unsigned range) {
  const auto number = static_cast<std::int64_t>(random() % (range + 1));
  return number == 0 ? Value() : Value::Int(number);
}

// Inserts, deletes, updates in place and moves, one to a dozen.
void ChangeRows(Bench& bench, std::mt19937_64& random, unsigned partitions) {
  for (auto changes = 1 + random() % (random() % 8 == 0 ? 12 : 3); changes-- > 0;) {
    const bool removes = random() % 5 < 2;
    if (removes && !bench.rows().empty()) {
      auto victim = bench.rows().begin();
      std::advance(victim, random() % bench.rows().size());
      bench.Rows(Row(victim->first), -1);
      continue;
    }
    const Row row = {Value::Int(static_cast<std::int64_t>(random() % partitions)),
                     SmallOrNull(random, 8), Value::Int(static_cast<std::int64_t>(random() % 40))};
    bench.Rows(row, 1);
  }
}

TEST(TopKTest, AgreesWithSortingEverythingForAnyOffsetAndLimit) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 40 * testing::TestScale(); ++round) {
    TopK spec = Spec(random() % 2 == 0);
    spec.offset = random() % 3 == 0 ? random() % 6 : 0;
    spec.limit = random() % 5 == 0 ? kNoLimit : random() % 6;
    if (round % 4 == 0) {
      spec.partition.clear();
      spec.order.push_back({.column = kPartition});
    }
    Bench bench(spec);
    const Value limit =
        spec.limit == kNoLimit ? Value() : Value::Int(static_cast<std::int64_t>(spec.limit));
    ZSet windows;
    for (int partition = 0; partition < (spec.partition.empty() ? 1 : 3); ++partition) {
      windows[{Value::Int(partition), Value(), Value::Int(static_cast<std::int64_t>(spec.offset)),
               limit}] = 1;
    }
    bench.NameWindows(windows);
    for (int step = 0; step < 120; ++step) {
      ChangeRows(bench, random, 3);
      bench.Step();
      bench.Compare();
      if (HasFatalFailure()) return;
    }
    bench.CompareFresh();
  }
}

TopK SpecWithWindows(bool descending, bool after) {
  TopK spec = Spec(descending);
  spec.windows =
      TopK::Windows{.partition = {0}, .id = {1}, .offset = Column{2}, .limit = Column{3}};
  if (after) spec.windows->after = {4, 5};
  return spec;
}

TEST(TopKTest, WindowsComeGoAndMoveLikeAnyOtherRow) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < 40 * testing::TestScale(); ++round) {
    Bench bench(SpecWithWindows(random() % 2 == 0, random() % 2 == 0));
    std::map<std::pair<int, int>, Row> windows;
    for (int step = 0; step < 120; ++step) {
      if (random() % 3 != 0) ChangeRows(bench, random, 3);
      for (auto changes = random() % 3; changes-- > 0;) {
        const std::pair<int, int> name(static_cast<int>(random() % 3),
                                       static_cast<int>(random() % 2));
        if (const auto known = windows.find(name); known != windows.end()) {
          bench.Windows(known->second, -1);
          windows.erase(known);
          if (random() % 3 == 0) continue;
        }
        const Row row = {Value::Int(name.first), Value::Int(name.second), SmallOrNull(random, 4),
                         SmallOrNull(random, 6), SmallOrNull(random, 8),  SmallOrNull(random, 40)};
        bench.Windows(row, 1);
        windows[name] = row;
      }
      bench.Step();
      bench.Compare();
      if (HasFatalFailure()) return;
    }
    bench.CompareFresh();
  }
}

// The same in all the ways in which an operator can be asked, before and after a step.
Subject WindowsSubject() {
  std::vector<Row> rows;
  std::vector<Row> windows;
  for (int i = 0; i < 12; ++i) {
    rows.push_back({Value::Int(i % 2), i % 5 == 0 ? Value() : Value::Int(i / 4), Value::Int(i)});
  }
  for (int partition = 0; partition < 2; ++partition) {
    for (int id = 0; id < 2; ++id) {
      windows.push_back({Value::Int(partition), Value::Int(id), Value::Int(id),
                         Value::Int(2 + partition), Value(), Value()});
    }
  }
  const ValueKind any = ValueKind::kNull;
  const TopK spec = SpecWithWindows(true, false);
  return {.name = "top-k per window",
          .input_kinds = {{any, any, any}, {any, any, any, any, any, any}},
          .domains = {rows, windows},
          .build = [spec](Plan& plan,
                          const std::vector<NodeNumber>& inputs) { return plan.Add(spec, inputs); },
          .reference =
              [spec](const std::vector<ZSet>& inputs) {
                ZSet once = inputs[1];
                for (auto& [window, count] : once) count = 1;
                return Expected(spec, inputs[0], once);
              }};
}

TEST(TopKTest, AnswersPullsBeforeAndAfterAStepAndAfterBeingAttachedAgain) {
  testing::CheckRandomly(WindowsSubject(), 400);
}

TEST(TopKTest, EmitsOnlyTheDifferenceWhenAWindowMoves) {
  Bench bench(SpecWithWindows(false, false));
  for (int id = 0; id < 20; ++id) {
    bench.Rows({Value::Int(0), Value::Int(id), Value::Int(id)}, 1);
  }
  const auto window = [](int offset) {
    return Row{Value::Int(0), Value::Int(7), Value::Int(offset), Value::Int(5), Value(), Value()};
  };
  bench.Windows(window(0), 1);
  bench.Step();
  const std::uint64_t rows_before = bench.graph().counters().delta_rows;
  bench.Windows(window(0), -1);
  bench.Windows(window(1), 1);
  bench.Step();
  bench.Compare();
  // Two rows of the window's own change, one row that leaves and one that enters.
  EXPECT_EQ(bench.graph().counters().delta_rows - rows_before, 4U);
}

// All Z-sets of at most three of four rows, and all orders in which their rows come and go.
TEST(TopKTest, AgreesWithSortingOnAllSmallInputs) {
  const std::vector<Row> rows = {{Value::Int(0), Value::Int(1), Value::Int(1)},
                                 {Value::Int(0), Value::Int(1), Value::Int(2)},
                                 {Value::Int(0), Value(), Value::Int(3)},
                                 {Value::Int(1), Value::Int(2), Value::Int(4)}};
  for (std::uint64_t limit = 0; limit <= 3; ++limit) {
    for (std::uint64_t offset = 0; offset <= 2; ++offset) {
      TopK spec = Spec(true);
      spec.limit = limit;
      spec.offset = offset;
      Bench bench(spec);
      ZSet windows;
      for (int partition = 0; partition < 2; ++partition) {
        windows[{Value::Int(partition), Value(), Value::Int(static_cast<std::int64_t>(offset)),
                 Value::Int(static_cast<std::int64_t>(limit))}] = 1;
      }
      bench.NameWindows(windows);
      for (unsigned from = 0; from < 16; ++from) {
        for (unsigned to = 0; to < 16; ++to) {
          for (const unsigned target : {from, to}) {
            for (unsigned i = 0; i < 4; ++i) {
              const bool present = bench.rows().contains(rows[i]);
              const bool wanted = (target >> i & 1) != 0;
              if (present != wanted) bench.Rows(rows[i], wanted ? 1 : -1);
            }
            bench.Step();
            bench.Compare();
            if (HasFatalFailure()) return;
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST(TopKTest, ReadsOnFromItsBoundThroughTheIndexAndNeverFromTheStart) {
  constexpr TypeId kType{1};
  testing::ModelSource source;
  FunctionRegistry functions;
  source.AddTable(kType, {AttributeId{1}, AttributeId{2}}, {AttributeId{1}});
  source.AddIndex(kType, IndexId{1}, {{AttributeId{2}, true}});
  constexpr int kRows = 5000;
  for (int id = 0; id < kRows; ++id) source.Put(kType, {Value::Int(id), Value::Int(id)});
  source.Advance();
  Graph graph(source, functions, {});
  Plan plan;
  const NodeNumber input = plan.Add(Input{.relation = {kType, {AttributeId{1}, AttributeId{2}}},
                                          .kinds = {ValueKind::kInt, ValueKind::kInt}});
  const NodeNumber top = plan.Add(
      TopK{.order = {{.column = 1, .descending = true}, {.column = 0}}, .limit = 50}, {input});
  Result<Installed> installed = graph.Install(plan, {top});
  ASSERT_TRUE(installed.has_value());
  EXPECT_LE(graph.counters().pulled_rows, 63U) << "top 50 of 5,000 reads limit and slack";
  EXPECT_EQ(graph.Report({}).size(), 2U) << "the index serves, nothing is arranged";
  const std::uint64_t before = graph.counters().pulled_rows;
  for (int id = kRows - 1; id >= kRows - 1000; --id) {
    source.Erase(kType, {Value::Int(id)});
    ASSERT_TRUE(source.Commit(graph).has_value());
    EXPECT_EQ(graph.delta(installed->roots[0]).size(), 2U);
  }
  EXPECT_LE(graph.counters().pulled_rows - before, 1100U) << "one row read for each that left";
}

TEST(TopKTest, RefusesColumnsThatAreNotThere) {
  testing::ModelSource source;
  FunctionRegistry functions;
  Graph graph(source, functions, {});
  Plan plan;
  const NodeNumber feed = plan.Add(Feed{.name = "rows", .kinds = {ValueKind::kInt}});
  for (const TopK& spec :
       {TopK{.order = {{.column = 1}}}, TopK{}, TopK{.partition = {3}, .order = {{.column = 0}}},
        TopK{.order = {{.column = 0}}, .windows = TopK::Windows{}}}) {
    Plan wrong = plan;
    const NodeNumber top = wrong.Add(spec, {feed});
    Result<Installed> installed = graph.Install(wrong, {top});
    ASSERT_FALSE(installed.has_value());
    EXPECT_EQ(installed.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace trefoil::dataflow
