// Golden scripts: behaviour of the whole, written down as statements and what they print. A script
// is a sequence of steps; this is one:
//
//   # A comment says what the case is about; blank lines and comments may come before a statement.
//   DELETE FROM comment
//   WHERE id = 1
//   ----
//   {"stmt":1,"affected":1,"version":4}
//   (a blank line or the end of the file ends the expected output)
//
// The runner knows no database: it hands each statement to a function and compares what comes back.
// TREFOIL_REWRITE=1 writes the output into the script instead; review that difference like code.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::testing {

struct ScriptStep {
  std::string preamble;   // comments and blank lines before the statement, as they stand
  std::string statement;  // without the last line end
  std::string expected;   // without the last line end
  int line = 0;           // 1-based line of the statement
};

struct Script {
  std::vector<ScriptStep> steps;
  std::string ending;  // comments and blank lines after the last step
};

// Error: kSyntax with the line, for a statement without `----` or an `----` without a statement.
Result<Script> ParseScript(std::string_view text);

// The text that ParseScript reads as `script`.
std::string PrintScript(const Script& script);

// Runs one statement and returns what it prints; a last line end does not matter.
using Execute = std::function<std::string(std::string_view statement)>;

// Runs the steps in order and replaces each `expected` by the output. Returns one paragraph for
// each step whose output differs from what was expected, and says which lines and how. A blank line
// inside an output cannot be written down, so it counts as a difference.
std::vector<std::string> RunScript(std::string_view name, Script& script, const Execute& execute);

// Runs the script in a file. Empty when all is as expected, otherwise the differences or why the
// file cannot be run. With TREFOIL_REWRITE=1 the file is rewritten and only a bad file is reported.
std::string RunScriptFile(const std::string& path, const Execute& execute);

// The scripts (*.script) in a folder, sorted, as paths.
std::vector<std::string> ScriptFiles(const std::string& folder);

// What to do to get from the lines of `expected` to those of `got`, in words; empty when equal.
std::string DescribeDifference(std::string_view expected, std::string_view got);

}  // namespace trefoil::testing
