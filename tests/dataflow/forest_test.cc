#include "dataflow/operators/forest.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <vector>

#include "dataflow/expression.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/fixpoint.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/union_all.h"
#include "tests/support/model_source.h"
#include "tests/support/operator_harness.h"
#include "tests/support/seed.h"
#include "tests/support/zset.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

constexpr ValueKind kInt = ValueKind::kInt;

Value Int(std::int64_t number) { return Value::Int(number); }

// Every child of `nodes` nodes with every parent and with none.
std::vector<Row> TreeRows(int nodes) {
  std::vector<Row> rows;
  for (int child = 0; child < nodes; ++child) {
    rows.push_back({Int(child), Value()});
    for (int parent = 0; parent < nodes; ++parent) rows.push_back({Int(child), Int(parent)});
  }
  return rows;
}
// Every node, one that is in no tree, and NULL.
std::vector<Row> Starts(int nodes) {
  std::vector<Row> rows = {{Value()}};
  for (int node = 0; node <= nodes; ++node) rows.push_back({Int(node)});
  return rows;
}

// Chooses one row per child: the least parent.
NodeNumber AddTree(Plan& plan, NodeNumber rows) {
  return plan.Add(GroupBy{.key = {0}, .aggregates = {{.function = "min", .arguments = {1}}}},
                  {rows});
}
std::map<Value, Value> ParentsOf(const ZSet& rows) {
  std::map<Value, Value> parents;
  for (const auto& [row, weight] : rows) {
    Value& parent = parents[row[0]];
    if (!row[1].is_null() && (parent.is_null() || row[1] < parent)) parent = row[1];
  }
  return parents;
}

// The definition, from scratch: step by step up from every node until nothing new is met.
ZSet Expected(const Forest& spec, const std::map<Value, Value>& parents, const ZSet& starts) {
  std::map<Value, int> from;
  for (const auto& [child, parent] : parents) from[child] = 0;
  for (const auto& [start, weight] : starts) from[start[0]] = 0;
  ZSet expected;
  for (const auto& [low, unused] : from) {
    std::map<Value, int> way;
    Value at = low;
    for (int depth = 0; way.try_emplace(at, depth).second; ++depth) {
      const auto parent = parents.find(at);
      if (parent == parents.end() || parent->second.is_null()) break;
      at = parent->second;
    }
    for (const auto& [high, depth] : way) {
      const bool down = spec.direction == ForestDirection::kDescendants;
      Row row = down ? Row{high, low} : Row{low, high};
      if (!starts.contains({row[0]})) continue;
      if (spec.with_depth) row.push_back(Int(depth));
      expected[row] = 1;
    }
  }
  return expected;
}

Subject SubjectOf(const Forest& spec, int nodes) {
  return {.name = spec.Describe(),
          .input_kinds = {{kInt, kInt}, {kInt}},
          .domains = {TreeRows(nodes), Starts(nodes)},
          .build =
              [spec](Plan& plan, const std::vector<NodeNumber>& inputs) {
                return plan.Add(spec, {AddTree(plan, inputs[0]), inputs[1]});
              },
          .reference =
              [spec](const std::vector<ZSet>& inputs) {
                return Expected(spec, ParentsOf(inputs[0]), inputs[1]);
              }};
}

// What the forest answers, as a fixpoint: way(s, s) for starts; way(s, y) = way(s, x), tree(y, x).
NodeNumber AddFixpoint(Plan& plan, const Forest& spec, NodeNumber tree, NodeNumber starts) {
  const NodeNumber rows = plan.Add(
      Filter{.predicate = Apply(Operation::kNot, {Apply(Operation::kIsNull, {ColumnOf(1)})})},
      {tree});
  const NodeNumber pairs = plan.Add(Project{.columns = {0, 0}}, {starts});
  const bool down = spec.direction == ForestDirection::kDescendants;
  Fixpoint ways{.relations = {{.name = "way", .kinds = {kInt, kInt}, .bases = {1}, .bodies = {3}}},
                .inputs = 2,
                .with_level = spec.with_depth};
  ways.body.push_back(
      {Spec(Join{.on = {{.left = 1, .right = down ? 4U : 3U}}, .outputs = {0, down ? 3U : 4U, 2}}),
       {2, 0}});
  return plan.Add(ways, {rows, pairs});
}

// Forest minus fixpoint.
Subject DifferenceSubject(const Forest& spec, int nodes) {
  Subject subject = SubjectOf(spec, nodes);
  subject.name = "difference of a fixpoint and a " + spec.Describe();
  subject.build = [spec](Plan& plan, const std::vector<NodeNumber>& inputs) {
    const NodeNumber tree = AddTree(plan, inputs[0]);
    const NodeNumber ways = AddFixpoint(plan, spec, tree, inputs[1]);
    return plan.Add(UnionAll{},
                    {plan.Add(spec, {tree, inputs[1]}), plan.Add(NegateRows{}, {ways})});
  };
  subject.reference = [](const std::vector<ZSet>&) { return ZSet(); };
  return subject;
}

class ForestTest : public ::testing::TestWithParam<std::tuple<bool, bool>> {
 protected:
  Forest spec() const {
    return {.direction = std::get<0>(GetParam()) ? ForestDirection::kDescendants
                                                 : ForestDirection::kAncestors,
            .with_depth = std::get<1>(GetParam())};
  }
};

TEST_P(ForestTest, EqualsItsDefinitionAlongRandomHistories) {
  testing::CheckRandomly(SubjectOf(spec(), 7), 1500);
}
TEST_P(ForestTest, EqualsAFixpointAlongRandomHistories) {
  testing::CheckRandomly(DifferenceSubject(spec(), 6), 500);
}
TEST_P(ForestTest, EqualsItsDefinitionOnAllSmallCircles) {
  Subject subject = SubjectOf(spec(), 3);
  subject.domains = {{{Int(0), Int(1)}, {Int(1), Int(0)}, {Int(2), Int(0)}}, {{Int(0)}, {Int(2)}}};
  testing::CheckExhaustively(subject);
}

INSTANTIATE_TEST_SUITE_P(BothWays, ForestTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()));

// Folders in a table, with an index on the parent.
constexpr TypeId kFolder{1};
constexpr AttributeId kId{1};
constexpr AttributeId kParent{2};
constexpr AttributeId kName{3};
constexpr IndexId kByParent{1};

class ForestOfATableTest : public ::testing::Test {
 protected:
  ForestOfATableTest() : graph_(source_, functions_, {}) {
    source_.AddTable(kFolder, {kId, kParent, kName}, {kId});
    source_.AddIndex(kFolder, kByParent, {{kParent, false}});
  }

  void Put(std::int64_t id, std::optional<std::int64_t> parent, std::int64_t name = 0) {
    source_.Put(kFolder, {Int(id), parent ? Int(*parent) : Value(), Int(name)});
  }
  void Install(const Forest& spec) {
    Plan plan;
    const NodeNumber folders =
        plan.Add(Input{.relation = {kFolder, {kId, kParent, kName}}, .kinds = {kInt, kInt, kInt}});
    const NodeNumber starts = plan.Add(Feed{.name = "starts", .kinds = {kInt}});
    const Result<Installed> installed =
        graph_.Install(plan, {starts, plan.Add(spec, {folders, starts})});
    ASSERT_TRUE(installed.has_value()) << installed.error().message;
    starts_ = installed->roots[0];
    forest_ = installed->roots[1];
  }
  void Watch(std::int64_t start) {
    graph_.Feed(starts_, Row{Int(start)}, 1);
    Commit();
  }
  void Commit() {
    const std::uint64_t before = graph_.counters().pulled_rows;
    ASSERT_TRUE(source_.Commit(graph_).has_value());
    rows_read_ = graph_.counters().pulled_rows - before;
  }
  std::size_t delta_rows() const { return graph_.delta(forest_).size(); }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  NodeId starts_{};
  NodeId forest_{};
  std::uint64_t rows_read_ = 0;
};

TEST_F(ForestOfATableTest, EqualsItsDefinitionWhileLargeTreesMove) {
  const Forest specs[] = {{.direction = ForestDirection::kDescendants, .with_depth = true},
                          {.direction = ForestDirection::kAncestors, .with_depth = true}};
  std::mt19937_64 random(testing::TestSeed());
  const auto below = [&](std::int64_t limit) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
  };
  for (const Forest& spec : specs) {
    Install(spec);
    ZSet starts;
    ZSet shown = testing::ReadAll(graph_, forest_);
    for (int commit = 0; commit < 150 * testing::TestScale(); ++commit) {
      for (auto changes = below(8) == 0 ? 60 : 1 + below(3); changes-- > 0;) {
        const std::int64_t id = below(80);
        // Mostly upwards, so that trees are deep; now and then into a circle.
        const std::int64_t parent = below(10) == 0 ? below(80) : below(id + 1);
        if (below(5) == 0) {
          source_.Erase(kFolder, {Int(id)});
        } else {
          Put(id, parent == id ? std::nullopt : std::optional(parent), below(3));
        }
      }
      if (below(3) == 0) {
        const Row start = {Int(below(80))};
        const bool is_there = starts.contains(start);
        testing::AddTo(starts, start, is_there ? -1 : 1);
        graph_.Feed(starts_, start, is_there ? -1 : 1);
      }
      Commit();
      testing::AddTo(shown, graph_.delta(forest_));
      std::map<Value, Value> parents;
      for (const auto& [key, row] : source_.Rows(kFolder)) parents[row[0]] = row[1];
      ASSERT_EQ(testing::Show(shown), testing::Show(Expected(spec, parents, starts)));
      ASSERT_EQ(testing::Show(testing::ReadAll(graph_, forest_)), testing::Show(shown));
    }
    for (const auto& [start, weight] : starts) graph_.Feed(starts_, start, -1);
    Commit();
  }
}

TEST_F(ForestOfATableTest, ReadsTheWaysUpOfAChangeAndNothingBelowItThatNobodyWatches) {
  constexpr int kFolders = 3000;
  Put(0, std::nullopt);
  for (int id = 1; id < kFolders; ++id) Put(id, (id - 1) / 2);
  source_.Advance();
  Install({.direction = ForestDirection::kDescendants});
  Watch(5);
  Put(1, 2);  // half of the tree, and folder 5 is in the other half
  Commit();
  EXPECT_EQ(delta_rows(), 0U);
  EXPECT_LT(rows_read_, 20U);
  Put(kFolders - 1, 5);
  Commit();
  EXPECT_EQ(delta_rows(), 1U);
  EXPECT_LT(rows_read_, 60U);
  Put(5, 2, 7);  // another name only
  Commit();
  EXPECT_EQ(delta_rows(), 0U);
  EXPECT_EQ(graph_.state_bytes(),
            graph_.Report(std::vector{starts_})[0].state_bytes + graph_.Report({})[2].state_bytes)
      << "the tree is nobody's state but the table's";
}

TEST_F(ForestOfATableTest, LooksAtEachNodeOfAWayOnceHoweverManyRowsMove) {
  constexpr int kFolders = 2000;
  Install({.direction = ForestDirection::kDescendants, .with_depth = true});
  Watch(0);
  Put(0, std::nullopt);
  for (int id = 1; id < kFolders; ++id) Put(id, id - 1);  // one deep line at once
  Commit();
  EXPECT_EQ(delta_rows(), static_cast<std::size_t>(kFolders - 1));
  EXPECT_LT(rows_read_, 10U * kFolders);
}

TEST_F(ForestOfATableTest, RefusesInputsThatAreNoTree) {
  const auto refused = [&](const Forest& spec, std::vector<ValueKind> starts, bool negative) {
    Plan plan;
    NodeNumber tree = plan.Add(Feed{.name = "tree", .kinds = {kInt, kInt, ValueKind::kText}});
    if (negative) tree = plan.Add(NegateRows{}, {tree});
    const NodeNumber from = plan.Add(Feed{.name = "from", .kinds = std::move(starts)});
    const Result<Installed> made = graph_.Install(plan, {plan.Add(spec, {tree, from})});
    return made ? std::nullopt : std::optional(made.error().code);
  };
  EXPECT_EQ(refused({}, {kInt}, false), std::nullopt);
  EXPECT_EQ(refused({}, {kInt, kInt}, false), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({.child = 1, .parent = 1}, {kInt}, false), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({.child = 0, .parent = 3}, {kInt}, false), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused({.child = 0, .parent = 2}, {kInt}, false), ErrorCode::kTypeMismatch);
  EXPECT_EQ(refused({}, {kInt}, true), ErrorCode::kUnsupported);
}

TEST_F(ForestOfATableTest, AChildWithTwoParentsIsABugOfWhoBuiltThePlan) {
  Plan plan;
  const NodeNumber tree = plan.Add(Feed{.name = "tree", .kinds = {kInt, kInt}});
  const NodeNumber from = plan.Add(Feed{.name = "from", .kinds = {kInt}});
  const Result<Installed> made = graph_.Install(
      plan, {tree, from, plan.Add(Forest{.direction = ForestDirection::kAncestors}, {tree, from})});
  ASSERT_TRUE(made.has_value());
  graph_.Feed(made->roots[0], Row{Int(1), Int(2)}, 1);
  graph_.Feed(made->roots[0], Row{Int(1), Int(3)}, 1);
  graph_.Feed(made->roots[1], Row{Int(1)}, 1);
  EXPECT_DEATH((void)graph_.Step({}), "a child has one row in a forest");
}

}  // namespace
}  // namespace trefoil::dataflow
