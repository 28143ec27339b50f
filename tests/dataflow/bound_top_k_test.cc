#include "dataflow/operators/bound_top_k.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <tuple>

#include "dataflow/operators/feed.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/union_all.h"
#include "tests/support/operator_harness.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

Value Int(std::int64_t number) { return Value::Int(number); }
const Value kNullValue;

// How the rows are read: not at all without an arrangement, or by their first column.
enum class Rows { kArranged, kFoundByKey, kShownInParts };

struct Case {
  std::string name;
  BoundTopK spec;
  Rows rows = Rows::kArranged;
};

// Bindings (id, number, number, text) against rows (number, number, text).
std::vector<Case> AllCases() {
  const RouteSlot equal = {.test = RouteTest::kEqual, .row = 0, .binding = 1};
  const RouteSlot same = {.test = RouteTest::kSame, .row = 0, .binding = 1};
  const RouteSlot at_least = {.test = RouteTest::kGreaterEqual, .row = 1, .binding = 2};
  const RouteSlot below = {.test = RouteTest::kLess, .row = 1, .binding = 2};
  const RouteSlot prefix = {.test = RouteTest::kPrefix, .row = 2, .binding = 3};
  const std::vector<SortColumn> order = {{.column = 1, .descending = true}, {.column = 2}, {0}};
  const std::vector<Column> outputs = {0, 2, 4, 5, 6};
  const auto spec = [&](RouteAlternative slots) {
    return BoundTopK{.slots = std::move(slots), .order = order, .limit = 2, .outputs = outputs};
  };
  std::vector<Case> cases = {
      {"equal", spec({equal})},    {"same", spec({same})},
      {"range", spec({at_least})}, {"equal and range", spec({equal, below})},
      {"prefix", spec({prefix})},  {"equal and prefix", spec({same, prefix})},
      {"nothing", spec({})}};
  Case condition = {"condition", spec({equal})};
  condition.spec.condition = Apply(Operation::kNotEqual, {ColumnOf(2), ColumnOf(5)});
  cases.push_back(condition);
  Case offset = {"offset", spec({same})};
  offset.spec.offset = 1;
  cases.push_back(offset);
  Case all = {"no limit", spec({equal})};
  all.spec.limit = kNoLimit;
  cases.push_back(all);
  Case few = {"without the row", spec({equal})};
  few.spec.outputs = {0};
  cases.push_back(few);
  for (const Rows rows : {Rows::kFoundByKey, Rows::kShownInParts}) {
    Case found = {rows == Rows::kFoundByKey ? "found by key" : "in parts", spec({equal, at_least})};
    found.rows = rows;
    cases.push_back(found);
  }
  return cases;
}

std::vector<Row> BindingDomain(std::size_t count) {
  std::mt19937_64 random(count);  // the same domain in every run
  const auto number = [&](std::uint64_t limit) {
    return random() % 6 == 0 ? kNullValue : Int(static_cast<std::int64_t>(random() % limit));
  };
  const std::vector<const char*> prefixes = {"", "a", "\xff"};
  std::vector<Row> rows;
  for (std::size_t id = 0; id < count; ++id) {
    rows.push_back({Int(static_cast<std::int64_t>(id)), number(2), number(3),
                    random() % 6 == 0 ? kNullValue : Value::Text(prefixes[random() % 3])});
  }
  return rows;
}

std::vector<Row> RowDomain() {
  std::vector<Row> rows;
  for (const Value& a : {kNullValue, Int(0), Int(1)}) {
    for (const Value& b : {kNullValue, Int(0), Int(1), Int(2), Int(3)}) {
      for (const char* text : {"", "a", "ab", "\xff\xff"})
        rows.push_back({a, b, Value::Text(text)});
    }
  }
  return rows;
}

bool Selects(const BoundTopK& spec, const Row& binding, const Row& row) {
  if (!Passes(spec.slots, binding, row)) return false;
  return !spec.condition || (!binding[2].is_null() && !row[1].is_null() && binding[2] != row[1]);
}

ZSet Reference(const BoundTopK& spec, const std::vector<ZSet>& in) {
  const auto is_before = [&](const Row& a, const Row& b) {
    return std::tuple(b[1], a[2], a[0]) < std::tuple(a[1], b[2], b[0]);
  };
  ZSet out;
  for (const auto& [binding, count] : in[0]) {
    std::vector<Row> selected;
    for (const auto& [row, weight] : in[1]) {
      if (!Selects(spec, binding, row)) continue;
      for (Weight i = 0; i < weight; ++i) selected.push_back(row);
    }
    std::ranges::stable_sort(selected, is_before);
    for (std::size_t i = spec.offset; i < selected.size() && i - spec.offset < spec.limit; ++i) {
      Row shown;
      for (const Column column : spec.outputs) {
        shown.push_back(column < 4 ? binding[column] : selected[i][column - 4]);
      }
      out[shown] += count;
    }
  }
  return out;
}

Subject SubjectOf(const Case& tested, std::size_t bindings) {
  return {.name = tested.name,
          .input_kinds = {{ValueKind::kInt, ValueKind::kInt, ValueKind::kInt, ValueKind::kText},
                          {ValueKind::kInt, ValueKind::kInt, ValueKind::kText}},
          .domains = {BindingDomain(bindings), RowDomain()},
          .build =
              [=](Plan& plan, const std::vector<NodeNumber>& in) {
                NodeNumber rows = in[1];
                if (tested.rows == Rows::kFoundByKey) {
                  // Groups are found by key, in no order: the least text of each pair of numbers.
                  rows = plan.Add(
                      GroupBy{.key = {0, 1}, .aggregates = {{.function = "min", .arguments = {2}}}},
                      {rows});
                }
                if (tested.rows == Rows::kShownInParts) rows = plan.Add(UnionAll{}, {rows, rows});
                return plan.Add(tested.spec, {in[0], rows});
              },
          .reference =
              [=](std::vector<ZSet> in) {
                ZSet rows;
                for (const auto& [row, weight] : in[1]) {
                  if (tested.rows == Rows::kFoundByKey) {
                    const auto least = in[1].lower_bound({row[0], row[1]});
                    rows[least->first] = 1;
                  } else {
                    rows[row] = tested.rows == Rows::kShownInParts ? 2 * weight : weight;
                  }
                }
                in[1] = rows;
                return Reference(tested.spec, in);
              }};
}

class BoundTopKTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(BoundTopKTest, EqualsNestedLoopsWhileBindingsAndRowsComeAndGo) {
  testing::CheckRandomly(SubjectOf(AllCases()[GetParam()], 12), 120);
}

TEST_P(BoundTopKTest, KeepsTheLawsOfEveryOperator) {
  testing::CheckLaws(SubjectOf(AllCases()[GetParam()], 6), 6);
}

TEST_P(BoundTopKTest, EqualsNestedLoopsBetweenAllSmallContents) {
  Subject subject = SubjectOf(AllCases()[GetParam()], 2);
  subject.domains[1] = {{Int(0), Int(1), Value::Text("a")},
                        {Int(1), Int(3), Value::Text("ab")},
                        {kNullValue, kNullValue, Value::Text("")}};
  testing::CheckExhaustively(subject);
}

INSTANTIATE_TEST_SUITE_P(EachCase, BoundTopKTest,
                         ::testing::Range(std::size_t{0}, AllCases().size()));

constexpr TypeId kIssue{1};
constexpr AttributeId kId{1};
constexpr AttributeId kProject{2};
constexpr AttributeId kModified{3};

// The three newest issues of a project, for many bindings; projects have 1,000 issues.
class BoundTopKWorkTest : public ::testing::Test {
 protected:
  BoundTopKWorkTest() : graph_(source_, functions_, {}) {
    source_.AddTable(kIssue, {kId, kProject, kModified}, {kId});
  }

  void Install(std::vector<dataflow::PathDescription::PathColumn> index) {
    source_.AddIndex(kIssue, IndexId{1}, std::move(index));
    for (int id = 0; id < 10'000; ++id) PutIssue(id, id % 10, id);
    source_.Advance();
    Plan plan;
    const NodeNumber bindings =
        plan.Add(Feed{.name = "b", .kinds = {ValueKind::kInt, ValueKind::kInt}});
    const NodeNumber issues =
        plan.Add(Input{.relation = {kIssue, {kId, kProject, kModified}},
                       .kinds = {ValueKind::kInt, ValueKind::kInt, ValueKind::kInt}});
    const NodeNumber top =
        plan.Add(BoundTopK{.slots = {{.test = RouteTest::kEqual, .row = 1, .binding = 1}},
                           .order = {{2, true}, {0, false}},
                           .limit = 3,
                           .outputs = {0, 2, 4}},
                 {bindings, issues});
    installed_ = *graph_.Install(plan, {top, bindings});
  }
  void PutIssue(int id, int project, int modified) {
    source_.Put(kIssue, {Int(id), Int(project), Int(modified)});
  }
  void Bind(int id, int project, Weight weight = 1) {
    graph_.Feed(installed_.roots[1], Row{Int(id), Int(project)}, weight);
  }
  // Rows that one commit reads.
  std::uint64_t ReadsOf(const std::function<void()>& change) {
    const std::uint64_t before = graph_.counters().pulled_rows;
    change();
    EXPECT_TRUE(source_.Commit(graph_).has_value());
    return graph_.counters().pulled_rows - before;
  }
  std::size_t changed_rows() const { return graph_.delta(installed_.roots[0]).size(); }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  Installed installed_;
};

TEST_F(BoundTopKWorkTest, ReadsTheRowsOfANewWindowAndNoOthers) {
  Install({{kProject, false}, {kModified, true}});
  EXPECT_LE(ReadsOf([&] { Bind(1, 5); }), 8U) << "three, and the slack behind them";
  EXPECT_EQ(changed_rows(), 3U);
  EXPECT_EQ(ReadsOf([&] { Bind(2, 5); }), 0U) << "the group is there";
  EXPECT_EQ(changed_rows(), 3U);
  EXPECT_LE(ReadsOf([&] {
              Bind(2, 5, -1);
              Bind(2, 6, 1);
            }),
            8U);
  EXPECT_EQ(changed_rows(), 6U);
  EXPECT_EQ(ReadsOf([&] { PutIssue(20'000, 5, 20'000); }), 0U);
  EXPECT_EQ(changed_rows(), 2U) << "one comes, one goes";
}

TEST_F(BoundTopKWorkTest, KeepsWhatAnIndexFindsInNoOrder) {
  Install({{kProject, false}});
  EXPECT_LE(ReadsOf([&] { Bind(1, 5); }), 1000U) << "those of the project";
  EXPECT_EQ(changed_rows(), 3U);
  const auto erase = [&] {
    for (int id = 9995; id > 9000; id -= 10) source_.Erase(kIssue, {Int(id)});
  };
  EXPECT_EQ(ReadsOf(erase), 0U);
  EXPECT_EQ(changed_rows(), 6U);
}

TEST_F(BoundTopKWorkTest, GivesItsMemoryBackWhenTheLastBindingLeaves) {
  Install({{kProject, false}, {kModified, true}});
  ReadsOf([&] { Bind(1, 5); });
  const std::size_t of_one = graph_.state_bytes();
  ReadsOf([&] {
    for (int id = 2; id < 9; ++id) Bind(id, id);
  });
  EXPECT_GT(graph_.state_bytes(), of_one);
  ReadsOf([&] {
    for (int id = 2; id < 9; ++id) Bind(id, id, -1);
  });
  EXPECT_LE(graph_.state_bytes(), of_one + 1024);
}

TEST(BoundTopKErrorTest, RefusesAPlanThatCannotBeMeant) {
  testing::ModelSource source;
  FunctionRegistry functions;
  Graph graph(source, functions, {});
  const auto refusal = [&](const BoundTopK& top, std::vector<ValueKind> slots) {
    Plan plan;
    slots.insert(slots.begin(), ValueKind::kInt);
    const NodeNumber bindings = plan.Add(Feed{.name = "b", .kinds = slots});
    const NodeNumber rows = plan.Add(Feed{.name = "r", .kinds = {ValueKind::kInt}});
    const Result<Installed> installed = graph.Install(plan, {plan.Add(top, {bindings, rows})});
    return installed ? ErrorCode::kIo : installed.error().code;
  };
  const auto slot = [](RouteTest test, Column binding) {
    return RouteAlternative{{.test = test, .row = 0, .binding = binding}};
  };
  const BoundTopK good = {.slots = slot(RouteTest::kEqual, 1), .order = {{0}}, .outputs = {0}};
  EXPECT_EQ(refusal(good, {ValueKind::kInt}), ErrorCode::kIo) << "is not refused";
  EXPECT_EQ(refusal(good, {}), ErrorCode::kInvalidArgument) << "no slots";
  EXPECT_EQ(refusal(good, {ValueKind::kText}), ErrorCode::kTypeMismatch);
  BoundTopK bad = good;
  bad.slots = slot(RouteTest::kIn, 1);
  EXPECT_EQ(refusal(bad, {ValueKind::kList}), ErrorCode::kInvalidArgument);
  bad.slots = slot(RouteTest::kEqual, 0);
  EXPECT_EQ(refusal(bad, {ValueKind::kInt}), ErrorCode::kInvalidArgument) << "by number";
  bad = good;
  bad.order = {};
  EXPECT_EQ(refusal(bad, {ValueKind::kInt}), ErrorCode::kInvalidArgument);
  bad.order = {{1}};
  EXPECT_EQ(refusal(bad, {ValueKind::kInt}), ErrorCode::kInvalidArgument);
  bad = good;
  bad.outputs = {3};
  EXPECT_EQ(refusal(bad, {ValueKind::kInt}), ErrorCode::kInvalidArgument);
  bad = good;
  bad.condition = Apply(Operation::kAdd, {ColumnOf(0), ConstantOf(Value::Text("a"))});
  EXPECT_EQ(refusal(bad, {ValueKind::kInt}), ErrorCode::kTypeMismatch);
}

TEST(BoundTopKErrorTest, StopsWhereTheBudgetEnds) {
  testing::ModelSource source;
  FunctionRegistry functions;
  Graph graph(source, functions, {.budget_bytes = 400'000});
  Plan feeds;
  const std::vector<NodeNumber> in = {
      feeds.Add(Feed{.name = "b", .kinds = {ValueKind::kInt, ValueKind::kInt}}),
      feeds.Add(Feed{.name = "r", .kinds = {ValueKind::kInt}})};
  const Installed fed = *graph.Install(feeds, in);
  for (int id = 0; id < 1000; ++id) {
    graph.Feed(fed.roots[0], Row{Int(id), Int(id)}, 1);
    graph.Feed(fed.roots[1], Row{Int(id)}, 1);
  }
  ASSERT_TRUE(graph.Step({}).has_value());
  Plan plan = feeds;
  const NodeNumber top =
      plan.Add(BoundTopK{.slots = {{.test = RouteTest::kEqual, .row = 0, .binding = 1}},
                         .order = {{0}},
                         .limit = 1,
                         .outputs = {0, 2}},
               in);
  const Result<Installed> refused = graph.Install(plan, {top});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace trefoil::dataflow
