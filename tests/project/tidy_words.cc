// Dead files and banned words.
#include <algorithm>
#include <cctype>
#include <utility>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"

namespace trefoil::project {

namespace {

using Names = std::vector<std::string>;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// The words of `text` after `start` up to `end`, as CMake writes lists.
Names WordsBetween(std::string_view text, std::string_view start, char end) {
  Names words;
  const std::size_t at = text.find(start);
  if (at == text.npos) return words;
  text.remove_prefix(at + start.size());
  text = text.substr(0, text.find(end));
  std::string word;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// The folders whose sources CMake compiles: components, tests and the like.
Names CompiledFolders(const Tree& tree) {
  Names folders;
  if (const SourceFile* top = Find(tree, "CMakeLists.txt"); top != nullptr) {
    std::string_view rest = top->text;
    constexpr std::string_view kCall = "add_subdirectory(";
    while (Contains(rest, kCall)) {
      rest.remove_prefix(rest.find(kCall) + kCall.size());
      folders.push_back(StrCat(rest.substr(0, rest.find(')')), "/"));
    }
  }
  std::erase(folders, "tests/");
  if (const SourceFile* tests = Find(tree, "tests/CMakeLists.txt"); tests != nullptr) {
    for (const std::string& name : WordsBetween(tests->text, "foreach(folder", ')')) {
      folders.push_back(StrCat("tests/", name, "/"));
    }
  }
  for (const char* folder : {"tests/support/", "tests/compile_fail/", "tests/install/"}) {
    folders.emplace_back(folder);
  }
  return folders;
}

bool IsIncluded(const Tree& tree, const SourceFile& header) {
  if (header.path.starts_with("include/trefoil/")) return true;  // for users
  return std::ranges::any_of(tree, [&](const SourceFile& file) {
    if (!IsCpp(file.path)) return false;
    const std::vector<Include> includes = IncludesOf(file);
    return std::ranges::count(includes, header.path, &Include::target) > 0;
  });
}

// Documents at the top are found by whoever opens the folder.
bool IsLinked(const Tree& tree, const SourceFile& document) {
  if (FolderOf(document.path).empty()) return true;
  const std::size_t slash = document.path.rfind('/');
  const std::string name = document.path.substr(slash + 1);
  const std::string folder = document.path.substr(0, slash);
  const std::string folder_name = folder.substr(folder.rfind('/') + 1);
  return std::ranges::any_of(tree, [&](const SourceFile& other) {
    return IsDocument(other.path) && other.path != document.path &&
           (Contains(other.text, StrCat(name, ")")) || Contains(other.text, StrCat(name, "#")) ||
            Contains(other.text, StrCat(folder_name, "/)")));
  });
}

struct BannedWord {
  std::string word;
  bool any_case = false;
};

// Put together from parts, so that this file does not break its own rule.
const std::vector<BannedWord>& BannedWords() {
  static const std::vector<BannedWord> words = {
      {StrCat("FIX", "ME")},
      {StrCat("HA", "CK")},
      {StrCat("XX", "X")},
      {StrCat("for", " now"), true},
      {StrCat("place", "holder"), true},
      {StrCat("not", " implemented"), true},
      {StrCat("this", " session"), true},
      {StrCat("sub", "agent"), true},
      {StrCat("language", " model"), true},
      {StrCat("/wo", "rk/")},
      {StrCat("/ro", "ot/")},
      {StrCat("/fa", "rm/")},
  };
  return words;
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '}';
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool HasBanned(std::string_view line, const BannedWord& banned) {
  const std::string text = banned.any_case ? Lower(line) : std::string(line);
  for (std::size_t at = text.find(banned.word); at != text.npos;
       at = text.find(banned.word, at + 1)) {
    const std::size_t end = at + banned.word.size();
    const bool starts = at == 0 || !IsWordCharacter(text[at - 1]);
    const bool is_path = banned.word.ends_with('/');
    if (starts && (is_path || end == text.size() || !std::isalnum(text[end]))) return true;
  }
  return false;
}

// A note of work to come names its issue: the word, then "(#12)".
bool HasUnnumberedTodo(std::string_view line) {
  const std::string todo = StrCat("TO", "DO");
  const std::size_t at = line.find(todo);
  if (at == line.npos) return false;
  const std::string_view rest = line.substr(at + todo.size());
  return !(rest.starts_with("(#") && rest.size() > 2 && rest[2] >= '0' && rest[2] <= '9');
}

}  // namespace

std::vector<Finding> CheckDeadFiles(const Tree& tree) {
  const Names folders = CompiledFolders(tree);
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    const auto is_below = [&](const std::string& folder) { return file.path.starts_with(folder); };
    if (file.path.ends_with(".cc") && !std::ranges::any_of(folders, is_below)) {
      findings.push_back({file.path, 0, "dead file: no target compiles it"});
    }
    if (file.path.ends_with(".h") && !IsIncluded(tree, file)) {
      findings.push_back({file.path, 0, "dead file: nothing includes it"});
    }
    if (file.path.ends_with(".script") && !file.path.starts_with("tests/golden/")) {
      findings.push_back({file.path, 0, "dead file: scripts run from tests/golden/ only"});
    }
    if (IsDocument(file.path) && !IsLinked(tree, file)) {
      findings.push_back({file.path, 0, "dead file: no document links to it or to its folder"});
    }
  }
  return findings;
}

std::vector<Finding> CheckWords(const Tree& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    int number = 0;
    for (const std::string_view line : LinesOf(file.text)) {
      ++number;
      for (const BannedWord& banned : BannedWords()) {
        if (!HasBanned(line, banned)) continue;
        findings.push_back({file.path, number, StrCat("banned word: \"", banned.word, "\"")});
      }
      if (HasUnnumberedTodo(line)) {
        findings.push_back({file.path, number, "a note of work to come names its issue: (#12)"});
      }
    }
  }
  return findings;
}

}  // namespace trefoil::project
