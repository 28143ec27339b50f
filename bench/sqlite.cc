#include "bench/sqlite.h"

#include <sqlite3.h>

#include <utility>

#include "base/str_cat.h"
#include "bench/engine.h"

namespace trefoil::bench {

namespace {

void Must(sqlite3* database, int code) {
  const bool done = code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE;
  Require(done, done ? "" : StrCat("sqlite: ", sqlite3_errmsg(database)));
}

}  // namespace

SqliteStatement::SqliteStatement(sqlite3* database, const std::string& sql) {
  bench::Must(database, sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr));
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

void SqliteStatement::Must(int code) const { bench::Must(sqlite3_db_handle(statement_), code); }

void SqliteStatement::BindNull(int place) { Must(sqlite3_bind_null(statement_, place)); }

void SqliteStatement::Bind(int place, std::int64_t number) {
  Must(sqlite3_bind_int64(statement_, place, number));
}

void SqliteStatement::BindText(int place, std::string_view text) {
  Must(sqlite3_bind_text(statement_, place, text.data(), static_cast<int>(text.size()),
                         SQLITE_STATIC));
}

void SqliteStatement::BindBlob(int place, Slice bytes) {
  Must(sqlite3_bind_blob(statement_, place, bytes.empty() ? "" : bytes.data(),
                         static_cast<int>(bytes.size()), SQLITE_STATIC));
}

bool SqliteStatement::Step() {
  const int code = sqlite3_step(statement_);
  Must(code);
  return code == SQLITE_ROW;
}

void SqliteStatement::Reset() { Must(sqlite3_reset(statement_)); }

void SqliteStatement::Run() {
  Step();
  Reset();
}

int SqliteStatement::columns() const { return sqlite3_column_count(statement_); }

bool SqliteStatement::IsText(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_TEXT;
}

std::int64_t SqliteStatement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view SqliteStatement::Text(int column) const {
  const char* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Slice SqliteStatement::Blob(int column) const {
  return {static_cast<const char*>(sqlite3_column_blob(statement_, column)),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

SqliteDatabase::SqliteDatabase(const std::string& path, std::uint64_t cache_bytes) {
  Must(database_, sqlite3_open(path.c_str(), &database_));
  Execute("PRAGMA journal_mode = WAL");
  Execute("PRAGMA synchronous = OFF");
  Execute(StrCat("PRAGMA cache_size = -", cache_bytes / 1024));
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(database_); }

void SqliteDatabase::Execute(const std::string& sql) {
  Must(database_, sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr));
}

int SqliteDatabase::changes() const { return sqlite3_changes(database_); }

}  // namespace trefoil::bench
