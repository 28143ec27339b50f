// The bytes that replicas exchange: vectors, frames, changesets.
#include <gtest/gtest.h>
#include <zstd.h>

#include "base/coding.h"
#include "base/hash.h"
#include "crdt/changeset.h"
#include "crdt/frame_writer.h"
#include "crdt/log_frame.h"
#include "crdt/pieces.h"
#include "crdt/version_vector.h"
#include "tests/crdt/random_frame.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::crdt {
namespace {

using testing::Below;
using testing::RandomEngine;
using testing::RandomFrame;
using testing::SiteNumber;

TEST(VersionVectorTest, ReadsBackWhatItWrites) {
  const Heads heads = {{SiteNumber(1), 7}, {SiteNumber(9), 300}};
  const std::string bytes = EncodeHeads(heads);
  EXPECT_EQ(*DecodeHeads(Slice(bytes)), heads);
  EXPECT_EQ(EncodeHeads({}), "");
  EXPECT_EQ(*DecodeHeads(""), Heads());
}

TEST(VersionVectorTest, NamesThePositionOfTheFirstBadByte) {
  std::string bytes = EncodeHeads({{SiteNumber(1), 7}, {SiteNumber(2), 1}});
  const Result<Heads> cut = DecodeHeads(Slice(bytes).Prefix(25));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::kCorruption);
  EXPECT_NE(cut.error().message.find("byte 20"), std::string::npos) << cut.error().message;
  const std::string more = bytes + "x";
  EXPECT_FALSE(DecodeHeads(Slice(more)));
  bytes[20] = 1;  // the second site is the first again
  EXPECT_FALSE(DecodeHeads(Slice(bytes)));
  EXPECT_FALSE(DecodeHeads(Slice("\0", 1)));
}

TEST(VersionVectorTest, ReadsBackWhatIsArrivingBehindIt) {
  const Known known = {.heads = {{SiteNumber(1), 7}},
                       .arriving = {{{SiteNumber(1), 8}, 3}, {{SiteNumber(2), 1}, 300}}};
  const std::string bytes = EncodeKnown(known);
  EXPECT_EQ(*DecodeKnown(Slice(bytes)), known);
  EXPECT_EQ(EncodeKnown({known.heads, {}}), EncodeHeads(known.heads));
  EXPECT_EQ(EncodeKnown({}), "");
  const Known new_here = {.heads = {}, .arriving = known.arriving};
  const std::string without_heads = EncodeKnown(new_here);
  EXPECT_EQ(*DecodeKnown(Slice(without_heads)), new_here);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const Result<Known> cut = DecodeKnown(Slice(bytes).Prefix(size));
    EXPECT_TRUE(!cut || cut->arriving.empty()) << size;
  }
  EXPECT_FALSE(DecodeKnown(Slice("\0", 1)));
  EXPECT_FALSE(DecodeKnown(Slice("\0\0", 2)));
  const std::string arrived = EncodeKnown({known.heads, {{{SiteNumber(1), 7}, 3}}});
  EXPECT_FALSE(DecodeKnown(Slice(arrived)));
  const std::string longer = bytes + "x";
  EXPECT_FALSE(DecodeKnown(Slice(longer)));
}

TEST(PiecesTest, ReadBackWhatTheyWereAndLieWithinTheirTransaction) {
  const Piece piece = {.dot = {SiteNumber(1), 8}, .frame_bytes = 10, .offset = 7, .bytes = "abc"};
  const std::string bytes = EncodePiece(piece);
  ASSERT_TRUE(IsPiece(Slice(bytes)));
  const Result<Piece> again = DecodePiece(Slice(bytes));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->dot, piece.dot);
  EXPECT_EQ(again->offset, 7u);
  EXPECT_EQ(again->bytes, piece.bytes);
  for (std::size_t size = 0; size <= bytes.size() - 3; ++size) {
    EXPECT_FALSE(DecodePiece(Slice(bytes).Prefix(size))) << size;
  }
  const std::string longer = bytes + "d";
  EXPECT_FALSE(DecodePiece(Slice(longer)));
  const std::string frame = EncodeFrame(Frame{.dot = {SiteNumber(1), 1}});
  EXPECT_FALSE(IsPiece(Slice(frame)));
}

TEST(LogFrameTest, ReadsBackWhatItWrites) {
  RandomEngine random(testing::TestSeed());
  const int rounds = static_cast<int>(2000 * testing::TestScale());
  for (int i = 0; i < rounds; ++i) {
    const Frame frame = RandomFrame(random);
    const std::string bytes = EncodeFrame(frame);
    const Result<Frame> again = DecodeFrame(Slice(bytes));
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, frame);
    const Result<FrameHead> head = DecodeFrameHead(Slice(bytes));
    ASSERT_TRUE(head);
    ASSERT_EQ(head->dot, frame.dot);
    ASSERT_EQ(head->deps, frame.deps);
  }
}

// A local commit writes its frame from cells, without making their values.
TEST(FrameWriterTest, WritesARegisterFromItsCellAsFromItsValue) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 2000; ++round) {
    const std::size_t count = 1 + Below(random, 8);
    std::vector<std::string> subjects;
    std::vector<std::string> cells;
    FrameWriter by_value(count);
    FrameWriter by_cell(count);
    for (std::size_t i = 0; i < count; ++i) subjects.push_back("row " + std::to_string(i));
    for (std::size_t i = 0; i < count; ++i) {
      FactOp op = {.causal_length = 1 + Below(random, 2), .retracted = Below(random, 6) == 0};
      if (!op.retracted) {
        op.value = testing::RandomValue(random, static_cast<ValueKind>(Below(random, 12)));
      }
      cells.push_back(schema::EncodeCell(
          {.retracted = op.retracted, .causal_length = op.causal_length, .value = op.value}));
      const WriteName name = {TypeId{1}, AttributeId{static_cast<std::uint32_t>(1 + i / 3)},
                              Slice(subjects[i])};
      by_value.Add(name, op);
      schema::CellParts parts;
      ASSERT_TRUE(schema::SplitCell(Slice(cells.back()), &parts));
      by_cell.AddRegister(name, parts);
    }
    const FrameHead head = {.dot = {SiteNumber(1), 1}, .time = 7};
    const std::string bytes = by_cell.Encode(head, {});
    ASSERT_EQ(bytes, by_value.Encode(head, {}));
    ASSERT_TRUE(DecodeFrame(Slice(bytes)));
  }
}

TEST(LogFrameTest, AcceptsNothingButWhatEncodingMakesWhateverTheDamage) {
  RandomEngine random(testing::TestSeed());
  const int rounds = static_cast<int>(20'000 * testing::TestScale());
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = EncodeFrame(RandomFrame(random));
    bytes.resize(bytes.size() - 8);
    const std::uint64_t place = 1 + Below(random, bytes.size() - 1);
    if (Below(random, 2) == 0) bytes.resize(place);
    if (place < bytes.size()) bytes[place] = static_cast<char>(random());
    AppendFixed64(bytes, Hash64(Slice(bytes)));  // as if a peer had made it so
    const Result<Frame> frame = DecodeFrame(Slice(bytes));
    if (!frame) {
      ASSERT_EQ(frame.error().code, ErrorCode::kCorruption);
    } else {
      ASSERT_LE(frame->ops.size(), 8 * bytes.size());
    }
  }
}

TEST(LogFrameTest, RefusesMoreSubjectsThanItHasBytesFor) {
  const FrameOp op = {
      .type = TypeId{1}, .attribute = AttributeId{1}, .subject = "subject", .element = {}};
  std::string bytes = EncodeFrame({.dot = {SiteNumber(1), 1}, .ops = {op}});
  bytes.resize(bytes.size() - 8);
  bytes[bytes.find("subject") - 3] = 100;  // their number; it stands before shared and length
  AppendFixed64(bytes, Hash64(Slice(bytes)));
  const Result<Frame> frame = DecodeFrame(Slice(bytes));
  ASSERT_FALSE(frame);
  EXPECT_NE(frame.error().message.find("subjects are cut off"), std::string::npos)
      << frame.error().message;
}

TEST(LogFrameTest, RefusesANewerVersionWithBothNumbers) {
  std::string bytes = EncodeFrame({.dot = {SiteNumber(1), 1}});
  bytes[0] = 9;
  const Result<Frame> frame = DecodeFrame(Slice(bytes));
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kNewerFormat);
  EXPECT_EQ(frame.error().message, "transaction frame: format 9, this release reads 1 and 2");
}

TEST(LogFrameTest, SkipsWhatALaterReleaseAddsInItsPlace) {
  const Frame frame = {.dot = {SiteNumber(1), 1}, .time = 5};
  std::string bytes = EncodeFrame(frame);
  bytes.resize(bytes.size() - 8);
  const std::size_t extra = bytes.size() - 2;  // before the count of groups
  bytes.replace(extra, 1, "\x03new");
  AppendFixed64(bytes, Hash64(Slice(bytes)));
  const Result<Frame> again = DecodeFrame(Slice(bytes));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, frame);
}

TEST(LogFrameTest, TakesAtMostNineBytesForACellOfABulkLoad) {
  Frame frame = {.dot = {SiteNumber(1), 1}, .time = 5};
  constexpr int kRows = 1000;
  for (unsigned attribute = 0; attribute < 3; ++attribute) {
    for (int row = 0; row < kRows; ++row) {
      const Value value = attribute == 0   ? Value()
                          : attribute == 1 ? Value::Int(row * 1000)
                                           : Value::Text("name of it");
      std::string subject("\x82", 1);
      subject.push_back(static_cast<char>(row >> 8));
      subject.push_back(static_cast<char>(row));
      frame.ops.push_back({TypeId{1}, AttributeId{attribute}, subject, {}, {.value = value}});
    }
  }
  EXPECT_LE(EncodeFrame(frame).size(), 9u * frame.ops.size());
}

Changeset SomeChangeset(RandomEngine& random) {
  Changeset changeset = {.header = {.sender = SiteNumber(1), .heads = {{SiteNumber(1), 3}}}};
  for (int i = 0; i < 3; ++i) changeset.frames.push_back(EncodeFrame(RandomFrame(random)));
  return changeset;
}

TEST(ChangesetTest, ReadsBackWhatItWritesAndTellsTheVectorOfTheSender) {
  RandomEngine random(testing::TestSeed());
  const Changeset changeset = SomeChangeset(random);
  const std::string bytes = EncodeChangeset(changeset);
  const Result<Changeset> again = DecodeChangeset(Slice(bytes));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->frames, changeset.frames);
  const Result<ChangesetHeader> header = DecodeChangesetHeader(Slice(bytes));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->heads, changeset.header.heads);
}

TEST(ChangesetTest, RefusesBytesThatWereCutOrChangedAtAnyPlace) {
  RandomEngine random(testing::TestSeed());
  const std::string bytes = EncodeChangeset(SomeChangeset(random));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(DecodeChangeset(Slice(bytes).Prefix(i)));
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1 << Below(random, 8));
    EXPECT_FALSE(DecodeChangeset(Slice(flipped))) << i;
  }
}

// A changeset with a right checksum around what a hostile peer claims.
std::string Hostile(std::uint64_t count, std::uint64_t size_bytes, Slice compressed) {
  std::string bytes = "TRFLCHG\x01";
  AppendSite(bytes, SiteNumber(1));
  AppendVarint(bytes, 0);  // an empty vector
  AppendVarint(bytes, count);
  AppendVarint(bytes, size_bytes);
  bytes.append(compressed.view());
  AppendFixed64(bytes, Hash64(Slice(bytes)));
  return bytes;
}

TEST(ChangesetTest, RefusesAHugeDeclaredSizeBeforeItTakesMemory) {
  const std::string huge = Hostile(1, std::uint64_t{1} << 60, Slice());
  EXPECT_EQ(DecodeChangeset(Slice(huge)).error().code, ErrorCode::kLimit);
  std::string compressed(64, '\0');
  compressed.resize(ZSTD_compress(compressed.data(), compressed.size(), "abc", 3, 1));
  const std::string more = Hostile(1, 1 << 20, Slice(compressed));
  EXPECT_EQ(DecodeChangeset(Slice(more)).error().code, ErrorCode::kCorruption);
  const std::string less = Hostile(1, 2, Slice(compressed));
  EXPECT_EQ(DecodeChangeset(Slice(less)).error().code, ErrorCode::kCorruption);
  const std::string many = Hostile(1 << 30, 3, Slice(compressed));
  EXPECT_EQ(DecodeChangeset(Slice(many)).error().code, ErrorCode::kCorruption);
}

TEST(ChangesetTest, RefusesForeignBytesAndANewerVersion) {
  EXPECT_EQ(DecodeChangeset("GIF89a").error().code, ErrorCode::kCorruption);
  std::string bytes = EncodeChangeset({});
  bytes[7] = 3;
  EXPECT_EQ(DecodeChangeset(Slice(bytes)).error().code, ErrorCode::kNewerFormat);
}

}  // namespace
}  // namespace trefoil::crdt
