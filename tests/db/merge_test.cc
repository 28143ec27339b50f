// What merging means to users, one behaviour each.
#include <gtest/gtest.h>

#include "tests/support/declare.h"
#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

std::vector<db::FieldEdit> Pair(std::int64_t v) {
  return {{.attribute = AttributeId{kA}, .value = Value::Int(v)},
          {.attribute = AttributeId{kB}, .value = Value::Int(-v)}};
}

// Two replicas that declared the same table independently and have met once.
class MergeTest : public ::testing::Test {
 protected:
  MergeTest() : a(1), b(2) {
    a.DeclareTable();
    b.DeclareTable();
    a.Insert(1, Pair(0));
    SyncBoth();
  }
  void SyncBoth() {
    Sync(a, b);
    ASSERT_EQ(a.Hex(), b.Hex());
    ASSERT_EQ(a.database().version_vector(), b.database().version_vector());
    a.CheckSound();
    b.CheckSound();
  }

  Replica a;
  Replica b;
};

TEST_F(MergeTest, ConcurrentTransactionsOnTheSameCellsNeverMix) {
  a.Update(1, Pair(5));
  b.Update(1, Pair(3));
  SyncBoth();
  EXPECT_EQ(a.Get(1, kA).AsInt(), -a.Get(1, kB).AsInt());
}

TEST_F(MergeTest, ADeletionBeatsAConcurrentUpdate) {
  a.Delete(1);
  b.Update(1, Pair(3));
  b.Update(1, Pair(4));
  SyncBoth();
  EXPECT_FALSE(a.Row(1));
}

TEST_F(MergeTest, ARowDeletedAndInsertedAgainBeatsConcurrentUpdates) {
  a.Delete(1);
  a.Insert(1, Pair(9));
  b.Update(1, Pair(3));
  b.Add(1, kCount, 4);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kA), Value::Int(9));
  EXPECT_TRUE(a.Get(1, kCount).is_null());
}

TEST_F(MergeTest, AKeyThatIsUsedAgainShowsNothingOfTheRowThatHadIt) {
  a.Set(1, kName, 4);
  a.Add(1, kTags, 2);
  a.Add(1, kCount, 2);
  SyncBoth();
  a.Delete(1);
  SyncBoth();
  b.Insert(1, {{.attribute = AttributeId{kMany}, .value = Value::Int(3)}});
  SyncBoth();
  for (Replica* replica : {&a, &b}) {
    EXPECT_EQ(replica->Get(1, kMany), Value::Int(3));
    for (const Column column : {kName, kA, kB, kCount, kTags}) {
      EXPECT_TRUE(replica->Get(1, column).is_null()) << column;
    }
  }
}

TEST_F(MergeTest, RowsInsertedAgainOnBothSidesMergeCellByCell) {
  a.Delete(1);
  a.Insert(1);
  a.Set(1, kName, 7);
  b.Delete(1);
  b.Insert(1);
  b.Add(1, kCount, 4);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kName), Value::Int(7));
  EXPECT_EQ(a.Get(1, kCount), Value::Int(4));
}

TEST_F(MergeTest, OneLaterWriteBeatsThreeEarlierOnes) {
  for (const int v : {1, 2, 3}) a.Set(1, kName, v);
  b.clock().Advance(1'000'000);
  b.Set(1, kName, 9);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kName), Value::Int(9));
}

TEST_F(MergeTest, CountsAddUp) {
  a.Add(1, kCount, 5);
  b.Add(1, kCount, 7);
  b.Remove(1, kCount, 2);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kCount), Value::Int(10));
  a.Add(1, kCount, 1);
  b.Add(1, kCount, 1);
  SyncBoth();
  EXPECT_EQ(b.Get(1, kCount), Value::Int(12));
}

TEST_F(MergeTest, AnAdditionBeatsAConcurrentRemoval) {
  a.Add(1, kTags, 4);
  a.Add(1, kTags, 5);
  SyncBoth();
  a.Remove(1, kTags, 4);
  a.Remove(1, kTags, 5);
  b.Add(1, kTags, 4);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kTags), Value::List({Value::Int(4)}));
}

TEST_F(MergeTest, AnMvColumnShowsTheLatestUntilAWriteSettlesIt) {
  a.Set(1, kMany, 1);
  b.Set(1, kMany, 2);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kMany), b.Get(1, kMany));
  b.Set(1, kMany, 3);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kMany), Value::Int(3));
}

TEST_F(MergeTest, MaxAndMinKeepTheExtremes) {
  a.Set(1, kHigh, 5);
  a.Set(1, kLow, 5);
  b.Set(1, kHigh, 3);
  b.Set(1, kLow, 3);
  SyncBoth();
  EXPECT_EQ(a.Get(1, kHigh), Value::Int(5));
  EXPECT_EQ(a.Get(1, kLow), Value::Int(3));
}

TEST_F(MergeTest, AChangesetThatIsKnownWritesNothingAndMakesNoVersion) {
  b.Set(1, kName, 1);
  const std::string changes = b.Changes();
  EXPECT_EQ(a.Merge(changes).facts_changed, 1u);
  const Version version = a.database().version();
  for (int i = 0; i < 2; ++i) {
    const MergeSummary again = a.Merge(changes);
    EXPECT_EQ(again.transactions_applied, 0u);
    EXPECT_GT(again.transactions_known, 0u);
    EXPECT_EQ(again.facts_changed, 0u);
    EXPECT_EQ(a.database().version(), version);
  }
}

TEST_F(MergeTest, ManyTransactionsAreOneVersion) {
  const Version before = a.database().version();
  for (int i = 0; i < 5; ++i) b.Set(1, kName, i);
  EXPECT_EQ(a.Merge(b.Changes()).version, Next(before));
}

TEST_F(MergeTest, ManyNewRowsMeetTheFewThatAreThereAmongThem) {
  for (std::int64_t id = 2; id < 300; ++id) a.Insert(id, Pair(id));
  for (const std::int64_t id : {100, 200}) b.Insert(id, Pair(-id));
  b.Delete(200);
  b.Insert(200, Pair(-200));  // wins, as it came back
  SyncBoth();
  for (const std::int64_t id : {2, 299}) EXPECT_EQ(b.Get(id, kA), Value::Int(id));
  EXPECT_EQ(b.Get(200, kA), Value::Int(-200));
  for (std::int64_t id = 300; id < 500; ++id) a.Insert(id, Pair(id));  // behind all that b has
  SyncBoth();
  EXPECT_EQ(b.Get(499, kB), Value::Int(-499));
}

TEST_F(MergeTest, WhatFollowsSomethingMissingWaitsAlsoOverARestart) {
  b.Set(1, kName, 1);
  const VersionVector middle = b.database().version_vector();
  b.Set(1, kName, 2);
  const MergeSummary early = a.Merge(b.Changes(middle));
  EXPECT_EQ(early.transactions_applied, 0u);
  EXPECT_EQ(early.transactions_pending, 1u);
  EXPECT_TRUE(a.Get(1, kName).is_null());
  a.Reopen();
  const MergeSummary late = a.Merge(b.Changes(a.database().version_vector()));
  EXPECT_EQ(late.transactions_applied, 2u);
  EXPECT_EQ(late.transactions_pending, 0u);
  SyncBoth();
}

TEST_F(MergeTest, ADeletionThatArrivesBeforeItsInsertWaitsForIt) {
  b.Insert(2, Pair(1));
  const VersionVector inserted = b.database().version_vector();
  b.Delete(2);
  EXPECT_EQ(a.Merge(b.Changes(inserted)).transactions_pending, 1u);
  SyncBoth();
  EXPECT_FALSE(a.Row(2));
}

TEST_F(MergeTest, ATransactionStampedFarAheadIsHeldUntilItsTimeComes) {
  b.clock().Advance(3'600'000'000);
  b.Set(1, kName, 1);
  EXPECT_EQ(a.Merge(b.Changes()).transactions_held, 1u);
  EXPECT_TRUE(a.Get(1, kName).is_null());
  a.clock().Advance(3'600'000'000);
  EXPECT_EQ(a.Merge(b.Changes()).transactions_held, 0u);
  EXPECT_EQ(a.Get(1, kName), Value::Int(1));
}

TEST_F(MergeTest, ALocalWriteAfterAMergeWinsOverWhatItSawWhateverTheClock) {
  b.clock().Advance(60'000'000);
  b.Set(1, kName, 1);
  SyncBoth();
  a.Set(1, kName, 2);
  SyncBoth();
  EXPECT_EQ(b.Get(1, kName), Value::Int(2));
}

TEST_F(MergeTest, AnEmptyDatabaseReceivesTheCatalogueTheFactsAndTheIndexes) {
  a.Set(1, kName, 3);
  Replica c(3);
  c.Merge(a.Changes());
  EXPECT_EQ(c.Hex(), a.Hex());
  EXPECT_EQ(c.Get(1, kName), Value::Int(3));
  c.CheckSound();
  c.Set(1, kName, 4);
  a.Merge(c.Changes(a.database().version_vector()));
  EXPECT_EQ(a.Get(1, kName), Value::Int(4));
}

TEST_F(MergeTest, AColumnThatOnlyOneSideKnowsIsKeptRelayedAndSeen) {
  a.DeclareTable(kExtra);
  a.Set(1, kExtra, 6);
  b.Set(1, kName, 8);
  Replica c(3);
  b.Merge(a.Changes());
  c.Merge(b.Changes());
  EXPECT_EQ(b.Get(1, kExtra), Value::Int(6));
  EXPECT_EQ(c.Get(1, kExtra), Value::Int(6));
  EXPECT_EQ(c.Get(1, kName), Value::Int(8));
  EXPECT_EQ(c.Hex(), b.Hex());
}

TEST_F(MergeTest, TransactionsAreRelayed) {
  Replica c(3);
  c.Merge(b.Changes());
  b.Set(1, kName, 8);
  a.Merge(b.Changes());
  c.Merge(a.Changes(c.database().version_vector()));
  EXPECT_EQ(c.Get(1, kName), Value::Int(8));
  EXPECT_EQ(c.Hex(), b.Hex());
}

TEST_F(MergeTest, AColumnThatTwoReplicasDeclareDifferentlyIsRefusedAndNothingIsApplied) {
  for (const auto& [replica, kind] : {std::pair(&a, ValueKind::kInt), {&b, ValueKind::kText}}) {
    const std::vector<schema::Declaration> other = {
        Table("other", {Key("id", ValueKind::kInt), Field("x", kind)})};
    ASSERT_TRUE(replica->engine().Declare(other));
  }
  const Result<CommitInfo> written = b.database().Write([](Transaction& t) -> Status {
    Result<std::vector<Value>> key =
        t.Insert("other", {{"id", Value::Int(1)}, {"x", Value::Text("hello")}});
    return key ? Ok() : Status(std::move(key).error());
  });
  ASSERT_TRUE(written);
  const std::string before = a.Hex();
  const Result<MergeSummary> merged = a.database().Merge(b.Changes());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kSchemaConflict);
  EXPECT_EQ(a.Hex(), before);
}

TEST_F(MergeTest, AnotherDatabaseIsRefusedByName) {
  Replica c(3);
  Replica d(4);
  for (Replica* replica : {&c, &d}) replica->DeclareTable();
  Sync(c, d);
  const Result<MergeSummary> merged = a.database().Merge(c.Changes());
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kForeignDatabase);
}

TEST_F(MergeTest, ADotThatNamesTwoTransactionsIsReported) {
  Replica c(1);  // the identity of a, as a copied directory has
  c.DeclareTable();
  c.Insert(77);
  const Result<MergeSummary> merged = b.database().Merge(c.Changes());
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("to two transactions"), std::string::npos);
}

TEST_F(MergeTest, ACrashNeverTakesBackWhatAPeerWasTold) {
  a.Set(1, kName, 5);
  const std::string told = a.Changes();
  a.Set(1, kName, 6);  // perhaps lost
  a.Crash(98);
  a.Set(1, kA, 0);
  b.Merge(told);
  SyncBoth();
}

TEST_F(MergeTest, ANumberThatACrashTookBackIsNeverGivenAgain) {
  a.LoseSyncs();  // of a disk that says it wrote
  a.Set(1, kName, 5);
  const std::string told = a.Changes();
  a.Crash(98);
  ASSERT_TRUE(a.Get(1, kName).is_null()) << "the crash took the transaction";
  a.Set(1, kName, 6);
  b.Merge(told);
  SyncBoth();
}

TEST_F(MergeTest, ANumberThatACrashTookBackIsNotGivenAfterAUseThatWroteNothing) {
  a.LoseSyncs();
  a.Set(1, kName, 5);
  const std::string told = a.Changes();
  a.Crash(98);
  a.Reopen();
  ASSERT_TRUE(a.Get(1, kName).is_null()) << "the crash took the transaction";
  a.Set(1, kName, 6);
  b.Merge(told);
  SyncBoth();
}

TEST_F(MergeTest, ADatabaseThatNeverCommittedOpensAfterACrashAndACleanClose) {
  Replica fresh(3);
  fresh.Crash(98);
  fresh.Reopen();
  fresh.Reopen();
  fresh.Merge(a.Changes());
  EXPECT_EQ(fresh.Hex(), a.Hex());
}

TEST_F(MergeTest, BytesThatWereDamagedOnTheWayChangeNothing) {
  b.Set(1, kName, 5);
  std::string changes = b.Changes();
  changes[changes.size() / 2] = static_cast<char>(changes[changes.size() / 2] ^ 1);
  const std::string before = a.Hex();
  const Result<MergeSummary> merged = a.database().Merge(changes);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(a.Hex(), before);
}

TEST_F(MergeTest, AVectorTakenFromAChangesetAsksForTheRest) {
  const Result<VersionVector> has = VersionVector::OfChangeset(b.Changes());
  ASSERT_TRUE(has);
  EXPECT_EQ(*has, b.database().version_vector());
  a.Set(1, kName, 5);
  EXPECT_EQ(b.Merge(a.Changes(*has)).transactions_applied, 1u);
  EXPECT_FALSE(VersionVector::OfChangeset("no changeset"));
}

}  // namespace
}  // namespace trefoil::testing
