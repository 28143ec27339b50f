// SQLite 3 as the peer of the query suite: the tables of an issue tracker with the same rows and
// the same indexes, read from a Database; prepared statements, a warm page cache, no fsync.
#pragma once

#include <string>
#include <vector>

#include "bench/sqlite.h"
#include "trefoil/database.h"

namespace trefoil::bench {

class SqlitePeer {
 public:
  // In a file at `path`. Copies the rows of `database`, which holds an IssueTracker.
  SqlitePeer(const std::string& path, const Database& database);

  SqliteStatement Prepare(const std::string& sql) const { return database_.Prepare(sql); }

 private:
  SqliteDatabase database_;
};

// Runs a statement with these parameters and reads every column of every row; returns the number
// of rows.
std::size_t RunWith(SqliteStatement& statement, const std::vector<Value>& parameters = {});

}  // namespace trefoil::bench
