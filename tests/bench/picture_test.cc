#include "bench/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace trefoil::bench {
namespace {

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const Chart kChart = {.title = "a < b & c",
                      .x_label = "rows",
                      .unit = "us",
                      .points = {{1000, 10}, {10'000, 20}, {100'000, 100}}};

TEST(PictureTest, DrawsADotForEachPointAndOneLine) {
  const std::string svg = GrowthPicture({kChart});
  EXPECT_EQ(Count(svg, "<circle"), 3u);
  EXPECT_EQ(Count(svg, "stroke-width"), 1u);
  // The least is at the lower left corner of the plot, the most at the upper right one.
  EXPECT_NE(svg.find(R"(<circle cx="52.0" cy="165.0")"), svg.npos) << svg;
  EXPECT_NE(svg.find(R"(<circle cx="285.0" cy="34.0")"), svg.npos) << svg;
}

TEST(PictureTest, EscapesText) {
  EXPECT_NE(GrowthPicture({kChart}).find("a &lt; b &amp; c"), std::string::npos);
}

TEST(PictureTest, NamesThePowersOfTen) {
  const std::string svg = GrowthPicture({kChart});
  for (const char* label : {">1k<", ">10k<", ">100k<", ">10<", ">100<"}) {
    EXPECT_NE(svg.find(label), svg.npos) << label;
  }
}

TEST(PictureTest, AnEmptyOrSingleChartIsStillAPicture) {
  EXPECT_EQ(Count(GrowthPicture({{.title = "none"}}), "<circle"), 0u);
  const Chart one = {.title = "one", .x_label = "n", .unit = "us", .points = {{1, 5}}};
  EXPECT_EQ(Count(GrowthPicture({one, one, one, one}), "<circle"), 4u);
}

}  // namespace
}  // namespace trefoil::bench
