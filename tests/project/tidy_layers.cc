// Who may include whom. The picture is in docs/architecture.md; this is the same as a table.
#include <algorithm>
#include <map>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"

namespace trefoil::project {

namespace {

using Names = std::vector<std::string_view>;

// The folders that a folder may include besides itself and the public headers that it may use.
const std::map<std::string_view, Names> kMayInclude = {
    {"include", {}},
    {"base", {}},
    {"lsm", {"base"}},
    {"schema", {"base"}},
    {"dataflow", {"base"}},
    {"query", {"base", "dataflow", "schema"}},
    {"crdt", {"base", "schema"}},
    {"db", {"base", "lsm", "schema", "dataflow", "query", "crdt"}},
    {"cli", {}},
    {"examples", {}},
};

// The public headers that hold plain values, so that every layer may use them. The others declare
// the database and belong to db and its users.
const Names kVocabulary = {"trefoil/slice.h",   "trefoil/result.h", "trefoil/value.h",
                           "trefoil/version.h", "trefoil/change.h", "trefoil/query.h"};
const Names kUsesAllPublicHeaders = {"include", "db", "cli", "examples"};

// What others may see of lsm.
const Names kLsmSeam = {"lsm/store.h", "lsm/options.h", "lsm/write_batch.h"};

const Names kFileHeaders = {"unistd.h",   "fcntl.h",    "dirent.h", "sys/file.h",
                            "sys/mman.h", "sys/stat.h", "fstream",  "filesystem"};
const Names kThreadHeaders = {"thread", "future", "pthread.h", "stop_token"};
const Names kLockHeaders = {"mutex", "shared_mutex", "condition_variable", "semaphore"};
const Names kLockFree = {"schema", "dataflow", "query", "crdt"};
const Names kClockCalls = {"system_clock::now", "steady_clock::now", "high_resolution_clock::now",
                           "clock_gettime", "gettimeofday"};

bool Has(const Names& names, std::string_view name) { return std::ranges::count(names, name) > 0; }

// Empty when the include is fine, otherwise the rule.
std::string RuleAgainstOurs(const SourceFile& file, std::string_view target) {
  const std::string_view from = FolderOf(file.path);
  const std::string_view to = FolderOf(target);
  if (target.find("..") != target.npos) return "includes are written from the top of the tree";
  if (to == "trefoil") {
    if (Has(kUsesAllPublicHeaders, from) || Has(kVocabulary, target)) return {};
    return StrCat(from, "/ may include of include/trefoil only plain values, not \"", target, "\"");
  }
  if (to == "lsm" && from != "lsm" && !Has(kLsmSeam, target)) {
    return StrCat("lsm/ is used through lsm/store.h only, not \"", target, "\"");
  }
  if (to == from && from != "include" && from != "examples") return {};
  if (Has(kMayInclude.at(from), to)) return {};
  return StrCat(from, "/ must not include \"", target, "\": the layers do not allow it");
}

std::string RuleAgainstSystem(std::string_view path, std::string_view target) {
  const std::string_view folder = FolderOf(path);
  if (folder == "cli" || folder == "examples") return {};
  const bool is_env = path.starts_with("base/env_") || path.starts_with("base/random");
  if (Has(kFileHeaders, target) && !is_env) {
    return StrCat("<", target, "> is used in base/env_* only: files are reached through Env");
  }
  if (Has(kThreadHeaders, target) && folder != "base") {
    return StrCat("<", target, "> is used in base/ only: threads are reached through Executor");
  }
  if (Has(kLockHeaders, target) && Has(kLockFree, folder)) {
    return StrCat("<", target, "> must not be used in ", folder, "/: it has no locks");
  }
  if (target == "random" && folder != "base") {
    return "<random> is used in base/ only: randomness comes from base/random.h";
  }
  if ((target == "iostream" || target == "exception") && folder != "cli") {
    return StrCat("<", target, "> must not be used: the library neither prints nor throws");
  }
  return {};
}

void CheckClocks(const SourceFile& file, std::vector<Finding>& findings) {
  if (FolderOf(file.path) == "base" || FolderOf(file.path) == "cli") return;
  int number = 0;
  for (const std::string_view line : LinesOf(file.text)) {
    ++number;
    for (const std::string_view call : kClockCalls) {
      if (line.find(call) == line.npos) continue;
      findings.push_back({file.path, number, StrCat(call, ": time comes from base/clock.h")});
    }
  }
}

}  // namespace

std::vector<Finding> CheckLayers(const Tree& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    const std::string_view folder = FolderOf(file.path);
    if (!IsProduct(file.path) && folder != "examples") continue;
    if (!kMayInclude.contains(folder)) {
      findings.push_back({file.path, 0, "this folder has no place in the layers"});
      continue;
    }
    for (const Include& include : IncludesOf(file)) {
      std::string rule = include.ours ? RuleAgainstOurs(file, include.target)
                                      : RuleAgainstSystem(file.path, include.target);
      if (!rule.empty()) findings.push_back({file.path, include.line, std::move(rule)});
    }
    if (folder != "examples") CheckClocks(file, findings);
  }
  return findings;
}

}  // namespace trefoil::project
