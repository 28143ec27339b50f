#include "cli/import/csv.h"

#include <algorithm>
#include <utility>

#include "cli/text.h"

namespace trefoil::cli {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool EndsField(char c) { return c == ',' || c == '\n' || c == '\r'; }

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)) {
  Rewind();
}

void CsvReader::Rewind() {
  at_ = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  line_ = record_line_ = 1;
  record_at_ = at_;
}

Error CsvReader::At(int line, std::size_t at, std::string message) const {
  const std::size_t begin = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  const std::size_t end = std::min(text_.find('\n', at), text_.size());
  Error error{.code = ErrorCode::kSyntax,
              .message = name_ + ":" + std::to_string(line) + ": " + std::move(message) + ": " +
                         Excerpt(text_.substr(begin, end - begin))};
  error.line = line;
  error.column = 1;
  return error;
}

Result<bool> CsvReader::Next(std::vector<CsvField>* fields) {
  fields->clear();
  unescaped_.clear();
  // Blank lines between records are skipped.
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
    if (text_[at_++] == '\n') ++line_;
  }
  record_line_ = line_;
  record_at_ = at_;
  if (at_ == text_.size()) return false;
  while (true) {
    if (at_ < text_.size() && text_[at_] == '"') {
      Result<std::string_view> quoted = ReadQuoted();
      if (!quoted) return std::move(quoted).error();
      fields->emplace_back(*quoted);
    } else {
      fields->push_back(ReadPlain());
    }
    if (at_ == text_.size()) return true;
    const char separator = text_[at_++];
    if (separator == ',') continue;
    if (separator == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return true;
  }
}

CsvField CsvReader::ReadPlain() {
  // Fields are a few bytes long: a plain loop beats a search that has to be set up.
  const std::size_t begin = at_;
  std::size_t at = begin;
  while (at < text_.size() && !EndsField(text_[at])) ++at;
  at_ = at;
  return at == begin ? CsvField() : CsvField(text_.substr(begin, at - begin));
}

Result<std::string_view> CsvReader::ReadQuoted() {
  const int opened = line_;
  const std::size_t opened_at = at_;
  std::string* unescaped = nullptr;
  std::string_view part;
  ++at_;
  while (true) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      return At(opened, opened_at, "a quoted field is never closed");
    }
    part = text_.substr(at_, quote - at_);
    line_ += static_cast<int>(std::ranges::count(part, '\n'));
    at_ = quote + 1;
    const bool doubled = at_ < text_.size() && text_[at_] == '"';
    if (unescaped == nullptr && doubled) unescaped = &unescaped_.emplace_back();
    if (unescaped != nullptr) *unescaped += part;
    if (!doubled) break;
    *unescaped += '"';
    ++at_;
  }
  if (at_ < text_.size() && !EndsField(text_[at_])) {
    return At(line_, at_,
              "text follows a closing quote, expected a comma or the line's end, found " +
                  Excerpt(text_.substr(at_, 1)));
  }
  return unescaped != nullptr ? std::string_view(*unescaped) : part;
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
