// CSV as records: the first line names the columns, every later one has as many fields.
#include <utility>

#include "cli/import/csv.h"
#include "cli/import/record_reader.h"

namespace trefoil::cli {

namespace {

class CsvRecords final : public RecordReader {
 public:
  CsvRecords(std::string text, std::string name)
      : text_(std::move(text)), name_(std::move(name)), reader_(text_, name_) {}

  Status ReadHeader() {
    std::vector<CsvField> header;
    const Result<bool> found = reader_.Next(&header);
    if (!found) return found.error();
    if (!*found) return Problem(name_ + ": the file is empty; expected a line of column names");
    columns_.clear();
    for (const CsvField& field : header) {
      if (!field) {
        return Problem(name_ + ":1: column " + std::to_string(columns_.size() + 1) +
                       " has no name");
      }
      columns_.push_back(*field);
    }
    return Ok();
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> Next(std::vector<Value>* record) override {
    const Result<bool> found = reader_.Next(&fields_);
    if (!found) return found.error();
    if (!*found) return false;
    if (fields_.size() != columns_.size()) {
      return Problem(Place() + ": found " + std::to_string(fields_.size()) + " fields, expected " +
                     std::to_string(columns_.size()) + ": " + Line());
    }
    record->clear();
    for (const CsvField& field : fields_) {
      record->push_back(field ? Value::Text(*field) : Value());
    }
    return true;
  }

  Status Rewind() override {
    reader_ = CsvReader(text_, name_);
    return ReadHeader();
  }

  std::string Place() const override { return name_ + ":" + std::to_string(reader_.line()); }
  std::uint64_t Done() const override { return reader_.position(); }
  std::uint64_t Total() const override { return text_.size(); }
  bool is_untyped() const override { return true; }

 private:
  static Error Problem(std::string message) {
    return {.code = ErrorCode::kSyntax, .message = std::move(message)};
  }

  // The record read last, shortened, to show with an error.
  std::string Line() const {
    constexpr std::size_t kShown = 80;
    std::string line;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (i > 0) line += ',';
      AppendCsvField(line, fields_[i]);
    }
    return line.size() <= kShown ? line : line.substr(0, kShown) + "...";
  }

  std::string text_;
  std::string name_;
  CsvReader reader_;
  std::vector<std::string> columns_;
  std::vector<CsvField> fields_;
};

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenCsv(std::string text, std::string name) {
  auto records = std::make_unique<CsvRecords>(std::move(text), std::move(name));
  if (Status header = records->ReadHeader(); !header) return std::move(header).error();
  return std::unique_ptr<RecordReader>(std::move(records));
}

}  // namespace trefoil::cli
