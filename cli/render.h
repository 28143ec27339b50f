// Rows as text: boxes that fit the terminal, JSON, NDJSON, CSV.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::cli {

enum class Format { kBox, kJson, kNdjson, kCsv };

// "box", "json", "ndjson" or "csv". Error kInvalidArgument otherwise.
Result<Format> ParseFormat(std::string_view name);

// The rows of one answer; each has a value for each name.
struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<Value>> rows;
};

// A box of at most `width` columns (0 = no limit): long cells are cut with an ellipsis, numbers
// stand right. The last line counts the rows.
std::string RenderBox(const Table& table, std::size_t width);

// `{"a":1,"b":"x"}` with the names in column order.
void AppendJsonRow(std::string& out, std::span<const std::string> names,
                   std::span<const Value> row);
// `[{...},{...}]`
std::string RenderJsonRows(const Table& table);

// A header line and one record per row; nested values as JSON text, NULL as nothing.
std::string RenderCsv(const Table& table);

// `text` as a JSON string with its quotes.
std::string JsonString(std::string_view text);

// `{"code":...,"message":...}` with hint, line and column where there are any.
std::string JsonError(const Error& error);

// Columns that `text` takes on a terminal; UTF-8 aware, wide characters count two.
std::size_t DisplayWidth(std::string_view text);

}  // namespace trefoil::cli
