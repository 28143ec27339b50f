// Transactions that are too large for one message travel between replicas in pieces.
#include "crdt/pieces.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crdt/changeset.h"
#include "crdt/sync_session.h"
#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

constexpr std::size_t kPart = 40;  // bytes; a transaction has some 60

class PiecesTest : public ::testing::Test {
 protected:
  PiecesTest() {
    left_.DeclareTable();
    left_.Insert(1);
    right_.Merge(left_.Changes());
    left_.Set(1, kName, 7);
  }

  static ChangesPart Part(Replica& from, const VersionVector& known, std::size_t bytes = kPart) {
    Result<ChangesPart> part = from.database().Changes(known, bytes);
    EXPECT_TRUE(part);
    return part ? *part : ChangesPart();
  }
  ChangesPart NextPart() { return Part(left_, right_.database().version_vector()); }

  Replica left_{1};
  Replica right_{2};
};

TEST_F(PiecesTest, ATransactionInPiecesIsSeenWhenItIsWholeAndAtOnce) {
  const crdt::Heads before = right_.engine().heads();
  const MergeSummary first = right_.Merge(NextPart().bytes);
  EXPECT_EQ(first.transactions_applied, 0u);
  EXPECT_EQ(first.transactions_pending, 1u);
  EXPECT_EQ(right_.engine().heads(), before);
  EXPECT_EQ(right_.Get(1, kName), Value());
  EXPECT_EQ(right_.Merge(NextPart().bytes).transactions_applied, 1u);
  EXPECT_EQ(right_.Get(1, kName), Value::Int(7));
  EXPECT_EQ(right_.Hex(), left_.Hex());
  EXPECT_EQ(right_.database().version_vector(), left_.database().version_vector());
  right_.CheckSound();
}

TEST_F(PiecesTest, PartsOfAnySizeAddUpToEverything) {
  left_.Add(1, kTags, 1);
  left_.Delete(1);
  for (const std::size_t bytes : {1, 7, 50, 100, 1000}) {
    SCOPED_TRACE(bytes);
    Replica fresh(3);
    for (int parts = 0; fresh.engine().heads() != left_.engine().heads(); ++parts) {
      ASSERT_LT(parts, 4000);
      const VersionVector known = fresh.database().version_vector();
      const ChangesPart part = Part(left_, known, bytes);
      fresh.Merge(part.bytes);
      ASSERT_EQ(fresh.database().version_vector(), part.covered);
      if (parts % 10 == 9) fresh.Reopen();
    }
    EXPECT_EQ(fresh.Hex(), left_.Hex());
  }
}

TEST_F(PiecesTest, APartThatComesAgainWritesNothingAndOneThatComesEarlyIsPassedOver) {
  const ChangesPart first = NextPart();
  const ChangesPart second = Part(left_, first.covered);
  const VersionVector nothing = right_.database().version_vector();
  right_.Merge(second.bytes);
  EXPECT_EQ(right_.database().version_vector(), nothing);
  right_.Merge(first.bytes);
  const Version version = right_.database().version();
  right_.Merge(first.bytes);
  EXPECT_EQ(right_.database().version(), version);
  right_.Merge(second.bytes);
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

TEST_F(PiecesTest, WhatCameInPiecesGoesWhenTheTransactionComesWhole) {
  right_.Merge(NextPart().bytes);
  EXPECT_EQ(right_.engine().known().arriving.size(), 1u);
  right_.Merge(left_.Changes());
  EXPECT_TRUE(right_.engine().known().arriving.empty());
  right_.Reopen();
  EXPECT_TRUE(right_.engine().known().arriving.empty());
}

TEST_F(PiecesTest, WhatCameInPiecesGoesWhenAStateHoldsTheTransaction) {
  right_.Merge(NextPart().bytes);
  left_.Merge(right_.Changes());
  ASSERT_TRUE(left_.engine().CollectLog(std::chrono::microseconds(0)));
  left_.clock().Advance(1000);
  ASSERT_TRUE(left_.engine().CollectLog(std::chrono::microseconds(0)));
  right_.Merge(left_.Changes());
  EXPECT_TRUE(right_.engine().known().arriving.empty());
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

TEST_F(PiecesTest, PiecesSurviveACrashAsFarAsTheyWereDurable) {
  right_.Merge(NextPart().bytes);
  ASSERT_TRUE(right_.database().Flush());
  right_.Crash(2);
  EXPECT_EQ(right_.engine().known().arriving.size(), 1u);
  right_.Merge(NextPart().bytes);
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

// Changes a byte of the first piece, under right checksums.
std::string Forge(const std::string& part) {
  crdt::Changeset changeset = *crdt::DecodeChangeset(Slice(part));
  changeset.frames.front().back() ^= 1;
  return crdt::EncodeChangeset(changeset);
}

TEST_F(PiecesTest, PiecesThatMakeNoTransactionAreReportedAndForgotten) {
  right_.Merge(Forge(NextPart().bytes));
  const std::string before = right_.Hex();
  const Result<MergeSummary> merged = right_.database().Merge(NextPart().bytes);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(right_.Hex(), before);
  EXPECT_TRUE(right_.engine().known().arriving.empty());
  right_.Merge(NextPart().bytes);
  right_.Reopen();
  right_.Merge(NextPart().bytes);
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

TEST_F(PiecesTest, ForgottenPiecesAreNoMatterOnceTheTransactionCameWhole) {
  right_.Merge(Forge(NextPart().bytes));
  EXPECT_FALSE(right_.database().Merge(NextPart().bytes));
  right_.Merge(left_.Changes());
  right_.Reopen();
  EXPECT_EQ(right_.database().version_vector(), left_.database().version_vector());
  left_.Set(1, kName, 8);
  right_.Merge(left_.Changes());
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

TEST_F(PiecesTest, AHugeDeclaredTransactionIsRefusedAndNothingIsApplied) {
  const ChangesPart part = NextPart();
  crdt::Changeset changeset = *crdt::DecodeChangeset(Slice(part.bytes));
  crdt::Piece piece = *crdt::DecodePiece(Slice(changeset.frames.front()));
  const std::string bytes = piece.bytes.ToString();
  piece.bytes = Slice(bytes);
  piece.frame_bytes = std::uint64_t{1} << 40;
  changeset.frames.front() = crdt::EncodePiece(piece);
  const std::string forged = crdt::EncodeChangeset(changeset);
  const Result<MergeSummary> merged = right_.database().Merge(forged);
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(right_.engine().known().arriving.empty());
}

TEST_F(PiecesTest, TwoSizesOfOneTransactionInOneChangesetAreRefused) {
  const ChangesPart part = NextPart();
  crdt::Changeset changeset = *crdt::DecodeChangeset(Slice(part.bytes));
  crdt::Piece piece = *crdt::DecodePiece(Slice(changeset.frames.front()));
  piece.frame_bytes += 1;
  changeset.frames.push_back(crdt::EncodePiece(piece));
  const Result<MergeSummary> merged = right_.database().Merge(crdt::EncodeChangeset(changeset));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(right_.engine().known().arriving.empty());
}

TEST_F(PiecesTest, ATransactionOfMoreThanAMebibyteIsCutWithoutBeingAsked) {
  ASSERT_TRUE(left_.database().Execute("TABLE note (id INT KEY, text TEXT)"));
  const std::string text(2 * crdt::kPieceBytes, 'x');
  ASSERT_TRUE(left_.database().Write([&](Transaction& t) -> Status {
    Result<std::vector<Value>> key =
        t.Insert("note", {{"id", Value::Int(1)}, {"text", Value::Text(text)}});
    if (!key) return std::move(key).error();
    return Ok();
  }));
  const std::string changes = left_.Changes(right_.database().version_vector());
  const Result<crdt::Changeset> changeset = crdt::DecodeChangeset(Slice(changes));
  ASSERT_TRUE(changeset);
  EXPECT_EQ(
      std::ranges::count_if(changeset->frames,
                            [](const std::string& item) { return crdt::IsPiece(Slice(item)); }),
      3);
  right_.Merge(changes);
  EXPECT_EQ(right_.Hex(), left_.Hex());
}

TEST_F(PiecesTest, ASessionGoesOnInTheMiddleOfATransactionAfterTheConnectionBroke) {
  const auto greet = [&](crdt::SyncSession& left, crdt::SyncSession& right) {
    const std::string from_right = right.Hello(right_.engine().known());
    ASSERT_TRUE(left.Receive(Slice(from_right)));
    const std::string from_left = left.Hello(left_.engine().known());
    ASSERT_TRUE(right.Receive(Slice(from_left)));
  };
  const auto send = [&](crdt::SyncSession& left, crdt::SyncSession& right) {
    const std::optional<crdt::Known> owed = left.Owed(left_.engine().heads());
    ASSERT_TRUE(owed);
    const Result<db::Engine::PartOfChanges> part = left_.engine().ChangesUpTo(*owed, kPart);
    ASSERT_TRUE(part);
    const std::string message = left.Changes(Slice(part->changeset), part->covered);
    const Result<std::optional<Slice>> changes = right.Receive(Slice(message));
    ASSERT_TRUE(changes && *changes);
    right_.Merge((*changes)->ToString());
  };
  {
    crdt::SyncSession left;
    crdt::SyncSession right;
    greet(left, right);
    send(left, right);
  }
  const std::uint64_t arrived = right_.engine().known().arriving.begin()->second;
  EXPECT_EQ(arrived, kPart);
  crdt::SyncSession left;
  crdt::SyncSession right;
  greet(left, right);
  send(left, right);
  EXPECT_EQ(right_.Hex(), left_.Hex());
  EXPECT_EQ(left.Owed(left_.engine().heads()), std::nullopt);
}

}  // namespace
}  // namespace trefoil::testing
