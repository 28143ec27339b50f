// ACYCLIC columns on replicas that meet.
#include <gtest/gtest.h>

#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

class MoveTreeTest : public ::testing::Test {
 protected:
  // Rows 1 to 4, all but the first below the first, on both replicas.
  MoveTreeTest() {
    left_.DeclareTable();
    for (std::int64_t id = 1; id <= 4; ++id) left_.Insert(id);
    for (std::int64_t id = 2; id <= 4; ++id) EXPECT_TRUE(left_.Move(id, 1));
    Sync(left_, right_);
  }

  static Value Up(Replica& replica, std::int64_t id) { return replica.Get(id, kUp); }
  void ExpectAlike() {
    ASSERT_EQ(left_.database().version_vector(), right_.database().version_vector());
    ASSERT_EQ(left_.Hex(), right_.Hex());
    left_.CheckSound();
    right_.CheckSound();
  }

  Replica left_{1};
  Replica right_{2};
};

TEST_F(MoveTreeTest, OfTwoRowsMovedIntoEachOtherTheLaterStaysWhereItWas) {
  left_.Move(2, 3);
  right_.clock().Advance(5000);
  right_.Move(3, 2);
  Sync(left_, right_);
  ExpectAlike();
  EXPECT_EQ(Up(left_, 2), Value::Int(3));
  EXPECT_EQ(Up(left_, 3), Value::Int(1));
}

TEST_F(MoveTreeTest, AMoveThatArrivesLateMakesAnotherOneHoldOnARowThatItDoesNotName) {
  left_.Move(2, 3);
  right_.clock().Advance(5000);
  right_.Move(3, 2);  // closes a cycle with the first
  Replica third(3);
  third.Merge(left_.Changes());
  third.clock().Advance(2000);
  third.Move(2, 4);  // before the second
  right_.Merge(left_.Changes());
  EXPECT_EQ(Up(right_, 3), Value::Int(1));
  const MergeSummary merged = right_.Merge(third.Changes());
  EXPECT_EQ(Up(right_, 3), Value::Int(2));
  EXPECT_EQ(merged.facts_changed, 2u);
  right_.CheckSound();
  Sync(left_, right_);
  ExpectAlike();
}

TEST_F(MoveTreeTest, AMoveThatClosesACycleIsRefusedByItsOwnReplicaAndWritesNothing) {
  left_.Move(2, 3);
  const Version version = left_.database().version();
  EXPECT_FALSE(left_.Move(3, 2));
  EXPECT_FALSE(left_.Move(1, 1));
  EXPECT_EQ(left_.database().version(), version);
}

TEST_F(MoveTreeTest, ADeletedRowLeavesItsPlaceAndComesBackBelowNone) {
  right_.Move(4, 2);
  left_.Delete(2);
  Sync(left_, right_);
  EXPECT_EQ(Up(left_, 4), Value::Int(2));
  right_.Insert(2);
  EXPECT_EQ(Up(right_, 2), Value());
  Sync(left_, right_);
  ExpectAlike();
  EXPECT_EQ(Up(left_, 2), Value());
  EXPECT_TRUE(left_.Move(2, 3));
  EXPECT_FALSE(left_.Move(3, 4));
}

// The move is earlier than the deletion, and yet no cycle hides behind the deleted row.
TEST_F(MoveTreeTest, ARowThatIsGoneHoldsNoOther) {
  left_.Move(4, 2);
  left_.Move(2, 3);
  left_.Delete(2);
  EXPECT_TRUE(left_.Move(3, 4));
  Sync(left_, right_);
  ExpectAlike();
  EXPECT_EQ(Up(right_, 3), Value::Int(4));
}

TEST_F(MoveTreeTest, AJoinedStateReplaysTheMovesOfBothSides) {
  Sync(left_, right_);
  left_.Move(2, 3);
  ASSERT_TRUE(left_.engine().CollectLog(std::chrono::microseconds(0)));
  right_.clock().Advance(5000);
  right_.Move(3, 2);
  right_.Merge(left_.Changes(right_.database().version_vector()));
  EXPECT_EQ(Up(right_, 3), Value::Int(1));
  left_.Merge(right_.Changes(left_.database().version_vector()));
  ExpectAlike();
}

TEST_F(MoveTreeTest, ADumpHoldsTheMoves) {
  left_.Move(2, 3);
  right_.clock().Advance(5000);
  right_.Move(3, 2);
  Sync(left_, right_);
  const Result<std::string> dump = left_.engine().DumpText();
  ASSERT_TRUE(dump);
  Replica loaded(3);
  ASSERT_TRUE(loaded.engine().LoadText(*dump));
  EXPECT_EQ(loaded.Hex(), left_.Hex());
}

TEST_F(MoveTreeTest, MovesSurviveARestart) {
  left_.Move(2, 3);
  right_.clock().Advance(5000);
  right_.Move(3, 2);
  Sync(left_, right_);
  left_.Reopen();
  left_.Move(2, 4);
  left_.Move(3, 2);
  Sync(left_, right_);
  ExpectAlike();
  EXPECT_EQ(Up(right_, 3), Value::Int(2));
}

}  // namespace
}  // namespace trefoil::testing
