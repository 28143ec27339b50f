// SQLite as every suite opens it: WAL, no fsync of its own accord, a page cache of a given size.
// Whatever fails ends the program with SQLite's words. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trefoil/slice.h"

struct sqlite3;
struct sqlite3_stmt;

namespace trefoil::bench {

// A prepared statement; must not outlive its database. What is bound must stay until it has run.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const std::string& sql);
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement();

  // Places count from 1.
  void BindNull(int place);
  void Bind(int place, std::int64_t number);
  void BindText(int place, std::string_view text);
  void BindBlob(int place, Slice bytes);

  bool Step();  // false after the last row
  void Reset();
  // Steps once, which gives no row, and resets.
  void Run();

  // Of the present row; columns count from 0.
  int columns() const;
  bool IsText(int column) const;
  std::int64_t Int(int column) const;
  std::string_view Text(int column) const;
  Slice Blob(int column) const;

 private:
  void Must(int code) const;

  sqlite3_stmt* statement_ = nullptr;
};

class SqliteDatabase {
 public:
  SqliteDatabase(const std::string& path, std::uint64_t cache_bytes);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  void Execute(const std::string& sql);
  SqliteStatement Prepare(const std::string& sql) const { return {database_, sql}; }
  int changes() const;  // rows that the last statement changed

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace trefoil::bench
