// Loads files into tables: declares the tables that are missing, then adds the records in batches,
// one commit per batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/import/import_plan.h"
#include "cli/import/record_reader.h"
#include "trefoil/database.h"
#include "trefoil/result.h"

namespace trefoil::cli {

struct LoadSettings {
  std::string table;  // for one file with one table; empty = the file's name
  std::string key;    // columns with commas; empty = found
  std::int64_t batch_rows = 1000;
};

// Files that were read and understood: what can be wrong with them alone is known before a database
// is touched.
struct LoadJob {
  std::vector<ImportSource> sources;
  std::vector<TablePlan> plans;  // of the sources
  std::int64_t batch_rows = 0;
};

// Errors name file and line.
Result<LoadJob> PlanLoad(const std::vector<std::string>& paths, const LoadSettings& settings);

// Adds the records; returns a paragraph a table: rows, rate, and the columns that were declared.
// Errors name file and line. Batches committed before an error or Ctrl-C (kCancelled) stay.
Result<std::string> Load(Database& database, LoadJob& job);

}  // namespace trefoil::cli
