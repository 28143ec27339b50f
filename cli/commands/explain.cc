// `trefoil explain`: the plan of a query as text, or as a picture for Graphviz.
#include <algorithm>
#include <cstdio>
#include <string>

#include "cli/commands/commands.h"

namespace trefoil::cli {

namespace {

// The error of `prefix query` as one of the query.
Error WithoutPrefix(Error error, std::size_t prefix_bytes) {
  if (error.line == 1) {
    error.column = std::max(1, error.column - static_cast<int>(prefix_bytes));
  }
  return error;
}

}  // namespace

int RunExplain(const Arguments& arguments) {
  const Result<Params> params = ParseParams(arguments.All("param"));
  if (!params) return FailUsage("explain", params.error());
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const std::string& query = arguments.positional()[1];
  std::string prefix = "EXPLAIN ";
  if (arguments.Has("analyze")) prefix += "ANALYZE ";
  if (arguments.Has("live")) prefix += "LIVE ";
  if (arguments.Has("dot")) prefix += "DOT ";
  const Result<ExecuteSummary> plan = database->Execute(prefix + query, *params);
  if (!plan) return FailQuery(WithoutPrefix(plan.error(), prefix.size()), query);
  for (const StatementResult& result : plan->statements) {
    for (std::size_t i = 0; result.rows && i < result.rows->size(); ++i) {
      std::printf("%s\n", ToText((*result.rows)[i][0]).c_str());
    }
  }
  return kExitOk;
}

}  // namespace trefoil::cli
