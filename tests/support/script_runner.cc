#include "tests/support/script_runner.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::testing {

namespace {

constexpr std::string_view kSeparator = "----";

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string Join(std::vector<std::string>::const_iterator begin,
                 std::vector<std::string>::const_iterator end) {
  std::string text;
  for (auto line = begin; line != end; ++line) text += StrCat(line == begin ? "" : "\n", *line);
  return text;
}

bool IsPreamble(const std::string& line) { return line.empty() || line.starts_with('#'); }

std::string WithoutLastLineEnd(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool HasBlankLine(std::string_view output) {
  return output.starts_with('\n') || output.find("\n\n") != output.npos;
}

// lengths[i][j]: length of the longest common subsequence of a[i..] and b[j..].
std::vector<std::vector<std::size_t>> CommonLengths(const std::vector<std::string>& a,
                                                    const std::vector<std::string>& b) {
  std::vector<std::vector<std::size_t>> lengths(a.size() + 1,
                                                std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      lengths[i][j] =
          a[i] == b[j] ? lengths[i + 1][j + 1] + 1 : std::max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

}  // namespace

Result<Script> ParseScript(std::string_view text) {
  const std::vector<std::string> lines = Lines(text);
  Script script;
  auto at = lines.begin();
  while (true) {
    const auto statement = std::find_if_not(at, lines.end(), IsPreamble);
    std::string preamble;
    for (; at != statement; ++at) preamble += StrCat(*at, "\n");
    if (statement == lines.end()) {
      script.ending = std::move(preamble);
      return script;
    }
    const int line = static_cast<int>(statement - lines.begin()) + 1;
    const auto separator = std::find(statement, lines.end(), kSeparator);
    Error error = MakeError(ErrorCode::kSyntax, {});
    error.line = line;
    if (separator == statement) {
      error.message = StrCat("line ", line, ": ---- without a statement before it");
      return error;
    }
    if (separator == lines.end() || std::find(statement, separator, "") != separator) {
      error.message = StrCat("line ", line, ": the statement has no ---- after it");
      return error;
    }
    at = std::find(separator + 1, lines.end(), "");
    script.steps.push_back({.preamble = std::move(preamble),
                            .statement = Join(statement, separator),
                            .expected = Join(separator + 1, at),
                            .line = line});
  }
}

std::string PrintScript(const Script& script) {
  std::string text;
  for (const ScriptStep& step : script.steps) {
    text += StrCat(step.preamble, step.statement, "\n", kSeparator, "\n", step.expected,
                   step.expected.empty() ? "" : "\n");
  }
  return text + script.ending;
}

std::vector<std::string> RunScript(std::string_view name, Script& script, const Execute& execute) {
  std::vector<std::string> differences;
  for (ScriptStep& step : script.steps) {
    std::string got = WithoutLastLineEnd(execute(step.statement));
    const std::string place = StrCat(name, ":", step.line, ": ");
    if (HasBlankLine(got)) {
      differences.push_back(StrCat(place, "the output of `", step.statement,
                                   "` holds a blank line, which a script cannot express:\n", got,
                                   "\n"));
      continue;
    }
    if (got != step.expected) {
      differences.push_back(StrCat(place, "the output of `", step.statement, "` differs:\n",
                                   DescribeDifference(step.expected, got)));
    }
    step.expected = std::move(got);
  }
  return differences;
}

std::string RunScriptFile(const std::string& path, const Execute& execute) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return StrCat(path, ": cannot be read");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Result<Script> script = ParseScript(text);
  if (!script) return StrCat(path, ": ", script.error().message);
  const std::vector<std::string> differences = RunScript(path, *script, execute);
  const char* rewrite = std::getenv("TREFOIL_REWRITE");
  if (rewrite != nullptr && std::string_view(rewrite) == "1") {
    std::ofstream(path, std::ios::binary) << PrintScript(*script);
    return {};
  }
  return Join(differences.begin(), differences.end());
}

std::vector<std::string> ScriptFiles(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".script") paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

std::string DescribeDifference(std::string_view expected_text, std::string_view got_text) {
  const std::vector<std::string> expected = Lines(expected_text);
  const std::vector<std::string> got = Lines(got_text);
  const std::vector<std::vector<std::size_t>> common = CommonLengths(expected, got);
  std::string words;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() || j < got.size()) {
    if (i < expected.size() && j < got.size() && expected[i] == got[j]) {
      ++i;
      ++j;
    } else if (j == got.size() || (i < expected.size() && common[i + 1][j] >= common[i][j + 1])) {
      words += StrCat("  missing line ", i + 1, ":    ", expected[i], "\n");
      ++i;
    } else {
      words += StrCat("  unexpected line ", j + 1, ": ", got[j], "\n");
      ++j;
    }
  }
  return words;
}

}  // namespace trefoil::testing
