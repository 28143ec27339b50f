#include "cli/import/load.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "cli/import/import_plan.h"
#include "cli/progress.h"

namespace trefoil::cli {

namespace {

volatile std::sig_atomic_t interrupted = 0;

// Ctrl-C ends a load between two batches.
class InterruptGuard {
 public:
  InterruptGuard() {
    interrupted = 0;
    previous_ = std::signal(SIGINT, [](int) { interrupted = 1; });
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard() { std::signal(SIGINT, previous_); }

 private:
  void (*previous_)(int) = nullptr;
};

// The columns of a table as the database has them.
struct TargetTable {
  std::string name;
  std::vector<std::string> columns;
  std::vector<ValueKind> kinds;  // by column of the source
};

Error At(const RecordReader& reader, const Error& error) {
  Error placed = error;
  placed.message = reader.Place() + ": " + error.message;
  return placed;
}

Result<TargetTable> FindTarget(const Database& database, const TablePlan& plan) {
  const Result<Query> query = database.Prepare("SELECT * FROM " + QuotedName(plan.table));
  if (!query) return query.error();
  TargetTable target{.name = plan.table};
  for (const ColumnPlan& column : plan.columns) {
    const auto found = std::ranges::find(query->names(), column.name);
    target.columns.push_back(column.name);
    // An undeclared column keeps the type that was found.
    target.kinds.push_back(
        found == query->names().end()
            ? column.type.kind
            : query->kinds()[static_cast<std::size_t>(found - query->names().begin())]);
  }
  return target;
}

// `value` as the kind of its column, or an error that names the column.
Result<Value> Convert(const Value& value, const std::string& column, ValueKind kind) {
  const bool is_text = value.kind() == ValueKind::kText;
  if (!is_text || kind == ValueKind::kText || kind == ValueKind::kNull) return value;
  std::optional<Value> parsed = ParseValue(value.AsText(), kind);
  if (parsed) return *std::move(parsed);
  return Error{.code = ErrorCode::kTypeMismatch,
               .message = "column " + column + ": found '" + std::string(value.AsText()) +
                          "', expected " + std::string(KindName(kind))};
}

class Loader {
 public:
  Loader(Database& database, RecordReader& reader, TargetTable target, std::int64_t batch_rows)
      : database_(database),
        reader_(reader),
        target_(std::move(target)),
        batch_rows_(batch_rows),
        progress_(target_.name, reader.Total()) {}

  // Adds all records; returns their number.
  Result<std::uint64_t> Run() {
    bool more = true;
    while (more) {
      Transaction transaction = database_.Begin();
      const Result<bool> filled = Fill(transaction);
      if (!filled) return filled.error();
      more = *filled;
      const Result<CommitInfo> committed = transaction.Commit();
      if (!committed) return At(reader_, committed.error());
      progress_.Update(reader_.Done(), rows_);
      if (interrupted != 0) {
        return Error{
            .code = ErrorCode::kCancelled,
            .message = "interrupted after " + std::to_string(rows_) + " rows of " + target_.name,
            .hint = "the committed rows stay"};
      }
    }
    return rows_;
  }

 private:
  // One batch; false when the source has ended.
  Result<bool> Fill(Transaction& transaction) {
    std::vector<Value> record;
    for (std::int64_t i = 0; i < batch_rows_ && interrupted == 0; ++i) {
      const Result<bool> more = reader_.Next(&record);
      if (!more) return more.error();
      if (!*more) return false;
      if (Status added = Add(transaction, record); !added) return At(reader_, added.error());
    }
    return true;
  }

  Status Add(Transaction& transaction, const std::vector<Value>& record) {
    fields_.clear();
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (record[i].is_null()) continue;
      Result<Value> value = Convert(record[i], target_.columns[i], target_.kinds[i]);
      if (!value) return std::move(value).error();
      fields_.emplace_back(target_.columns[i], *std::move(value));
    }
    Result<std::vector<Value>> key = transaction.Insert(target_.name, fields_);
    if (!key) return std::move(key).error();
    ++rows_;
    return Ok();
  }

  Database& database_;
  RecordReader& reader_;
  TargetTable target_;
  std::int64_t batch_rows_;
  Progress progress_;
  Fields fields_;
  std::uint64_t rows_ = 0;
};

std::string Describe(const TablePlan& plan, std::uint64_t rows, double seconds) {
  std::string text = plan.table + ": " + std::to_string(rows) + " rows in " +
                     std::to_string(static_cast<std::int64_t>(seconds * 1000)) + " ms\n";
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const ColumnPlan& column = plan.columns[i];
    text += "  " + column.name + " ";
    text += column.references.empty() ? TypeText(column.type) : "REF " + column.references;
    if (std::ranges::find(plan.key, i) != plan.key.end()) text += " KEY";
    text += "\n";
  }
  return text;
}

Result<std::vector<ImportSource>> OpenAll(const std::vector<std::string>& paths,
                                          const LoadSettings& settings) {
  std::vector<ImportSource> sources;
  for (const std::string& path : paths) {
    Result<std::vector<ImportSource>> opened = OpenImport(path);
    if (!opened) return std::move(opened).error();
    for (ImportSource& source : *opened) sources.push_back(std::move(source));
  }
  if (!settings.table.empty()) {
    if (sources.size() != 1) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "--table names one table, but the files hold " +
                              std::to_string(sources.size())};
    }
    sources[0].table = settings.table;
  }
  return sources;
}

}  // namespace

Result<LoadReport> LoadFiles(Database& database, const std::vector<std::string>& paths,
                             const LoadSettings& settings) {
  Result<std::vector<ImportSource>> sources = OpenAll(paths, settings);
  if (!sources) return std::move(sources).error();
  const Result<std::vector<TablePlan>> plans = PlanImport(*sources, {.key = settings.key});
  if (!plans) return plans.error();
  const InterruptGuard guard;
  LoadReport report;
  for (const std::size_t i : LoadOrder(*plans)) {
    const TablePlan& plan = (*plans)[i];
    const auto start = std::chrono::steady_clock::now();
    if (!database.Prepare("SELECT * FROM " + QuotedName(plan.table))) {
      const Result<ExecuteSummary> declared = database.Execute(Declaration(plan));
      if (!declared) return declared.error();
    }
    Result<TargetTable> target = FindTarget(database, plan);
    if (!target) return std::move(target).error();
    Loader loader(database, *(*sources)[i].reader, *std::move(target), settings.batch_rows);
    const Result<std::uint64_t> rows = loader.Run();
    if (!rows) return rows.error();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    report.text += Describe(plan, *rows, took.count());
    report.rows += *rows;
  }
  return report;
}

}  // namespace trefoil::cli
