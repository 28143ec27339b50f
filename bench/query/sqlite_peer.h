// SQLite 3 as the peer of the query suite: the tables of an issue tracker with the same rows and
// the same indexes, read from a Database; prepared statements, a warm page cache, no fsync.
#pragma once

#include <string>
#include <vector>

#include "trefoil/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace trefoil::bench {

// A prepared statement. One thread; must not outlive its peer.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const std::string& sql);
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  // Runs it and reads every column of every row; returns the number of rows.
  std::size_t Run(const std::vector<Value>& parameters = {});

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class SqlitePeer {
 public:
  // In a file at `path`. Copies the rows of `database`, which holds an IssueTracker.
  SqlitePeer(const std::string& path, const Database& database);
  SqlitePeer(const SqlitePeer&) = delete;
  SqlitePeer& operator=(const SqlitePeer&) = delete;
  ~SqlitePeer();

  SqliteStatement Prepare(const std::string& sql) { return {database_, sql}; }

 private:
  void Execute(const std::string& sql);

  sqlite3* database_ = nullptr;
};

}  // namespace trefoil::bench
