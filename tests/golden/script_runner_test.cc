#include "tests/support/script_runner.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace trefoil::testing {
namespace {

constexpr const char* kScript =
    "# Counting\n"
    "# goes up.\n"
    "count\n"
    "to 3\n"
    "----\n"
    "1\n"
    "2\n"
    "3\n"
    "\n"
    "say nothing\n"
    "----\n"
    "\n"
    "# the end\n";

// Prints what kScript expects, with the given lines for the count.
Execute Counter(const std::string& lines) {
  return [lines](std::string_view statement) {
    return statement == "say nothing" ? std::string() : lines;
  };
}

class ScriptFileTest : public ::testing::Test {
 protected:
  ScriptFileTest() {
    std::filesystem::create_directories(folder_);
    Write(kScript);
  }
  ~ScriptFileTest() override {
    ::unsetenv("TREFOIL_REWRITE");
    std::filesystem::remove_all(folder_);
  }

  void Write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  std::string Read() {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const std::string folder_ = ::testing::TempDir() + "script_runner_" + std::to_string(::getpid());
  const std::string path_ = folder_ + "/count.script";
};

TEST(ParseScriptTest, SplitsPreambleStatementAndExpectedOutput) {
  const Result<Script> script = ParseScript(kScript);
  ASSERT_TRUE(script);
  ASSERT_EQ(script->steps.size(), 2u);
  EXPECT_EQ(script->steps[0].preamble, "# Counting\n# goes up.\n");
  EXPECT_EQ(script->steps[0].statement, "count\nto 3");
  EXPECT_EQ(script->steps[0].expected, "1\n2\n3");
  EXPECT_EQ(script->steps[0].line, 3);
  EXPECT_EQ(script->steps[1].statement, "say nothing");
  EXPECT_EQ(script->steps[1].expected, "");
  EXPECT_EQ(script->ending, "\n# the end\n");
}

TEST(ParseScriptTest, PrintsBackWhatItRead) {
  for (const std::string text : {kScript, "", "# only a comment\n", "a\n----\n", "a\n----\nb\n"}) {
    const Result<Script> script = ParseScript(text);
    ASSERT_TRUE(script) << text;
    EXPECT_EQ(PrintScript(*script), text);
  }
}

TEST(ParseScriptTest, RefusesAStatementWithoutSeparator) {
  for (const char* text : {"a\n----\nb\n\nc\n", "a\n----\nb\n\nc\n\nd\n----\n"}) {
    const Result<Script> script = ParseScript(text);
    ASSERT_FALSE(script);
    EXPECT_EQ(script.error().line, 5);
    EXPECT_EQ(script.error().message, "line 5: the statement has no ---- after it");
  }
}

TEST(ParseScriptTest, RefusesASeparatorWithoutStatement) {
  const Result<Script> script = ParseScript("# nothing\n----\n");
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().message, "line 2: ---- without a statement before it");
}

TEST(RunScriptTest, IsContentWithEqualOutput) {
  Result<Script> script = ParseScript(kScript);
  ASSERT_TRUE(script);
  EXPECT_EQ(RunScript("count", *script, Counter("1\n2\n3\n")), std::vector<std::string>());
}

TEST(RunScriptTest, SaysWhichLinesDiffer) {
  Result<Script> script = ParseScript(kScript);
  ASSERT_TRUE(script);
  const std::vector<std::string> differences =
      RunScript("count.script", *script, Counter("0\n1\n3\n"));
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0],
            "count.script:3: the output of `count\nto 3` differs:\n"
            "  unexpected line 1: 0\n"
            "  missing line 2:    2\n");
}

TEST(RunScriptTest, GoesOnAfterADifference) {
  Result<Script> script = ParseScript("a\n----\n1\n\nb\n----\n2\n");
  ASSERT_TRUE(script);
  const auto echo = [](std::string_view statement) { return std::string(statement); };
  EXPECT_EQ(RunScript("echo", *script, echo).size(), 2u);
  EXPECT_EQ(PrintScript(*script), "a\n----\na\n\nb\n----\nb\n");
}

TEST(RunScriptTest, RefusesABlankLineInAnOutput) {
  for (const char* output : {"1\n\n2", "\n1"}) {
    Result<Script> script = ParseScript("a\n----\n1\n");
    ASSERT_TRUE(script);
    const std::vector<std::string> differences = RunScript("blank", *script, Counter(output));
    ASSERT_EQ(differences.size(), 1u);
    EXPECT_NE(differences[0].find("holds a blank line"), std::string::npos);
    EXPECT_EQ(script->steps[0].expected, "1");
  }
}

TEST_F(ScriptFileTest, ReportsTheDifferencesAndLeavesTheFileAlone) {
  EXPECT_EQ(RunScriptFile(path_, Counter("1\n2\n3")), "");
  EXPECT_NE(RunScriptFile(path_, Counter("1\n2")).find("missing line 3:    3"), std::string::npos);
  EXPECT_EQ(Read(), kScript);
}

TEST_F(ScriptFileTest, RewritesTheFileWhenAsked) {
  ::setenv("TREFOIL_REWRITE", "1", 1);
  EXPECT_EQ(RunScriptFile(path_, Counter("one")), "");
  ::unsetenv("TREFOIL_REWRITE");
  EXPECT_EQ(Read(),
            "# Counting\n# goes up.\ncount\nto 3\n----\none\n\nsay nothing\n----\n\n# the end\n");
  EXPECT_EQ(RunScriptFile(path_, Counter("one")), "");
}

TEST_F(ScriptFileTest, NamesAFileThatIsMissingOrNoScript) {
  EXPECT_EQ(RunScriptFile(folder_ + "/none.script", Counter("")),
            folder_ + "/none.script: cannot be read");
  Write("statement\n");
  EXPECT_EQ(RunScriptFile(path_, Counter("")),
            path_ + ": line 1: the statement has no ---- after it");
}

TEST_F(ScriptFileTest, ListsTheScriptsOfAFolderInOrder) {
  std::ofstream(folder_ + "/a.script") << "";
  std::ofstream(folder_ + "/notes.txt") << "";
  EXPECT_EQ(ScriptFiles(folder_), (std::vector<std::string>{folder_ + "/a.script", path_}));
}

}  // namespace
}  // namespace trefoil::testing
