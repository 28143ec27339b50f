// Data in and out: import, export, dump, load.
#include <utility>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/file_text.h"
#include "cli/import/load.h"

namespace trefoil::cli {

int RunImport(const Arguments& arguments) {
  const Result<std::int64_t> batch_rows = arguments.Number("batch", 10'000, 1);
  if (!batch_rows) return Fail(batch_rows.error()), kExitUsage;
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kCreate);
  if (!database) return Fail(database.error());
  const std::vector<std::string> files(arguments.positional().begin() + 1,
                                       arguments.positional().end());
  const Result<LoadReport> report = LoadFiles(*database, files,
                                              {.table = arguments.Get("table").value_or(""),
                                               .key = arguments.Get("key").value_or(""),
                                               .batch_rows = *batch_rows});
  if (!report) return Fail(report.error());
  if (Status flushed = database->Flush(); !flushed) return Fail(flushed.error());
  std::fputs(report->text.c_str(), stdout);
  return kExitOk;
}

int RunExport(const Arguments& arguments) {
  const std::optional<std::string> table = arguments.Get("table");
  const std::optional<std::string> query = arguments.Get("query");
  if (table.has_value() == query.has_value()) {
    return Fail({.message = "export takes --table T or --query SQL"}), kExitUsage;
  }
  const Result<Format> format = ParseFormat(arguments.Get("format").value_or("csv"));
  if (!format) return Fail(format.error()), kExitUsage;
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<std::string> text =
      table ? ExportTable(*database, *table, *format) : ExportQuery(*database, *query, *format);
  if (!text) return Fail(text.error());
  const Status written = WriteFile(arguments.Get("output").value_or("-"), *text);
  return written ? kExitOk : Fail(written.error());
}

int RunDump(const Arguments& arguments) {
  const Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kRead);
  if (!database) return Fail(database.error());
  const Result<std::string> text = database->DumpText();
  if (!text) return Fail(text.error());
  const Status written = WriteFile(arguments.Get("output").value_or("-"), *text);
  return written ? kExitOk : Fail(written.error());
}

int RunLoad(const Arguments& arguments) {
  const Result<std::string> text = ReadFile(arguments.positional()[1]);
  if (!text) return Fail(text.error());
  Result<Database> database = OpenDatabase(arguments.positional()[0], Access::kCreate);
  if (!database) return Fail(database.error());
  const Status loaded = database->LoadText(*text);
  if (!loaded) return Fail(loaded.error());
  const Status flushed = database->Flush();
  return flushed ? kExitOk : Fail(flushed.error());
}

}  // namespace trefoil::cli
