#include "bench/compare.h"

#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"

namespace trefoil::bench {
namespace {

std::string Line(const std::string& name, double value, const std::string& unit) {
  return StrCat(R"({"suite":"s","case":")", name, R"(","engine":"trefoil","n":10,"value":)", value,
                R"(,"unit":")", unit, R"(","ratio_to":null,"ratio":null})", "\n");
}
std::string Beside(double value, double ratio) {
  return StrCat(R"({"suite":"s","case":"c","engine":"trefoil","n":10,"value":)", value,
                R"(,"unit":"us","ratio_to":"sqlite","ratio":)", ratio, "}\n");
}

Verdict VerdictOf(const std::string& before, const std::string& after) {
  const Result<std::vector<Comparison>> compared = Compare(before, after);
  EXPECT_TRUE(compared.has_value());
  EXPECT_EQ(compared->size(), 1u);
  return compared->at(0).verdict;
}

TEST(CompareTest, CallsADifferenceWithinTheSpreadOfTheRunsTheSame) {
  const std::string before = Line("c", 100, "us") + Line("c", 110, "us") + Line("c", 130, "us");
  const std::string after = Line("c", 130, "us") + Line("c", 135, "us") + Line("c", 140, "us");
  EXPECT_EQ(VerdictOf(before, after), Verdict::kSame);
}

TEST(CompareTest, CallsADifferenceBeyondTheSpreadAChange) {
  const std::string before = Line("c", 100, "us") + Line("c", 101, "us") + Line("c", 102, "us");
  const std::string after = Line("c", 110, "us") + Line("c", 111, "us") + Line("c", 112, "us");
  EXPECT_EQ(VerdictOf(before, after), Verdict::kWorse);
  EXPECT_EQ(VerdictOf(after, before), Verdict::kBetter);
}

TEST(CompareTest, MoreOfARateIsBetter) {
  EXPECT_EQ(VerdictOf(Line("c", 100, "rows/s"), Line("c", 150, "rows/s")), Verdict::kBetter);
}

TEST(CompareTest, ASingleRunSaysNothingAboutSmallDifferences) {
  EXPECT_EQ(VerdictOf(Line("c", 100, "us"), Line("c", 112, "us")), Verdict::kSame);
}

TEST(CompareTest, ComparesRatiosWhereThereIsAPeer) {
  // Twice as slow, and so is the peer: the machine was busy.
  EXPECT_EQ(VerdictOf(Beside(100, 3), Beside(200, 3.1)), Verdict::kSame);
  EXPECT_EQ(VerdictOf(Beside(100, 3), Beside(100, 1.5)), Verdict::kWorse);
}

TEST(CompareTest, LeavesOutWhatOnlyOneRunHasAndWhatPeersDo) {
  const std::string peer =
      R"({"suite":"s","case":"c","engine":"sqlite","n":10,"value":1,"unit":"us","ratio_to":null,"ratio":null})";
  const Result<std::vector<Comparison>> compared =
      Compare(Line("a", 1, "us") + peer, Line("b", 1, "us") + peer);
  ASSERT_TRUE(compared.has_value());
  EXPECT_TRUE(compared->empty());
}

TEST(CompareTest, NamesTheLineThatIsNoResult) {
  const Result<std::vector<Comparison>> compared = Compare(Line("a", 1, "us") + "{}\n", "");
  ASSERT_FALSE(compared.has_value());
  EXPECT_EQ(compared.error().message, "line 2 is no result of a benchmark");
}

TEST(CompareTest, TellsTheChangedOnesFirst) {
  const Result<std::vector<Comparison>> compared =
      Compare(Line("a", 10, "us") + Line("b", 10, "us"), Line("a", 10, "us") + Line("b", 20, "us"));
  ASSERT_TRUE(compared.has_value());
  EXPECT_EQ(ComparisonText(*compared),
            "WORSE   s  b  n=10  10 -> 20 us  +100 % (noise 15 %)\n"
            "same    s  a  n=10  10 -> 10 us  +0 % (noise 15 %)\n"
            "1 worse, 0 better, 1 the same within their noise\n");
}

}  // namespace
}  // namespace trefoil::bench
