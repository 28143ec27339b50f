#include "cli/export.h"

#include "cli/file_text.h"
#include "cli/import/import_plan.h"
#include "cli/text.h"

namespace trefoil::cli {

namespace {

Table ToTable(const Rows& rows) {
  Table table{.names = rows.names(), .rows = {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.rows.emplace_back(rows[i].begin(), rows[i].end());
  }
  return table;
}

}  // namespace

Result<std::string> ExportQuery(const Database& database, std::string_view treesql, Format format) {
  const Result<Query> query = database.Prepare(treesql);
  if (!query) return query.error();
  const Result<Rows> rows = database.snapshot().Run(*query);
  if (!rows) return rows.error();
  const Table table = ToTable(*rows);
  switch (format) {
    case Format::kCsv:
      return RenderCsv(table);
    case Format::kJson:
      return RenderJsonRows(table) + "\n";
    case Format::kBox:
      return RenderBox(table, 0);
    case Format::kNdjson:
      break;
  }
  std::string lines;
  for (const std::vector<Value>& row : table.rows) {
    AppendJsonRow(lines, table.names, row);
    lines += '\n';
  }
  return lines;
}

Result<std::string> ExportTable(const Database& database, std::string_view table, Format format) {
  return ExportQuery(database, "SELECT * FROM " + QuotedName(table), format);
}

Status WriteChangeset(const Database& database, const std::string& path,
                      const ChangesetRequest& request) {
  VersionVector known;
  if (!request.since.empty()) {
    const Result<std::string> bytes = ReadFile(request.since);
    if (!bytes) return bytes.error();
    Result<VersionVector> parsed = VersionVector::OfChangeset(*bytes);
    if (!parsed) return InFile(std::move(parsed).error(), "changeset", request.since);
    known = *std::move(parsed);
  }
  if (!request.only.empty()) {
    const Result<Part> part = database.PartOf(request.only);
    if (!part) return part.error();
    known = VersionVector(*part);
  }
  const Result<ChangesPart> part = database.Changes(known, request.bytes_max);
  if (!part) return part.error();
  return WriteFile(path, part->bytes);
}

std::string MergeText(const MergeSummary& merged, Format format) {
  if (format == Format::kNdjson) {
    return "{\"merged\":" + std::to_string(merged.transactions_applied) +
           ",\"known\":" + std::to_string(merged.transactions_known) +
           ",\"pending\":" + std::to_string(merged.transactions_pending) +
           ",\"held\":" + std::to_string(merged.transactions_held) +
           ",\"cut_off\":" + std::to_string(merged.transactions_cut_off) +
           ",\"changed\":" + std::to_string(merged.facts_changed) +
           ",\"version\":" + std::to_string(ToNumber(merged.version)) + "}\n";
  }
  return "merged " + Count(merged.transactions_applied, "transaction") + " (" +
         Grouped(merged.transactions_known) + " known, " + Grouped(merged.transactions_pending) +
         " pending, " + Grouped(merged.transactions_held) + " held" +
         (merged.transactions_cut_off == 0
              ? ""
              : ", " + Grouped(merged.transactions_cut_off) + " cut to less than is held here") +
         "), " + Count(merged.facts_changed, "fact") + " changed, version " +
         std::to_string(ToNumber(merged.version)) + "\n";
}

}  // namespace trefoil::cli
