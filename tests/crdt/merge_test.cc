// Each merge rule against a model that knows nothing of states: it looks at all writes at once.
#include "crdt/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "tests/crdt/random_frame.h"
#include "tests/support/seed.h"

namespace trefoil::crdt {
namespace {

using testing::Below;
using testing::RandomEngine;
using testing::SiteNumber;

// One write with what it has seen: the writes before it at its own site and those it received.
struct Write {
  Stamp stamp;
  FactOp op = {};
  std::set<std::size_t> seen = {};
};

SiteTable ThreeSites() {
  SiteTable sites;
  // Ordinals in another order than the bytes.
  for (unsigned char number : {2, 3, 1}) sites.Add(SiteNumber(number));
  return sites;
}

FactState Replay(const std::vector<Write>& writes, const std::vector<std::size_t>& order,
                 const SiteTable& sites) {
  FactState state;
  for (const std::size_t i : order) MergeOp(state, writes[i].op, writes[i].stamp, sites);
  return state;
}

// Some writes of one fact on three sites that now and then receive each other's. Within a life the
// causal length is the same; `lengths` allows several lives.
std::vector<Write> RandomHistory(RandomEngine& random, MergeKind kind, bool lengths,
                                 const SiteTable& sites) {
  std::vector<Write> writes;
  std::set<std::size_t> seen[3];
  Int128 total[3] = {};
  const std::size_t count = 2 + Below(random, 6);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = Below(random, 3);
    if (Below(random, 2) == 0) {
      const auto& other = seen[Below(random, 3)];
      seen[at].insert(other.begin(), other.end());
    }
    Write write = {.stamp = {.time = 1, .site = static_cast<SiteOrdinal>(at)}};
    for (const std::size_t j : seen[at]) {
      write.stamp.time = std::max(write.stamp.time, writes[j].stamp.time + 1);
    }
    write.op.kind = kind;
    if (lengths) write.op.causal_length = 1 + 2 * Below(random, 2);
    write.op.retracted = kind != MergeKind::kCounter && Below(random, 4) == 0;
    if (kind == MergeKind::kCounter) {
      total[at] += random.operator()() % 7;
      write.op.total = total[at];
    } else if (kind != MergeKind::kSet && !write.op.retracted) {
      write.op.value = Value::Int(static_cast<std::int64_t>(Below(random, 4)));
    }
    if (kind == MergeKind::kMv || kind == MergeKind::kSet) {
      // What the site has there now is what the write takes the place of.
      const std::vector<std::size_t> order(seen[at].begin(), seen[at].end());
      const FactState now = Replay(writes, order, sites);
      if (now.causal_length == write.op.causal_length) {
        for (const Alternative& a : now.alternatives) write.op.observed.push_back(a.stamp);
      }
    }
    write.seen = seen[at];
    seen[at].insert(i);
    writes.push_back(std::move(write));
  }
  return writes;
}

// A random order in which each write follows those it has seen.
std::vector<std::size_t> CausalOrder(RandomEngine& random, const std::vector<Write>& writes) {
  std::vector<std::size_t> order;
  std::vector<std::size_t> left(writes.size());
  std::iota(left.begin(), left.end(), 0);
  while (!left.empty()) {
    const std::size_t pick = Below(random, left.size());
    const auto waits = [&](std::size_t seen) {
      return std::ranges::find(left, seen) != left.end();
    };
    if (std::ranges::any_of(writes[left[pick]].seen, waits)) continue;
    order.push_back(left[pick]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  return order;
}

class MergeKindTest : public ::testing::TestWithParam<MergeKind> {};

TEST_P(MergeKindTest, GivesTheSameStateInEveryCausalOrder) {
  RandomEngine random(testing::TestSeed());
  const SiteTable sites = ThreeSites();
  const int rounds = static_cast<int>(5000 * testing::TestScale());
  for (int round = 0; round < rounds; ++round) {
    const std::vector<Write> writes = RandomHistory(random, GetParam(), true, sites);
    const FactState first = Replay(writes, CausalOrder(random, writes), sites);
    const FactState second = Replay(writes, CausalOrder(random, writes), sites);
    ASSERT_EQ(ToCell(first), ToCell(second)) << "round " << round;
  }
}

// A random set of writes that holds what each of them has seen.
std::set<std::size_t> RandomPast(RandomEngine& random, const std::vector<Write>& writes) {
  std::set<std::size_t> past;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (Below(random, 2) != 0) continue;
    past.insert(i);
    past.insert(writes[i].seen.begin(), writes[i].seen.end());
  }
  return past;
}

std::vector<std::uint64_t> NewestTimes(const std::vector<Write>& writes,
                                       const std::set<std::size_t>& past) {
  std::vector<std::uint64_t> times(3, 0);
  for (const std::size_t i : past) {
    std::uint64_t& time = times[writes[i].stamp.site];
    time = std::max(time, writes[i].stamp.time);
  }
  return times;
}

TEST_P(MergeKindTest, JoiningTwoStatesIsApplyingTheWritesOfBoth) {
  RandomEngine random(testing::TestSeed());
  const SiteTable sites = ThreeSites();
  const int rounds = static_cast<int>(5000 * testing::TestScale());
  for (int round = 0; round < rounds; ++round) {
    const std::vector<Write> writes = RandomHistory(random, GetParam(), true, sites);
    const std::set<std::size_t> here = RandomPast(random, writes);
    const std::set<std::size_t> there = RandomPast(random, writes);
    std::set<std::size_t> both = here;
    both.insert(there.begin(), there.end());
    const auto replay = [&](const std::set<std::size_t>& past) {
      return Replay(writes, {past.begin(), past.end()}, sites);
    };
    FactState state = replay(here);
    const AppliedTimes applied = {.here = NewestTimes(writes, here),
                                  .there = NewestTimes(writes, there)};
    const FactState before = state;
    const bool changed = JoinStates(state, replay(there), applied, sites);
    ASSERT_EQ(ToCell(state), ToCell(replay(both))) << "round " << round;
    ASSERT_EQ(changed, !(state == before)) << "round " << round;
  }
}

TEST_P(MergeKindTest, ReadsBackFromItsCell) {
  RandomEngine random(testing::TestSeed());
  const SiteTable sites = ThreeSites();
  for (int round = 0; round < 2000; ++round) {
    const std::vector<Write> writes = RandomHistory(random, GetParam(), true, sites);
    const FactState state = Replay(writes, CausalOrder(random, writes), sites);
    if (state.causal_length == 0) continue;
    FactState again;
    ASSERT_TRUE(FromCell(ToCell(state), sites, &again));
    ASSERT_EQ(again, state);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MergeKindTest,
                         ::testing::Values(MergeKind::kRegister, MergeKind::kMv,
                                           MergeKind::kCounter, MergeKind::kSet, MergeKind::kMax,
                                           MergeKind::kMin, MergeKind::kTree));

// Runs `check` on the state of many random histories of one life.
template <typename Check>
void ForHistories(MergeKind kind, const Check& check) {
  RandomEngine random(testing::TestSeed());
  const SiteTable sites = ThreeSites();
  const int rounds = static_cast<int>(2000 * testing::TestScale());
  for (int round = 0; round < rounds && !::testing::Test::HasFatalFailure(); ++round) {
    const std::vector<Write> writes = RandomHistory(random, kind, false, sites);
    check(writes, Replay(writes, CausalOrder(random, writes), sites), sites);
  }
}

TEST(MergeTest, ARegisterHoldsTheWriteWithTheGreatestStamp) {
  ForHistories(
      MergeKind::kRegister, [](const auto& writes, const FactState& state, const auto& sites) {
        const auto last = std::ranges::max_element(writes, [&](const Write& a, const Write& b) {
          return std::pair(a.stamp.time, sites.Of(a.stamp.site)) <
                 std::pair(b.stamp.time, sites.Of(b.stamp.site));
        });
        ASSERT_EQ(state.value, last->op.value);
        ASSERT_EQ(state.retracted, last->op.retracted);
      });
}

// The writes that no other write has seen... among those that follow none that saw them.
std::multiset<Value> Unseen(const std::vector<Write>& writes) {
  std::multiset<Value> values;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const bool replaced =
        std::ranges::any_of(writes, [&](const Write& later) { return later.seen.contains(i); });
    if (!replaced && !writes[i].op.retracted) values.insert(writes[i].op.value);
  }
  return values;
}

TEST(MergeTest, AnMvRegisterHoldsEveryWriteThatNoOtherHasSeen) {
  ForHistories(MergeKind::kMv, [](const auto& writes, const FactState& state, const auto&) {
    std::multiset<Value> values;
    for (const Alternative& a : state.alternatives) values.insert(a.value);
    ASSERT_EQ(values, Unseen(writes));
  });
}

TEST(MergeTest, AnElementIsInASetWhileAnAdditionIsUnseenByRemovals) {
  ForHistories(MergeKind::kSet, [](const auto& writes, const FactState& state, const auto&) {
    ASSERT_EQ(state.alternatives.size(), Unseen(writes).size());
    ASSERT_EQ(state.retracted, Unseen(writes).empty());
  });
}

TEST(MergeTest, ACounterIsTheSumOfTheLastTotalsOfAllSites) {
  ForHistories(MergeKind::kCounter, [](const auto& writes, const FactState& state, const auto&) {
    std::map<SiteOrdinal, Int128> totals;
    for (const Write& write : writes) totals[write.stamp.site] = write.op.total;
    Int128 sum = 0;
    for (const auto& [site, total] : totals) sum += total;
    ASSERT_EQ(state.value, Value::Int(static_cast<std::int64_t>(sum)));
  });
}

TEST(MergeTest, MaxAndMinHoldTheExtremeOfAllValues) {
  for (const MergeKind kind : {MergeKind::kMax, MergeKind::kMin}) {
    ForHistories(kind, [&](const auto& writes, const FactState& state, const auto&) {
      std::optional<Value> extreme;
      for (const Write& write : writes) {
        if (write.op.retracted) continue;
        const Value& value = write.op.value;
        if (!extreme || (kind == MergeKind::kMax ? value > *extreme : value < *extreme)) {
          extreme = value;
        }
      }
      ASSERT_EQ(state.value, extreme.value_or(Value()));
    });
  }
}

TEST(MergeTest, ATieOfTimesIsBrokenByTheSiteAndNotByTheValueOrTheOrdinal) {
  const SiteTable sites = ThreeSites();
  FactState state;
  // Ordinal 1 is site 3, ordinal 0 site 2.
  MergeOp(state, {.value = Value::Int(1)}, {.time = 5, .site = 1}, sites);
  EXPECT_FALSE(MergeOp(state, {.value = Value::Int(9)}, {.time = 5, .site = 0}, sites));
  EXPECT_EQ(state.value, Value::Int(1));
}

TEST(MergeTest, AGreaterCausalLengthBeatsAnyStamp) {
  const SiteTable sites = ThreeSites();
  FactState state;
  MergeOp(state, {.value = Value::Int(1)}, {.time = 50, .site = 0}, sites);
  MergeOp(state, {.causal_length = 2, .retracted = true}, {.time = 5, .site = 1}, sites);
  EXPECT_TRUE(state.retracted);
  EXPECT_EQ(state.causal_length, 2u);
}

TEST(MergeTest, TheSameWriteOfAStateBasedKindTwiceChangesNothing) {
  const SiteTable sites = ThreeSites();
  for (const MergeKind kind :
       {MergeKind::kRegister, MergeKind::kCounter, MergeKind::kMax, MergeKind::kMin}) {
    FactState state;
    const FactOp op = {.kind = kind, .value = Value::Int(3), .total = 3};
    EXPECT_TRUE(MergeOp(state, op, {.time = 5, .site = 0}, sites));
    EXPECT_FALSE(MergeOp(state, op, {.time = 5, .site = 0}, sites));
  }
}

TEST(MergeTest, ACountLeavesNoRoomForOverflow) {
  const SiteTable sites = ThreeSites();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  FactState state;
  for (const SiteOrdinal site : {0, 1}) {
    MergeOp(state, {.kind = MergeKind::kCounter, .total = most}, {.time = 1, .site = site}, sites);
  }
  EXPECT_EQ(state.value, Value::Int(most));
}

TEST(MergeTest, NumbersOfMoreThan64BitsReadBack) {
  RandomEngine random(testing::TestSeed());
  for (int i = 0; i < 1000; ++i) {
    const Int128 number = (static_cast<Int128>(static_cast<std::int64_t>(random())) << 24) +
                          static_cast<std::int64_t>(random());
    std::string bytes;
    AppendInt128(bytes, number);
    Slice rest(bytes);
    Int128 again;
    ASSERT_TRUE(TakeInt128(rest, &again));
    ASSERT_TRUE(again == number);
  }
}

}  // namespace
}  // namespace trefoil::crdt
