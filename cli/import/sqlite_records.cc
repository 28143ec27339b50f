// The tables of a SQLite file as records, read through SQLite itself.
#include <sqlite3.h>

#include <memory>
#include <utility>

#include "cli/import/record_reader.h"

namespace trefoil::cli {

namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using SharedDatabase = std::shared_ptr<sqlite3>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Error SqliteError(sqlite3* database, const std::string& path) {
  const int code = database != nullptr ? sqlite3_errcode(database) : SQLITE_NOMEM;
  const bool is_damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
  return {.code = is_damaged ? ErrorCode::kCorruption : ErrorCode::kIo,
          .message = path + ": SQLite: " +
                     (database != nullptr ? sqlite3_errmsg(database) : "out of memory")};
}

Result<Statement> PrepareStatement(const SharedDatabase& database, const std::string& path,
                                   const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return SqliteError(database.get(), path);
  }
  return Statement(statement);
}

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

Value ColumnValue(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    return std::string_view(static_cast<const char*>(data),
                            static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Value::Int(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return Value::Float(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return Value::Text(bytes(sqlite3_column_text(statement, column)));
    case SQLITE_BLOB:
      return Value::Bytes(bytes(sqlite3_column_blob(statement, column)));
    default:
      return {};
  }
}

class SqliteRecords final : public RecordReader {
 public:
  SqliteRecords(SharedDatabase database, Statement statement, std::string place,
                std::uint64_t total)
      : database_(std::move(database)),
        statement_(std::move(statement)),
        place_(std::move(place)),
        total_(total) {
    for (int i = 0; i < sqlite3_column_count(statement_.get()); ++i) {
      columns_.emplace_back(sqlite3_column_name(statement_.get(), i));
    }
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> Next(std::vector<Value>* record) override {
    const int outcome = sqlite3_step(statement_.get());
    if (outcome == SQLITE_DONE) return false;
    if (outcome != SQLITE_ROW) return SqliteError(database_.get(), place_);
    ++done_;
    record->clear();
    for (int i = 0; i < static_cast<int>(columns_.size()); ++i) {
      record->push_back(ColumnValue(statement_.get(), i));
    }
    return true;
  }

  Status Rewind() override {
    sqlite3_reset(statement_.get());
    done_ = 0;
    return Ok();
  }

  std::uint64_t Position() const override { return done_; }
  std::string PlaceOf(std::uint64_t row) const override {
    return place_ + ": row " + std::to_string(row);
  }
  std::uint64_t Done() const override { return done_; }
  std::uint64_t Total() const override { return total_; }
  bool is_untyped() const override { return false; }

 private:
  SharedDatabase database_;  // outlives the statement
  Statement statement_;
  std::string place_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::vector<std::string> columns_;
};

Result<ImportSource> OpenTable(const SharedDatabase& database, const std::string& path,
                               const std::string& table) {
  Result<Statement> count =
      PrepareStatement(database, path, "SELECT count(*) FROM " + Quoted(table));
  if (!count) return std::move(count).error();
  sqlite3_step(count->get());
  const auto total = static_cast<std::uint64_t>(sqlite3_column_int64(count->get(), 0));
  Result<Statement> rows = PrepareStatement(database, path, "SELECT * FROM " + Quoted(table));
  if (!rows) return std::move(rows).error();
  return ImportSource{.table = table,
                      .reader = std::make_unique<SqliteRecords>(database, *std::move(rows),
                                                                path + ": " + table, total)};
}

}  // namespace

Result<std::vector<ImportSource>> OpenSqlite(const std::string& path) {
  sqlite3* opened = nullptr;
  const int outcome = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const SharedDatabase database(opened, CloseDatabase());
  if (outcome != SQLITE_OK) return SqliteError(opened, path);
  Result<Statement> names = PrepareStatement(
      database, path,
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
      "ORDER BY name");
  if (!names) return std::move(names).error();
  std::vector<ImportSource> sources;
  while (sqlite3_step(names->get()) == SQLITE_ROW) {
    const Value name = ColumnValue(names->get(), 0);
    Result<ImportSource> source = OpenTable(database, path, std::string(name.AsText()));
    if (!source) return std::move(source).error();
    sources.push_back(*std::move(source));
  }
  return sources;
}

}  // namespace trefoil::cli
