// The Chinook music store as rows: 11 tables read from CSV files, and the same declarations for
// TreeSQL and for SQLite. Column names are equal in both, so a flat query is one text for both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trefoil/database.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::testing {

struct ChinookColumn {
  std::string_view name;
  ValueKind kind{};
  std::string_view target = {};  // the table that a REF refers to
};

struct ChinookTable {
  std::string_view name;
  std::string_view file;  // without .csv
  std::vector<ChinookColumn> columns;
  std::size_t key_count = 1;  // the first columns are the key
  std::vector<std::vector<Value>> rows;

  // The row as the fields of a Transaction.
  Fields FieldsOf(const std::vector<Value>& row) const;
  std::vector<Value> KeyOf(const std::vector<Value>& row) const {
    return {row.begin(), row.begin() + static_cast<std::ptrdiff_t>(key_count)};
  }
};

// Where the files are, beside the repository; empty when they are not there.
std::string ChinookFolder();

// All tables, in an order in which rows refer to earlier tables only, but for Employee itself.
// Errors: kNotFound, kSyntax, kTypeMismatch with file and line.
Result<std::vector<ChinookTable>> ReadChinook(const std::string& folder);

// TABLE and INDEX statements.
std::string ChinookTreeSql(const std::vector<ChinookTable>& tables);
// CREATE TABLE and CREATE INDEX statements, one each.
std::vector<std::string> ChinookSqlite(const std::vector<ChinookTable>& tables);

// The literal that SQLite stores for the value: decimals as REAL, times as the text we show.
std::string SqliteLiteral(const Value& value);

}  // namespace trefoil::testing
