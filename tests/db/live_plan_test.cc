#include "db/live_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "query/prepare.h"
#include "query/to_expression.h"
#include "tests/support/query_bed.h"

namespace trefoil::db {
namespace {

Value Int(std::int64_t number) { return Value::Int(number); }

// One shared plan over tasks of many owners; binding i is about owner i.
class SharedPlan {
 public:
  SharedPlan(std::string_view text, int bindings)
      : bed_(
            "TABLE task (id INT KEY, owner INT, modified INT, done BOOL);"
            "INDEX by_owner ON task (owner, modified DESC)"),
        graph_(bed_.source(), query::Functions(), {}) {
    for (int id = 0; id < 3000; ++id) Put(id, id % 1000, id);
    bed_.source().Advance();
    const auto prepared = *query::Prepare(text, bed_.schema());
    plan_ = *LivePlan::Install(graph_, *query::CompileShared(*prepared, {}, "b"), 1);
    for (int owner = 0; owner < bindings; ++owner) {
      std::vector<Value> slots = *query::SlotValues(prepared->lifted, {});
      slots[0] = Int(owner);
      ids_.push_back(plan_->Stage(slots));
    }
    EXPECT_TRUE(graph_.Step({}).has_value());
    plan_->Load();
  }

  void Put(int id, int owner, int modified) {
    bed_.Put("task", {Int(id), Int(owner), Int(modified), Value::Bool(id % 2 == 0)});
  }
  struct Work {
    std::uint64_t rows = 0;   // between operators, and read
    std::size_t changed = 0;  // results
  };
  Work Commit() {
    const dataflow::Counters before = graph_.counters();
    EXPECT_TRUE(bed_.source().Commit(graph_).has_value());
    const dataflow::Counters& after = graph_.counters();
    return {.rows = after.delta_rows + after.pulled_rows + after.probes - before.delta_rows -
                    before.pulled_rows - before.probes,
            .changed = plan_->Step().size()};
  }
  std::string Result(int binding) {
    return plan_->Snapshot(ids_[static_cast<std::size_t>(binding)]).ToAnswer().ToJson();
  }

 private:
  testing::QueryBed bed_;
  dataflow::Graph graph_;
  std::unique_ptr<LivePlan> plan_;
  std::vector<BindingId> ids_;
};

class SharedPlanWorkTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SharedPlanWorkTest, IsTheSameForAnyNumberOfBindingsThatACommitDoesNotConcern) {
  SharedPlan few(GetParam(), 3);
  SharedPlan many(GetParam(), 900);
  for (SharedPlan* plan : {&few, &many}) plan->Put(5000, 950, 5000);
  const SharedPlan::Work of_few = few.Commit();
  const SharedPlan::Work of_many = many.Commit();
  EXPECT_EQ(of_few.changed, 0U);
  EXPECT_EQ(of_many.changed, 0U);
  EXPECT_EQ(of_many.rows, of_few.rows);
}

TEST_P(SharedPlanWorkTest, IsThatOfTheBindingsConcernedWhenThereAreMany) {
  SharedPlan few(GetParam(), 3);
  SharedPlan many(GetParam(), 900);
  for (SharedPlan* plan : {&few, &many}) plan->Put(5000, 2, 5000);
  const SharedPlan::Work of_few = few.Commit();
  const SharedPlan::Work of_many = many.Commit();
  EXPECT_EQ(of_few.changed, 1U);
  EXPECT_EQ(of_many.changed, 1U);
  EXPECT_EQ(of_many.rows, of_few.rows);
  EXPECT_EQ(many.Result(2), few.Result(2));
}

INSTANTIATE_TEST_SUITE_P(
    Queries, SharedPlanWorkTest,
    ::testing::Values(
        "SELECT id, modified FROM task WHERE owner = 1",
        "SELECT id FROM task WHERE owner = 1 ORDER BY modified DESC LIMIT 2",
        "SELECT id FROM task WHERE owner = 1 AND done = TRUE ORDER BY id",
        "SELECT count(*) AS n, max(modified) AS latest FROM task WHERE owner = 1",
        "SELECT { id, same: [SELECT u.id FROM task AS u WHERE u.owner = t.owner] } FROM task AS t "
        "WHERE owner = 1",
        "SELECT t.id FROM task AS t JOIN task AS u ON u.id = t.owner WHERE t.owner = 1"));

// 3,000 tasks of one owner and as many of another, watched one binding after the other.
class SharedPlanHydrationTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SharedPlanHydrationTest, ReadsTheFirstRowsOfANewBindingAndNoOthers) {
  testing::QueryBed bed(
      "TABLE task (id INT KEY, owner INT, modified INT, done BOOL);"
      "INDEX by_owner ON task (owner, modified DESC)");
  for (int id = 0; id < 6000; ++id) {
    bed.Put("task", {Int(id), Int(id % 2), Int(id), Value::Bool(id % 3 == 0)});
  }
  bed.source().Advance();
  dataflow::Graph graph(bed.source(), query::Functions(), {});
  const auto prepared = *query::Prepare(GetParam(), bed.schema());
  const auto plan = *LivePlan::Install(graph, *query::CompileShared(*prepared, {}, "b"), 1);
  for (int owner = 0; owner < 2; ++owner) {
    std::vector<Value> slots = *query::SlotValues(prepared->lifted, {});
    slots[0] = Int(owner);
    const BindingId id = plan->Stage(slots);
    const std::uint64_t before = graph.counters().pulled_rows;
    ASSERT_TRUE(graph.Step({}).has_value());
    plan->Load();
    EXPECT_LE(graph.counters().pulled_rows - before, 60U);
    std::string text(GetParam());
    text[text.find("= 1") + 2] = static_cast<char>('0' + owner);
    EXPECT_EQ(plan->Snapshot(id).ToAnswer().ToJson(), bed.Run(text));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Queries, SharedPlanHydrationTest,
    ::testing::Values(
        "SELECT id, modified FROM task WHERE owner = 1 ORDER BY modified DESC LIMIT 10",
        "SELECT id + 1 AS next FROM task WHERE owner = 1 ORDER BY modified DESC LIMIT 10 OFFSET 3",
        "SELECT id FROM task WHERE owner = 1 AND modified < 100 ORDER BY modified DESC LIMIT 10",
        "SELECT id, [SELECT u.id FROM task AS u WHERE u.id = t.modified] AS same FROM task AS t "
        "WHERE owner = 1 ORDER BY modified DESC LIMIT 10"));

}  // namespace
}  // namespace trefoil::db
