// `trefoil run`: statements from the command line, a file or standard input.
#include <unistd.h>

#include <utility>

#include "cli/commands/commands.h"
#include "cli/file_text.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace trefoil::cli {

namespace {

// The script: the argument, the file of -f, or standard input.
Result<std::string> ScriptOf(const Arguments& arguments) {
  const std::optional<std::string> file = arguments.Get("file");
  if (file) return ReadFile(*file);
  if (arguments.positional().size() > 1) return arguments.positional()[1];
  return ReadFile("-");
}

}  // namespace

int RunRun(const Arguments& arguments) {
  const bool to_terminal = IsTerminal(STDOUT_FILENO);
  const Result<Format> format =
      ParseFormat(arguments.Get("format").value_or(to_terminal ? "box" : "ndjson"));
  if (!format) return FailUsage("run", format.error());
  Result<Params> params = ParseParams(arguments.All("param"));
  if (!params) return FailUsage("run", params.error());
  if (arguments.Has("file") && arguments.positional().size() > 1) {
    return FailUsage("run", {.message = "give statements or -f FILE, not both"});
  }
  const Result<std::string> script = ScriptOf(arguments);
  if (!script) return Fail(script.error());
  const bool read_only = arguments.Has("read-only");
  Result<Database> database =
      OpenDatabase(arguments.positional()[0], read_only ? Access::kRead : Access::kCreate);
  if (!database) return Fail(database.error());
  Session session(
      *std::move(database), arguments.positional()[0],
      {.format = *format,
       .script = arguments.Get("file").value_or("-") == "-" ? "" : *arguments.Get("file"),
       .params = *std::move(params),
       .width = to_terminal ? TerminalWidth() : 0,
       .keep_going = arguments.Has("keep-going")});
  return session.RunScript(*script) ? kExitOk : kExitFailed;
}

}  // namespace trefoil::cli
