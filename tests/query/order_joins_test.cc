// The order of joins, and the estimates that it is chosen by.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "query/binder.h"
#include "query/estimate.h"
#include "query/optimizer.h"
#include "query/parser.h"
#include "query/planner.h"
#include "tests/support/query_bed.h"

namespace trefoil::query {
namespace {

// 5 teams, 40 people, 800 issues: 8 people to a team, 20 issues to a person.
class OrderJoinsTest : public ::testing::Test {
 protected:
  OrderJoinsTest()
      : bed_(
            "TABLE team (id INT KEY, name TEXT);"
            "TABLE person (id INT KEY, team REF team INDEX, name TEXT);"
            "TABLE issue (id INT KEY, creator REF person INDEX, title TEXT)") {
    const auto i = Value::Int;
    const Value t = Value::Text("x");
    for (int n = 0; n < 5; ++n) bed_.Put("team", {i(n), t});
    for (int n = 0; n < 40; ++n) bed_.Put("person", {i(n), i(n % 5), t});
    for (int n = 0; n < 800; ++n) bed_.Put("issue", {i(n), i(n % 40), t});
    bed_.source().Advance();
  }

  Plan PlanOf(std::string_view text, bool order_joins = true) {
    const ParsedScript script = Parse(text);
    const auto& statement = std::get<SelectStatement>(script.statements.at(0).node);
    Result<BoundQuery> bound = Bind({text, *bed_.schema()}, statement.select);
    EXPECT_TRUE(bound.has_value()) << text;
    Result<Plan> plan = MakePlan(bound->select, bound->source_count, {}, *bed_.schema());
    EXPECT_TRUE(plan.has_value()) << text;
    Statistics statistics(bed_.source(), *bed_.schema());
    Optimize(*plan, *bed_.schema(), {.order_joins = order_joins}, &statistics);
    VerifyPlan(*plan);
    return *std::move(plan);
  }

  // The tables that the join goes through, in order.
  std::string OrderOf(std::string_view text, bool order_joins = true) {
    const Plan plan = PlanOf(text, order_joins);
    std::string order;
    for (const PlanNode& node : plan.nodes) {
      if (!std::holds_alternative<JoinNode>(node.op)) continue;
      for (const PlanNumber input : node.inputs) {
        const PlanNode* source = &plan.nodes[input];
        while (!source->inputs.empty()) source = &plan.nodes[source->inputs[0]];
        const schema::Type* type = bed_.schema()->FindType(std::get<ScanNode>(source->op).type);
        order += order.empty() ? type->name : " " + type->name;
      }
    }
    return order;
  }

  testing::QueryBed bed_;
};

constexpr std::string_view kThree =
    "SELECT i.id FROM issue i JOIN person p ON i.creator = p.id JOIN team t ON p.team = t.id ";

TEST_F(OrderJoinsTest, BeginWithTheSideThatAConditionMakesSmall) {
  EXPECT_EQ(OrderOf(std::string(kThree) + "WHERE t.id = 3"), "team person issue");
  EXPECT_EQ(OrderOf(std::string(kThree) + "WHERE i.id = 3"), "issue person team");
  EXPECT_EQ(OrderOf(std::string(kThree) + "WHERE p.id = 3"), "person team issue");
}

TEST_F(OrderJoinsTest, StayAsWrittenWhenThePassIsOff) {
  EXPECT_EQ(OrderOf(std::string(kThree) + "WHERE t.id = 3", false), "issue person team");
}

TEST_F(OrderJoinsTest, LeaveWhatNoEqualityJoinsForTheEnd) {
  EXPECT_EQ(
      OrderOf("SELECT i.id FROM team t, issue i, person p WHERE i.creator = p.id AND i.id = 7"),
      "issue person team");
}

TEST_F(OrderJoinsTest, ARangeDoesNotKeepRowsFromBeingProbed) {
  bed_ = testing::QueryBed(
      "TABLE person (id INT KEY, name TEXT);"
      "TABLE bug (id INT KEY, creator REF person, state TEXT, size INT);"
      "INDEX bug_state ON bug (state);"
      "INDEX bug_creator ON bug (creator, state)");
  const auto i = Value::Int;
  for (int n = 0; n < 40; ++n) bed_.Put("person", {i(n), Value::Text("x")});
  for (int n = 0; n < 800; ++n) {
    bed_.Put("bug", {i(n), i(n % 40), Value::Text(n % 2 == 0 ? "open" : "done"), i(n % 7)});
  }
  bed_.source().Advance();
  const std::string text = "SELECT b.id FROM bug b JOIN person p ON b.creator = p.id ";
  EXPECT_EQ(OrderOf(text + "WHERE p.id = 4 AND b.state = 'open'"), "person bug");
  EXPECT_EQ(bed_.Run(text + "WHERE p.id = 4 AND b.state = 'open' AND b.size = 4"),
            R"([{"id":4},{"id":284},{"id":564}])");
  // No index begins with the size, so all bugs of the state would be read for the first of them.
  EXPECT_EQ(OrderOf("SELECT b.id FROM bug b JOIN person p ON b.size = p.id "
                    "WHERE p.id > 38 AND b.state = 'gone'"),
            "bug person");
}

// The range of the scan of the outermost select, as "lower..upper".
std::string RangeOf(const Plan& plan) {
  const PlanNode* node = &plan.nodes[plan.levels[0].node];
  while (!node->inputs.empty()) node = &plan.nodes[node->inputs[0]];
  const auto& only = std::get<ScanNode>(node->op).only;
  if (!only) return "everything";
  const auto text = [](const std::optional<dataflow::Bound>& bound) {
    return bound ? ToText(bound->value) : std::string();
  };
  return text(only->lower) + ".." + text(only->upper);
}

TEST_F(OrderJoinsTest, APageBehindAPlaceStartsThere) {
  EXPECT_EQ(RangeOf(PlanOf("SELECT id FROM issue ORDER BY id AFTER (7) LIMIT 2")), "7..");
  EXPECT_EQ(RangeOf(PlanOf("SELECT id FROM issue ORDER BY id DESC AFTER (7) LIMIT 2")), "..7");
  EXPECT_EQ(RangeOf(PlanOf("SELECT id FROM issue ORDER BY creator DESC AFTER (7, 1) LIMIT 2")),
            "..7");
  EXPECT_EQ(RangeOf(PlanOf("SELECT id FROM issue ORDER BY creator NULLS LAST AFTER (7, 1)")),
            "everything");
}

TEST_F(OrderJoinsTest, EstimateRowsFromCountsAndSamples) {
  const Plan plan = PlanOf(std::string(kThree) + "WHERE t.id = 3");
  Statistics statistics(bed_.source(), *bed_.schema());
  const Estimate estimate(plan, statistics);
  // One of five teams: eight people, 160 issues.
  const double rows = estimate.Rows(plan.levels[0].node);
  EXPECT_GT(rows, 80);
  EXPECT_LT(rows, 320);
  const TypeId issue = bed_.schema()->FindType("issue")->id;
  const AttributeId creator = bed_.schema()->FindType("issue")->Find("creator")->id;
  EXPECT_NEAR(statistics.Distinct(issue, creator), 40, 10);
}

}  // namespace
}  // namespace trefoil::query
