#include "cli/text.h"

#include <gtest/gtest.h>

#include "cli/progress.h"

namespace trefoil::cli {
namespace {

TEST(ExcerptTest, ShowsWhatCannotBePrintedAsHexAndCutsTheRest) {
  EXPECT_EQ(Excerpt("Ünï,日本\r\n"), "Ünï,日本");
  EXPECT_EQ(Excerpt(std::string_view("a\0\x1b[2J\xff\xc2\x85", 9)),
            "a\\x00\\x1b[2J\\xff\\xc2\\x85");
  const std::string cut = Excerpt(std::string(100, 'x'));
  EXPECT_LE(cut.size(), 83u);
  EXPECT_TRUE(cut.ends_with("x..."));
}

TEST(Utf8Test, IsWellFormedInOneWayOnly) {
  EXPECT_TRUE(IsUtf8("\x01 a\xc2\x85\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  for (const char* bytes : {"a\xff", "\xe4", "\xe4\xb8", "\xc0\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(IsUtf8(bytes));
  }
}

TEST(CountTest, GroupsDigitsAndKnowsThePlural) {
  EXPECT_EQ(Count(0, "row"), "0 rows");
  EXPECT_EQ(Count(1, "row"), "1 row");
  EXPECT_EQ(Count(1234567, "row"), "1,234,567 rows");
  EXPECT_EQ(Grouped(100), "100");
}

TEST(ProgressTest, SaysRateShareAndTimeLeft) {
  EXPECT_EQ(ProgressText(
                {.what = "orders", .items = 120'000, .done = 250, .total = 1000, .seconds = 2.0}),
            "orders: 120,000 rows, 60,000/s, 25 %, 6 s left");
  EXPECT_EQ(ProgressText({.what = "check",
                          .unit = Progress::Unit::kBytes,
                          .items = 64 << 20,
                          .done = 64 << 20,
                          .total = 128 << 20,
                          .seconds = 0.5}),
            "check: 64 MiB, 128 MiB/s, 50 %, 1 s left");
}

TEST(ProgressTest, SaysNoShareOfAnUnknownTotal) {
  EXPECT_EQ(ProgressText({.what = "load", .items = 10, .done = 10, .seconds = 1.0}),
            "load: 10 rows, 10/s");
}

}  // namespace
}  // namespace trefoil::cli
