// Reads CSV (RFC 4180): fields separated by commas, quoted fields may hold commas, quotes (doubled)
// and line ends; lines end in LF or CRLF; a UTF-8 byte order mark is skipped. An empty unquoted
// field is NULL, an empty quoted one is an empty text.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::cli {

// One field; nothing = NULL. A view into the reader's text, or, for a field with doubled quotes,
// into the reader: valid until the next record.
using CsvField = std::optional<std::string_view>;

class CsvReader {
 public:
  // `text` must outlive the reader; `name` is used in errors as name:line.
  CsvReader(std::string_view text, std::string name);

  // Reads the next record into `fields`; false at the end of the text. Allocates only for fields
  // with doubled quotes.
  // Error kSyntax: a quote that is never closed, or text behind a closing quote; shows the line.
  Result<bool> Next(std::vector<CsvField>* fields);

  // Begins again at the text's start.
  void Rewind();

  int line() const { return record_line_; }     // 1-based line of the record read last
  std::size_t position() const { return at_; }  // bytes consumed
  // The record read last as it stands in the text.
  std::string_view record() const { return text_.substr(record_at_, at_ - record_at_); }

 private:
  CsvField ReadPlain();
  Result<std::string_view> ReadQuoted();
  // `at`: a byte of the line to show.
  Error At(int line, std::size_t at, std::string message) const;

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::size_t record_at_ = 0;
  int record_line_ = 1;
  std::deque<std::string> unescaped_;  // of the present record; a deque, for views stay valid
};

// `field` as CSV: quoted where it must be; NULL is empty.
void AppendCsvField(std::string& out, const std::optional<std::string_view>& field);

}  // namespace trefoil::cli
