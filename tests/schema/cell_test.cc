#include "schema/cell.h"

#include <gtest/gtest.h>

#include <string>

#include "schema/keys.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::schema {
namespace {

using testing::Below;
using testing::RandomEngine;

Cell RandomCell(RandomEngine& random) {
  Cell cell = {.stamp = {.time = random(), .site = static_cast<SiteOrdinal>(Below(random, 500))},
               .retracted = Below(random, 4) == 0,
               .causal_length = 1 + Below(random, 4)};
  if (Below(random, 3) == 0) cell.state = "state";
  if (!cell.retracted) {
    cell.value = testing::RandomValue(random, static_cast<ValueKind>(Below(random, 12)));
  }
  return cell;
}

TEST(CellTest, ReadsBackWhatItWrote) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    const Cell cell = RandomCell(random);
    const std::string bytes = EncodeCell(cell);
    Cell read;
    ASSERT_TRUE(DecodeCell(Slice(bytes), &read));
    EXPECT_EQ(read, cell);
    Value value;
    bool retracted;
    ASSERT_TRUE(DecodeCellValue(Slice(bytes), &value, &retracted));
    EXPECT_EQ(value, cell.value);
    EXPECT_EQ(retracted, cell.retracted);
    EXPECT_EQ(IsRetracted(Slice(bytes)), cell.retracted);
  }
}

TEST(CellTest, IsWrittenWithoutATimeAsWithTimeZero) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < 5000; ++round) {
    Cell cell = {.causal_length = 1 + Below(random, 4)};
    cell.value = testing::RandomValue(random, static_cast<ValueKind>(Below(random, 12)));
    std::string bytes(UnstampedCellBytesMax(cell.value), '?');
    bytes.resize(static_cast<std::size_t>(
        WriteUnstampedCell(bytes.data(), cell.causal_length, cell.value) - bytes.data()));
    ASSERT_EQ(bytes, EncodeCell(cell));
  }
}

TEST(CellTest, RefusesBytesThatAreNoCell) {
  const std::string good = EncodeCell({.value = Value::Int(1)});
  Cell cell;
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeCell(Slice(good).Prefix(size), &cell)) << size;
  }
  std::string reserved = good;
  reserved[0] = static_cast<char>(reserved[0] | 0x80);
  EXPECT_FALSE(DecodeCell(Slice(reserved), &cell));
  std::string retracted_with_value = good;
  retracted_with_value[0] = static_cast<char>(retracted_with_value[0] | 0x10);
  EXPECT_FALSE(DecodeCell(Slice(retracted_with_value), &cell));
}

TEST(CellTest, TakesItsTimeAfterwards) {
  std::string bytes = EncodeCell({.value = Value::Text("x")});
  SetCellTime(bytes, 0x0123456789abcdef);
  Cell cell;
  ASSERT_TRUE(DecodeCell(Slice(bytes), &cell));
  EXPECT_EQ(cell.stamp.time, 0x0123456789abcdefu);
  EXPECT_EQ(cell.value, Value::Text("x"));
}

// The vector of docs/format.md.
TEST(CellTest, WritesTheBytesOfTheFormat) {
  EXPECT_EQ(EncodeCell({.stamp = {.time = 0x0102, .site = 3}, .value = Value::Int(5)}),
            std::string("\x02\x02\x01\0\0\0\0\0\0\x03\x81\x05", 12));
}

TEST(KeysTest, FactKeysComeApartAgain) {
  const std::string key = FactKey(TypeId{300}, AttributeId{2}, Slice("subject"));
  FactName name;
  ASSERT_TRUE(ParseFactKey(Slice(key), &name));
  EXPECT_EQ(name.type, TypeId{300});
  EXPECT_EQ(name.attribute, AttributeId{2});
  EXPECT_EQ(name.subject, Slice("subject"));
  EXPECT_EQ(GroupSize(Slice(key)), FactPrefix(TypeId{300}, AttributeId{2}).size());
  EXPECT_FALSE(ParseFactKey(Slice("I"), &name));
  EXPECT_FALSE(ParseFactKey(Slice("T\xF1"), &name));
}

TEST(KeysTest, GroupsAreKnownForEveryKeyspace) {
  EXPECT_EQ(GroupSize(Slice("")), 0u);
  EXPECT_EQ(GroupSize(Slice("M\x01")), 1u);
  EXPECT_EQ(GroupSize(Slice("I\x05rest")), 2u);
  EXPECT_EQ(GroupSize(Slice("I\xF7")), 2u);
  Version version;
  const std::string commit = CommitKey(Version{77});
  ASSERT_TRUE(ParseCommitKey(Slice(commit), &version));
  EXPECT_EQ(version, Version{77});
  EXPECT_FALSE(ParseCommitKey(Slice("V1"), &version));
}

}  // namespace
}  // namespace trefoil::schema
