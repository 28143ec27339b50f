// Rules on C++ text: language, sizes, length of functions.
//
// The length of functions comes from a scan of the braces, not from a parser: comments, literals
// and preprocessor lines are blanked, then each brace is a scope (namespace, class), the body of a
// function, or an initialiser, which what stands before it tells.
#include <algorithm>
#include <cctype>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"

namespace trefoil::project {

namespace {

constexpr int kFileLinesMax = 600;
constexpr int kCMakeLinesMax = 250;
constexpr int kPublicHeadersMax = 12;
constexpr int kFunctionLinesMax = 70;

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool HasWord(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !IsWordCharacter(text[at - 1]);
    const std::size_t end = at + word.size();
    if (starts && (end == text.size() || !IsWordCharacter(text[end]))) return true;
  }
  return false;
}

void Blank(std::string& code, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, code.size()); ++i) {
    if (code[i] != '\n') code[i] = ' ';
  }
}

// The end of the literal or comment that starts at `at`, or `at` when none does.
std::size_t EndOfBlank(const std::string& code, std::size_t at) {
  const auto after = [&](std::string_view end, std::size_t from) {
    const std::size_t found = code.find(end, from);
    return found == code.npos ? code.size() : found + end.size();
  };
  const std::string_view rest = std::string_view(code).substr(at);
  if (rest.starts_with("//") || (rest[0] == '#' && (at == 0 || code[at - 1] == '\n'))) {
    return std::min(code.find('\n', at), code.size());
  }
  if (rest.starts_with("/*")) return after("*/", at + 2);
  if (rest.starts_with("R\"") && (at == 0 || !IsWordCharacter(code[at - 1]))) {
    const std::size_t open = code.find('(', at);
    return after(")" + code.substr(at + 2, open - at - 2) + "\"", open);
  }
  const bool is_digit_separator = rest[0] == '\'' && at > 0 && IsWordCharacter(code[at - 1]);
  if ((rest[0] != '"' && rest[0] != '\'') || is_digit_separator) return at;
  std::size_t end = at + 1;
  while (end < code.size() && code[end] != rest[0]) end += code[end] == '\\' ? 2 : 1;
  return end + 1;
}

// The text with comments, literals and preprocessor lines replaced by spaces.
std::string CodeOnly(std::string code) {
  for (std::size_t at = 0; at < code.size();) {
    const std::size_t end = EndOfBlank(code, at);
    Blank(code, at, end);
    at = std::max(end, at + 1);
  }
  return code;
}

struct FunctionSpan {
  int first_line = 0;
  int last_line = 0;
};

// Finds the functions at namespace and class scope.
class FunctionScanner {
 public:
  explicit FunctionScanner(std::string_view text) : code_(CodeOnly(std::string(text))) {}

  std::vector<FunctionSpan> Scan() {
    for (; at_ < code_.size(); ++at_) Step(code_[at_]);
    return std::move(functions_);
  }

 private:
  void Step(char c) {
    if (c == '\n') ++line_;
    if (c == '{') return Open();
    if (c == ';' || c == '}') return StartHeader();
    if (header_.empty() && std::isspace(static_cast<unsigned char>(c))) return;
    if (header_.empty()) header_line_ = line_;
    header_ += c;
    for (const std::string_view access : {"public:", "protected:", "private:"}) {
      if (header_ == access) return StartHeader();
    }
  }

  void StartHeader() { header_.clear(); }

  void Open() {
    if (IsScope()) return StartHeader();
    const bool may_be_function = IsFunctionHeader();
    const int first_line = header_line_;
    SkipBlock();
    const std::size_t next = code_.find_first_not_of(" \n", at_ + 1);
    const char follows = next == code_.npos ? ';' : code_[next];
    if (follows == ',' || follows == '{' || follows == ')') return;  // an initialiser; goes on
    if (may_be_function) functions_.push_back({first_line, line_});
    StartHeader();
  }

  bool IsScope() const {
    if (HasWord(header_, "namespace") || HasWord(header_, "extern")) return true;
    // `class` before a parameter list belongs to a template or a return type.
    const std::size_t close = IsFunctionHeader() ? header_.rfind(')') : 0;
    const std::string_view kind = std::string_view(header_).substr(close);
    return !HasWord(kind, "enum") &&
           (HasWord(kind, "class") || HasWord(kind, "struct") || HasWord(kind, "union"));
  }

  // A parameter list that is closed, and no `=` that the brace would initialise.
  bool IsFunctionHeader() const {
    const std::size_t last = header_.find_last_not_of(" \n");
    if (last == header_.npos || header_[last] == '=' || HasWord(header_, "concept")) return false;
    const std::size_t open = header_.find('(');
    if (open == header_.npos || HasWord(header_.substr(0, open), "alignas")) return false;
    return std::ranges::count(header_, '(') == std::ranges::count(header_, ')');
  }

  // Moves to the brace that closes the one here.
  void SkipBlock() {
    int depth = 0;
    for (; at_ < code_.size(); ++at_) {
      if (code_[at_] == '\n') ++line_;
      if (code_[at_] == '{') ++depth;
      if (code_[at_] == '}' && --depth == 0) return;
    }
  }

  const std::string code_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::string header_;  // what stands before the next brace
  int header_line_ = 1;
  std::vector<FunctionSpan> functions_;
};

// Lines that hold code: neither blank nor only a comment.
int CMakeLines(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(LinesOf(text), [](std::string_view line) {
    const std::size_t first = line.find_first_not_of(' ');
    return first != line.npos && line[first] != '#';
  }));
}

void CheckOwnHeaderFirst(const Tree& tree, const SourceFile& file, std::vector<Finding>& findings) {
  if (!file.path.ends_with(".cc")) return;
  const std::string header = file.path.substr(0, file.path.size() - 3) + ".h";
  if (Find(tree, header) == nullptr) return;
  const std::vector<Include> includes = IncludesOf(file);
  if (!includes.empty() && includes[0].target == header) return;
  findings.push_back({file.path, 0, StrCat("includes its own header \"", header, "\" first")});
}

}  // namespace

std::vector<Finding> CheckLanguage(const Tree& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    if (!IsCpp(file.path)) continue;
    if (file.path.ends_with(".h") && file.text.find("\n#pragma once\n") == file.text.npos) {
      findings.push_back({file.path, 0, "a header says #pragma once"});
    }
    CheckOwnHeaderFirst(tree, file, findings);
    if (!IsProduct(file.path)) continue;
    int number = 0;
    for (const std::string_view line : LinesOf(file.text)) {
      ++number;
      if (line.starts_with("#define")) {
        findings.push_back({file.path, number, "the product defines no macro"});
      }
    }
    const std::string code = CodeOnly(file.text);
    number = 0;
    for (const std::string_view line : LinesOf(code)) {
      ++number;
      for (const std::string_view word : {"goto", "dynamic_cast", "using namespace", "throw"}) {
        if (!HasWord(line, word)) continue;
        findings.push_back({file.path, number, StrCat("the product does not use `", word, "`")});
      }
    }
  }
  return findings;
}

std::vector<Finding> CheckSizes(const Tree& tree) {
  std::vector<Finding> findings;
  int cmake_lines = 0;
  int public_headers = 0;
  for (const SourceFile& file : tree) {
    const int lines = static_cast<int>(LinesOf(file.text).size());
    if (IsCpp(file.path) && lines > kFileLinesMax) {
      findings.push_back(
          {file.path, 0, StrCat("has ", lines, " lines; a file has at most ", kFileLinesMax)});
    }
    if (file.path.ends_with("CMakeLists.txt") || file.path.ends_with(".cmake")) {
      cmake_lines += CMakeLines(file.text);
    }
    if (file.path.starts_with("include/trefoil/")) ++public_headers;
  }
  if (cmake_lines > kCMakeLinesMax) {
    findings.push_back({"CMakeLists.txt", 0,
                        StrCat("all CMake files together have ", cmake_lines, " lines, at most ",
                               kCMakeLinesMax)});
  }
  if (public_headers > kPublicHeadersMax) {
    findings.push_back(
        {"include/trefoil", 0,
         StrCat("has ", public_headers, " public headers, at most ", kPublicHeadersMax)});
  }
  return findings;
}

std::vector<Finding> CheckFunctions(const Tree& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    if (!IsCpp(file.path)) continue;
    for (const FunctionSpan& function : FunctionScanner(file.text).Scan()) {
      const int lines = function.last_line - function.first_line + 1;
      if (lines <= kFunctionLinesMax) continue;
      findings.push_back({file.path, function.first_line,
                          StrCat("this function has ", lines, " lines; a function has at most ",
                                 kFunctionLinesMax)});
    }
  }
  return findings;
}

}  // namespace trefoil::project
