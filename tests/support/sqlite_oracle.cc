#include "tests/support/sqlite_oracle.h"

#include <sqlite3.h>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::testing {

SqliteOracle::SqliteOracle() {
  Check(sqlite3_open(":memory:", &database_) == SQLITE_OK, "SQLite opens a database in memory");
  Check(Run("PRAGMA case_sensitive_like = ON").has_value(), "SQLite knows its pragma");
}

SqliteOracle::~SqliteOracle() { sqlite3_close(database_); }

Result<std::vector<std::vector<Value>>> SqliteOracle::Run(const std::string& sql) {
  std::vector<std::vector<Value>> rows;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return InvalidArgument(StrCat("SQLite: ", sqlite3_errmsg(database_)));
  }
  int step = sqlite3_step(statement);
  for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
    std::vector<Value>& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
          row.push_back(Value::Int(sqlite3_column_int64(statement, i)));
          break;
        case SQLITE_FLOAT:
          row.push_back(Value::Float(sqlite3_column_double(statement, i)));
          break;
        case SQLITE_NULL:
          row.emplace_back();
          break;
        default:
          row.push_back(
              Value::Text(reinterpret_cast<const char*>(sqlite3_column_text(statement, i))));
      }
    }
  }
  sqlite3_finalize(statement);
  if (step != SQLITE_DONE) return InvalidArgument(StrCat("SQLite: ", sqlite3_errmsg(database_)));
  return rows;
}

Value AsSqliteShows(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kBool:
      return Value::Float(value.AsBool() ? 1 : 0);
    case ValueKind::kInt:
      return Value::Float(static_cast<double>(value.AsInt()));
    case ValueKind::kNull:
    case ValueKind::kFloat:
    case ValueKind::kText:
      return value;
    default:
      return Value::Text(ToText(value));
  }
}

}  // namespace trefoil::testing
