#include "dataflow/operators/route.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "dataflow/interval_tree.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/top_k.h"
#include "tests/support/operator_harness.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

Value Int(std::int64_t number) { return Value::Int(number); }
const Value kNullValue;

TEST(IntervalTreeTest, FindsWhatALinearSearchFinds) {
  std::mt19937_64 random(testing::TestSeed());
  const auto end = [&]() -> std::optional<Value> {
    if (random() % 8 == 0) return std::nullopt;
    return Int(static_cast<std::int64_t>(random() % 20));
  };
  IntervalTree tree;
  std::map<IntervalTree::Owner, IntervalTree::Interval> intervals;
  for (int round = 0; round < 3000; ++round) {
    const auto owner = static_cast<IntervalTree::Owner>(random() % 60);
    if (const auto found = intervals.find(owner); found != intervals.end()) {
      tree.Erase(found->second, owner);
      intervals.erase(found);
    } else {
      intervals[owner] = {.low = end(), .high = end()};
      tree.Insert(intervals[owner], owner);
    }
    const Value value = Int(static_cast<std::int64_t>(random() % 22) - 1);
    std::set<IntervalTree::Owner> expected;
    for (const auto& [candidate, interval] : intervals) {
      if (interval.low && *interval.low > value) continue;
      if (interval.high && *interval.high < value) continue;
      expected.insert(candidate);
    }
    std::set<IntervalTree::Owner> found;
    tree.Stab(value, [&](IntervalTree::Owner o) { EXPECT_TRUE(found.insert(o).second); });
    ASSERT_EQ(found, expected) << "in round " << round;
  }
  EXPECT_EQ(tree.empty(), intervals.empty());
}

// Bindings (id, number or list, number or text) against rows (number, number, text).
struct Routed {
  std::string name;
  std::vector<RouteAlternative> alternatives;
};

std::vector<Routed> AllRoutes() {
  const RouteSlot equal = {.test = RouteTest::kEqual, .row = 0, .binding = 1};
  const RouteSlot same = {.test = RouteTest::kSame, .row = 0, .binding = 1};
  const RouteSlot at_least = {.test = RouteTest::kGreaterEqual, .row = 1, .binding = 2};
  const RouteSlot below = {.test = RouteTest::kLess, .row = 1, .binding = 1};
  const RouteSlot at_most = {.test = RouteTest::kLessEqual, .row = 1, .binding = 2};
  const RouteSlot above = {.test = RouteTest::kGreater, .row = 1, .binding = 1};
  const RouteSlot in = {.test = RouteTest::kIn, .row = 0, .binding = 3};
  const RouteSlot prefix = {.test = RouteTest::kPrefix, .row = 2, .binding = 4};
  return {{"equal", {{equal}}},
          {"same", {{same}}},
          {"list", {{in}}},
          {"range", {{above, at_most}}},
          {"open range", {{at_least}}},
          {"equal and range", {{equal, at_least}}},
          {"prefix", {{prefix}}},
          {"equal and prefix", {{equal, prefix}}},
          {"list and range", {{in, below, at_least}}},
          {"either", {{equal}, {in}, {prefix, at_least}}},
          {"nothing", {{}}}};
}

std::vector<Row> BindingDomain(std::size_t count) {
  std::mt19937_64 random(count);  // the same domain in every run
  const auto number = [&] {
    return random() % 6 == 0 ? kNullValue : Int(static_cast<std::int64_t>(random() % 4));
  };
  const std::vector<const char*> prefixes = {"", "a", "ab", "b", "\xff"};
  std::vector<Row> rows;
  for (std::size_t id = 0; id < count; ++id) {
    rows.push_back({Int(static_cast<std::int64_t>(id)), number(), number(),
                    Value::List({number(), number(), number()}),
                    random() % 6 == 0 ? kNullValue : Value::Text(prefixes[random() % 5])});
  }
  return rows;
}

std::vector<Row> RowDomain() {
  std::vector<Row> rows;
  for (const Value& a : {kNullValue, Int(0), Int(1), Int(2)}) {
    for (const Value& b : {kNullValue, Int(1), Int(3)}) {
      for (const char* text : {"", "a", "abc", "b", "\xff\xff"}) {
        rows.push_back({a, b, Value::Text(text)});
      }
    }
  }
  return rows;
}

Subject SubjectOf(const Routed& routed, std::size_t bindings) {
  return {.name = routed.name,
          .input_kinds = {{ValueKind::kInt, ValueKind::kInt, ValueKind::kInt, ValueKind::kList,
                           ValueKind::kText},
                          {ValueKind::kInt, ValueKind::kInt, ValueKind::kText}},
          .domains = {BindingDomain(bindings), RowDomain()},
          .build =
              [=](Plan& plan, const std::vector<NodeNumber>& in) {
                return plan.Add(Route{.alternatives = routed.alternatives, .outputs = {0, 5, 6, 7}},
                                {in[0], in[1]});
              },
          .reference =
              [=](const std::vector<ZSet>& in) {
                ZSet out;
                for (const auto& [binding, wb] : in[0]) {
                  for (const auto& [row, wr] : in[1]) {
                    const bool selected =
                        std::ranges::any_of(routed.alternatives,
                                            [&, &b = binding, &r = row](const RouteAlternative& a) {
                                              return Passes(a, b, r);
                                            });
                    if (selected) out[{binding[0], row[0], row[1], row[2]}] += wb * wr;
                  }
                }
                return out;
              }};
}

class RouteOperatorTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RouteOperatorTest, EqualsNestedLoopsWhileBindingsAndRowsComeAndGo) {
  testing::CheckRandomly(SubjectOf(AllRoutes()[GetParam()], 25), 120);
}

TEST_P(RouteOperatorTest, EqualsNestedLoopsBetweenAllSmallContents) {
  Subject subject = SubjectOf(AllRoutes()[GetParam()], 2);
  subject.domains[1] = {{Int(0), Int(1), Value::Text("a")},
                        {Int(1), Int(3), Value::Text("abc")},
                        {kNullValue, kNullValue, Value::Text("")}};
  testing::CheckExhaustively(subject);
}

INSTANTIATE_TEST_SUITE_P(EachTest, RouteOperatorTest,
                         ::testing::Range(std::size_t{0}, AllRoutes().size()));

TEST(RoutePassesTest, SaysWhatEachSlotMeans) {
  const auto passes = [](RouteTest test, const Value& row, const Value& binding) {
    return Passes({{.test = test, .row = 0, .binding = 0}}, Row{binding}, Row{row});
  };
  EXPECT_FALSE(passes(RouteTest::kEqual, kNullValue, kNullValue));
  EXPECT_TRUE(passes(RouteTest::kSame, kNullValue, kNullValue));
  EXPECT_TRUE(passes(RouteTest::kIn, Int(2), Value::List({Int(1), Int(2)})));
  EXPECT_FALSE(passes(RouteTest::kIn, kNullValue, Value::List({kNullValue})));
  EXPECT_TRUE(passes(RouteTest::kPrefix, Value::Text("abc"), Value::Text("ab")));
  EXPECT_FALSE(passes(RouteTest::kPrefix, Value::Text("a"), Value::Text("ab")));
  EXPECT_TRUE(passes(RouteTest::kLess, Int(1), Int(2)));
  EXPECT_FALSE(passes(RouteTest::kLess, kNullValue, Int(2)));
  EXPECT_FALSE(passes(RouteTest::kGreater, Int(2), Int(2)));
  EXPECT_TRUE(passes(RouteTest::kGreaterEqual, Int(2), Int(2)));
}

constexpr TypeId kIssue{1};
constexpr AttributeId kId{1};
constexpr AttributeId kProject{2};
constexpr AttributeId kModified{3};
constexpr IndexId kByProject{1};

// Ten thousand subscriptions to the newest issues of a project, over an index that serves them.
class ManyBindingsTest : public ::testing::Test {
 protected:
  static constexpr int kBindings = 10'000;

  ManyBindingsTest() : graph_(source_, functions_, {}) {
    source_.AddTable(kIssue, {kId, kProject, kModified}, {kId});
    source_.AddIndex(kIssue, kByProject, {{kProject, false}, {kModified, true}});
    for (int id = 0; id < 50'000; ++id) PutIssue(id, id % kBindings, id);
    source_.Advance();
    Plan plan;
    bindings_ = plan.Add(Feed{.name = "b", .kinds = {ValueKind::kInt, ValueKind::kInt}});
    const NodeNumber issues =
        plan.Add(Input{.relation = {kIssue, {kId, kProject, kModified}},
                       .kinds = {ValueKind::kInt, ValueKind::kInt, ValueKind::kInt}});
    const NodeNumber routed =
        plan.Add(Route{.alternatives = {{{.test = RouteTest::kEqual, .row = 1, .binding = 1}}},
                       .outputs = {0, 2, 4}},
                 {bindings_, issues});
    const NodeNumber top =
        plan.Add(TopK{.partition = {0}, .order = {{2, true}, {1, false}}, .limit = 3}, {routed});
    installed_ = *graph_.Install(plan, {top, bindings_});
    for (int id = 0; id < kBindings; ++id) {
      graph_.Feed(installed_.roots[1], Row{Int(id), Int(id)}, 1);
    }
    EXPECT_TRUE(source_.Commit(graph_).has_value());
  }

  void PutIssue(int id, int project, int modified) {
    source_.Put(kIssue, {Int(id), Int(project), Int(modified)});
  }
  // Rows read and passed on by one commit.
  std::uint64_t WorkOf(const std::function<void()>& change) {
    const Counters before = graph_.counters();
    change();
    EXPECT_TRUE(source_.Commit(graph_).has_value());
    const Counters& after = graph_.counters();
    return after.pulled_rows + after.delta_rows - before.pulled_rows - before.delta_rows;
  }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  NodeNumber bindings_ = 0;
  Installed installed_;
};

TEST_F(ManyBindingsTest, CostsOnlyTheBindingsThatAChangeConcerns) {
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 3U * kBindings);
  const std::uint64_t insert = WorkOf([&] { PutIssue(60'000, 77, 60'000); });
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 2U) << "one row in, one out";
  EXPECT_LE(insert, 16U);
  const std::uint64_t irrelevant = WorkOf([&] { PutIssue(60'001, 77, -1); });
  EXPECT_TRUE(graph_.delta(installed_.roots[0]).empty());
  EXPECT_LE(irrelevant, 16U);
  const std::uint64_t erase = WorkOf([&] { source_.Erase(kIssue, {Int(60'000)}); });
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 2U);
  EXPECT_LE(erase, 32U);
}

TEST_F(ManyBindingsTest, ReadsOnlyTheWindowOfANewOrMovedBinding) {
  const std::uint64_t added =
      WorkOf([&] { graph_.Feed(installed_.roots[1], Row{Int(kBindings), Int(5)}, 1); });
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 3U);
  EXPECT_LE(added, 40U);
  const std::uint64_t moved = WorkOf([&] {
    graph_.Feed(installed_.roots[1], Row{Int(kBindings), Int(5)}, -1);
    graph_.Feed(installed_.roots[1], Row{Int(kBindings), Int(6)}, 1);
  });
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 6U);
  EXPECT_LE(moved, 60U);
  const std::uint64_t removed =
      WorkOf([&] { graph_.Feed(installed_.roots[1], Row{Int(kBindings), Int(6)}, -1); });
  EXPECT_EQ(graph_.delta(installed_.roots[0]).size(), 3U);
  EXPECT_LE(removed, 40U);
}

TEST(RouteReadTest, TakesAChangeBackOnceWhereTheSameRowIsReadInParts) {
  testing::ModelSource source;
  source.AddTable(kIssue, {kId, kProject}, {kId});
  source.AddIndex(kIssue, kByProject, {{kProject, false}});
  FunctionRegistry functions;
  Graph graph(source, functions, {});
  Plan plan;
  const NodeNumber bindings =
      plan.Add(Feed{.name = "b", .kinds = {ValueKind::kInt, ValueKind::kInt}});
  // Without the key, two issues of a project are two times the same row.
  const NodeNumber projects =
      plan.Add(Input{.relation = {kIssue, {kProject}}, .kinds = {ValueKind::kInt}});
  const NodeNumber routed =
      plan.Add(Route{.alternatives = {{{.test = RouteTest::kEqual, .row = 0, .binding = 1}}},
                     .outputs = {0, 2}},
               {bindings, projects});
  const Installed installed = *graph.Install(plan, {routed, bindings});
  graph.Feed(installed.roots[1], Row{Int(1), Int(7)}, 1);
  source.Put(kIssue, {Int(1), Int(7)});
  ASSERT_TRUE(source.Commit(graph).has_value());
  const Port by_project = *graph.Offer(installed.roots[0], {.equal = {1}});
  source.Put(kIssue, {Int(2), Int(7)});
  source.Put(kIssue, {Int(3), Int(7)});
  ASSERT_TRUE(graph.Step(source.Changes()).has_value());
  const Row key = {Int(7)};
  Weight before = 0;
  const auto add = [&](RowView, Weight weight) {
    before += weight;
    return true;
  };
  ASSERT_TRUE(graph.Read(by_project, {.key = key, .when = When::kOld}, add).has_value());
  EXPECT_EQ(before, 1);
}

TEST(RouteErrorTest, RefusesSlotsThatNoValueCouldPass) {
  testing::ModelSource source;
  FunctionRegistry functions;
  Graph graph(source, functions, {});
  const auto refusal = [&](const Route& route) {
    Plan plan;
    const NodeNumber bindings =
        plan.Add(Feed{.name = "b", .kinds = {ValueKind::kInt, ValueKind::kText}});
    const NodeNumber rows = plan.Add(Feed{.name = "r", .kinds = {ValueKind::kInt}});
    const Result<Installed> installed = graph.Install(plan, {plan.Add(route, {bindings, rows})});
    return installed ? ErrorCode::kIo : installed.error().code;
  };
  const RouteSlot wrong_kind = {.test = RouteTest::kEqual, .row = 0, .binding = 1};
  EXPECT_EQ(refusal({.alternatives = {{wrong_kind}}, .outputs = {0}}), ErrorCode::kTypeMismatch);
  const RouteSlot no_list = {.test = RouteTest::kIn, .row = 0, .binding = 0};
  EXPECT_EQ(refusal({.alternatives = {{no_list}}, .outputs = {0}}), ErrorCode::kTypeMismatch);
  const RouteSlot no_column = {.test = RouteTest::kEqual, .row = 1, .binding = 0};
  EXPECT_EQ(refusal({.alternatives = {{no_column}}, .outputs = {0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({.alternatives = {}, .outputs = {0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({.alternatives = {{}}, .outputs = {9}}), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace trefoil::dataflow
