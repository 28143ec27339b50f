// What EXPLAIN says, as scripts. Times and bytes differ from machine to machine and are masked.
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "tests/support/script_runner.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

std::string Masked(const std::string& text) {
  const std::string times = std::regex_replace(text, std::regex("[0-9]+ us"), "N us");
  return std::regex_replace(times, std::regex("[0-9.]+ (B|kB|MB)"), "N bytes");
}

std::string Explained(Database& database, std::string_view statement) {
  const Result<ExecuteSummary> summary = database.Execute(statement);
  if (!summary) return ToString(summary.error());
  std::string lines;
  for (const StatementResult& result : summary->statements) {
    for (std::size_t i = 0; result.rows && i < result.rows->size(); ++i) {
      lines += StrCat(ToText((*result.rows)[i][0]), "\n");
    }
  }
  return Masked(lines);
}

TEST(ExplainScriptsTest, PrintWhatTheyPromise) {
  const std::vector<std::string> scripts =
      ScriptFiles(std::string(TREFOIL_SOURCE_DIR) + "/tests/golden/explain");
  EXPECT_FALSE(scripts.empty());
  for (const std::string& path : scripts) {
    Database database = *Database::Open(":memory:");
    const std::string difference = RunScriptFile(
        path, [&](std::string_view statement) { return Explained(database, statement); });
    EXPECT_TRUE(difference.empty()) << difference;
  }
}

}  // namespace
}  // namespace trefoil::testing
