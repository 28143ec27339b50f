// The shell on a terminal, as a person at the keys meets it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/program.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr const char* kPrompt = "trefoil> ";

class ShellTest : public ::testing::Test {
 protected:
  ShellTest() { std::filesystem::create_directories(folder_); }
  ~ShellTest() override { std::filesystem::remove_all(folder_); }

  Program::Settings OnTerminal(int columns = 80) const {
    return {
        .arguments = {folder_ + "/shop.db"}, .terminal = true, .columns = columns, .home = folder_};
  }
  // Types a line and returns what the screen shows until `until`.
  static std::string Enter(Program& program, const std::string& line, std::string_view until) {
    program.Type(line + "\n");
    return WithoutEscapes(program.ReadUntil(until));
  }

  const std::string folder_ = ::testing::TempDir() + "shell_" + std::to_string(::getpid());
};

TEST_F(ShellTest, TakesStatementsOverSeveralLines) {
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  program.Type("SELECT 1 +\n");
  EXPECT_NE(WithoutEscapes(program.ReadUntil("...> ")).find("...> "), std::string::npos);
  EXPECT_NE(Enter(program, "41 AS answer;", "1 row").find("42"), std::string::npos);
}

TEST_F(ShellTest, CompletesKeywordsTablesColumnsAndDotCommands) {
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  Enter(program, "TABLE harvest (id INT KEY, quantity INT);", kPrompt);
  for (const auto& [typed, completed] :
       {std::pair("sele\t", "SELECT"), std::pair("harv\t", "harvest"),
        std::pair("quan\t", "quantity"), std::pair(".tab\t", ".tables")}) {
    program.Type(typed);
    // The screen may get only what is added to the typed characters.
    const std::string added = std::string(completed).substr(std::strlen(typed) - 1);
    EXPECT_NE(WithoutEscapes(program.ReadUntil(added)).find(completed), std::string::npos) << typed;
    program.Type("\x03");
    program.ReadUntil(kPrompt);
  }
}

TEST_F(ShellTest, RemembersWhatWasTypedFromOneStartToTheNext) {
  {
    Program program(OnTerminal());
    program.ReadUntil(kPrompt);
    Enter(program, "SELECT 4711 AS n;", "1 row");
    program.ReadUntil(kPrompt);
    program.EndInput();
    std::string rest;
    EXPECT_EQ(program.Wait(&rest).exit_code, 0);
  }
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  program.Type("\x1b[A");  // arrow up
  EXPECT_NE(WithoutEscapes(program.ReadUntil("4711 AS n;")).find("4711 AS n;"), std::string::npos);
}

TEST_F(ShellTest, CtrlCDropsTheLineAndGoesOn) {
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  program.Type("SELECT 'half a statement\n");
  program.ReadUntil("...> ");
  program.Type("\x03");
  program.ReadUntil(kPrompt);
  EXPECT_NE(Enter(program, "SELECT 5 AS five;", "1 row").find("five"), std::string::npos);
}

TEST_F(ShellTest, CtrlCEndsTheStatementThatRunsAndTheShellGoesOn) {
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  Enter(
      program,
      "TABLE n (id INT KEY); INSERT INTO n WITH RECURSIVE i (id) AS (SELECT 1 UNION SELECT id + 1 "
      "FROM i WHERE id < 2000) SELECT id FROM i;",
      kPrompt);
  // Eight thousand million combinations: minutes, unless it is stopped.
  program.Type("SELECT count(*) FROM n a, n b, n c WHERE a.id + b.id < c.id;\n");
  EXPECT_EQ(program.ReadFor(std::chrono::milliseconds(300)).find("1 row"), std::string::npos);
  program.Type("\x03");
  const std::string told = WithoutEscapes(program.ReadUntil(kPrompt));
  EXPECT_NE(told.find("error[cancelled]: the statement was stopped"), std::string::npos) << told;
  std::string answer = Enter(program, "SELECT count(*) AS n FROM n;", "1 row");
  EXPECT_NE(answer.find("2000"), std::string::npos) << answer;
  // What came behind it in one piece may hold the prompt.
  if (answer.find(kPrompt, answer.find("1 row")) == std::string::npos) program.ReadUntil(kPrompt);
  program.EndInput();
  std::string rest;
  EXPECT_EQ(program.Wait(&rest).exit_code, 0);
  const Result<Database> database = Database::Open(folder_ + "/shop.db");
  ASSERT_TRUE(database.has_value());
  const Result<CheckReport> report = database->Check();
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->problems.empty());
}

TEST_F(ShellTest, TellsHowLongAStatementTook) {
  Program program(OnTerminal());
  program.ReadUntil(kPrompt);
  Enter(program, ".timer on", kPrompt);
  EXPECT_NE(Enter(program, "SELECT 1 AS one;", " ms").find("time: "), std::string::npos);
}

TEST_F(ShellTest, BoxesFitTheTerminal) {
  Program program(OnTerminal(40));
  program.ReadUntil(kPrompt);
  const std::string output =
      Enter(program, "SELECT 'a text of more than forty columns, far more' AS t, 7 AS n;", "1 row");
  const std::size_t top = output.find("┌");
  ASSERT_NE(top, std::string::npos) << output;
  // Each character of a rule is three bytes long and one column wide.
  EXPECT_EQ(output.find('\n', top) - top, 40u * 3);
  EXPECT_NE(output.find("…"), std::string::npos);
}

TEST_F(ShellTest, ProgressIsDrawnOnATerminalOnly) {
  std::ofstream csv(folder_ + "/item.csv");
  csv << "id,name\n";
  for (int i = 0; i < 200'000; ++i) csv << i << ",name " << i << "\n";
  csv.close();
  Program::Settings settings = {.arguments = {"import", folder_ + "/a.db", folder_ + "/item.csv"},
                                .terminal = true};
  Program terminal(settings);
  std::string output;
  EXPECT_EQ(terminal.Wait(&output).exit_code, 0);
  EXPECT_NE(output.find(" rows, "), std::string::npos);
  EXPECT_NE(output.find(" s left"), std::string::npos);
  settings.terminal = false;
  settings.arguments[1] = folder_ + "/b.db";
  Program piped(settings);
  EXPECT_EQ(piped.Wait(&output).exit_code, 0);
  EXPECT_EQ(output.find(" s left"), std::string::npos);
}

}  // namespace
}  // namespace trefoil::testing
