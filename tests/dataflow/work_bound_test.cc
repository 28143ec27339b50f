// Plans that indexes serve touch rows in proportion to what changes, not to what is stored.
#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "dataflow/aggregate.h"
#include "dataflow/graph.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/left_join.h"
#include "dataflow/operators/semi_join.h"
#include "dataflow/operators/top_k.h"
#include "tests/support/model_source.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

constexpr TypeId kIssue{1};
constexpr TypeId kUser{2};
constexpr TypeId kComment{3};
constexpr AttributeId kId{1};
constexpr AttributeId kOwner{2};  // assignee of an issue, team of a user, issue of a comment
constexpr AttributeId kModified{3};
constexpr IndexId kByOwner{1};
constexpr IndexId kByModified{2};
constexpr IndexId kComments{3};

// Rows touched per row that changes, at most, for each factor of two in size.
constexpr std::uint64_t kRowsPerChange = 4;

Value Int(std::int64_t number) { return Value::Int(number); }

class WorkBoundTest : public ::testing::TestWithParam<int> {
 protected:
  static constexpr std::int64_t kUsers = 500;

  WorkBoundTest() : graph_(source_, functions_, {}), random_(testing::TestSeed()) {
    RegisterAggregates(functions_);
    source_.AddTable(kIssue, {kId, kOwner, kModified}, {kId});
    source_.AddIndex(kIssue, kByOwner, {{kOwner, false}});
    source_.AddIndex(kIssue, kByModified, {{kModified, true}});
    source_.AddTable(kUser, {kId, kOwner}, {kId});
    source_.AddTable(kComment, {kId, kOwner}, {kId});
    source_.AddIndex(kComment, kComments, {{kOwner, false}});
    for (std::int64_t id = 0; id < kUsers; ++id) source_.Put(kUser, {Int(id), Int(id % 7)});
    for (int id = 0; id < GetParam(); ++id) {
      PutIssue(id);
      source_.Put(kComment, {Int(id), Int(Below(GetParam()))});
    }
    source_.Advance();
    Install();
  }

  static Input Rows(TypeId type, std::vector<AttributeId> columns) {
    const std::size_t width = columns.size();
    return {.relation = {type, std::move(columns)}, .kinds = std::vector(width, ValueKind::kInt)};
  }

  void Install() {
    Plan plan;
    const NodeNumber issues = plan.Add(Rows(kIssue, {kId, kOwner, kModified}));
    const NodeNumber users = plan.Add(Rows(kUser, {kId, kOwner}));
    const NodeNumber comments = plan.Add(Rows(kComment, {kOwner}));
    const NodeNumber joined =
        plan.Add(Join{.on = {{.left = 1, .right = 3}}, .outputs = {0, 2, 4}}, {issues, users});
    const NodeNumber teams =
        plan.Add(GroupBy{.key = {2},
                         .aggregates = {{.function = "count", .arguments = {}},
                                        {.function = "sum", .arguments = {1}}}},
                 {joined});
    const NodeNumber newest =
        plan.Add(TopK{.partition = {}, .order = {{1, true}, {0, false}}, .limit = 10}, {joined});
    const NodeNumber silent = plan.Add(
        SemiJoin{.kind = SemiJoinKind::kAnti, .on = {{.left = 0, .right = 3}}}, {issues, comments});
    const NodeNumber with_team =
        plan.Add(LeftJoin{.on = {{.left = 1, .right = 3}}, .outputs = {0, 4}}, {issues, users});
    Result<Installed> installed = graph_.Install(plan, {teams, newest, silent, with_team});
    ASSERT_TRUE(installed.has_value()) << installed.error().message;
    installed_ = *installed;
  }

  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  void PutIssue(std::int64_t id) {
    source_.Put(kIssue, {Int(id), Int(Below(kUsers)), Int(Below(1'000'000))});
  }
  void ChangeSomething() {
    const std::int64_t id = Below(GetParam());
    switch (Below(4)) {
      case 0:
        return PutIssue(id);
      case 1:
        return source_.Erase(kIssue, {Int(id)});
      case 2:
        return source_.Put(kComment, {Int(id), Int(Below(GetParam()))});
      default:
        return source_.Erase(kComment, {Int(id)});
    }
  }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  std::mt19937_64 random_;
  Installed installed_;
};

TEST_P(WorkBoundTest, TouchesRowsInProportionToTheChange) {
  const auto log_size =
      static_cast<std::uint64_t>(std::bit_width(static_cast<unsigned>(GetParam())));
  for (int commit = 0; commit < 400; ++commit) {
    const std::int64_t changes = Below(8) == 0 ? 20 : 1 + Below(2);
    for (std::int64_t i = 0; i < changes; ++i) ChangeSomething();
    std::uint64_t changed = 1;
    for (const TypeChange& change : source_.Changes()) changed += change.rows->size();
    const Counters before = graph_.counters();
    ASSERT_TRUE(source_.Commit(graph_).has_value());
    for (const NodeId root : graph_.changed()) changed += graph_.delta(root).size();
    const Counters& after = graph_.counters();
    const std::uint64_t touched = after.pulled_rows - before.pulled_rows + after.delta_rows -
                                  before.delta_rows + after.probes - before.probes;
    ASSERT_LE(touched, kRowsPerChange * changed * log_size) << "in commit " << commit;
  }
  EXPECT_LT(graph_.state_bytes(), 500'000U) << "the state follows the answers, not the tables";
}

// What the answer before and the change tell is not looked up: the second of two comments changes
// nothing, and neither the issue nor the state after it is read.
TEST_P(WorkBoundTest, ASecondMatchCostsOneProbe) {
  Graph graph(source_, functions_, {});
  Plan plan;
  const NodeNumber issues = plan.Add(Rows(kIssue, {kId, kOwner}));
  const NodeNumber comments = plan.Add(Rows(kComment, {kOwner}));
  const NodeNumber silent = plan.Add(
      SemiJoin{.kind = SemiJoinKind::kAnti, .on = {{.left = 0, .right = 2}}}, {issues, comments});
  const Result<Installed> installed = graph.Install(plan, {silent});
  ASSERT_TRUE(installed.has_value());
  source_.Put(kComment, {Int(GetParam()), Int(1)});
  ASSERT_TRUE(source_.Commit(graph).has_value());
  const Counters before = graph.counters();
  source_.Put(kComment, {Int(GetParam() + 1), Int(1)});
  ASSERT_TRUE(source_.Commit(graph).has_value());
  EXPECT_TRUE(graph.changed().empty());
  EXPECT_EQ(graph.counters().probes - before.probes, 1U);
  EXPECT_EQ(graph.counters().pulled_rows - before.pulled_rows, 1U);
}

// Whoever reads all rows of a join probes many keys at once, and each key once.
TEST_P(WorkBoundTest, EqualKeysAreReadOnce) {
  Graph graph(source_, functions_, {});
  Plan plan;
  const NodeNumber issues = plan.Add(Rows(kIssue, {kId, kOwner}));
  const NodeNumber users = plan.Add(Rows(kUser, {kId, kOwner}));
  const NodeNumber joined =
      plan.Add(Join{.on = {{.left = 1, .right = 2}}, .outputs = {0, 3}}, {issues, users});
  const Result<Installed> installed = graph.Install(plan, {joined});
  ASSERT_TRUE(installed.has_value());
  const Counters before = graph.counters();
  std::size_t rows = 0;
  ASSERT_TRUE(graph.Read(installed->roots[0], [&](RowView, Weight) { return ++rows > 0; }));
  EXPECT_EQ(rows, static_cast<std::size_t>(GetParam()));
  const std::uint64_t pulled = graph.counters().pulled_rows - before.pulled_rows;
  // All issues, and of the users at most each once for a few thousand issues.
  EXPECT_LE(pulled, rows + static_cast<std::uint64_t>(kUsers) * (rows / 2048 + 6));
}

INSTANTIATE_TEST_SUITE_P(Sizes, WorkBoundTest, ::testing::Values(200, 20'000));

}  // namespace
}  // namespace trefoil::dataflow
