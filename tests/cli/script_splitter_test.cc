#include "cli/script_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trefoil::cli {
namespace {

std::vector<std::string> Texts(std::string_view script) {
  std::vector<std::string> texts;
  for (const ScriptPiece& piece : SplitWhole(script)) texts.push_back(piece.text);
  return texts;
}

TEST(ScriptSplitterTest, CutsAtSemicolonsOutsideQuotesAndComments) {
  EXPECT_EQ(Texts("SELECT ';' ; SELECT \"a;b\" -- no; end\n, 1; /* ; */ SELECT 2"),
            (std::vector<std::string>{"SELECT ';'", "SELECT \"a;b\" -- no; end\n, 1",
                                      "/* ; */ SELECT 2"}));
}

TEST(ScriptSplitterTest, EndsDotCommandsWithTheirLine) {
  EXPECT_EQ(Texts(".tables\nSELECT 1;\n.live posts\nSELECT 2;"),
            (std::vector<std::string>{".tables", "SELECT 1", ".live posts", "SELECT 2"}));
}

TEST(ScriptSplitterTest, LetsALiveQuerySpanLinesUpToItsSemicolon) {
  EXPECT_EQ(Texts(".live posts SELECT a\n  FROM t;\nSELECT 2;"),
            (std::vector<std::string>{".live posts SELECT a\n  FROM t", "SELECT 2"}));
}

TEST(ScriptSplitterTest, EndsALiveQueryWithoutSemicolonAtABlankLine) {
  EXPECT_EQ(Texts(".live posts SELECT a\nFROM t\n\nSELECT 2;"),
            (std::vector<std::string>{".live posts SELECT a\nFROM t", "SELECT 2"}));
}

TEST(ScriptSplitterTest, CountsLinesAndSkipsEmptyStatementsAndHashComments) {
  const std::vector<ScriptPiece> pieces = SplitWhole("# head\n\n;;SELECT\n1;\n\n-- c\n SELECT 2;");
  ASSERT_EQ(pieces.size(), 2);
  EXPECT_EQ(pieces[0].line, 3);
  EXPECT_EQ(pieces[1].text, "-- c\n SELECT 2");
  EXPECT_EQ(pieces[1].line, 6);
}

TEST(ScriptSplitterTest, ReportsAnUnfinishedStatement) {
  const SplitScript split = Split("SELECT 1; SELECT 'abc");
  EXPECT_EQ(split.pieces.size(), 1);
  EXPECT_EQ(split.rest.text, "SELECT 'abc");
  EXPECT_TRUE(Split("SELECT 1; -- done").rest.text.empty());
}

}  // namespace
}  // namespace trefoil::cli
