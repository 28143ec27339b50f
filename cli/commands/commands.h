// The commands, one function each; registry.cc describes them.
#pragma once

#include <string>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/open.h"
#include "trefoil/database.h"

namespace trefoil::cli {

int RunShell(const Arguments& arguments);
int RunRun(const Arguments& arguments);
int RunLive(const Arguments& arguments);
int RunImport(const Arguments& arguments);
int RunExport(const Arguments& arguments);
int RunDump(const Arguments& arguments);
int RunLoad(const Arguments& arguments);
int RunExplain(const Arguments& arguments);
int RunChanges(const Arguments& arguments);
int RunMerge(const Arguments& arguments);
int RunDiff(const Arguments& arguments);
int RunClone(const Arguments& arguments);
int RunCheck(const Arguments& arguments);
int RunStats(const Arguments& arguments);
int RunCompact(const Arguments& arguments);
int RunBackup(const Arguments& arguments);
int RunRestore(const Arguments& arguments);
int RunGen(const Arguments& arguments);
int RunDemo(const Arguments& arguments);
int RunCompletion(const Arguments& arguments);
int RunVersion(const Arguments& arguments);

// `name=value` options as parameters: numbers, true, false and null as such, the rest as text;
// 'quoted' is always text.
Result<Params> ParseParams(const std::vector<std::string>& words);

}  // namespace trefoil::cli
