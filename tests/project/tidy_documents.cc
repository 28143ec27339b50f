// Rules on Markdown: titles, links, examples, commands. Fenced code is no text and holds no links.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <utility>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"
#include "tests/support/script_runner.h"

namespace trefoil::project {

namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kExampleMark = "<!-- example: ";
constexpr std::string_view kTranscriptMark = "<!-- transcript: ";

struct Line {
  std::string_view text;
  int number = 0;
};

// The lines outside fenced code and comments.
std::vector<Line> ProseOf(const SourceFile& file) {
  std::vector<Line> prose;
  bool in_code = false;
  int number = 0;
  for (const std::string_view line : LinesOf(file.text)) {
    ++number;
    const bool is_fence = line.starts_with(kFence);
    if (is_fence) in_code = !in_code;
    if (!in_code && !is_fence && !line.starts_with("<!--")) prose.push_back({line, number});
  }
  return prose;
}

void CheckTitle(const SourceFile& file, std::map<std::string, std::string>& titles,
                std::vector<Finding>& findings) {
  int count = 0;
  for (const Line& line : ProseOf(file)) {
    if (!line.text.starts_with("# ")) continue;
    if (++count > 1) {
      findings.push_back({file.path, line.number, "a document has one title"});
      continue;
    }
    const auto [other, is_new] = titles.emplace(line.text.substr(2), file.path);
    if (!is_new) {
      findings.push_back({file.path, line.number, StrCat("has the same title as ", other->second)});
    }
  }
  if (count == 0) findings.push_back({file.path, 0, "a document has a title, `# ...`"});
}

bool Exists(const Tree& tree, const std::string& path) {
  if (path.empty() || path == ".") return true;
  return std::ranges::any_of(tree, [&](const SourceFile& file) {
    return file.path == path || file.path.starts_with(StrCat(path, "/"));
  });
}

void CheckLinks(const Tree& tree, const SourceFile& file, std::vector<Finding>& findings) {
  const std::filesystem::path folder = std::filesystem::path(file.path).parent_path();
  for (const auto& [text, number] : ProseOf(file)) {
    for (std::size_t at = text.find("]("); at != text.npos; at = text.find("](", at + 1)) {
      const std::string_view link = text.substr(at + 2, text.find(')', at) - at - 2);
      if (link.find(':') != link.npos || link.starts_with('#')) continue;
      const std::string_view target = link.substr(0, link.find('#'));
      std::string path = (folder / target).lexically_normal().generic_string();
      if (path.ends_with('/')) path.pop_back();
      if (Exists(tree, path)) continue;
      findings.push_back({file.path, number, StrCat("the link to ", target, " leads nowhere")});
    }
  }
}

// A golden script as a terminal shows it: commands behind "$ " and "> ", and what they print with a
// blank line behind.
std::string TerminalText(std::string_view script) {
  const Result<testing::Script> parsed = testing::ParseScript(script);
  if (!parsed) return parsed.error().message;
  std::string text;
  for (const testing::ScriptStep& step : parsed->steps) {
    std::string_view prompt = "$ ";
    for (const std::string_view line : LinesOf(step.statement)) {
      text += StrCat(std::exchange(prompt, "> "), line, "\n");
    }
    if (!step.expected.empty()) text += StrCat(step.expected, "\n\n");
  }
  if (text.ends_with("\n\n")) text.pop_back();
  return text;
}

// Times differ from run to run, so scripts have a letter for each.
std::string WithoutTimes(const std::string& text) {
  static const std::regex kTime(R"([0-9]+\.[0-9]{3} ms)");
  return std::regex_replace(text, kTime, "T ms");
}

// A mark before a fence says what the code is: `<!-- example: FILE -->` that file, whole;
// `<!-- transcript: FILE -->` that golden script.
void CheckExamples(const Tree& tree, const SourceFile& file, std::vector<Finding>& findings) {
  const std::vector<std::string_view> lines = LinesOf(file.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool is_transcript = lines[i].starts_with(kTranscriptMark);
    if (!is_transcript && !lines[i].starts_with(kExampleMark)) continue;
    const std::string_view rest =
        lines[i].substr((is_transcript ? kTranscriptMark : kExampleMark).size());
    const std::string_view name = rest.substr(0, rest.find(' '));
    std::string code;
    const bool has_fence = i + 1 < lines.size() && lines[i + 1].starts_with(kFence);
    for (i += has_fence ? 2 : 1; has_fence && i < lines.size() && lines[i] != kFence; ++i) {
      code += StrCat(lines[i], "\n");
    }
    const SourceFile* example = Find(tree, name);
    if (example != nullptr && (is_transcript ? TerminalText(example->text) == WithoutTimes(code)
                                             : example->text == code)) {
      continue;
    }
    findings.push_back({file.path, static_cast<int>(i), StrCat("the code is not that of ", name)});
  }
}

bool IsPathCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '/' || c == '.' ||
         c == '-';
}

// Sources that the prose names, such as lsm/store.h, exist. NAME in capitals stands for any name.
void CheckPaths(const Tree& tree, const SourceFile& file, std::vector<Finding>& findings) {
  for (const auto& [text, number] : ProseOf(file)) {
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t end = begin;
      while (end < text.size() && IsPathCharacter(text[end])) ++end;
      const std::string path(text.substr(begin, end - begin));
      begin = end + 1;
      const bool is_general = path.find("NAME") != path.npos || path.starts_with('.');
      if (!IsCpp(path) || path.find('/') == path.npos || is_general || Exists(tree, path)) continue;
      const std::string beside = (std::filesystem::path(file.path).parent_path() / path).string();
      if (Exists(tree, beside)) continue;
      findings.push_back({file.path, number, StrCat("names ", path, ", which does not exist")});
    }
  }
}

void CheckCommands(const Tree& tree, const SourceFile& file, std::vector<Finding>& findings) {
  constexpr std::string_view kCall = "./dev ";
  const SourceFile* dev = Find(tree, "dev");
  int number = 0;
  for (const std::string_view line : LinesOf(file.text)) {
    ++number;
    for (std::size_t at = line.find(kCall); at != line.npos; at = line.find(kCall, at + 1)) {
      std::string_view name = line.substr(at + kCall.size());
      const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
      name = name.substr(
          0, static_cast<std::size_t>(std::ranges::find_if_not(name, is_lower) - name.begin()));
      if (name.empty() || name == "help") continue;
      if (dev != nullptr && dev->text.find(StrCat("\ncommand_", name, "()")) != std::string::npos)
        continue;
      findings.push_back({file.path, number, StrCat("./dev has no command ", name)});
    }
  }
}

}  // namespace

std::vector<Finding> CheckDocuments(const Tree& tree) {
  std::vector<Finding> findings;
  std::map<std::string, std::string> titles;  // title to document
  for (const SourceFile& file : tree) {
    if (!IsDocument(file.path)) continue;
    CheckTitle(file, titles, findings);
    CheckLinks(tree, file, findings);
    CheckPaths(tree, file, findings);
    CheckExamples(tree, file, findings);
    CheckCommands(tree, file, findings);
  }
  return findings;
}

}  // namespace trefoil::project
