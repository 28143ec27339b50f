#include "bench/query/sqlite_peer.h"

#include "base/check.h"
#include "base/str_cat.h"
#include "bench/engine.h"

namespace trefoil::bench {

namespace {

constexpr std::uint64_t kCacheBytes = 256 << 20;

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

void BindValue(SqliteStatement& statement, int place, const Value& value) {
  if (value.is_null()) {
    statement.BindNull(place);
  } else if (value.kind() == ValueKind::kText) {
    statement.BindText(place, value.AsText());
  } else {
    statement.Bind(place, value.AsInt());
  }
}

}  // namespace

std::size_t RunWith(SqliteStatement& statement, const std::vector<Value>& parameters) {
  int place = 0;
  for (const Value& value : parameters) BindValue(statement, ++place, value);
  std::size_t rows = 0;
  std::uint64_t sum = 0;
  for (; statement.Step(); ++rows) {
    for (int i = 0; i < statement.columns(); ++i) {
      sum += statement.IsText(i) ? statement.Text(i).size()
                                 : static_cast<std::uint64_t>(statement.Int(i));
    }
  }
  statement.Reset();
  Consume(sum);
  return rows;
}

SqlitePeer::SqlitePeer(const std::string& path, const Database& database)
    : database_(path, kCacheBytes) {
  for (const char* statement : kSchema) database_.Execute(statement);
  database_.Execute("BEGIN");
  for (const char* table : kTables) {
    const Result<Query> all = database.Prepare(StrCat("SELECT * FROM ", table));
    Check(all.has_value(), "the tracker has this table");
    const Result<Rows> rows = database.snapshot().Run(*all);
    Check(rows.has_value(), "the tracker can be read");
    std::string insert = StrCat("INSERT INTO ", table, " VALUES (?");
    for (std::size_t i = 1; i < rows->names().size(); ++i) insert += ", ?";
    SqliteStatement statement = Prepare(insert + ")");
    for (std::size_t i = 0; i < rows->size(); ++i) {
      RunWith(statement, {(*rows)[i].begin(), (*rows)[i].end()});
    }
  }
  database_.Execute("COMMIT");
  for (const char* statement : kIndexes) database_.Execute(statement);
}

}  // namespace trefoil::bench
