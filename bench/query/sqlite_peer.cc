#include "bench/query/sqlite_peer.h"

#include <sqlite3.h>

#include <utility>

#include "base/check.h"
#include "base/str_cat.h"

namespace trefoil::bench {

namespace {

constexpr const char* kSchema[] = {
    "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT, team INTEGER)",
    "CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE issue (id INTEGER PRIMARY KEY, title TEXT, creator INTEGER, assignee INTEGER, "
    "project INTEGER, status TEXT, priority INTEGER, created INTEGER, modified INTEGER, "
    "estimate INTEGER)",
    "CREATE TABLE issue_label (issue INTEGER, label INTEGER, PRIMARY KEY (issue, label)) "
    "WITHOUT ROWID",
    "CREATE TABLE comment (id INTEGER PRIMARY KEY, issue INTEGER, author INTEGER, created INTEGER, "
    "body TEXT)",
};
constexpr const char* kIndexes[] = {
    "CREATE INDEX user_team ON user (team)",
    "CREATE INDEX issue_open ON issue (status, modified DESC)",
    "CREATE INDEX issue_project ON issue (project, modified DESC)",
    "CREATE INDEX issue_assignee ON issue (assignee, status, modified DESC)",
    "CREATE INDEX label_issue ON issue_label (label, issue)",
    "CREATE INDEX comment_issue ON comment (issue, created DESC)",
    "ANALYZE",
};
constexpr const char* kTables[] = {"user", "project", "label", "issue", "issue_label", "comment"};

void BindValue(sqlite3_stmt* statement, int place, const Value& value) {
  if (value.is_null()) {
    sqlite3_bind_null(statement, place);
  } else if (value.kind() == ValueKind::kText) {
    const std::string_view text = value.AsText();
    sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  } else {
    sqlite3_bind_int64(statement, place, value.AsInt());
  }
}

}  // namespace

SqliteStatement::SqliteStatement(sqlite3* database, const std::string& sql) {
  const int prepared = sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr);
  Check(prepared == SQLITE_OK, "SQLite understands the statements of the suite");
}

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

std::size_t SqliteStatement::Run(const std::vector<Value>& parameters) {
  int place = 0;
  for (const Value& value : parameters) BindValue(statement_, ++place, value);
  std::size_t rows = 0;
  std::size_t bytes = 0;
  while (sqlite3_step(statement_) == SQLITE_ROW) {
    ++rows;
    for (int i = 0; i < sqlite3_column_count(statement_); ++i) {
      if (sqlite3_column_type(statement_, i) == SQLITE_TEXT) {
        bytes += *sqlite3_column_text(statement_, i);
      } else {
        bytes += static_cast<std::size_t>(sqlite3_column_int64(statement_, i));
      }
    }
  }
  Check(sqlite3_reset(statement_) == SQLITE_OK, "SQLite runs the statements of the suite");
  return bytes == SIZE_MAX ? 0 : rows;
}

SqlitePeer::SqlitePeer(const std::string& path, const Database& database) {
  Check(sqlite3_open(path.c_str(), &database_) == SQLITE_OK, "SQLite opens a file");
  Execute("PRAGMA journal_mode = WAL");
  Execute("PRAGMA synchronous = OFF");
  Execute("PRAGMA cache_size = -262144");
  for (const char* statement : kSchema) Execute(statement);
  Execute("BEGIN");
  for (const char* table : kTables) {
    const Result<Query> all = database.Prepare(StrCat("SELECT * FROM ", table));
    Check(all.has_value(), "the tracker has this table");
    const Result<Rows> rows = database.snapshot().Run(*all);
    Check(rows.has_value(), "the tracker can be read");
    std::string insert = StrCat("INSERT INTO ", table, " VALUES (?");
    for (std::size_t i = 1; i < rows->names().size(); ++i) insert += ", ?";
    SqliteStatement statement = Prepare(insert + ")");
    for (std::size_t i = 0; i < rows->size(); ++i) {
      statement.Run({(*rows)[i].begin(), (*rows)[i].end()});
    }
  }
  Execute("COMMIT");
  for (const char* statement : kIndexes) Execute(statement);
}

SqlitePeer::~SqlitePeer() { sqlite3_close(database_); }

void SqlitePeer::Execute(const std::string& sql) {
  const int done = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  Check(done == SQLITE_OK, "SQLite runs the statements of the suite");
}

}  // namespace trefoil::bench
