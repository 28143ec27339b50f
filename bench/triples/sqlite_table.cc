#include <sqlite3.h>

#include "base/str_cat.h"
#include "bench/triples/table.h"

namespace trefoil::bench {
namespace {

class SqliteTable final : public TaskTable {
 public:
  explicit SqliteTable(const std::string& directory) {
    Must(sqlite3_open((directory + "/sqlite").c_str(), &db_));
    Execute("PRAGMA journal_mode = WAL");
    Execute("PRAGMA synchronous = OFF");
    Execute("PRAGMA cache_size = -262144");
    Execute("PRAGMA foreign_keys = ON");
    Execute("CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, name TEXT)");
    Execute(
        "CREATE TABLE IF NOT EXISTS task (id INTEGER PRIMARY KEY, title TEXT, "
        "owner INTEGER REFERENCES person, author INTEGER REFERENCES person, created INTEGER, "
        "due INTEGER, state INTEGER, points INTEGER)");
    Execute("CREATE INDEX IF NOT EXISTS task_owner ON task (owner)");
    Execute(StrCat("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ",
                   kPeople - 1, ") INSERT OR IGNORE INTO person SELECT i, 'person ' || i FROM n"));
    begin_ = Prepare("BEGIN");
    commit_ = Prepare("COMMIT");
    insert_ = Prepare("INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    update_ = Prepare("UPDATE task SET state = ?2 WHERE id = ?1");
    get_ = Prepare("SELECT * FROM task WHERE id = ?1");
    scan_ = Prepare("SELECT title, points FROM task");
  }
  ~SqliteTable() override {
    for (sqlite3_stmt* statement : {begin_, commit_, insert_, update_, get_, scan_}) {
      sqlite3_finalize(statement);
    }
    sqlite3_close(db_);
  }

  std::string settings() const override {
    return "sqlite: 3, prepared statements, INTEGER PRIMARY KEY, foreign keys on, WAL, "
           "synchronous OFF, page cache 256 MB, no checksums";
  }

  void Insert(std::uint64_t first, std::uint64_t last) override {
    Finish(begin_);
    for (std::uint64_t i = first; i < last; ++i) {
      const TaskRow row(i);
      Bind(insert_, 1, row.id);
      Must(sqlite3_bind_text(insert_, 2, row.title.data(), static_cast<int>(row.title.size()),
                             SQLITE_STATIC));
      Bind(insert_, 3, row.owner);
      Bind(insert_, 4, row.author);
      Bind(insert_, 5, row.created);
      Bind(insert_, 6, row.due);
      Bind(insert_, 7, row.state);
      Bind(insert_, 8, row.points);
      Finish(insert_);
    }
    Finish(commit_);
  }

  void SetState(std::uint64_t id, std::int64_t state) override {
    Bind(update_, 1, static_cast<std::int64_t>(id));
    Bind(update_, 2, state);
    Finish(update_);
    Require(sqlite3_changes(db_) == 1, "sqlite: a row to update is missing");
  }

  std::uint64_t ReadRow(std::uint64_t id) override {
    Bind(get_, 1, static_cast<std::int64_t>(id));
    Require(sqlite3_step(get_) == SQLITE_ROW, "sqlite: a row is missing");
    std::uint64_t sum = static_cast<std::uint64_t>(sqlite3_column_bytes(get_, 1));
    for (const int column : {0, 2, 3, 4, 5, 6, 7}) {
      sum += static_cast<std::uint64_t>(sqlite3_column_int64(get_, column));
    }
    sqlite3_reset(get_);
    return sum;
  }
  std::uint64_t ReadRows(std::span<const std::uint64_t> ids) override {
    std::uint64_t sum = 0;
    Finish(begin_);
    for (const std::uint64_t id : ids) sum += ReadRow(id);
    Finish(commit_);
    return sum;
  }
  std::uint64_t ScanTwoColumns() override {
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;
    while (sqlite3_step(scan_) == SQLITE_ROW) {
      const char* text = reinterpret_cast<const char*>(sqlite3_column_text(scan_, 0));
      sum += static_cast<unsigned char>(text[0]);
      sum += static_cast<std::uint64_t>(sqlite3_column_int64(scan_, 1));
      ++rows;
    }
    sqlite3_reset(scan_);
    Consume(sum);
    return rows;
  }
  void Settle() override { Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  void Must(int code) const {
    Require(code == SQLITE_OK || code == SQLITE_DONE, StrCat("sqlite: ", sqlite3_errmsg(db_)));
  }
  void Execute(const std::string& sql) const {
    Must(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  sqlite3_stmt* Prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    Must(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr));
    return statement;
  }
  void Bind(sqlite3_stmt* statement, int index, std::int64_t number) const {
    Must(sqlite3_bind_int64(statement, index, number));
  }
  void Finish(sqlite3_stmt* statement) const {
    Must(sqlite3_step(statement));
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* update_ = nullptr;
  sqlite3_stmt* get_ = nullptr;
  sqlite3_stmt* scan_ = nullptr;
};

}  // namespace

std::unique_ptr<TaskTable> OpenSqliteTable(const std::string& directory) {
  return std::make_unique<SqliteTable>(directory);
}

}  // namespace trefoil::bench
