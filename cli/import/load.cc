#include "cli/import/load.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>

#include "cli/progress.h"
#include "cli/text.h"

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

// A table of the database, as the source's columns see it.
struct TargetTable {
  std::string name;
  std::vector<std::string> columns;
  std::vector<ValueKind> kinds;         // by column of the source
  std::vector<std::string> undeclared;  // columns that the table does not name
};

Error At(const std::string& place, const Error& error) {
  Error placed = error;
  placed.message = place + ": " + error.message;
  return placed;
}

Result<TargetTable> FindTarget(const Database& database, const TablePlan& plan) {
  const Result<Query> query = database.Prepare("SELECT * FROM " + QuotedName(plan.table));
  if (!query) return query.error();
  TargetTable target{.name = plan.table};
  for (const ColumnPlan& column : plan.columns) {
    const auto found = std::ranges::find(query->names(), column.name);
    const bool declared = found != query->names().end();
    target.columns.push_back(column.name);
    // An undeclared column keeps the type that was found.
    target.kinds.push_back(
        declared ? query->kinds()[static_cast<std::size_t>(found - query->names().begin())]
                 : column.type.kind);
    if (!declared) target.undeclared.push_back(column.name);
  }
  return target;
}

// `value` as the kind of its column, or an error that names the column.
Result<Value> Convert(const Value& value, const std::string& column, ValueKind kind) {
  if (value.is_null() || value.kind() == kind || kind == ValueKind::kNull) return value;
  // The column of JSON values of several kinds is TEXT.
  if (kind == ValueKind::kText) return Value::Text(ToText(value));
  if (value.kind() != ValueKind::kText) return value;
  std::optional<Value> parsed = ParseValue(value.AsText(), kind);
  if (parsed) return *std::move(parsed);
  return Error{.code = ErrorCode::kTypeMismatch,
               .message = "column " + column + ": found '" + std::string(value.AsText()) +
                          "', expected " + std::string(KindName(kind))};
}

// Rows that were read, with values of the kinds of their columns.
struct RowBatch {
  std::vector<Value> cells;              // row by row
  std::vector<std::uint64_t> positions;  // of the rows
  std::uint64_t done = 0;                // as RecordReader::Done
  std::optional<Error> error;            // what ends the reading behind the rows
  bool last = false;                     // no row follows
};

// Reads the next rows, at most so many.
RowBatch ReadBatch(RecordReader& reader, const TargetTable& target, std::uint64_t rows_max) {
  RowBatch batch;
  std::vector<Value> record;
  while (batch.positions.size() < rows_max && !batch.last) {
    const Result<bool> more = reader.Next(&record);
    batch.last = !more || !*more;
    if (!more) batch.error = more.error();
    if (batch.last) break;
    for (std::size_t i = 0; i < record.size(); ++i) {
      Result<Value> value = Convert(record[i], target.columns[i], target.kinds[i]);
      if (!value) {
        batch.cells.resize(batch.positions.size() * record.size());
        batch.error = At(reader.Place(), value.error());
        batch.last = true;
        return batch;
      }
      batch.cells.push_back(*std::move(value));
    }
    batch.positions.push_back(reader.Position());
  }
  batch.done = reader.Done();
  return batch;
}

// Reads a few batches ahead, in a thread of its own, so that neither side waits for the other where
// one is late.
class ReadAhead {
 public:
  // Both outlive it.
  ReadAhead(RecordReader& reader, const TargetTable& target, std::uint64_t rows)
      : thread_([this, &reader, &target, rows](const std::stop_token& stop) {
          for (bool last = false; !last && !stop.stop_requested();) {
            RowBatch batch = ReadBatch(reader, target, rows);
            last = batch.last;
            std::unique_lock lock(mutex_);
            batches_.push_back(std::move(batch));
            if (batches_.size() == 1) changed_.notify_one();
            if (batches_.size() < kBatchesMax) continue;
            changed_.wait(lock, stop, [this] { return batches_.size() <= kBatchesLow; });
          }
        }) {}

  // The next batch; not to be called after the last one.
  RowBatch Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !batches_.empty(); });
    RowBatch batch = std::move(batches_.front());
    batches_.pop_front();
    if (batches_.size() == kBatchesLow) changed_.notify_one();
    return batch;
  }

 private:
  static constexpr std::size_t kBatchesMax = 8;
  static constexpr std::size_t kBatchesLow = kBatchesMax / 2;  // then more are read

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<RowBatch> batches_;
  std::jthread thread_;  // last, so that it ends first
};

// Adds what a reader gives, in transactions of so many rows.
class Loader {
 public:
  Loader(Database& database, RecordReader& reader, const TargetTable& target,
         std::uint64_t commit_rows)
      : database_(database),
        reader_(reader),
        target_(target),
        commit_rows_(commit_rows),
        progress_(target_.name, reader.Total()),
        ahead_(reader, target, std::min(kRowsPerRead, commit_rows)) {}

  // Adds all records; returns their number.
  Result<std::uint64_t> Run() {
    while (HasRows() || batch_.error) {
      Transaction transaction = database_.Begin();
      if (Status filled = Fill(transaction); !filled) return WithWhatStays(filled.error());
      if (interrupted != 0) {
        return WithWhatStays({.code = ErrorCode::kCancelled,
                              .message = "interrupted while adding to " + target_.name});
      }
      const Result<CommitInfo> committed = transaction.Commit();
      if (!committed) return WithWhatStays(At(reader_.PlaceOf(position_), committed.error()));
      committed_ += filled_;
      progress_.Update(batch_.done, committed_);
    }
    return committed_;
  }

 private:
  static constexpr std::uint64_t kRowsPerRead = 1000;

  bool HasRows() const { return next_ < batch_.positions.size() || !batch_.last; }

  Status Fill(Transaction& transaction) {
    const std::size_t width = target_.columns.size();
    for (filled_ = 0; filled_ < commit_rows_ && interrupted == 0; ++filled_) {
      while (next_ == batch_.positions.size() && !batch_.last) {
        batch_ = ahead_.Next();
        next_ = 0;
      }
      if (!HasRows()) break;
      position_ = batch_.positions[next_];
      Status added = Add(transaction, std::span(batch_.cells).subspan(next_ * width, width));
      if (!added) return At(reader_.PlaceOf(position_), added.error());
      ++next_;
    }
    // What ends the reading behind a full transaction ends the next one.
    if (filled_ < commit_rows_ && !HasRows() && batch_.error) return *std::move(batch_.error);
    return Ok();
  }

  Status Add(Transaction& transaction, std::span<Value> row) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].is_null()) continue;
      // The pairs are used again from row to row, with the memory of their names.
      if (count == fields_.size()) fields_.emplace_back();
      if (fields_[count].first != target_.columns[i]) fields_[count].first = target_.columns[i];
      fields_[count++].second = std::move(row[i]);
    }
    fields_.resize(count);
    Result<std::vector<Value>> key = transaction.Insert(target_.name, fields_);
    if (!key) return std::move(key).error();
    return Ok();
  }

  // The error, with what the database holds in spite of it as the hint.
  Error WithWhatStays(Error error) {
    if (!error.hint.empty()) error.hint += "; ";
    if (committed_ == 0) {
      error.hint += "no row of " + target_.name + " was added";
    } else if (database_.Flush()) {
      error.hint += "the first " + Count(committed_, "row") + " of " + target_.name +
                    " are committed and stay";
    } else {
      error.hint += "of the first " + Count(committed_, "row") + " of " + target_.name +
                    " the last may be lost, for they could not be written";
    }
    return error;
  }

  Database& database_;
  RecordReader& reader_;
  const TargetTable& target_;
  const std::uint64_t commit_rows_;
  Progress progress_;
  Fields fields_;
  std::uint64_t filled_ = 0;     // rows in the open transaction
  std::uint64_t position_ = 0;   // of the last of them
  std::uint64_t committed_ = 0;  // rows
  RowBatch batch_;
  std::size_t next_ = 0;  // row of the batch
  ReadAhead ahead_;
};

std::string ColumnText(const ColumnPlan& column) {
  return column.name + " " +
         (column.references.empty() ? TypeText(column.type) : "REF " + column.references);
}

// `declared`: the table was made for this import.
std::string Describe(const TablePlan& plan, const TargetTable& target, double seconds,
                     bool declared) {
  const double rate = static_cast<double>(plan.rows) / std::max(seconds, 1e-6);
  std::string text = plan.table + ": " + Count(plan.rows, "row") + " in " +
                     std::to_string(static_cast<std::int64_t>(seconds * 1000)) + " ms (" +
                     Grouped(static_cast<std::uint64_t>(rate)) + " rows/s)\n";
  for (std::size_t i = 0; declared && i < plan.columns.size(); ++i) {
    text += "  " + ColumnText(plan.columns[i]);
    if (std::ranges::find(plan.key, i) != plan.key.end()) text += " KEY";
    text += "\n";
  }
  for (const std::string& column : target.undeclared) {
    text += "  " + column + ": a column that the table does not declare\n";
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

Result<LoadJob> PlanLoad(const std::vector<std::string>& paths, const LoadSettings& settings) {
  LoadJob job{.batch_rows = settings.batch_rows};
  Result<std::vector<ImportSource>> sources = OpenAll(paths, settings);
  if (!sources) return std::move(sources).error();
  job.sources = *std::move(sources);
  Result<std::vector<TablePlan>> plans = PlanImport(job.sources, {.key = settings.key});
  if (!plans) return std::move(plans).error();
  job.plans = *std::move(plans);
  return job;
}

Result<std::string> Load(Database& database, LoadJob& job) {
  const InterruptGuard guard;
  std::string report;
  for (const std::size_t i : LoadOrder(job.plans)) {
    const TablePlan& plan = job.plans[i];
    const auto start = std::chrono::steady_clock::now();
    const bool declares = !database.Prepare("SELECT * FROM " + QuotedName(plan.table));
    if (declares) {
      const Result<ExecuteSummary> declared = database.Execute(Declaration(plan));
      if (!declared) return declared.error();
    }
    const Result<TargetTable> target = FindTarget(database, plan);
    if (!target) return target.error();
    // A row may refer to a later one only within its commit.
    const std::uint64_t commit_rows = plan.refers_forward
                                          ? std::numeric_limits<std::uint64_t>::max()
                                          : static_cast<std::uint64_t>(job.batch_rows);
    Loader loader(database, *job.sources[i].reader, *target, commit_rows);
    const Result<std::uint64_t> rows = loader.Run();
    if (!rows) return rows.error();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    report += Describe(plan, *target, took.count(), declares);
  }
  return report;
}

}  // namespace trefoil::cli
