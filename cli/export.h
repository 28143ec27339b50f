// Tables and query results as text for other programs, and changesets as files.
#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "cli/render.h"
#include "trefoil/database.h"
#include "trefoil/result.h"

namespace trefoil::cli {

// All rows of a table, or of a query, in the format: CSV with a header, a JSON array, or one JSON
// object per line.
Result<std::string> ExportTable(const Database& database, std::string_view table, Format format);
Result<std::string> ExportQuery(const Database& database, std::string_view treesql, Format format);

// Writes what another replica lacks to `path`: everything when `since` is empty. `since` names a
// changeset of that replica, which says what it had then.
struct ChangesetRequest {
  std::string since = {};  // a file; empty = everything
  std::string only = {};   // a part, for a replica that has nothing of it; empty = all rows
  std::size_t bytes_max = std::numeric_limits<std::size_t>::max();
};
Status WriteChangeset(const Database& database, const std::string& path,
                      const ChangesetRequest& request);

// What a merge did, as a sentence or as NDJSON.
std::string MergeText(const MergeSummary& merged, Format format);

}  // namespace trefoil::cli
