// The test vectors of docs/format.md: bytes that every release and every other implementation of a
// peer must make and read alike.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "crdt/cut.h"
#include "crdt/log_frame.h"
#include "crdt/pieces.h"
#include "crdt/version_vector.h"
#include "tests/crdt/random_frame.h"

namespace trefoil::crdt {
namespace {

using testing::SiteNumber;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string ToHex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return hex;
}

// The hex behind `name: ` in the section, and in the indented lines that follow.
std::string VectorInTheDocument(const std::string& name) {
  std::ifstream file(std::string(TREFOIL_SOURCE_DIR) + "/docs/format.md");
  std::string hex;
  std::string line;
  bool is_section = false;
  bool is_vector = false;
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) is_section = line == "## Test vectors of replication";
    const bool begins = is_section && line.starts_with(name + ": ");
    is_vector = begins || (is_vector && line.starts_with("  "));
    if (is_vector) hex += line.substr(line.find_last_of(' ') + 1);
  }
  return FromHex(hex);
}

// Row 7 of type 1 comes with a text, a count and a tag; row 8 goes.
Frame DocumentedFrame() {
  const TypeId type{1};
  const std::string seven("\x81\x07", 2);
  const std::string eight("\x81\x08", 2);
  const std::string tag("\x81\x05", 2);
  Frame frame = {.dot = {SiteNumber(0xA1), 300},
                 .time = 0x018BCFE568000002,
                 .deps = {{SiteNumber(0xB2), 5}},
                 .sites = {SiteNumber(0xA1), SiteNumber(0xB2)}};
  frame.ops = {
      {type, AttributeId{0}, seven, {}, {}},
      {type, AttributeId{0}, eight, {}, {.causal_length = 2, .retracted = true}},
      {type, AttributeId{2}, seven, {}, {.value = Value::Text("hi")}},
      {type, AttributeId{3}, seven, {}, {.kind = MergeKind::kCounter, .total = -3}},
      {type,
       AttributeId{4},
       seven,
       tag,
       {.kind = MergeKind::kSet, .observed = {{.time = 0x018BCFE568000001, .site = 1}}}},
  };
  return frame;
}

TEST(TestVectorsTest, TheFrameOfTheDocumentIsMadeAndReadAlike) {
  const std::string bytes = VectorInTheDocument("frame");
  EXPECT_EQ(ToHex(EncodeFrame(DocumentedFrame())), ToHex(bytes));
  const Result<Frame> read = DecodeFrame(Slice(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, DocumentedFrame());
}

TEST(TestVectorsTest, ThePieceOfTheDocumentIsMadeAndReadAlike) {
  const std::string bytes = VectorInTheDocument("piece");
  const Piece piece = {.dot = {SiteNumber(0xA1), 301},
                       .frame_bytes = 2 * kPieceBytes,
                       .offset = kPieceBytes,
                       .bytes = "hi"};
  EXPECT_EQ(ToHex(EncodePiece(piece)), ToHex(bytes));
  const Result<Piece> read = DecodePiece(Slice(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(EncodePiece(*read), bytes);
}

TEST(TestVectorsTest, WhatIsKnownInTheDocumentIsMadeAndReadAlike) {
  const Known known = {.heads = {{SiteNumber(0xA1), 300}, {SiteNumber(0xB2), 5}},
                       .arriving = {{{SiteNumber(0xA1), 301}, kPieceBytes}}};
  const std::string bytes = VectorInTheDocument("known");
  EXPECT_EQ(ToHex(EncodeKnown(known)), ToHex(bytes));
  const Result<Known> read = DecodeKnown(Slice(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, known);
}

TEST(TestVectorsTest, ThePartOfTheDocumentIsMadeAndReadAlikeAndCutsTheFrame) {
  const schema::Part part({{TypeId{1}, {{.start = "", .limit = "\x81\x08"}}}});
  const std::string bytes = VectorInTheDocument("part");
  EXPECT_EQ(ToHex(schema::EncodePart(part)), ToHex(bytes));
  EXPECT_EQ(*schema::DecodePart(Slice(bytes)), part);
  const Known known = {.heads = {{SiteNumber(0xA1), 300}, {SiteNumber(0xB2), 5}}, .part = part};
  const std::string known_bytes = VectorInTheDocument("known of a part");
  EXPECT_EQ(ToHex(EncodeKnown(known)), ToHex(known_bytes));
  EXPECT_EQ(*DecodeKnown(Slice(known_bytes)), known);
  const std::string frame = VectorInTheDocument("frame");
  EXPECT_EQ(ToHex(*CutFrame(part, Slice(frame))), ToHex(VectorInTheDocument("cut")));
}

TEST(TestVectorsTest, TheVersionVectorOfTheDocumentIsMadeAndReadAlike) {
  const Heads heads = {{SiteNumber(0xA1), 300}, {SiteNumber(0xB2), 5}};
  const std::string bytes = VectorInTheDocument("vector");
  EXPECT_EQ(ToHex(EncodeHeads(heads)), ToHex(bytes));
  const Result<Heads> read = DecodeHeads(Slice(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, heads);
}

}  // namespace
}  // namespace trefoil::crdt
