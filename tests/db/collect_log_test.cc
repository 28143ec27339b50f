// Transactions that everybody has leave the log; who lacks them is given the state.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crdt/envelope.h"
#include "crdt/state_changeset.h"
#include "crdt/sync_session.h"
#include "tests/support/declare.h"
#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

constexpr std::uint64_t kMonthMicros = std::uint64_t{31} * 24 * 3600 * 1'000'000;

// Two replicas that know of each other that they have everything.
class CollectLogTest : public ::testing::Test {
 protected:
  CollectLogTest() : a(1), b(2), c(3) {
    a.DeclareTable();
    a.Insert(1);
    a.Set(1, kName, 7);
    a.Add(1, kCount, 5);
    a.Add(1, kTags, 1);
    a.Add(1, kTags, 2);
    b.Merge(a.Changes());
    b.Set(1, kMany, 3);
    b.Remove(1, kTags, 1);
    b.Insert(2);
    b.Delete(2);
    SyncBoth();
  }
  void SyncBoth() {
    Sync(a, b);
    Sync(a, b);
    ASSERT_EQ(a.Hex(), b.Hex());
    ASSERT_EQ(a.database().version_vector(), b.database().version_vector());
    a.CheckSound();
    b.CheckSound();
  }
  static bool IsState(const std::string& changes) { return crdt::HoldsState(Slice(changes)); }

  Replica a;
  Replica b;
  Replica c;  // knows nothing
};

TEST_F(CollectLogTest, WhatEverybodyHasLeavesTheLogAndTheStateStays) {
  const std::string before = a.Hex();
  ASSERT_FALSE(IsState(a.Changes()));
  ASSERT_TRUE(a.database().Compact());
  EXPECT_TRUE(IsState(a.Changes()));
  EXPECT_EQ(a.Hex(), before);
  a.CheckSound();
  // Who has everything is served as before.
  a.Set(1, kName, 8);
  EXPECT_FALSE(IsState(a.Changes(b.database().version_vector())));
  SyncBoth();
  EXPECT_EQ(b.Get(1, kName), Value::Int(8));
}

TEST_F(CollectLogTest, ANewReplicaStartsFromTheStateAndIsAMemberLikeTheOthers) {
  ASSERT_TRUE(a.database().Compact());
  c.Watch();
  const MergeSummary merged = c.Merge(a.Changes());
  EXPECT_GT(merged.transactions_applied, 0u);
  EXPECT_EQ(c.Hex(), a.Hex());
  EXPECT_EQ(c.database().version_vector(), a.database().version_vector());
  c.CheckSound();
  c.Add(1, kCount, 10);
  c.Remove(1, kTags, 2);
  b.Merge(c.Changes(b.database().version_vector()));
  SyncBoth();
  c.Merge(b.Changes(c.database().version_vector()));
  EXPECT_EQ(c.Hex(), a.Hex());
  EXPECT_EQ(a.Get(1, kCount), Value::Int(15));
  EXPECT_TRUE(a.Get(1, kTags).is_null());
}

TEST_F(CollectLogTest, AReplicaThatWroteMeanwhileJoinsTheState) {
  c.Merge(a.Changes());
  c.Set(1, kName, 1);
  c.Add(1, kCount, 100);
  c.Add(1, kTags, 1);
  c.Insert(3);
  a.Set(1, kMany, 9);
  a.Delete(2);
  b.Merge(a.Changes());
  SyncBoth();
  ASSERT_TRUE(a.database().Compact());
  const std::string state = a.Changes(c.database().version_vector());
  ASSERT_TRUE(IsState(state));
  c.Merge(state);
  c.CheckSound();
  a.Merge(c.Changes(a.database().version_vector()));
  EXPECT_EQ(a.Hex(), c.Hex());
  EXPECT_EQ(a.database().version_vector(), c.database().version_vector());
  EXPECT_EQ(a.Get(1, kCount), Value::Int(105));
  EXPECT_TRUE(a.Row(3));
}

TEST_F(CollectLogTest, AMemberThatLacksSomethingHoldsItInTheLogUntilItsLeaseIsOver) {
  c.Merge(a.Changes());
  c.Insert(3);
  a.Merge(c.Changes(a.database().version_vector()));  // now a knows c
  a.Set(1, kName, 9);
  SyncBoth();
  ASSERT_TRUE(a.database().Compact());
  EXPECT_FALSE(IsState(a.Changes(c.database().version_vector())));
  c.clock().Advance(kMonthMicros);
  a.clock().Advance(kMonthMicros);
  b.clock().Advance(kMonthMicros);
  b.Set(1, kName, 10);
  SyncBoth();
  ASSERT_TRUE(a.database().Compact());
  EXPECT_TRUE(IsState(a.Changes(c.database().version_vector())));
  // It comes back with what it wrote alone.
  c.Insert(4);
  Sync(a, c);
  EXPECT_EQ(a.Hex(), c.Hex());
  EXPECT_TRUE(a.Row(4));
}

TEST_F(CollectLogTest, AReplicaThatKnowsOfNoOtherKeepsItsLog) {
  Replica alone(4);
  alone.DeclareTable();
  ASSERT_TRUE(alone.database().Compact());
  EXPECT_FALSE(IsState(alone.Changes()));
}

TEST_F(CollectLogTest, WhatWasDroppedAndWhatOthersHaveIsKnownAfterARestart) {
  a.Set(1, kName, 8);
  SyncBoth();
  a.Set(1, kName, 9);  // carries what is known of b
  a.Reopen();
  ASSERT_TRUE(a.database().Compact());
  a.Reopen();
  EXPECT_TRUE(IsState(a.Changes()));
  EXPECT_FALSE(IsState(a.Changes(b.database().version_vector())));
  SyncBoth();
}

TEST_F(CollectLogTest, AKnownStateWritesNothingAndMakesNoVersion) {
  ASSERT_TRUE(a.database().Compact());
  const std::string state = a.Changes();
  c.Merge(state);
  const Version version = c.database().version();
  const MergeSummary again = c.Merge(state);
  EXPECT_EQ(again.transactions_applied, 0u);
  EXPECT_GT(again.transactions_known, 0u);
  EXPECT_EQ(c.database().version(), version);
}

TEST_F(CollectLogTest, AJoinedStateIsOneVersion) {
  ASSERT_TRUE(a.database().Compact());
  const Version before = c.database().version();
  c.Merge(a.Changes());
  EXPECT_EQ(ToNumber(c.database().version()), ToNumber(before) + 1);
}

TEST_F(CollectLogTest, WhatWaitedForWhatTheStateHoldsIsAppliedWithIt) {
  const VersionVector known = a.database().version_vector();
  b.Set(1, kName, 20);
  const std::string later = b.Changes(known);
  EXPECT_EQ(c.Merge(later).transactions_pending, 1u);
  ASSERT_TRUE(a.database().Compact());
  const MergeSummary merged = c.Merge(a.Changes());
  EXPECT_EQ(merged.transactions_pending, 0u);
  EXPECT_EQ(c.Get(1, kName), Value::Int(20));
  EXPECT_EQ(c.Hex(), b.Hex());
  // Also when the state holds what waits.
  Replica d(5);
  EXPECT_EQ(d.Merge(later).transactions_pending, 1u);
  SyncBoth();
  ASSERT_TRUE(a.database().Compact());
  EXPECT_EQ(d.Merge(a.Changes()).transactions_pending, 0u);
  EXPECT_EQ(d.Hex(), a.Hex());
}

TEST_F(CollectLogTest, AStateStampedFarAheadIsRefusedUntilItsTimeComes) {
  a.clock().Advance(600'000'000);
  b.clock().Advance(600'000'000);
  a.Set(1, kName, 30);
  SyncBoth();
  ASSERT_TRUE(a.database().Compact());
  const Result<MergeSummary> merged = c.database().Merge(a.Changes());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(c.database().version_vector().bytes().empty());
  c.clock().Advance(600'000'000);
  c.Merge(a.Changes());
  EXPECT_EQ(c.Hex(), a.Hex());
}

TEST_F(CollectLogTest, TheStateOfAnotherDatabaseIsRefused) {
  Replica other(8);
  Replica another(9);
  other.DeclareTable();
  another.Merge(other.Changes());
  another.Insert(1);
  Sync(other, another);
  ASSERT_TRUE(a.database().Compact());
  const Result<MergeSummary> merged = other.database().Merge(a.Changes());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kForeignDatabase);
}

TEST_F(CollectLogTest, AStateWhoseColumnsAreOfAnotherKindIsRefusedAndNothingIsJoined) {
  Replica other(6);
  const std::vector<schema::Declaration> table = {
      Table("t", {Key("id", ValueKind::kInt), Field("name", ValueKind::kText)})};
  ASSERT_TRUE(other.engine().Declare(table));
  ASSERT_TRUE(a.database().Compact());
  const std::string before = other.Hex();
  const Result<MergeSummary> merged = other.database().Merge(a.Changes());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kSchemaConflict);
  EXPECT_EQ(other.Hex(), before);
}

TEST_F(CollectLogTest, ASessionSendsTheStateToAPeerThatIsTooFarBehind) {
  ASSERT_TRUE(a.database().Compact());
  crdt::SyncSession left;
  crdt::SyncSession right;
  const std::string hello = right.Hello(c.engine().known());
  ASSERT_TRUE(left.Receive(Slice(hello)));
  const std::string greeting = left.Hello(a.engine().known());
  ASSERT_TRUE(right.Receive(Slice(greeting)));
  const crdt::Heads own = a.engine().heads();
  const Result<std::string> changes = a.engine().Changes(*left.Owed(own));
  ASSERT_TRUE(changes);
  ASSERT_TRUE(IsState(*changes));
  const std::string message = left.Changes(Slice(*changes), a.engine().known());
  const Result<std::optional<Slice>> received = right.Receive(Slice(message));
  ASSERT_TRUE(received && *received);
  c.Merge((*received)->ToString());
  EXPECT_EQ(c.Hex(), a.Hex());
  const std::string ack = right.Ack(c.engine().known());
  ASSERT_TRUE(left.Receive(Slice(ack)));
  EXPECT_EQ(left.Owed(own), std::nullopt);
  EXPECT_EQ(right.Owed(c.engine().heads()), std::nullopt);
}

// The body of a state with something done to it, under a right checksum.
std::string Changed(const std::string& state, const std::function<void(std::string&)>& change) {
  const Result<crdt::Envelope> envelope = crdt::OpenEnvelope(Slice(state));
  EXPECT_TRUE(envelope);
  std::string body = *crdt::OpenBody(*envelope);
  change(body);
  return crdt::SealEnvelope(crdt::BodyKind::kState, envelope->header, envelope->count, Slice(body));
}

TEST_F(CollectLogTest, AStateThatBreaksItsRulesIsRefusedAndChangesNothing) {
  ASSERT_TRUE(a.database().Compact());
  const std::string state = a.Changes();
  const auto refuse = [&](const std::function<void(std::string&)>& change) {
    const Result<MergeSummary> merged = c.database().Merge(Changed(state, change));
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::kCorruption) << merged.error().message;
    EXPECT_TRUE(c.database().version_vector().bytes().empty());
  };
  refuse([](std::string& body) { body.clear(); });
  refuse([](std::string& body) { body.pop_back(); });
  refuse([](std::string& body) { body.push_back('x'); });
  // The newest transaction of every site is older than what it wrote.
  refuse([](std::string& body) { std::fill(body.begin(), body.begin() + 16, '\0'); });
  // The first key, behind the times of two sites, is none of a fact; and it is a fact of no row.
  refuse([](std::string& body) { body[17] = 'X'; });
  refuse([](std::string& body) { ++body[17 + 6]; });
  c.Merge(Changed(state, [](std::string&) {}));
  EXPECT_EQ(c.Hex(), a.Hex());
}

TEST_F(CollectLogTest, ADamagedStateChangesNothing) {
  ASSERT_TRUE(a.database().Compact());
  const std::string state = a.Changes();
  for (std::size_t i = 0; i < state.size(); i += 7) {
    std::string damaged = state;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    ASSERT_FALSE(c.database().Merge(damaged)) << i;
    ASSERT_FALSE(c.database().Merge(state.substr(0, i))) << i;
  }
  EXPECT_TRUE(c.database().version_vector().bytes().empty());
}

}  // namespace
}  // namespace trefoil::testing
