#include "tests/support/operator_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "dataflow/aggregate.h"
#include "dataflow/describe.h"
#include "dataflow/operators/feed.h"
#include "tests/support/seed.h"

namespace trefoil::testing {

using dataflow::Column;
using dataflow::NodeNumber;
using dataflow::Row;
using dataflow::RowView;
using dataflow::Weight;
using dataflow::When;

namespace {

void AddTo(ZSet& rows, const Row& row, Weight weight) {
  Weight& stored = rows[row];
  stored += weight;
  if (stored == 0) rows.erase(row);
}

// Rows per domain that CheckExhaustively lets come and go.
constexpr int kTwice = 2;

}  // namespace

ZSet Minus(const ZSet& a, const ZSet& b) {
  ZSet difference = a;
  for (const auto& [row, weight] : b) AddTo(difference, row, -weight);
  return difference;
}

std::string ToString(const ZSet& rows) {
  std::string text = "{";
  for (const auto& [row, weight] : rows) {
    text += StrCat(text.size() > 1 ? ", " : "", weight, "*(");
    for (const Value& value : row) text += dataflow::DescribeValue(value) + " ";
    text += ")";
  }
  return text + "}";
}

OperatorHarness::OperatorHarness(Subject subject)
    : subject_(std::move(subject)),
      graph_(source_, functions_, {}),
      inputs_(subject_.input_kinds.size()) {
  dataflow::RegisterAggregates(functions_);
  dataflow::Plan plan;
  std::vector<NodeNumber> feeds;
  for (std::size_t i = 0; i < subject_.input_kinds.size(); ++i) {
    feeds.push_back(
        plan.Add(dataflow::Feed{.name = std::to_string(i), .kinds = subject_.input_kinds[i]}));
  }
  feeds_ = *graph_.Install(plan, feeds);
  Install();
}

void OperatorHarness::Install() {
  dataflow::Plan plan;
  std::vector<NodeNumber> feeds;
  for (std::size_t i = 0; i < subject_.input_kinds.size(); ++i) {
    feeds.push_back(
        plan.Add(dataflow::Feed{.name = std::to_string(i), .kinds = subject_.input_kinds[i]}));
  }
  const NodeNumber root = subject_.build(plan, feeds);
  Result<dataflow::Installed> installed = graph_.Install(plan, {root});
  ASSERT_TRUE(installed.has_value()) << subject_.name << ": " << installed.error().message;
  installed_ = *installed;
}

void OperatorHarness::Reattach() {
  graph_.Release(installed_);
  Install();
}

bool OperatorHarness::MoveTo(const std::vector<ZSet>& inputs) {
  const ZSet before = subject_.reference(inputs_);
  const ZSet after = subject_.reference(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const auto& [row, weight] : Minus(inputs[i], inputs_[i])) {
      graph_.Feed(feeds_.roots[i], row, weight);
    }
  }
  const std::vector<ZSet> old_inputs = std::exchange(inputs_, inputs);
  EXPECT_TRUE(graph_.Step({}).has_value());
  const dataflow::Batch& delta = graph_.delta(installed_.roots[0]);
  EXPECT_TRUE(delta.IsConsolidated()) << subject_.name;
  ZSet change;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    AddTo(change, Row(delta.row(i).begin(), delta.row(i).end()), delta.weight(i));
  }
  const ZSet wanted = Minus(after, before);
  EXPECT_EQ(change, wanted) << subject_.name << " emits " << ToString(change) << ", wanted "
                            << ToString(wanted);
  ZSet keys = before;
  keys.insert(after.begin(), after.end());
  const bool reads_fit =
      CheckReads(When::kNew, after, keys) && CheckReads(When::kOld, before, keys);
  if (change == wanted && reads_fit) return true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ADD_FAILURE() << "input " << i << " from " << ToString(old_inputs[i]) << " to "
                  << ToString(inputs[i]);
  }
  return false;
}

bool OperatorHarness::ComeAndGo(const std::vector<ZSet>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [row, weight] : rows[i]) {
      graph_.Feed(feeds_.roots[i], row, weight);
      graph_.Feed(feeds_.roots[i], row, -weight);
    }
  }
  EXPECT_TRUE(graph_.Step({}).has_value());
  const bool silent = graph_.delta(installed_.roots[0]).empty() && graph_.changed().empty();
  EXPECT_TRUE(silent) << subject_.name << " tells of changes that cancel";
  return silent;
}

ZSet OperatorHarness::ReadPort(const dataflow::Port& port, const Row& key, When when) {
  ZSet rows;
  const Status read =
      graph_.Read(port, {.key = key, .when = when}, [&](RowView row, Weight weight) {
        AddTo(rows, Row(row.begin(), row.end()), weight);
        return true;
      });
  EXPECT_TRUE(read.has_value());
  return rows;
}

bool OperatorHarness::CheckReads(When when, const ZSet& expected, const ZSet& keys) {
  std::vector<std::vector<Column>> asks = {{}};
  const std::size_t width = graph_.columns(installed_.roots[0]).size();
  std::vector<Column> all;
  for (Column i = 0; i < width; ++i) {
    asks.push_back({i});
    all.insert(all.begin(), i);
  }
  asks.push_back(all);
  bool fits = true;
  for (const std::vector<Column>& ask : asks) {
    const auto port = graph_.Offer(installed_.roots[0], {.equal = ask});
    if (!port) continue;
    std::map<Row, ZSet> by_key;
    for (const auto& [row, weight] : keys) {
      Row key;
      for (const Column column : ask) key.push_back(row[column]);
      by_key[key];
      if (const auto found = expected.find(row); found != expected.end()) {
        by_key[key].insert(*found);
      }
    }
    if (ask.empty()) by_key[{}] = expected;
    for (const auto& [key, rows] : by_key) {
      const ZSet read = ReadPort(*port, key, when);
      fits = fits && read == rows;
      EXPECT_EQ(read, rows) << subject_.name << (when == When::kOld ? " before" : " after")
                            << " the step shows " << ToString(read) << " for an ask of "
                            << ask.size() << " columns, wanted " << ToString(rows);
    }
  }
  return fits;
}

void CheckExhaustively(const Subject& subject) {
  std::size_t contents = 1;
  for (std::size_t i = 0; i < subject.domains.size(); ++i) {
    for (std::size_t k = 0; k < subject.domains[i].size(); ++k) contents *= i == 0 ? 3 : 2;
  }
  const auto content = [&](std::size_t number) {
    std::vector<ZSet> inputs(subject.domains.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      for (const Row& row : subject.domains[i]) {
        const std::size_t choices = i == 0 ? kTwice + 1 : 2;
        if (number % choices != 0) inputs[i][row] = static_cast<Weight>(number % choices);
        number /= choices;
      }
    }
    return inputs;
  };
  OperatorHarness harness(subject);
  std::size_t steps = 0;
  for (std::size_t from = 0; from < contents; ++from) {
    for (std::size_t to = 0; to < contents; ++to) {
      if (!harness.MoveTo(content(from))) return;
      if (++steps % 23 == 0) harness.Reattach();
      if (!harness.MoveTo(content(to))) return;
    }
  }
}

namespace {

// A row more or less in one input.
struct UnitChange {
  std::size_t input;
  Row row;
  Weight weight;
};

// The difference of two contents, row by row, in random order. Every part of it applies to `from`:
// a row only loses copies, or only gains them.
std::vector<UnitChange> UnitChanges(const std::vector<ZSet>& from, const std::vector<ZSet>& to,
                                    std::mt19937_64& random) {
  std::vector<UnitChange> changes;
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (const auto& [row, weight] : Minus(to[i], from[i])) {
      for (Weight copy = 0; copy < std::abs(weight); ++copy) {
        changes.push_back({i, row, weight > 0 ? 1 : -1});
      }
    }
  }
  std::ranges::shuffle(changes, random);
  return changes;
}

// Goes to `target` in steps of the given sizes; returns how many steps that were, 0 for a failure.
std::size_t MoveInBatches(OperatorHarness& harness, const std::vector<ZSet>& target,
                          std::mt19937_64& random, const std::function<std::size_t()>& size) {
  std::size_t steps = 0;
  const std::vector<UnitChange> changes = UnitChanges(harness.inputs(), target, random);
  for (std::size_t at = 0; at < changes.size();) {
    std::vector<ZSet> inputs = harness.inputs();
    const std::size_t end = std::min(changes.size(), at + size());
    for (; at < end; ++at) AddTo(inputs[changes[at].input], changes[at].row, changes[at].weight);
    if (!harness.MoveTo(inputs)) return 0;
    ++steps;
  }
  return std::max<std::size_t>(steps, 1);
}

void PrintSteps(std::size_t steps, const Subject& subject) {
  std::printf("random steps: %zu of %s\n", steps, subject.name.c_str());
}

}  // namespace

void CheckLaws(const Subject& subject, std::size_t rounds) {
  std::mt19937_64 random(TestSeed());
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  OperatorHarness whole(subject);
  OperatorHarness single(subject);
  OperatorHarness split(subject);
  std::size_t steps = 0;
  const auto scaled = static_cast<std::size_t>(static_cast<double>(rounds) * TestScale());
  for (std::size_t round = 0; round < scaled; ++round) {
    std::vector<ZSet> target = whole.inputs();
    for (std::size_t changes = 1 + below(12); changes-- > 0;) {
      const std::size_t input = below(target.size());
      const Row& row = subject.domains[input][below(subject.domains[input].size())];
      const bool remove = target[input].contains(row) && below(3) != 0;
      AddTo(target[input], row, remove ? -1 : 1);
    }
    const std::size_t singles = MoveInBatches(single, target, random, [] { return 1; });
    const std::size_t batches = MoveInBatches(split, target, random, [&] { return 1 + below(5); });
    if (!whole.MoveTo(target) || singles == 0 || batches == 0 || !whole.ComeAndGo(target)) {
      ADD_FAILURE() << "in round " << round;
      return;
    }
    steps += 2 + singles + batches;
  }
  PrintSteps(steps, subject);
}

void CheckRandomly(const Subject& subject, std::size_t steps) {
  std::mt19937_64 random(TestSeed());
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  OperatorHarness harness(subject);
  const auto scaled = static_cast<std::size_t>(static_cast<double>(steps) * TestScale());
  for (std::size_t step = 0; step < scaled; ++step) {
    std::vector<ZSet> inputs = harness.inputs();
    const std::size_t changes = below(10) == 0 ? 60 : 1 + below(4);
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t input = below(inputs.size());
      const std::vector<Row>& domain = subject.domains[input];
      const Row& row = domain[below(domain.size())];
      const auto found = inputs[input].find(row);
      const bool remove = found != inputs[input].end() && below(3) != 0;
      AddTo(inputs[input], row, remove ? -1 : 1);
    }
    if (!harness.MoveTo(inputs)) {
      ADD_FAILURE() << "at step " << step;
      return;
    }
    if (below(40) == 0) harness.Reattach();
  }
  PrintSteps(scaled, subject);
}

}  // namespace trefoil::testing
