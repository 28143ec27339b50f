// Reads CSV (RFC 4180): fields separated by commas, quoted fields may hold commas, quotes (doubled)
// and line ends; lines end in LF or CRLF; a UTF-8 byte order mark is skipped. An empty unquoted
// field is NULL, an empty quoted one is an empty text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::cli {

// One field; nothing = NULL. Views the reader's text.
using CsvField = std::optional<std::string>;

class CsvReader {
 public:
  // `text` must outlive the reader; `name` is used in errors as name:line.
  CsvReader(std::string_view text, std::string name);

  // Reads the next record into `fields`; false at the end of the text.
  // Error kSyntax: a quote that is never closed, or text behind a closing quote.
  Result<bool> Next(std::vector<CsvField>* fields);

  int line() const { return record_line_; }     // 1-based line of the record read last
  std::size_t position() const { return at_; }  // bytes consumed

 private:
  Result<CsvField> ReadField();
  Result<CsvField> ReadQuoted();
  Error At(int line, std::string message) const;

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
  int line_ = 1;
  int record_line_ = 1;
};

// `field` as CSV: quoted where it must be; NULL is empty.
void AppendCsvField(std::string& out, const std::optional<std::string_view>& field);

}  // namespace trefoil::cli
