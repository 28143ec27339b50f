// Care of a database: check, stats, compact, backup, restore.
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace trefoil::cli {

namespace {

Result<CheckReport> CheckWithProgress(const Database& database, const std::string& what) {
  Progress progress(what, 0, Progress::Unit::kBytes);
  return database.Check([&](std::uint64_t done, std::uint64_t total) {
    progress.Update(done, done, total);
    return true;
  });
}

}  // namespace

int RunCheck(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<CheckReport> report = CheckWithProgress(*database, "check");
  if (!report) return Fail(report.error());
  for (const std::string& problem : report->problems) std::printf("%s\n", problem.c_str());
  const std::uint64_t entries = report->index_entries;
  std::printf("%s: %s, %s index %s, %s\n", report->problems.empty() ? "ok" : "damaged",
              Count(report->facts, "fact").c_str(), Grouped(entries).c_str(),
              entries == 1 ? "entry" : "entries",
              Count(report->problems.size(), "problem").c_str());
  if (report->problems.empty()) return kExitOk;
  std::printf("`trefoil dump --salvage %s` writes out what is whole\n",
              arguments.positional()[0].c_str());
  return kExitFailed;
}

int RunStats(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  std::printf("%s\n", database->StatsJson().c_str());
  return kExitOk;
}

int RunCompact(const Arguments& arguments) {
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kWrite);
  if (!database) return Fail(database.error());
  const Status compacted = database->Compact();
  return compacted ? kExitOk : Fail(compacted.error());
}

int RunBackup(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kWrite);
  if (!database) return Fail(database.error());
  const Status copied = database->Backup(arguments.positional()[1]);
  return copied ? kExitOk : Fail(copied.error());
}

// A backup is a database: restoring copies it to a new place after checking every page.
int RunRestore(const Arguments& arguments) {
  const std::string& target = arguments.positional()[0];
  const std::string& backup = arguments.positional()[1];
  const Result<Database> database = OpenDatabase(backup, Access::kWrite);
  if (!database) return Fail(database.error());
  const Result<CheckReport> report = CheckWithProgress(*database, "checking " + backup);
  if (!report) return Fail(report.error());
  if (!report->problems.empty()) {
    return Fail({.code = ErrorCode::kCorruption,
                 .message = backup + " is damaged: " + report->problems[0],
                 .hint = "`trefoil check` lists all damages"});
  }
  const Status copied = database->Clone(target);
  return copied ? kExitOk : Fail(copied.error());
}

}  // namespace trefoil::cli
