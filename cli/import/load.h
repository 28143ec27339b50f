// Loads files into tables: declares the tables that are missing, then adds the records in batches,
// one commit per batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trefoil/database.h"
#include "trefoil/result.h"

namespace trefoil::cli {

struct LoadSettings {
  std::string table;  // for one file with one table; empty = the file's name
  std::string key;    // columns with commas; empty = found
  std::int64_t batch_rows = 10'000;
};

struct LoadReport {
  std::string text;  // one line per table: columns, types, rows, rate
  std::uint64_t rows = 0;
};

// Errors name file and line. Batches committed before the error stay.
Result<LoadReport> LoadFiles(Database& database, const std::vector<std::string>& paths,
                             const LoadSettings& settings);

}  // namespace trefoil::cli
