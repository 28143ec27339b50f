#include "dataflow/graph.h"

#include <gtest/gtest.h>

#include <map>

#include "base/errors.h"
#include "dataflow/explain.h"
#include "dataflow/functions.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/set_operation.h"
#include "tests/support/model_source.h"

namespace trefoil::dataflow {
namespace {

constexpr TypeId kIssue{1};
constexpr AttributeId kId{1};
constexpr AttributeId kProject{2};
constexpr AttributeId kTitle{3};
constexpr IndexId kByProject{1};

Row IssueRow(int id, int project, const char* title) {
  return {Value::Int(id), Value::Int(project), Value::Text(title)};
}

class GraphTest : public ::testing::Test {
 protected:
  GraphTest() : graph_(source_, functions_, {}) {
    source_.AddTable(kIssue, {kId, kProject, kTitle}, {kId});
    source_.AddIndex(kIssue, kByProject, {{kProject, false}});
  }

  Input Issues() const {
    return {.relation = {kIssue, {kProject, kTitle, kId}},
            .kinds = {ValueKind::kInt, ValueKind::kText, ValueKind::kInt}};
  }
  std::map<Row, Weight> Rows(NodeId node) {
    std::map<Row, Weight> rows;
    const Status read = graph_.Read(node, [&](RowView row, Weight weight) {
      rows[Row(row.begin(), row.end())] += weight;
      return true;
    });
    EXPECT_TRUE(read.has_value());
    return rows;
  }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
};

TEST_F(GraphTest, ShowsWhatACommitDidToAProjection) {
  source_.Put(kIssue, IssueRow(1, 7, "a"));
  source_.Put(kIssue, IssueRow(2, 7, "b"));
  source_.Advance();
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber projects = plan.Add(Project{.columns = {0}}, {issues});
  Result<Installed> installed = graph_.Install(plan, {projects});
  ASSERT_TRUE(installed.has_value());
  const NodeId root = installed->roots[0];
  EXPECT_EQ(Rows(root), (std::map<Row, Weight>{{{Value::Int(7)}, 2}}));

  source_.Put(kIssue, IssueRow(1, 8, "a"));
  source_.Put(kIssue, IssueRow(3, 7, "c"));
  ASSERT_TRUE(source_.Commit(graph_).has_value());
  // One left project 7 and one came: only project 8 is a change.
  Batch expected(1);
  expected.Add(Row{Value::Int(8)}, 1);
  EXPECT_EQ(graph_.delta(root), expected);
  EXPECT_EQ(graph_.changed().size(), 1U);

  source_.Put(kIssue, IssueRow(2, 7, "another title"));
  ASSERT_TRUE(source_.Commit(graph_).has_value());
  EXPECT_TRUE(graph_.changed().empty()) << "a column that nobody sees has changed";
}

TEST_F(GraphTest, SharesEqualNodesAndDropsThemWithTheirLastUser) {
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber titles = plan.Add(Project{.columns = {1}}, {issues});
  Result<Installed> first = graph_.Install(plan, {titles});
  Result<Installed> second = graph_.Install(plan, {titles});
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->roots[0], second->roots[0]);
  EXPECT_EQ(graph_.Report({}).size(), 2U);
  graph_.Release(*first);
  EXPECT_EQ(graph_.Report({}).size(), 2U);
  EXPECT_EQ(graph_.Demand(kIssue).size(), 3U);
  graph_.Release(*second);
  EXPECT_TRUE(graph_.Report({}).empty());
  EXPECT_TRUE(graph_.Demand(kIssue).empty());
}

TEST_F(GraphTest, AnswersAsksFromTheIndexThatFits) {
  for (int id = 1; id <= 9; ++id) source_.Put(kIssue, IssueRow(id, id % 3, "x"));
  source_.Advance();
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  Result<Installed> installed = graph_.Install(plan, {issues});
  ASSERT_TRUE(installed.has_value());
  const NodeId root = installed->roots[0];
  const std::optional<Port> by_project =
      graph_.Offer(root, {.equal = {0}, .order = {{.column = 2, .descending = true}}});
  ASSERT_TRUE(by_project.has_value());
  EXPECT_FALSE(graph_.Offer(root, {.equal = {1}}).has_value()) << "no index on title";
  std::vector<std::int64_t> ids;
  const Value project = Value::Int(1);
  const Value after = Value::Int(7);
  ASSERT_TRUE(graph_
                  .Read(*by_project, {.key = {&project, 1}, .after = {&after, 1}},
                        [&](RowView row, Weight) {
                          ids.push_back(row[2].AsInt());
                          return true;
                        })
                  .has_value());
  EXPECT_EQ(ids, (std::vector<std::int64_t>{4, 1}));
  EXPECT_EQ(graph_.counters().pulled_rows, 2U);
}

TEST_F(GraphTest, HydratesAJoinFromItsSmallerSide) {
  for (int id = 1; id <= 500; ++id) source_.Put(kIssue, IssueRow(id, id % 100, "x"));
  source_.Advance();
  Input few = Issues();
  few.only = Probe{.path = {kByProject}, .prefix = {Value::Int(7)}};
  Plan plan;
  const NodeNumber all = plan.Add(Issues());
  const NodeNumber seventh = plan.Add(few);
  const NodeNumber pairs =
      plan.Add(Join{.on = {{.left = 2, .right = 5}}, .outputs = {2, 3}}, {all, seventh});
  Result<Installed> installed = graph_.Install(plan, {pairs});
  ASSERT_TRUE(installed.has_value());
  EXPECT_EQ(Rows(installed->roots[0]).size(), 5U);
  EXPECT_EQ(graph_.counters().pulled_rows, 10U) << "five rows, and one for each";
}

TEST_F(GraphTest, TakesRowsFromTheCallerThroughAFeed) {
  Plan plan;
  const NodeNumber feed = plan.Add(Feed{.name = "numbers", .kinds = {ValueKind::kInt}});
  Result<Installed> installed = graph_.Install(plan, {feed});
  ASSERT_TRUE(installed.has_value());
  graph_.Feed(installed->roots[0], Row{Value::Int(1)}, 2);
  graph_.Feed(installed->roots[0], Row{Value::Int(1)}, -1);
  EXPECT_TRUE(Rows(installed->roots[0]).empty()) << "a feed changes with the next step";
  ASSERT_TRUE(graph_.Step({}).has_value());
  EXPECT_EQ(graph_.delta(installed->roots[0]).weight(0), 1);
  EXPECT_EQ(Rows(installed->roots[0]), (std::map<Row, Weight>{{{Value::Int(1)}, 1}}));
}

TEST_F(GraphTest, LeavesNothingBehindOfAPlanThatItRefuses) {
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  plan.Add(Project{.columns = {9}}, {issues});
  Result<Installed> refused = graph_.Install(plan, {issues});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(graph_.Report({}).empty()) << "a refused plan leaves nothing behind";
}

TEST_F(GraphTest, RefusesAPlanThatOutgrowsItsMemoryAndStaysAsItWas) {
  for (int id = 0; id < 20'000; ++id) source_.Put(kIssue, IssueRow(id, id, "x"));
  source_.Advance();
  Graph small(source_, functions_, {.budget_bytes = 600'000});
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber distinct = plan.Add(SetOperation{}, {issues});
  Result<Installed> refused = small.Install(plan, {distinct});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(small.Report({}).empty());
  EXPECT_LT(small.counters().pulled_rows, 20'000U) << "it stops when the memory is used up";
  Result<Installed> fits = small.Install(plan, {issues});
  ASSERT_TRUE(fits.has_value()) << "what needs no memory is still welcome";
}

TEST_F(GraphTest, ReportsAReadThatFailedAndIsBrokenOnlyAfterAStep) {
  source_.Put(kIssue, IssueRow(1, 7, "a"));
  source_.Advance();
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber pairs =
      plan.Add(Join{.on = {{.left = 0, .right = 3}}, .outputs = {1, 4}}, {issues, issues});
  const NodeNumber distinct = plan.Add(SetOperation{}, {pairs});
  source_.FailReads(IoError("the disk is gone"));
  Result<Installed> refused = graph_.Install(plan, {distinct});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  source_.FailReads(std::nullopt);
  Result<Installed> installed = graph_.Install(plan, {distinct});
  ASSERT_TRUE(installed.has_value());
  source_.FailReads(IoError("the disk is gone"));
  source_.Put(kIssue, IssueRow(2, 7, "b"));
  EXPECT_FALSE(source_.Commit(graph_).has_value());
  source_.FailReads(std::nullopt);
  source_.Put(kIssue, IssueRow(3, 7, "c"));
  const Status later = source_.Commit(graph_);
  ASSERT_FALSE(later.has_value());
  EXPECT_EQ(later.error().code, ErrorCode::kIo) << "a broken graph says why for ever";
}

TEST_F(GraphTest, VisitsOnlyWhatAChangeReaches) {
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber seven =
      plan.Add(Filter{.predicate = Equal(ColumnOf(0), ConstantOf(Value::Int(7)))}, {issues});
  const NodeNumber titles = plan.Add(SetOperation{}, {seven});
  Result<Installed> installed = graph_.Install(plan, {titles});
  ASSERT_TRUE(installed.has_value());
  source_.Put(kIssue, IssueRow(1, 8, "a"));
  ASSERT_TRUE(source_.Commit(graph_).has_value());
  const std::vector<NodeReport> nodes = graph_.Report(installed->roots);
  ASSERT_EQ(nodes.size(), 3U);
  EXPECT_EQ(nodes[0].steps, 1U);
  EXPECT_EQ(nodes[1].steps, 1U) << "the filter saw the change";
  EXPECT_EQ(nodes[2].steps, 0U) << "and nobody after it";
}

TEST_F(GraphTest, ExplainsItselfAsTextAndPicture) {
  Plan plan;
  const NodeNumber issues = plan.Add(Issues());
  const NodeNumber titles = plan.Add(Project{.columns = {1}}, {issues});
  const NodeNumber pairs =
      plan.Add(Join{.on = {{.left = 0, .right = 1}}, .outputs = {0}}, {titles, titles});
  Result<Installed> installed = graph_.Install(plan, {pairs});
  ASSERT_TRUE(installed.has_value());
  source_.Put(kIssue, IssueRow(1, 8, "a"));
  ASSERT_TRUE(source_.Commit(graph_).has_value());
  const std::vector<NodeReport> nodes = graph_.Report(installed->roots);
  const std::string text = ExplainText(nodes);
  EXPECT_EQ(text.substr(0, text.find("; state")),
            "join #0 = #1 -> #0  (#4)  delta 1 rows in 1 steps\n"
            "  project #1  (#2)  delta 1 rows in 1 steps\n"
            "    input type 1 (2, 3, 1)  (#1)  delta 1 rows in 1 steps\n"
            "  (#2)\n"
            "  uses arrange by #0  (#3)  delta 1 rows in 1 steps");
  const std::string dot = ExplainDot(nodes);
  EXPECT_NE(dot.find("n1 -> n2;"), std::string::npos);
  EXPECT_NE(dot.find("n3 -> n4 [style=dashed];"), std::string::npos);
}

}  // namespace
}  // namespace trefoil::dataflow
