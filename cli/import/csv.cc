#include "cli/import/csv.h"

#include <algorithm>
#include <utility>

namespace trefoil::cli {

CsvReader::CsvReader(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)) {
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
}

Error CsvReader::At(int line, std::string message) const {
  Error error{.code = ErrorCode::kSyntax,
              .message = name_ + ":" + std::to_string(line) + ": " + std::move(message)};
  error.line = line;
  error.column = 1;
  return error;
}

Result<bool> CsvReader::Next(std::vector<CsvField>* fields) {
  fields->clear();
  // Blank lines between records are skipped.
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_++] == '\n') ++line_;
  }
  record_line_ = line_;
  if (at_ == text_.size()) return false;
  while (true) {
    Result<CsvField> field = ReadField();
    if (!field) return std::move(field).error();
    fields->push_back(*std::move(field));
    if (at_ == text_.size()) return true;
    const char separator = text_[at_++];
    if (separator == ',') continue;
    if (separator == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return true;
  }
}

Result<CsvField> CsvReader::ReadField() {
  if (at_ < text_.size() && text_[at_] == '"') return ReadQuoted();
  const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
  CsvField field;
  if (end > at_) field = std::string(text_.substr(at_, end - at_));
  at_ = end;
  return field;
}

Result<CsvField> CsvReader::ReadQuoted() {
  const int opened = line_;
  std::string field;
  ++at_;
  while (true) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) return At(opened, "a quoted field is never closed");
    const std::string_view part = text_.substr(at_, quote - at_);
    line_ += static_cast<int>(std::ranges::count(part, '\n'));
    field += part;
    at_ = quote + 1;
    if (at_ == text_.size() || text_[at_] != '"') break;
    field += '"';
    ++at_;
  }
  if (at_ < text_.size() && std::string_view(",\r\n").find(text_[at_]) == std::string_view::npos) {
    return At(line_, "text follows a closing quote; found '" + std::string(1, text_[at_]) +
                         "', expected a comma or the line's end");
  }
  return CsvField(std::move(field));
}

void AppendCsvField(std::string& out, const std::optional<std::string_view>& field) {
  if (!field) return;
  if (!field->empty() && field->find_first_of(",\"\r\n") == std::string_view::npos) {
    out += *field;
    return;
  }
  out += '"';
  for (const char c : *field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace trefoil::cli
