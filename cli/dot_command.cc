#include "cli/dot_command.h"

#include <algorithm>
#include <string>

#include "cli/arguments.h"
#include "cli/export.h"
#include "cli/file_text.h"
#include "cli/import/load.h"
#include "cli/session.h"

namespace trefoil::cli {

namespace {

using Words = std::vector<std::string>;

Error BadCall(std::string message, std::string hint = {}) {
  return {
      .code = ErrorCode::kInvalidArgument, .message = std::move(message), .hint = std::move(hint)};
}

// Runs a query of ours and prints its rows.
Status PrintQuery(Session& session, std::string_view treesql) {
  const Result<Query> query = session.database().Prepare(treesql);
  if (!query) return query.error();
  const Result<Rows> rows = session.database().snapshot().Run(*query);
  if (!rows) return rows.error();
  session.PrintRows(*rows);
  return Ok();
}

Status Help(Session& session, const Words&, std::string_view) {
  for (const DotCommand& command : DotCommands()) {
    std::string call = std::string(command.name) + " " + std::string(command.synopsis);
    call.resize(std::max<std::size_t>(call.size() + 1, 30), ' ');
    session.PrintText(call + std::string(command.summary) + "\n");
  }
  return Ok();
}

Status OpenDatabase(Session& session, const Words& words, std::string_view) {
  return session.Reopen(words[0]);
}

Status Tables(Session& session, const Words&, std::string_view) {
  return PrintQuery(session, "SELECT name FROM sys.type ORDER BY name");
}

Status ShowSchema(Session& session, const Words&, std::string_view) {
  session.PrintText(session.database().SchemaText());
  return Ok();
}

Status Mode(Session& session, const Words& words, std::string_view) {
  const Result<Format> format = ParseFormat(words[0]);
  if (!format) return format.error();
  session.settings().format = *format;
  return Ok();
}

Status Timer(Session& session, const Words& words, std::string_view) {
  if (words[0] != "on" && words[0] != "off") return BadCall(".timer takes on or off");
  session.settings().timer = words[0] == "on";
  return Ok();
}

Status ImportFile(Session& session, const Words& words, std::string_view) {
  LoadSettings settings;
  if (words.size() > 1) settings.table = words[1];
  Result<LoadJob> job = PlanLoad({words[0]}, settings);
  if (!job) return std::move(job).error();
  const Result<std::string> report = Load(session.database(), *job);
  if (!report) return report.error();
  session.PrintText(*report);
  return Ok();
}

Status Export(Session& session, const Words& words, std::string_view) {
  const Result<std::string> csv = ExportTable(session.database(), words[0], Format::kCsv);
  if (!csv) return csv.error();
  if (words.size() > 1) return WriteFile(words[1], *csv);
  session.PrintText(*csv);
  return Ok();
}

Status DumpDatabase(Session& session, const Words& words, std::string_view) {
  const Result<std::string> dump = session.database().DumpText();
  if (!dump) return dump.error();
  if (!words.empty()) return WriteFile(words[0], *dump);
  session.PrintText(*dump);
  return Ok();
}

Status ReadScript(Session& session, const Words& words, std::string_view) {
  const Result<std::string> script = ReadFile(words[0]);
  if (!script) return script.error();
  if (!session.RunScript(*script)) return BadCall(words[0] + ": a statement failed");
  return Ok();
}

Status Output(Session& session, const Words& words, std::string_view) {
  std::FILE* const out = words.empty() ? stdout : std::fopen(words[0].c_str(), "w");
  if (out == nullptr) return BadCall("cannot create " + words[0]);
  if (session.settings().out != stdout) std::fclose(session.settings().out);
  session.settings().out = out;
  return Ok();
}

Status Explain(Session& session, const Words&, std::string_view rest) {
  const Result<ExecuteSummary> plan =
      session.database().Execute("EXPLAIN " + std::string(rest), session.settings().params);
  if (!plan) return plan.error();
  for (const StatementResult& result : plan->statements) {
    if (result.rows) session.PrintRows(*result.rows);
  }
  return Ok();
}

Status BackupDatabase(Session& session, const Words& words, std::string_view) {
  return session.database().Backup(words[0]);
}

// `.live` lists, `.live NAME` shows, `.live NAME QUERY` starts.
Status Live(Session& session, const Words& words, std::string_view rest) {
  if (words.empty()) {
    for (const std::string& name : session.LiveNames()) session.PrintText(name + "\n");
    return Ok();
  }
  if (words.size() == 1) return session.ShowLive(words[0]);
  const std::size_t query =
      rest.find_first_not_of(" \t\r\n", rest.find(words[0]) + words[0].size());
  return session.StartLive(words[0], rest.substr(query));
}

Status Unlive(Session& session, const Words& words, std::string_view) {
  return session.StopLive(words[0]);
}

Status Levels(Session& session, const Words&, std::string_view) {
  session.PrintText(session.database().StatsJson() + "\n");
  return Ok();
}

Status Operators(Session& session, const Words&, std::string_view) {
  session.PrintText(session.database().DataflowJson() + "\n");
  return Ok();
}

Status MergeFile(Session& session, const Words& words, std::string_view) {
  const Result<std::string> changeset = ReadFile(words[0]);
  if (!changeset) return changeset.error();
  const Result<MergeSummary> merged = session.database().Merge(*changeset);
  if (!merged) return InFile(merged.error(), "changeset", words[0]);
  session.PrintText(MergeText(*merged, session.settings().format));
  return Ok();
}

Status WriteChanges(Session& session, const Words& words, std::string_view) {
  if (words.size() == 2 || (words.size() == 3 && words[1] != "since")) {
    return BadCall(".changes FILE [since FILE]");
  }
  return WriteChangeset(session.database(), words[0], {.since = words.size() == 3 ? words[2] : ""});
}

Status Quit(Session& session, const Words&, std::string_view) {
  session.Quit();
  return Ok();
}

constexpr std::size_t kAny = 1'000'000;

constexpr DotCommand kDotCommands[] = {
    {".backup", "DIR", "copy the database, by hard links where possible", 1, 1, BackupDatabase},
    {".changes", "FILE [since FILE]", "write what others lack as a changeset", 1, 3, WriteChanges},
    {".dump", "[FILE]", "the whole database as sorted text", 0, 1, DumpDatabase},
    {".explain", "QUERY", "the plan of a query", 1, kAny, Explain},
    {".export", "TABLE [FILE]", "a table as CSV", 1, 2, Export},
    {".help", "", "this list", 0, 0, Help},
    {".import", "FILE [TABLE]", "add the records of a CSV, JSON or SQLite file", 1, 2, ImportFile},
    {".levels", "", "the levels and counters of the store as JSON", 0, 0, Levels},
    {".live", "[NAME [QUERY]]", "list, show or start live queries", 0, kAny, Live},
    {".merge", "FILE", "apply a changeset", 1, 1, MergeFile},
    {".mode", "box|json|ndjson|csv", "how rows are printed", 1, 1, Mode},
    {".open", "DB", "close this database and open another", 1, 1, OpenDatabase},
    {".operators", "", "the live queries and their operators as JSON", 0, 0, Operators},
    {".output", "[FILE]", "print to a file, or to the screen again", 0, 1, Output},
    {".quit", "", "leave", 0, 0, Quit},
    {".read", "FILE", "run a script", 1, 1, ReadScript},
    {".schema", "", "the declarations of tables and indexes", 0, 0, ShowSchema},
    {".stats", "", "the same as .levels", 0, 0, Levels},
    {".tables", "", "the names of the tables", 0, 0, Tables},
    {".timer", "on|off", "print how long each statement took", 1, 1, Timer},
    {".unlive", "NAME", "end a live query", 1, 1, Unlive},
};

Words SplitWords(std::string_view text) {
  Words words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const bool quoted = text[0] == '\'' || text[0] == '"';
    const std::size_t end =
        quoted ? text.find(text[0], 1) : std::min(text.find_first_of(" \t\r\n"), text.size());
    const std::size_t stop = std::min(end, text.size());
    words.emplace_back(quoted ? text.substr(1, stop - 1) : text.substr(0, stop));
    text.remove_prefix(std::min(stop + (quoted ? 1 : 0), text.size()));
  }
}

}  // namespace

std::span<const DotCommand> DotCommands() { return kDotCommands; }

Status RunDotCommand(Session& session, std::string_view line) {
  const std::size_t end = std::min(line.find_first_of(" \t\r\n"), line.size());
  const std::string name(line.substr(0, end));
  const std::string_view rest = line.substr(end);
  const auto found = std::ranges::find(kDotCommands, name, &DotCommand::name);
  if (found == std::end(kDotCommands)) {
    std::vector<std::string> names;
    for (const DotCommand& command : kDotCommands) names.emplace_back(command.name);
    const std::optional<std::string> nearest = NearestName(name, names);
    return BadCall("unknown command " + name,
                   nearest ? "did you mean " + *nearest + "?" : ".help lists the commands");
  }
  const Words words = SplitWords(rest);
  if (words.size() < found->arguments_min || words.size() > found->arguments_max) {
    return BadCall("usage: " + name + " " + std::string(found->synopsis));
  }
  return found->run(session, words, rest);
}

}  // namespace trefoil::cli
