#include "dataflow/operators/input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataflow/graph.h"
#include "tests/support/operator_harness.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

using testing::ZSet;

constexpr TypeId kType{1};
constexpr AttributeId kId{1};
constexpr AttributeId kA{2};
constexpr AttributeId kB{3};
constexpr IndexId kByA{1};
constexpr IndexId kByAB{2};

Value Int(std::int64_t number) { return Value::Int(number); }

class InputTest : public ::testing::Test {
 protected:
  InputTest() : graph_(source_, functions_, {}), random_(testing::TestSeed()) {
    source_.AddTable(kType, {kId, kA, kB}, {kId});
    source_.AddIndex(kType, kByA, {{kA, false}});
    source_.AddIndex(kType, kByAB, {{kA, false}, {kB, true}});
  }

  static Input All() {
    return {.relation = {kType, {kA, kB, kId}},
            .kinds = {ValueKind::kInt, ValueKind::kInt, ValueKind::kInt}};
  }
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  Value Number() { return Below(6) == 0 ? Value() : Int(Below(4)); }
  void Change(int count) {
    for (int i = 0; i < count; ++i) {
      const Value id = Int(Below(40));
      if (Below(3) == 0) {
        source_.Erase(kType, {id});
      } else {
        source_.Put(kType, {id, Number(), Number()});
      }
    }
  }
  // Rows as the input shows them: (a, b, id), in the range.
  std::vector<Row> Expected(const Input& input) const {
    std::vector<Row> rows;
    for (const auto& [subject, row] : source_.Rows(kType)) {
      if (InRange(input, row)) rows.push_back({row[1], row[2], row[0]});
    }
    return rows;
  }
  static bool InRange(const Input& input, const Row& row) {
    if (!input.only) return true;
    const std::size_t fixed = input.only->prefix.size();
    const std::size_t first = input.only->path.index ? 1 : 0;
    for (std::size_t i = 0; i < fixed; ++i) {
      if (row[first + i] != input.only->prefix[i]) return false;
    }
    const Value& bounded = row[first + fixed];
    const auto& lower = input.only->lower;
    const auto& upper = input.only->upper;
    if (lower && (bounded < lower->value || (bounded == lower->value && !lower->inclusive))) {
      return false;
    }
    return !upper || bounded < upper->value || (bounded == upper->value && upper->inclusive);
  }
  std::vector<Row> Read(const Port& port, const Pull& pull) {
    std::vector<Row> rows;
    const Status read = graph_.Read(port, pull, [&](RowView row, Weight weight) {
      EXPECT_EQ(weight, 1);
      rows.emplace_back(row.begin(), row.end());
      return true;
    });
    EXPECT_TRUE(read.has_value());
    return rows;
  }

  std::vector<Input> Inputs() const {
    std::vector<Input> inputs = {All()};
    Input prefix = All();
    prefix.only = Probe{.path = {kByA}, .prefix = {Int(1)}, .lower = {}, .upper = {}, .after = {}};
    inputs.push_back(prefix);
    Input range = All();
    range.only = Probe{.path = {kByAB},
                       .prefix = {Int(2)},
                       .lower = Bound{Value(), false},
                       .upper = Bound{Int(2), true},
                       .after = {}};
    inputs.push_back(range);
    Input subjects = All();
    subjects.only = Probe{.path = {},
                          .prefix = {},
                          .lower = Bound{Int(10), true},
                          .upper = Bound{Int(30), false},
                          .after = {}};
    inputs.push_back(subjects);
    return inputs;
  }

  testing::ModelSource source_;
  FunctionRegistry functions_;
  Graph graph_;
  std::mt19937_64 random_;
};

TEST_F(InputTest, ShowsItsRangeAndExactlyWhatACommitChangesInIt) {
  std::vector<NodeId> roots;
  for (const Input& input : Inputs()) {
    Plan plan;
    const NodeNumber node = plan.Add(input);
    Result<Installed> installed = graph_.Install(plan, {node});
    ASSERT_TRUE(installed.has_value()) << installed.error().message;
    roots.push_back(installed->roots[0]);
  }
  const std::vector<Input> inputs = Inputs();
  std::vector<ZSet> shown(inputs.size());
  for (int round = 0; round < 300; ++round) {
    Change(1 + static_cast<int>(Below(5)));
    ASSERT_TRUE(source_.Commit(graph_).has_value());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Batch& delta = graph_.delta(roots[i]);
      ZSet change;
      for (std::size_t k = 0; k < delta.size(); ++k) {
        change[Row(delta.row(k).begin(), delta.row(k).end())] = delta.weight(k);
      }
      ZSet now;
      for (const Row& row : Expected(inputs[i])) now[row] = 1;
      EXPECT_EQ(testing::Minus(now, shown[i]), change) << "input " << i;
      shown[i] = now;
      std::vector<Row> read = Read(*graph_.Offer(roots[i], {}), {});
      std::ranges::sort(read);
      std::vector<Row> expected = Expected(inputs[i]);
      std::ranges::sort(expected);
      ASSERT_EQ(read, expected) << "input " << i;
    }
  }
}

TEST_F(InputTest, AnswersKeysRangesAndOrdersFromTheirIndexes) {
  Change(200);
  source_.Advance();
  for (const Input& input : Inputs()) {
    Plan plan;
    const NodeNumber node = plan.Add(input);
    Result<Installed> installed = graph_.Install(plan, {node});
    const NodeId root = installed->roots[0];
    const auto by_key = graph_.Offer(root, {.equal = {0}});
    const auto by_id = graph_.Offer(root, {.equal = {2}});
    const auto by_both = graph_.Offer(root, {.equal = {1, 0}});
    const auto ranged = graph_.Offer(root, {.equal = {0}, .range = 1});
    ASSERT_TRUE(by_key && by_id && by_both && ranged);
    for (const Value& a : {Value(), Int(0), Int(1), Int(2)}) {
      for (const Value& b : {Value(), Int(1), Int(3)}) {
        const auto where = [&](const auto& passes) {
          std::vector<Row> rows = Expected(input);
          std::erase_if(rows, [&](const Row& row) { return !passes(row); });
          std::ranges::sort(rows);
          return rows;
        };
        const auto sorted = [&](std::vector<Row> rows) {
          std::ranges::sort(rows);
          return rows;
        };
        EXPECT_EQ(sorted(Read(*by_key, {.key = {&a, 1}})),
                  where([&](const Row& row) { return row[0] == a; }));
        const Row both = {b, a};
        EXPECT_EQ(sorted(Read(*by_both, {.key = both})),
                  where([&](const Row& row) { return row[0] == a && row[1] == b; }));
        const Bound bound = {b, Below(2) == 0};
        EXPECT_EQ(sorted(Read(*ranged, {.key = {&a, 1}, .lower = &bound})),
                  where([&](const Row& row) {
                    return row[0] == a && (row[1] > b || (bound.inclusive && row[1] == b));
                  }));
      }
      const Value id = Int(Below(40));
      std::vector<Row> expected = Expected(input);
      std::erase_if(expected, [&](const Row& row) { return row[2] != id; });
      EXPECT_EQ(Read(*by_id, {.key = {&id, 1}}), expected);
    }
  }
}

TEST_F(InputTest, ReadsByAPartOfAKeyWhereThatFindsFew) {
  constexpr TypeId kWide{2};
  constexpr AttributeId kFlag{4};
  constexpr IndexId kByFew{3};
  source_.AddTable(kWide, {kId, kA, kB, kFlag}, {kId});
  source_.AddIndex(kWide, kByFew, {{kA, false}});
  const auto port_for = [&](const Ask& ask) {
    Plan plan;
    const NodeNumber node = plan.Add(Input{.relation = {kWide, {kA, kB, kFlag}},
                                           .kinds = {ValueKind::kInt, ValueKind::kInt, {}}});
    return graph_.Offer(graph_.Install(plan, {node})->roots[0], ask);
  };
  for (int id = 0; id < 900; ++id) {
    source_.Put(kWide, {Int(id), id % 2 == 0 ? Value() : Int(id % 30), Int(id % 4), Int(id % 7)});
  }
  source_.Advance();
  EXPECT_FALSE(port_for({.equal = {0, 1}}));
  EXPECT_FALSE(port_for({.equal = {1, 2}, .partly = true})) << "no index has either";
  const auto port = port_for({.equal = {1, 0, 2}, .partly = true});
  ASSERT_TRUE(port);
  std::vector<Row> expected;
  for (int id = 0; id < 900; ++id) {
    if (id % 30 == 7 && id % 4 == 3 && id % 7 == 2) expected.push_back({Int(7), Int(3), Int(2)});
  }
  ASSERT_FALSE(expected.empty());
  const Row key = {Int(3), Int(7), Int(2)};
  EXPECT_EQ(Read(*port, {.key = key}), expected);
  // One value that many rows have is too many to be read for every key.
  for (int id = 900; id < 1500; ++id) {
    source_.Put(kWide, {Int(id), Int(40), Int(id % 4), Int(0)});
  }
  source_.Advance();
  Graph later(source_, functions_, {});
  Plan plan;
  const NodeNumber node =
      plan.Add(Input{.relation = {kWide, {kA, kB}}, .kinds = {ValueKind::kInt, ValueKind::kInt}});
  EXPECT_FALSE(
      later.Offer(later.Install(plan, {node})->roots[0], {.equal = {0, 1}, .partly = true}));
}

TEST_F(InputTest, WalksAnIndexInEitherDirectionFromAnyPlace) {
  Change(200);
  source_.Advance();
  const auto order_of = [](bool b_descending, bool id_descending) {
    return std::vector<SortColumn>{{1, b_descending}, {2, id_descending}};
  };
  for (const Input& input : Inputs()) {
    Plan plan;
    const NodeNumber node = plan.Add(input);
    Result<Installed> installed = graph_.Install(plan, {node});
    const NodeId root = installed->roots[0];
    EXPECT_FALSE(graph_.Offer(root, {.equal = {0}, .order = order_of(true, true)}))
        << "no index has this order";
    for (const bool reverse : {false, true}) {
      const auto port = graph_.Offer(root, {.equal = {0}, .order = order_of(!reverse, reverse)});
      ASSERT_TRUE(port.has_value());
      for (const Value& a : {Value(), Int(1), Int(2)}) {
        std::vector<Row> expected = Expected(input);
        std::erase_if(expected, [&](const Row& row) { return row[0] != a; });
        std::ranges::sort(expected, [&](const Row& x, const Row& y) {
          if (x[1] != y[1]) return reverse ? x[1] < y[1] : y[1] < x[1];
          return reverse ? y[2] < x[2] : x[2] < y[2];
        });
        EXPECT_EQ(Read(*port, {.key = {&a, 1}}), expected);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const Row after = {expected[i][1], expected[i][2]};
          const std::vector<Row> rest(expected.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                      expected.end());
          EXPECT_EQ(Read(*port, {.key = {&a, 1}, .after = after}), rest);
        }
      }
    }
  }
}

TEST_F(InputTest, RefusesRangesThatItCannotTest) {
  const auto refusal = [&](Input input) {
    Plan plan;
    const NodeNumber node = plan.Add(std::move(input));
    const Result<Installed> installed = graph_.Install(plan, {node});
    return installed ? ErrorCode::kIo : installed.error().code;
  };
  Input input = All();
  input.kinds.pop_back();
  EXPECT_EQ(refusal(input), ErrorCode::kInvalidArgument);
  input = All();
  input.only = Probe{.path = {IndexId{99}}, .prefix = {}, .lower = {}, .upper = {}, .after = {}};
  EXPECT_EQ(refusal(input), ErrorCode::kInvalidArgument);
  input.only = Probe{.path = {}, .prefix = {}, .lower = {}, .upper = {}, .after = {Int(1)}};
  EXPECT_EQ(refusal(input), ErrorCode::kInvalidArgument);
  input = {.relation = {kType, {kB}}, .kinds = {ValueKind::kInt}};
  input.only = Probe{.path = {kByA}, .prefix = {Int(1)}, .lower = {}, .upper = {}, .after = {}};
  EXPECT_EQ(refusal(input), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace trefoil::dataflow
