// What an import will make of its sources: the columns with their types, the key and the references
// of each table, found from the data. Pure but for reading the records.
//
// A column is a reference when its name hints at a table (name_hints.h), it has the kind of that
// table's key, which is one column, and every value is one of that key. The key of a table is the
// column named like it, else all columns of a table of references, else a first column of whole
// numbers; each only if it is unique and nowhere NULL.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/import/record_reader.h"
#include "cli/import/sniffer.h"
#include "trefoil/result.h"

namespace trefoil::cli {

struct ColumnPlan {
  std::string name;
  SniffedType type;
  std::string references;  // table that the column refers to; empty = none
  bool unique = false;     // every value is there, once; known of columns that may be a key
};

struct TablePlan {
  std::string table;
  std::vector<ColumnPlan> columns;
  std::vector<std::size_t> key;  // columns that form the key; empty = a generated one
  std::uint64_t rows = 0;
  // A row refers to a later one of the same table, so that all must be added in one commit.
  bool refers_forward = false;
};

struct ImportHints {
  std::string key;  // the key column, or several with commas; empty = found
};

// Reads all records of all sources and rewinds them. The plans stand in the order of `sources`.
// Errors: those of the readers; kUnknownColumn for a hint that names no column; kDuplicateKey when
// the hinted key is not unique.
Result<std::vector<TablePlan>> PlanImport(std::span<ImportSource> sources,
                                          const ImportHints& hints);

// Order in which to load, so that a referenced table comes before the one that refers to it.
std::vector<std::size_t> LoadOrder(std::span<const TablePlan> plans);

// `TABLE "Track" ("TrackId" INT KEY, ...)`
std::string Declaration(const TablePlan& plan);

// The name as TreeSQL reads it back: quoted.
std::string QuotedName(std::string_view name);

}  // namespace trefoil::cli
