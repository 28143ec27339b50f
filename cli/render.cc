#include "cli/render.h"

#include <algorithm>
#include <numeric>

#include "cli/import/csv.h"

namespace trefoil::cli {

namespace {

constexpr std::size_t kMinCellWidth = 6;

// One code point of UTF-8; malformed bytes stand for themselves.
struct CodePoint {
  char32_t value;
  std::size_t size_bytes;
};

CodePoint Decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0x80 || first < 0xC0 || size > text.size()) return {first, 1};
  char32_t value = first & (0xFF >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) value = (value << 6) | (byte(i) & 0x3F);
  return {value, size};
}

bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

bool IsCombining(char32_t c) { return (c >= 0x300 && c <= 0x36F) || c == 0x200D || c == 0xFE0F; }

std::size_t WidthOf(char32_t c) { return IsCombining(c) ? 0 : IsWide(c) ? 2 : 1; }

// The longest beginning of `text` that takes at most `width` columns, with an ellipsis if cut.
std::string Fit(std::string_view text, std::size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  std::string fitted;
  std::size_t used = 0;
  while (!text.empty()) {
    const CodePoint c = Decode(text);
    if (used + WidthOf(c.value) + 1 > width) break;
    used += WidthOf(c.value);
    fitted += text.substr(0, c.size_bytes);
    text.remove_prefix(c.size_bytes);
  }
  return fitted + "…";
}

std::string Pad(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, DisplayWidth(text)), ' ');
  return right ? space + text : text + space;
}

// What a cell shows: control characters would break the box.
std::string CellText(const Value& value) {
  if (value.is_null()) return "";
  std::string text = ToText(value);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

// Shrinks the widest columns until all fit into `width`.
void FitWidths(std::vector<std::size_t>& widths, std::size_t width) {
  const std::size_t frame = 3 * widths.size() + 1;
  while (true) {
    const std::size_t total = std::accumulate(widths.begin(), widths.end(), frame);
    const auto widest = std::ranges::max_element(widths);
    if (total <= width || widest == widths.end() || *widest <= kMinCellWidth) return;
    *widest = std::max(kMinCellWidth, *widest - std::min(*widest, total - width));
  }
}

std::string Rule(const std::vector<std::size_t>& widths, std::string_view left,
                 std::string_view middle, std::string_view right) {
  std::string line(left);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    for (std::size_t k = 0; k < widths[i] + 2; ++k) line += "─";
    line += i + 1 < widths.size() ? middle : right;
  }
  return line + "\n";
}

}  // namespace

Result<Format> ParseFormat(std::string_view name) {
  if (name == "box") return Format::kBox;
  if (name == "json") return Format::kJson;
  if (name == "ndjson") return Format::kNdjson;
  if (name == "csv") return Format::kCsv;
  return Error{.code = ErrorCode::kInvalidArgument,
               .message = "unknown format '" + std::string(name) + "'",
               .hint = "one of box, json, ndjson, csv"};
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint c = Decode(text);
    width += WidthOf(c.value);
    text.remove_prefix(c.size_bytes);
  }
  return width;
}

std::string RenderBox(const Table& table, std::size_t width) {
  const std::size_t columns = table.names.size();
  std::vector<std::vector<std::string>> cells;
  std::vector<bool> right(columns, false);
  std::vector<std::size_t> widths(columns);
  for (std::size_t i = 0; i < columns; ++i) widths[i] = DisplayWidth(table.names[i]);
  for (const std::vector<Value>& row : table.rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns; ++i) {
      line.push_back(CellText(row[i]));
      widths[i] = std::max(widths[i], DisplayWidth(line[i]));
      if (row[i].is_number()) right[i] = true;
    }
  }
  if (width > 0) FitWidths(widths, width);
  const auto line_of = [&](const std::vector<std::string>& texts) {
    std::string line = "│";
    for (std::size_t i = 0; i < columns; ++i) {
      line += " " + Pad(Fit(texts[i], widths[i]), widths[i], right[i]) + " │";
    }
    return line + "\n";
  };
  std::string out = Rule(widths, "┌", "┬", "┐") + line_of(table.names);
  out += Rule(widths, "├", "┼", "┤");
  for (const std::vector<std::string>& line : cells) out += line_of(line);
  out += Rule(widths, "└", "┴", "┘");
  return out + std::to_string(table.rows.size()) + (table.rows.size() == 1 ? " row\n" : " rows\n");
}

void AppendJsonRow(std::string& out, std::span<const std::string> names,
                   std::span<const Value> row) {
  out += '{';
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    out += JsonString(names[i]);
    out += ':';
    AppendJson(out, row[i]);
  }
  out += '}';
}

std::string RenderJsonRows(const Table& table) {
  std::string out = "[";
  for (const std::vector<Value>& row : table.rows) {
    if (out.size() > 1) out += ',';
    AppendJsonRow(out, table.names, row);
  }
  return out + "]";
}

std::string RenderCsv(const Table& table) {
  std::string out;
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (i > 0) out += ',';
    AppendCsvField(out, table.names[i]);
  }
  out += '\n';
  for (const std::vector<Value>& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      if (row[i].is_null()) continue;
      const std::string text = ToText(row[i]);
      AppendCsvField(out, text);
    }
    out += '\n';
  }
  return out;
}

std::string JsonString(std::string_view text) { return ToJson(Value::Text(text)); }

std::string JsonError(const Error& error) {
  std::string out = "{\"code\":" + JsonString(ErrorCodeName(error.code)) +
                    ",\"message\":" + JsonString(error.message);
  if (!error.hint.empty()) out += ",\"hint\":" + JsonString(error.hint);
  if (error.line > 0) {
    out +=
        ",\"line\":" + std::to_string(error.line) + ",\"column\":" + std::to_string(error.column);
  }
  return out + "}";
}

}  // namespace trefoil::cli
