// Data in and out: import, export, dump, load.
#include <cstdio>
#include <utility>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/file_text.h"
#include "cli/import/load.h"
#include "cli/text.h"

namespace trefoil::cli {

int RunImport(const Arguments& arguments) {
  const Result<std::int64_t> batch_rows = arguments.Number("batch", 1000, 1);
  if (!batch_rows) return FailUsage("import", batch_rows.error());
  const std::vector<std::string> files(arguments.positional().begin() + 1,
                                       arguments.positional().end());
  // Files that do not read make no database.
  Result<LoadJob> job = PlanLoad(files, {.table = arguments.Get("table").value_or(""),
                                         .key = arguments.Get("key").value_or(""),
                                         .batch_rows = *batch_rows});
  if (!job) return Fail(job.error());
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kCreate);
  if (!database) return Fail(database.error());
  const Result<std::string> report = Load(*database, *job);
  if (!report) return Fail(report.error());
  if (Status flushed = database->Flush(); !flushed) return Fail(flushed.error());
  std::fputs(report->c_str(), stdout);
  return kExitOk;
}

int RunExport(const Arguments& arguments) {
  const std::optional<std::string> table = arguments.Get("table");
  const std::optional<std::string> query = arguments.Get("query");
  if (table.has_value() == query.has_value()) {
    return FailUsage("export", {.message = "give either --table or --query"});
  }
  const Result<Format> format = ParseFormat(arguments.Get("format").value_or("csv"));
  if (!format) return FailUsage("export", format.error());
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<std::string> text =
      table ? ExportTable(*database, *table, *format) : ExportQuery(*database, *query, *format);
  if (!text) return table ? Fail(text.error()) : FailQuery(text.error(), *query);
  const Status written = WriteFile(arguments.Get("output").value_or("-"), *text);
  return written ? kExitOk : Fail(written.error());
}

namespace {

// The losses go to standard error, so that standard output holds the dump alone.
int RunSalvage(const std::string& path, const std::string& output) {
  const Result<SalvageReport> saved = Database::Salvage(path);
  if (!saved) return Fail(saved.error());
  for (const std::string& loss : saved->lost) std::fprintf(stderr, "lost: %s\n", loss.c_str());
  if (Status written = WriteFile(output, saved->dump); !written) return Fail(written.error());
  std::fprintf(stderr, "salvaged %s, %s\n", Count(saved->facts, "fact").c_str(),
               saved->lost.empty() ? "nothing is lost" : "what is lost is named above");
  return kExitOk;
}

}  // namespace

int RunDump(const Arguments& arguments) {
  if (arguments.Has("salvage")) {
    return RunSalvage(arguments.positional()[0], arguments.Get("output").value_or("-"));
  }
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<std::string> text = database->DumpText();
  if (!text) {
    Error error = text.error();
    if (error.code == ErrorCode::kCorruption) error.hint = "--salvage writes out what is whole";
    return Fail(error);
  }
  const Status written = WriteFile(arguments.Get("output").value_or("-"), *text);
  return written ? kExitOk : Fail(written.error());
}

int RunLoad(const Arguments& arguments) {
  const Result<std::string> text = ReadFile(arguments.positional()[1]);
  if (!text) return Fail(text.error());
  const Result<Part> part = Part::OfDump(*text);
  if (!part) return Fail(part.error());
  const Status loaded = ChangeDatabase(
      arguments.positional()[0], [&](Database& database) { return database.LoadText(*text); },
      *part);
  return loaded ? kExitOk : Fail(loaded.error());
}

}  // namespace trefoil::cli
