// Executes every example of docs/treesql.md: a fence of `sql` declares, inserts, or is a select
// whose answer is the fence of `json` that follows; a table line gives an expression and its value;
// a fence of `treesql` must parse.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "query/functions.h"
#include "query/parser.h"
#include "tests/support/query_bed.h"

namespace trefoil::query {
namespace {

struct Block {
  std::string language;
  std::string text;
};

std::string ReadDocument() {
  std::ifstream file(std::string(TREFOIL_SOURCE_DIR) + "/docs/treesql.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Block> BlocksOf(const std::string& document) {
  std::vector<Block> blocks;
  std::istringstream lines(document);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

// The JSON of a fence on one line.
std::string OneLine(const std::string& json) {
  std::string line;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '\n') {
      while (i + 1 < json.size() && json[i + 1] == ' ') ++i;
    } else {
      line += json[i];
    }
  }
  return line;
}

testing::QueryBed MakeWorld(const std::vector<Block>& blocks) {
  testing::QueryBed bed(blocks.at(0).text);
  EXPECT_EQ(bed.Insert(blocks.at(1).text), "");
  return bed;
}

TEST(TreesqlDocTest, EverySelectAnswersAsItSays) {
  std::vector<Block> blocks = BlocksOf(ReadDocument());
  ASSERT_GT(blocks.size(), 10u);
  testing::QueryBed bed = MakeWorld(blocks);
  int selects = 0;
  for (std::size_t i = 2; i < blocks.size(); ++i) {
    if (blocks[i].language == "treesql") {
      EXPECT_TRUE(Parse(blocks[i].text).diagnostics.empty()) << blocks[i].text;
    } else if (blocks[i].language == "sql") {
      ASSERT_EQ(blocks.at(i + 1).language, "json") << blocks[i].text;
      EXPECT_EQ(bed.Run(blocks[i].text), OneLine(blocks[i + 1].text)) << blocks[i].text;
      ++selects;
    }
  }
  EXPECT_GE(selects, 10);
}

TEST(TreesqlDocTest, EveryExpressionHasItsValueAndEveryFunctionAnExample) {
  const std::string document = ReadDocument();
  testing::QueryBed bed("TABLE one (id INT KEY)");
  std::istringstream lines(document);
  std::string line;
  std::string examples;
  while (std::getline(lines, line)) {
    if (!line.starts_with("| `")) continue;
    const std::size_t end = line.find("` | `");
    ASSERT_NE(end, std::string::npos) << line;
    std::string expression = line.substr(3, end - 3);
    for (std::size_t at = expression.find("\\|"); at != std::string::npos;
         at = expression.find("\\|")) {
      expression.erase(at, 1);
    }
    const std::string value = line.substr(end + 5, line.rfind('`') - end - 5);
    EXPECT_EQ(bed.Run("SELECT " + expression + " AS x"), "[{\"x\":" + value + "}]") << line;
    examples += expression + "\n";
  }
  for (const Function& function : AllFunctions()) {
    EXPECT_NE(examples.find(std::string(function.name) + "("), std::string::npos)
        << function.name << " has no example in docs/treesql.md";
  }
}

}  // namespace
}  // namespace trefoil::query
