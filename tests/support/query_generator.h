// Random cases for the query tests: a small schema, rows from tiny domains with many NULLs and
// collisions, queries that combine what the grammar offers, and transactions that change the rows.
// Every decision comes from Choices, so a failing case shrinks (choices.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/choices.h"
#include "trefoil/value.h"

namespace trefoil::testing {

struct GeneratedColumn {
  std::string name;
  ValueKind kind{};
  std::optional<std::size_t> target = {};  // REF: number of a table
};

struct GeneratedTable {
  std::string name;
  std::vector<GeneratedColumn> columns;  // the first `key_count` are the key
  std::size_t key_count = 1;
  std::vector<std::string> declarations;  // TABLE, then INDEX statements

  // "name TEXT", ... for any SQL.
  std::string ColumnList() const;
};

// The row of a table with the key `key` becomes `row`, or goes.
struct GeneratedWrite {
  std::size_t table = 0;
  std::vector<Value> key;
  std::optional<std::vector<Value>> row;
  std::string statement;
};

struct GeneratedCase {
  std::vector<GeneratedTable> tables;
  std::vector<GeneratedWrite> rows;
  std::vector<std::string> queries;
  std::vector<std::vector<GeneratedWrite>> transactions;

  std::string ToText() const;
  // All of them, as one script.
  std::string Declarations() const;
};

struct GeneratorOptions {
  bool plain_sql = false;      // only what SQLite understands in the same way
  bool with_literals = false;  // most selects compare columns with literals
  std::size_t query_count = 1;
  std::size_t transaction_count = 0;
};

GeneratedCase GenerateCase(Choices& choices, const GeneratorOptions& options);

// A query over the tables.
std::string GenerateQuery(Choices& choices, const std::vector<GeneratedTable>& tables,
                          const GeneratorOptions& options);

}  // namespace trefoil::testing
