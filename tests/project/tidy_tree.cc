// The tree as a value: reading it from disk, and what the rules ask of paths and lines.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"

namespace trefoil::project {

namespace {

bool IsText(const std::filesystem::path& path) {
  constexpr std::string_view kEndings[] = {".h",      ".cc",   ".md",    ".cmake", ".txt",
                                           ".script", ".json", ".jsonl", ".svg"};
  return path.extension().empty() || std::ranges::count(kEndings, path.extension().string()) > 0;
}

void Append(std::vector<Finding>& to, std::vector<Finding> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

std::string ToString(const Finding& finding) {
  return finding.line == 0 ? StrCat(finding.path, ": ", finding.what)
                           : StrCat(finding.path, ":", finding.line, ": ", finding.what);
}

Tree ReadTree(const std::string& folder) {
  Tree tree;
  std::filesystem::recursive_directory_iterator entry(folder);
  for (; entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    const std::string path = entry->path().lexically_relative(folder).generic_string();
    if (entry->is_directory()) {
      const bool skipped = (name.starts_with('.') && name != ".ci") || path == "build" ||
                           path == "tests/fuzz/corpus";
      if (skipped) entry.disable_recursion_pending();
    } else if (!name.starts_with('.') && IsText(entry->path())) {
      std::ifstream in(entry->path(), std::ios::binary);
      tree.push_back({path, std::string(std::istreambuf_iterator<char>(in), {})});
    }
  }
  std::ranges::sort(tree, {}, &SourceFile::path);
  return tree;
}

std::vector<Finding> CheckTree(const Tree& tree) {
  std::vector<Finding> findings;
  for (const auto check : {CheckLayers, CheckLanguage, CheckSizes, CheckFunctions, CheckDeadFiles,
                           CheckWords, CheckDocuments}) {
    Append(findings, check(tree));
  }
  return findings;
}

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool IsCpp(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cc"); }

bool IsProduct(std::string_view path) {
  const std::string_view folder = FolderOf(path);
  return IsCpp(path) && folder != "tests" && folder != "bench" && folder != "examples";
}

bool IsDocument(std::string_view path) { return path.ends_with(".md"); }

std::string_view FolderOf(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

const SourceFile* Find(const Tree& tree, std::string_view path) {
  const auto file = std::ranges::find(tree, path, &SourceFile::path);
  return file == tree.end() ? nullptr : &*file;
}

std::vector<Include> IncludesOf(const SourceFile& file) {
  constexpr std::string_view kStart = "#include ";
  std::vector<Include> includes;
  int number = 0;
  for (std::string_view line : LinesOf(file.text)) {
    ++number;
    if (!line.starts_with(kStart) || line.size() < kStart.size() + 2) continue;
    line.remove_prefix(kStart.size());
    const std::size_t end = line.find(line[0] == '"' ? '"' : '>', 1);
    if (end == line.npos) continue;
    includes.push_back({line.substr(1, end - 1), line[0] == '"', number});
  }
  return includes;
}

}  // namespace trefoil::project
