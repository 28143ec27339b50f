// Care of a database: check, stats, compact, backup, restore; and explain.
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/error_text.h"
#include "cli/progress.h"

namespace trefoil::cli {

int RunCheck(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  Progress progress("check", 0);
  const Result<CheckReport> report = database->Check([&](std::uint64_t done, std::uint64_t) {
    progress.Update(done, done);
    return true;
  });
  if (!report) return Fail(report.error());
  for (const std::string& problem : report->problems) std::printf("%s\n", problem.c_str());
  std::printf("%s: %llu facts, %llu index entries, %zu problems\n",
              report->problems.empty() ? "ok" : "damaged",
              static_cast<unsigned long long>(report->facts),
              static_cast<unsigned long long>(report->index_entries), report->problems.size());
  return report->problems.empty() ? kExitOk : kExitFailed;
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
  const Result<CheckReport> report = database->Check();
  if (!report) return Fail(report.error());
  if (!report->problems.empty()) {
    return Fail({.code = ErrorCode::kCorruption,
                 .message = backup + " is damaged: " + report->problems[0],
                 .hint = "`trefoil check` lists all damages"});
  }
  const Status copied = database->Clone(target);
  return copied ? kExitOk : Fail(copied.error());
}

int RunExplain(const Arguments& arguments) {
  const Result<Params> params = ParseParams(arguments.All("param"));
  if (!params) return Fail(params.error()), kExitUsage;
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const std::string& query = arguments.positional()[1];
  const std::string kind = arguments.Has("analyze") ? "ANALYZE " : "";
  const std::string live = arguments.Has("live") ? "LIVE " : "";
  const std::string dot = arguments.Has("dot") ? "DOT " : "";
  const std::string script = "EXPLAIN " + kind + live + dot + query;
  const Result<ExecuteSummary> plan = database->Execute(script, *params);
  if (!plan) {
    std::fputs(ErrorText(plan.error(), script).c_str(), stderr);
    return kExitFailed;
  }
  for (const StatementResult& result : plan->statements) {
    if (!result.rows) continue;
    for (std::size_t i = 0; i < result.rows->size(); ++i) {
      std::printf("%s\n", ToText((*result.rows)[i][0]).c_str());
    }
  }
  return kExitOk;
}

}  // namespace trefoil::cli
