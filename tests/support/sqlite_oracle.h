// SQLite 3 in memory, as a second opinion on what plain SQL means. Text compares by bytes and LIKE
// is case-sensitive, as in TreeSQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/value.h"

struct sqlite3;

namespace trefoil::testing {

class SqliteOracle {
 public:
  SqliteOracle();
  ~SqliteOracle();
  SqliteOracle(const SqliteOracle&) = delete;
  SqliteOracle& operator=(const SqliteOracle&) = delete;

  // Rows of INT, FLOAT, TEXT and NULL. Error kInvalidArgument with SQLite's message.
  Result<std::vector<std::vector<Value>>> Run(const std::string& sql);

 private:
  sqlite3* database_ = nullptr;
};

// What SQLite and TreeSQL show in the same way: numbers as FLOAT, a BOOL as 0 or 1.
Value AsSqliteShows(const Value& value);

}  // namespace trefoil::testing
