// What of transactions belongs to a part.
#include "crdt/cut.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/hash.h"
#include "crdt/changeset.h"
#include "tests/crdt/random_frame.h"
#include "tests/support/seed.h"

namespace trefoil::crdt {
namespace {

using testing::Below;
using testing::RandomEngine;
using testing::RandomFrame;
using testing::SiteNumber;

Part RandomPart(RandomEngine& random) {
  Part::Tables tables;
  for (std::uint32_t type = 1; type <= 2; ++type) {
    if (Below(random, 3) == 0) continue;
    tables[TypeId{type}].push_back({});
    if (Below(random, 3) == 0) continue;
    schema::SubjectRange& range = tables[TypeId{type}].back();
    range.start = std::string(1, static_cast<char>('a' + Below(random, 4)));
    if (Below(random, 2) == 0) range.limit = "s";
  }
  return Part(std::move(tables));
}

std::string Cut(const Part& part, const std::string& bytes) {
  Result<std::string> cut = CutFrame(part, Slice(bytes));
  EXPECT_TRUE(cut);
  return cut ? *std::move(cut) : std::string();
}

TEST(CutTest, CuttingTwiceIsCuttingToBoth) {
  RandomEngine random(testing::TestSeed());
  for (int i = 0; i < 2000; ++i) {
    const Frame frame = RandomFrame(random);
    const std::string bytes = EncodeFrame(frame);
    const Part a = RandomPart(random);
    const Part b = RandomPart(random);
    const std::string both = Cut(a.Intersect(b), bytes);
    ASSERT_EQ(Cut(b, Cut(a, bytes)), both);
    ASSERT_EQ(Cut(a, Cut(b, bytes)), both);
    ASSERT_EQ(Cut({}, both), both);
    ASSERT_TRUE(AreOneTransaction(Slice(bytes), Slice(both)));
    const Result<Frame> cut = DecodeFrame(Slice(both));
    ASSERT_TRUE(cut);
    ASSERT_EQ(cut->ops.size() + cut->cut.left_out, frame.ops.size());
    ASSERT_EQ(cut->cut.is_cut(), both != bytes);
    ASSERT_EQ(cut->dot, frame.dot);
    ASSERT_EQ(cut->deps, frame.deps);
    for (const FrameOp& op : cut->ops) {
      const Part part = a.Intersect(b);
      ASSERT_TRUE(part.Holds(op.type, Slice(op.subject)));
      ASSERT_TRUE(op.op.kind != MergeKind::kTree || part.HoldsAll(op.type));
    }
  }
}

TEST(CutTest, TransactionsUnderOneDotAreToldApartWhateverIsLeftOfThem) {
  Frame frame = {.dot = {SiteNumber(1), 1}, .time = 5};
  frame.ops = {{TypeId{1}, AttributeId{0}, "a", {}, {}}, {TypeId{2}, AttributeId{0}, "b", {}, {}}};
  const std::string one = EncodeFrame(frame);
  frame.ops[1].subject = "c";
  const std::string other = EncodeFrame(frame);
  const Part part({{TypeId{1}, {{}}}});
  const std::string cut_one = Cut(part, one);
  const std::string cut_other = Cut(part, other);
  EXPECT_EQ(DecodeFrame(Slice(cut_one))->ops, DecodeFrame(Slice(cut_other))->ops);
  EXPECT_TRUE(AreOneTransaction(Slice(one), Slice(cut_one)));
  EXPECT_FALSE(AreOneTransaction(Slice(one), Slice(cut_other)));
  EXPECT_FALSE(AreOneTransaction(Slice(cut_one), Slice(cut_other)));
  EXPECT_FALSE(AreOneTransaction(Slice(one), Slice(other)));
}

TEST(CutTest, ACutFrameIsRefusedWhereItDoesNotReadAndWhereNothingIsLeftOut) {
  Frame frame = {.dot = {SiteNumber(1), 1}, .time = 5};
  frame.cut = {.left_out = 1, .whole_sum = 7};
  std::string bytes = EncodeFrame(frame);
  EXPECT_EQ(*DecodeFrame(Slice(bytes)), frame);
  const auto seal = [](std::string body) {
    AppendFixed64(body, Hash64(Slice(body)));
    return body;
  };
  const std::string body = bytes.substr(0, bytes.size() - 8);
  const std::size_t left_out_at = 1 + SiteId::kBytes + 1 + 8 + 1;
  std::string nothing = body;
  nothing[left_out_at] = 0;
  const std::string sealed = seal(nothing);
  EXPECT_FALSE(DecodeFrame(Slice(sealed)));
  EXPECT_FALSE(DecodeFrameHead(Slice(sealed)));
  for (const std::size_t size : {left_out_at, left_out_at + 1, left_out_at + 8}) {
    const std::string cut_off = seal(body.substr(0, size));
    EXPECT_FALSE(DecodeFrame(Slice(cut_off))) << size;
  }
}

TEST(CutTest, AFrameWithABitTurnedOverIsCutLikeAnyOtherOrRefused) {
  RandomEngine random(testing::TestSeed());
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = Cut(RandomPart(random), EncodeFrame(RandomFrame(random)));
    bytes.resize(bytes.size() - 8);
    char& byte = bytes[Below(random, bytes.size())];
    byte = static_cast<char>(byte ^ 1 << Below(random, 8));
    AppendFixed64(bytes, Hash64(Slice(bytes)));
    const Result<std::string> cut = CutFrame(RandomPart(random), Slice(bytes));
    if (!cut) continue;
    ASSERT_TRUE(DecodeFrame(Slice(*cut)));
    ASSERT_TRUE(AreOneTransaction(Slice(bytes), Slice(*cut)));
  }
}

TEST(CutTest, AFrameThatLacksMoreWritesThanCanBeCountedStaysCut) {
  Frame frame = {.dot = {SiteNumber(1), 1}, .time = 5};
  frame.ops = {{TypeId{1}, AttributeId{0}, "a", {}, {}}};
  frame.cut = {.left_out = ~std::uint64_t{0}, .whole_sum = 7};
  const std::string cut = Cut(Part(Part::Tables()), EncodeFrame(frame));
  EXPECT_TRUE(IsCutFrame(Slice(cut)));
  EXPECT_EQ(DecodeFrame(Slice(cut))->cut, frame.cut);
}

TEST(CutTest, AVectorAndAChangesetNameTheirParts) {
  const Part part({{TypeId{1}, {{.start = "b"}}}});
  for (const Known& known :
       {Known{.part = part}, Known{.heads = {{SiteNumber(1), 7}}, .part = part},
        Known{.arriving = {{{SiteNumber(2), 1}, 9}}, .part = part}}) {
    const std::string bytes = EncodeKnown(known);
    EXPECT_EQ(*DecodeKnown(Slice(bytes)), known);
    Changeset changeset = {.header = {.sender = SiteNumber(1),
                                      .heads = known.heads,
                                      .arriving = known.arriving,
                                      .part = part,
                                      .body = {}}};
    const std::string whole_body = EncodeChangeset(changeset);
    EXPECT_EQ(DecodeChangesetHeader(Slice(whole_body))->known(), known);
    EXPECT_TRUE(DecodeChangesetHeader(Slice(whole_body))->body.is_whole());
    changeset.header.body = part;
    const std::string cut_body = EncodeChangeset(changeset);
    EXPECT_EQ(DecodeChangesetHeader(Slice(cut_body))->body, part);
    for (std::size_t size = 0; size < cut_body.size(); ++size) {
      EXPECT_FALSE(DecodeChangeset(Slice(cut_body).Prefix(size)));
    }
  }
}

TEST(CutTest, AChangesetWhoseVersionDoesNotFitItsPartsIsRefused) {
  const Part part({{TypeId{1}, {{}}}});
  for (const bool is_cut : {false, true}) {
    Changeset changeset = {.header = {.sender = SiteNumber(1)}};
    if (is_cut) changeset.header.part = part;
    std::string bytes = EncodeChangeset(changeset);
    EXPECT_EQ(bytes[7], is_cut ? 2 : 1);
    bytes[7] = is_cut ? 1 : 2;
    bytes.resize(bytes.size() - 8);
    AppendFixed64(bytes, Hash64(Slice(bytes)));
    const Result<ChangesetHeader> header = DecodeChangesetHeader(Slice(bytes));
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace trefoil::crdt
