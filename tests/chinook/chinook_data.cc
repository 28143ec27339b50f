#include "tests/chinook/chinook_data.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/errors.h"
#include "base/str_cat.h"
#include "cli/import/csv.h"

namespace trefoil::testing {

namespace {

constexpr ValueKind kInt = ValueKind::kInt;
constexpr ValueKind kText = ValueKind::kText;
constexpr ValueKind kPrice = ValueKind::kDecimal;

std::vector<ChinookTable> Catalogue() {
  return {
      {"artist", "Artist", {{"id", kInt}, {"name", kText}}, 1, {}},
      {"album", "Album", {{"id", kInt}, {"title", kText}, {"artist", kInt, "artist"}}, 1, {}},
      {"genre", "Genre", {{"id", kInt}, {"name", kText}}, 1, {}},
      {"media_type", "MediaType", {{"id", kInt}, {"name", kText}}, 1, {}},
      {"track",
       "Track",
       {{"id", kInt},
        {"name", kText},
        {"album", kInt, "album"},
        {"media", kInt, "media_type"},
        {"genre", kInt, "genre"},
        {"composer", kText},
        {"milliseconds", kInt},
        {"bytes", kInt},
        {"price", kPrice}},
       1,
       {}},
  };
}

std::vector<ChinookTable> Sales() {
  return {
      {"employee",
       "Employee",
       {{"id", kInt},
        {"last_name", kText},
        {"first_name", kText},
        {"title", kText},
        {"boss", kInt, "employee"},
        {"born", ValueKind::kDate},
        {"hired", ValueKind::kDate},
        {"address", kText},
        {"city", kText},
        {"state", kText},
        {"country", kText},
        {"postal_code", kText},
        {"phone", kText},
        {"fax", kText},
        {"email", kText}},
       1,
       {}},
      {"customer",
       "Customer",
       {{"id", kInt},
        {"first_name", kText},
        {"last_name", kText},
        {"company", kText},
        {"address", kText},
        {"city", kText},
        {"state", kText},
        {"country", kText},
        {"postal_code", kText},
        {"phone", kText},
        {"fax", kText},
        {"email", kText},
        {"support", kInt, "employee"}},
       1,
       {}},
      {"invoice",
       "Invoice",
       {{"id", kInt},
        {"customer", kInt, "customer"},
        {"issued", ValueKind::kTimestamp},
        {"address", kText},
        {"city", kText},
        {"state", kText},
        {"country", kText},
        {"postal_code", kText},
        {"total", kPrice}},
       1,
       {}},
      {"line",
       "InvoiceLine",
       {{"id", kInt},
        {"invoice", kInt, "invoice"},
        {"track", kInt, "track"},
        {"price", kPrice},
        {"quantity", kInt}},
       1,
       {}},
      {"playlist", "Playlist", {{"id", kInt}, {"name", kText}}, 1, {}},
      {"playlist_track",
       "PlaylistTrack",
       {{"playlist", kInt, "playlist"}, {"track", kInt, "track"}},
       2,
       {}},
  };
}

// "2021-01-01 00:00:00" is a day where the column holds days.
std::optional<Value> Parsed(std::string_view text, ValueKind kind) {
  return ParseValue(kind == ValueKind::kDate ? text.substr(0, 10) : text, kind);
}

Status ReadRows(const std::string& folder, ChinookTable& table) {
  const std::string path = StrCat(folder, "/", table.file, ".csv");
  std::ifstream in(path, std::ios::binary);
  if (!in) return NotFound(StrCat(path, ": no such file"));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  cli::CsvReader reader(text, path);
  std::vector<cli::CsvField> fields;
  bool is_head = true;
  while (true) {
    const Result<bool> more = reader.Next(&fields);
    if (!more) return more.error();
    if (!*more) return Ok();
    if (std::exchange(is_head, false)) continue;
    if (fields.size() != table.columns.size()) {
      return MakeError(ErrorCode::kSyntax,
                       StrCat(path, ":", reader.line(), ": ", fields.size(), " fields"));
    }
    std::vector<Value>& row = table.rows.emplace_back();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      std::optional<Value> value =
          fields[i] ? Parsed(*fields[i], table.columns[i].kind) : std::optional<Value>(Value());
      if (!value) {
        return MakeError(ErrorCode::kTypeMismatch,
                         StrCat(path, ":", reader.line(), ": column ", table.columns[i].name));
      }
      row.push_back(*std::move(value));
    }
  }
}

std::string_view TypeText(const ChinookColumn& column) {
  switch (column.kind) {
    case ValueKind::kInt:
      return "INT";
    case ValueKind::kDecimal:
      return "DECIMAL(10, 2)";
    case ValueKind::kDate:
      return "DATE";
    case ValueKind::kTimestamp:
      return "TIMESTAMP";
    default:
      return "TEXT";
  }
}

}  // namespace

Fields ChinookTable::FieldsOf(const std::vector<Value>& row) const {
  Fields fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    fields.emplace_back(std::string(columns[i].name), row[i]);
  }
  return fields;
}

std::string ChinookFolder() {
  const std::string folder = std::string(TREFOIL_SOURCE_DIR) + "/../shared/data/chinook";
  return std::filesystem::is_directory(folder) ? folder : std::string();
}

Result<std::vector<ChinookTable>> ReadChinook(const std::string& folder) {
  std::vector<ChinookTable> tables = Catalogue();
  std::ranges::move(Sales(), std::back_inserter(tables));
  for (ChinookTable& table : tables) {
    if (Status read = ReadRows(folder, table); !read) return std::move(read).error();
  }
  return tables;
}

std::string ChinookTreeSql(const std::vector<ChinookTable>& tables) {
  std::string text;
  for (const ChinookTable& table : tables) {
    text += StrCat("TABLE ", table.name, " (");
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const ChinookColumn& column = table.columns[i];
      const bool is_key = table.key_count == 1 && i == 0;
      text += StrCat(i == 0 ? "" : ", ", column.name, " ",
                     column.target.empty() ? TypeText(column) : StrCat("REF ", column.target),
                     is_key                  ? " KEY"
                     : column.target.empty() ? ""
                                             : " INDEX");
    }
    if (table.key_count > 1) text += ", KEY (playlist, track)";
    text += ");\n";
  }
  return text;
}

std::vector<std::string> ChinookSqlite(const std::vector<ChinookTable>& tables) {
  std::vector<std::string> statements;
  for (const ChinookTable& table : tables) {
    std::string text = StrCat("CREATE TABLE ", table.name, " (");
    for (const ChinookColumn& column : table.columns) {
      const bool is_number = column.kind == ValueKind::kInt;
      const bool is_price = column.kind == ValueKind::kDecimal;
      text += StrCat(column.name, is_number ? " INTEGER, " : is_price ? " REAL, " : " TEXT, ");
    }
    text += table.key_count == 1 ? "PRIMARY KEY (id))" : "PRIMARY KEY (playlist, track))";
    statements.push_back(std::move(text));
    for (const ChinookColumn& column : table.columns) {
      if (column.target.empty()) continue;
      statements.push_back(StrCat("CREATE INDEX ", table.name, "_", column.name, " ON ", table.name,
                                  " (", column.name, ")"));
    }
  }
  return statements;
}

std::string SqliteLiteral(const Value& value) {
  if (value.is_null()) return "NULL";
  if (value.is_number()) return ToJson(value);
  std::string literal = "'";
  for (const char c : ToText(value)) literal.append(c == '\'' ? 2 : 1, c);
  return literal + "'";
}

}  // namespace trefoil::testing
