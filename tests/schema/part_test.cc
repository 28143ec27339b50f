// Parts: which rows a replica holds, as ranges and as bytes.
#include "schema/part.h"

#include <gtest/gtest.h>

#include "schema/ids.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::schema {
namespace {

using testing::Below;
using testing::RandomEngine;

constexpr TypeId kList{1};
constexpr TypeId kItem{2};

TEST(PartTest, HoldsAllRowsUnlessItNamesSome) {
  const Part whole;
  EXPECT_TRUE(whole.is_whole());
  EXPECT_TRUE(whole.Holds(kItem, "a"));
  const Part part({{kList, {{}}}, {kItem, {{.start = "b", .limit = "d"}}}});
  EXPECT_TRUE(part.HoldsAll(kList));
  EXPECT_FALSE(part.HoldsAll(kItem));
  EXPECT_TRUE(part.HoldsSome(kItem));
  EXPECT_FALSE(part.HoldsSome(TypeId{3}));
  EXPECT_FALSE(part.Holds(kItem, "az"));
  EXPECT_TRUE(part.Holds(kItem, "b"));
  EXPECT_FALSE(part.Holds(kItem, "d"));
  EXPECT_TRUE(part.HoldsAll(TypeId{kSystemTypeBase + 1})) << "the catalogue belongs to every part";
}

TEST(PartTest, RangesThatMeetAreOneAndThoseOfNothingAreNone) {
  const Part part({{kItem,
                    {{.start = "d", .limit = "f"},
                     {.start = "b", .limit = "c"},
                     {.start = "x", .limit = "x"},
                     {.start = "c", .limit = "e"}}},
                   {kList, {{.start = "b", .limit = "a"}}}});
  EXPECT_EQ(part, Part({{kItem, {{.start = "b", .limit = "f"}}}}));
  EXPECT_FALSE(part.is_whole());
}

TEST(PartTest, CoversWhatItHoldsAllOf) {
  const Part some({{kItem, {{.start = "b", .limit = "d"}}}});
  EXPECT_TRUE(Part().Covers(some));
  EXPECT_FALSE(some.Covers(Part()));
  EXPECT_TRUE(some.Covers(some));
  EXPECT_TRUE(some.Covers(Part({{kItem, {{.start = "b", .limit = "c"}}}})));
  EXPECT_FALSE(some.Covers(Part({{kItem, {{.start = "c"}}}})));
  EXPECT_FALSE(some.Covers(Part({{kList, {{}}}})));
  EXPECT_TRUE(some.Covers(Part(Part::Tables()))) << "the catalogue";
}

Part RandomPart(RandomEngine& random) {
  if (Below(random, 8) == 0) return {};
  Part::Tables tables;
  for (const TypeId type : {kList, kItem}) {
    for (std::uint64_t ranges = Below(random, 3); ranges > 0; --ranges) {
      const auto bound = [&] {
        return Below(random, 4) == 0 ? std::string()
                                     : std::string(1, static_cast<char>('a' + Below(random, 6)));
      };
      tables[type].push_back({.start = bound(), .limit = bound()});
    }
  }
  return Part(std::move(tables));
}

TEST(PartTest, AnIntersectionHoldsWhatBothHoldAndItsBytesReadBack) {
  RandomEngine random(testing::TestSeed());
  for (int i = 0; i < 2000; ++i) {
    const Part a = RandomPart(random);
    const Part b = RandomPart(random);
    const Part both = a.Intersect(b);
    bool covers = true;
    for (const TypeId type : {kList, kItem}) {
      for (char c = 'A'; c <= 'z'; ++c) {
        const Slice subject(&c, 1);
        const bool in_both = a.Holds(type, subject) && b.Holds(type, subject);
        ASSERT_EQ(both.Holds(type, subject), in_both);
        covers = covers && (a.Holds(type, subject) || !b.Holds(type, subject));
      }
    }
    // Bounds are letters, so no subject but these tells ranges apart, or those beyond all letters.
    ASSERT_TRUE(covers || !a.Covers(b));
    ASSERT_TRUE(a.Covers(both));
    const std::string bytes = EncodePart(both);
    ASSERT_EQ(*DecodePart(Slice(bytes)), both);
    ASSERT_EQ(bytes.empty(), both.is_whole());
  }
}

TEST(PartTest, RefusesBytesThatItDoesNotMake) {
  const Part part({{kList, {{}}}, {kItem, {{.start = "b", .limit = "d"}, {.start = "f"}}}});
  const std::string bytes = EncodePart(part);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodePart(Slice(bytes).Prefix(size))) << size;
  }
  const std::string more = bytes + "x";
  const Result<Part> longer = DecodePart(Slice(more));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::kCorruption);
  EXPECT_FALSE(DecodePart(Slice("\1\1\2\1d\1f\1b\1c", 11))) << "ranges that descend";
  EXPECT_FALSE(DecodePart(Slice("\1\1\0", 3))) << "a table without a range";
  EXPECT_FALSE(DecodePart(Slice("\1\xff\xff\xff\xff\x0f\1\0\0", 9))) << "a table of the system";
}

}  // namespace
}  // namespace trefoil::schema
