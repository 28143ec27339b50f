#include "base/str_cat.h"
#include "bench/sqlite.h"
#include "bench/triples/table.h"

namespace trefoil::bench {
namespace {

constexpr std::uint64_t kCacheBytes = 256 << 20;

class SqliteTable final : public TaskTable {
 public:
  explicit SqliteTable(const std::string& directory)
      : database_(directory + "/sqlite", kCacheBytes),
        begin_(WithTables(database_).Prepare("BEGIN")),
        commit_(database_.Prepare("COMMIT")),
        insert_(database_.Prepare("INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")),
        update_(database_.Prepare("UPDATE task SET state = ?2 WHERE id = ?1")),
        get_(database_.Prepare("SELECT * FROM task WHERE id = ?1")),
        scan_(database_.Prepare("SELECT title, points FROM task")) {}

  std::string settings() const override {
    return "sqlite: 3, prepared statements, INTEGER PRIMARY KEY, foreign keys on, WAL, "
           "synchronous OFF, page cache 256 MB, no checksums";
  }

  void Insert(std::uint64_t first, std::uint64_t last) override {
    begin_.Run();
    for (std::uint64_t i = first; i < last; ++i) {
      const TaskRow row(i);
      insert_.Bind(1, row.id);
      insert_.BindText(2, row.title);
      insert_.Bind(3, row.owner);
      insert_.Bind(4, row.author);
      insert_.Bind(5, row.created);
      insert_.Bind(6, row.due);
      insert_.Bind(7, row.state);
      insert_.Bind(8, row.points);
      insert_.Run();
    }
    commit_.Run();
  }

  void SetState(std::uint64_t id, std::int64_t state) override {
    update_.Bind(1, static_cast<std::int64_t>(id));
    update_.Bind(2, state);
    update_.Run();
    Require(database_.changes() == 1, "sqlite: a row to update is missing");
  }

  std::uint64_t ReadRow(std::uint64_t id) override {
    get_.Bind(1, static_cast<std::int64_t>(id));
    Require(get_.Step(), "sqlite: a row is missing");
    std::uint64_t sum = get_.Text(1).size();
    for (const int column : {0, 2, 3, 4, 5, 6, 7}) {
      sum += static_cast<std::uint64_t>(get_.Int(column));
    }
    get_.Reset();
    return sum;
  }
  std::uint64_t ReadRows(std::span<const std::uint64_t> ids) override {
    std::uint64_t sum = 0;
    begin_.Run();
    for (const std::uint64_t id : ids) sum += ReadRow(id);
    commit_.Run();
    return sum;
  }
  std::uint64_t ScanTwoColumns() override {
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;
    while (scan_.Step()) {
      sum += static_cast<unsigned char>(scan_.Text(0).front());
      sum += static_cast<std::uint64_t>(scan_.Int(1));
      ++rows;
    }
    scan_.Reset();
    Consume(sum);
    return rows;
  }
  void Settle() override { database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  // The statements need their tables.
  static SqliteDatabase& WithTables(SqliteDatabase& database) {
    database.Execute("PRAGMA foreign_keys = ON");
    database.Execute("CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, name TEXT)");
    database.Execute(
        "CREATE TABLE IF NOT EXISTS task (id INTEGER PRIMARY KEY, title TEXT, "
        "owner INTEGER REFERENCES person, author INTEGER REFERENCES person, created INTEGER, "
        "due INTEGER, state INTEGER, points INTEGER)");
    database.Execute("CREATE INDEX IF NOT EXISTS task_owner ON task (owner)");
    database.Execute(
        StrCat("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ",
               kPeople - 1, ") INSERT OR IGNORE INTO person SELECT i, 'person ' || i FROM n"));
    return database;
  }

  SqliteDatabase database_;
  SqliteStatement begin_;
  SqliteStatement commit_;
  SqliteStatement insert_;
  SqliteStatement update_;
  SqliteStatement get_;
  SqliteStatement scan_;
};

}  // namespace

std::unique_ptr<TaskTable> OpenSqliteTable(const std::string& directory) {
  return std::make_unique<SqliteTable>(directory);
}

}  // namespace trefoil::bench
