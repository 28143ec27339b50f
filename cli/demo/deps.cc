// Demo `deps`: the packages of this machine and what they depend on. Live: the packages of one
// section, sizes by section, the ten largest, and everything that breaks if one package goes (live
// recursion). Then packages are upgraded, removed and added, and each commit's exact deltas are
// shown with the time they took.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "cli/demo/demo.h"
#include "cli/demo/dpkg.h"
#include "cli/demo/witness.h"
#include "cli/file_text.h"

namespace trefoil::cli {

namespace {

constexpr const char* kStatusFile = "/var/lib/dpkg/status";
constexpr const char* kTarget = "zlib1g";
constexpr const char* kSection = "libs";
constexpr std::size_t kLargestCount = 10;
constexpr int kQuietCommits = 200;

constexpr const char* kSchema =
    "TABLE package (name TEXT KEY, version TEXT, section TEXT INDEX, size INT INDEX);"
    "TABLE dependency (package TEXT, target TEXT INDEX, KEY (package, target));";

constexpr const char* kList = "SELECT name, version FROM package WHERE section = :section";
constexpr const char* kSections =
    "SELECT section, count(*) AS packages, sum(size) AS kib FROM package GROUP BY section "
    "ORDER BY section";
constexpr const char* kLargest = "SELECT name, size FROM package ORDER BY size DESC LIMIT 10";
constexpr const char* kBreaks =
    "WITH RECURSIVE broken(name) AS ("
    "SELECT d.package FROM dependency AS d WHERE d.target = :target "
    "UNION "
    "SELECT d.package FROM dependency AS d JOIN broken AS b ON d.target = b.name) "
    "SELECT name FROM broken ORDER BY name";

// The packages as the demo itself knows them: what the answers by hand are computed from.
using Packages = std::map<std::string, DebianPackage>;

Status AddPackage(Transaction& transaction, const DebianPackage& package) {
  const auto added = transaction.Put("package", {{"name", Value::Text(package.name)},
                                                 {"version", Value::Text(package.version)},
                                                 {"section", Value::Text(package.section)},
                                                 {"size", Value::Int(package.size_kib)}});
  if (!added) return added.error();
  for (const std::string& target : package.depends) {
    const auto edge = transaction.Put(
        "dependency", {{"package", Value::Text(package.name)}, {"target", Value::Text(target)}});
    if (!edge) return edge.error();
  }
  return Ok();
}

Status RemovePackage(Transaction& transaction, const DebianPackage& package) {
  const Value name = Value::Text(package.name);
  const auto removed = transaction.Delete("package", {&name, 1});
  if (!removed) return removed.error();
  for (const std::string& target : package.depends) {
    const Value key[] = {name, Value::Text(target)};
    const auto edge = transaction.Delete("dependency", key);
    if (!edge) return edge.error();
  }
  return Ok();
}

// What breaks without `target`, by hand: a walk over all packages until nothing is added.
AnswerRows BrokenByHand(const Packages& packages, const std::string& target) {
  std::set<std::string> broken;
  bool grew = true;
  while (grew) {
    grew = false;
    for (const auto& [name, package] : packages) {
      const bool breaks = std::ranges::any_of(
          package.depends, [&](const std::string& d) { return d == target || broken.contains(d); });
      if (breaks && broken.insert(name).second) grew = true;
    }
  }
  AnswerRows rows;
  for (const std::string& name : broken) rows.push_back({Value::Text(name)});
  return rows;
}

AnswerRows ListByHand(const Packages& packages) {
  AnswerRows rows;
  for (const auto& [name, package] : packages) {
    if (package.section != kSection) continue;
    rows.push_back({Value::Text(name), Value::Text(package.version)});
  }
  return rows;
}

AnswerRows SectionsByHand(const Packages& packages) {
  struct Totals {
    std::int64_t packages = 0;
    std::int64_t kib = 0;
  };
  std::map<std::string, Totals> sections;
  for (const auto& [name, package] : packages) {
    Totals& totals = sections[package.section];
    ++totals.packages;
    totals.kib += package.size_kib;
  }
  AnswerRows rows;
  for (const auto& [section, totals] : sections) {
    rows.push_back({Value::Text(section), Value::Int(totals.packages), Value::Int(totals.kib)});
  }
  return rows;
}

AnswerRows LargestByHand(const Packages& packages) {
  std::vector<std::pair<std::int64_t, std::string>> by_size;  // the largest has the least number
  for (const auto& [name, package] : packages) by_size.emplace_back(-package.size_kib, name);
  std::ranges::sort(by_size);
  AnswerRows rows;
  for (std::size_t i = 0; i < std::min<std::size_t>(by_size.size(), kLargestCount); ++i) {
    rows.push_back({Value::Text(by_size[i].second), Value::Int(-by_size[i].first)});
  }
  return rows;
}

class DepsDemo {
 public:
  DepsDemo(Database& database, Packages packages)
      : database_(database), packages_(std::move(packages)), witness_(database) {}

  Status Run() {
    for (const auto& step :
         {&DepsDemo::Load, &DepsDemo::WatchAll, &DepsDemo::ShowSteps, &DepsDemo::RunQuietly}) {
      if (Status done = (this->*step)(); !done) return done;
    }
    return Ok();
  }

  DemoVerdict Verdict() const { return witness_.Verdict(); }

 private:
  Status Load() {
    std::size_t dependencies = 0;
    const Result<ExecuteSummary> declared = database_.Execute(kSchema);
    if (!declared) return declared.error();
    const Result<CommitInfo> loaded = database_.Write([&](Transaction& transaction) -> Status {
      dependencies = 0;
      for (const auto& [name, package] : packages_) {
        dependencies += package.depends.size();
        if (Status added = AddPackage(transaction, package); !added) return added;
      }
      return Ok();
    });
    if (!loaded) return loaded.error();
    std::printf("%zu packages and %zu dependencies of this machine, in one commit\n",
                packages_.size(), dependencies);
    return Ok();
  }

  Status WatchAll() {
    const auto watch = [&](const char* name, const char* query, const Params& params) {
      std::printf("live %-9s %s\n", name, query);
      return witness_.Watch(name, query, params, true);
    };
    Params section;
    section.Set("section", Value::Text(kSection));
    Params target;
    target.Set("target", Value::Text(kTarget));
    if (Status done = watch("list", kList, section); !done) return done;
    if (Status done = watch("sections", kSections, {}); !done) return done;
    if (Status done = watch("largest", kLargest, {}); !done) return done;
    return watch("breaks", kBreaks, target);
  }

  void CompareByHand() {
    witness_.CompareByHand("list", ListByHand(packages_));
    witness_.CompareByHand("sections", SectionsByHand(packages_));
    witness_.CompareByHand("largest", LargestByHand(packages_));
    witness_.CompareByHand("breaks", BrokenByHand(packages_, kTarget));
  }

  // A commit that brings a package to a state, or removes it, in the database and in our copy.
  Status Change(const std::string& what, const DebianPackage& package, bool present) {
    const auto before = packages_.find(package.name);
    Status done = witness_.Commit(what, [&]() -> Status {
      const Result<CommitInfo> commit = database_.Write([&](Transaction& transaction) -> Status {
        if (before != packages_.end()) {
          if (Status removed = RemovePackage(transaction, before->second); !removed) return removed;
        }
        return present ? AddPackage(transaction, package) : Ok();
      });
      return commit ? Ok() : Status(commit.error());
    });
    if (!done) return done;
    if (present) {
      packages_[package.name] = package;
    } else {
      packages_.erase(package.name);
    }
    if (Status compared = witness_.Compare(); !compared) return compared;
    CompareByHand();
    return Ok();
  }

  Status ShowSteps() {
    const DebianPackage library = {.name = "libclover1",
                                   .version = "1.0-1",
                                   .section = "libs",
                                   .size_kib = 120,
                                   .depends = {kTarget}};
    DebianPackage upgraded = library;
    upgraded.version = "1.1-1";
    upgraded.size_kib = 5'000'000;
    const DebianPackage tool = {.name = "clover-tool",
                                .version = "1.0-1",
                                .section = "utils",
                                .size_kib = 40,
                                .depends = {"libclover1"}};
    if (Status done = Change("install libclover1, which needs zlib1g", library, true); !done) {
      return done;
    }
    if (Status done = Change("install clover-tool, which needs libclover1", tool, true); !done) {
      return done;
    }
    if (Status done = Change("upgrade libclover1: now the largest", upgraded, true); !done) {
      return done;
    }
    if (Status done =
            Change("remove libclover1: clover-tool no longer reaches zlib1g", library, false);
        !done) {
      return done;
    }
    return Change("remove clover-tool", tool, false);
  }

  // Many more upgrades, removals and re-installations, compared but not shown.
  Status RunQuietly() {
    std::vector<DebianPackage> all;
    for (const auto& [name, package] : packages_) all.push_back(package);
    std::uint64_t state = 7;  // a small fixed generator: the demo is the same every time
    for (int i = 0; i < kQuietCommits; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      DebianPackage package = all[(state >> 33) % all.size()];
      const bool present = !packages_.contains(package.name) || i % 3 != 0;
      package.version += "+" + std::to_string(i);
      package.size_kib += static_cast<std::int64_t>(state % 1000);
      if (Status done = Change("", package, present); !done) return done;
    }
    return Ok();
  }

  Database& database_;
  Packages packages_;
  Witness witness_;
};

}  // namespace

Result<DemoVerdict> RunDepsDemo(const DemoSettings& settings) {
  const std::string path = settings.data.empty() ? kStatusFile : settings.data;
  const Result<std::string> text = ReadFile(path);
  if (!text) return text.error();
  Packages packages;
  for (DebianPackage& package : ParseDpkgStatus(*text)) {
    const std::string name = package.name;
    packages.emplace(name, std::move(package));
  }
  if (packages.empty()) return Error{.message = path + " names no installed package"};
  std::printf("demo deps: %s\n", path.c_str());
  Result<Database> database = Database::Open(":memory:");
  if (!database) return std::move(database).error();
  DepsDemo demo(*database, std::move(packages));
  if (Status done = demo.Run(); !done) return done.error();
  return demo.Verdict();
}

}  // namespace trefoil::cli
