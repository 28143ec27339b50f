// CSV as records: the first line names the columns, every later one has as many fields.
#include <algorithm>
#include <utility>

#include "cli/import/csv.h"
#include "cli/import/record_reader.h"
#include "cli/text.h"

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
        return Problem(Place() + ": column " + std::to_string(columns_.size() + 1) +
                       " has no name: " + Excerpt(reader_.record()));
      }
      if (!IsUtf8(*field)) {
        return Problem(Place() + ": the name of column " + std::to_string(columns_.size() + 1) +
                       " is not UTF-8: " + Excerpt(reader_.record()));
      }
      if (std::ranges::count(columns_, *field) > 0) {
        return Problem(Place() + ": two columns are named " + Excerpt(*field) + ": " +
                       Excerpt(reader_.record()));
      }
      columns_.emplace_back(*field);
    }
    return Ok();
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> Next(std::vector<Value>* record) override {
    const Result<bool> found = reader_.Next(&fields_);
    if (!found) return found.error();
    if (!*found) return false;
    if (fields_.size() != columns_.size()) {
      return Problem(Place() + ": found " + Count(fields_.size(), "field") + ", expected " +
                     std::to_string(columns_.size()) + ": " + Excerpt(reader_.record()));
    }
    record->clear();
    for (const CsvField& field : fields_) {
      record->push_back(field ? Value::Text(*field) : Value());
    }
    return true;
  }

  Status Rewind() override {
    reader_.Rewind();
    return ReadHeader();
  }

  std::uint64_t Position() const override { return static_cast<std::uint64_t>(reader_.line()); }
  std::string PlaceOf(std::uint64_t line) const override {
    return name_ + ":" + std::to_string(line);
  }
  std::uint64_t Done() const override { return reader_.position(); }
  std::uint64_t Total() const override { return text_.size(); }
  bool is_untyped() const override { return true; }

 private:
  static Error Problem(std::string message) {
    return {.code = ErrorCode::kSyntax, .message = std::move(message)};
  }

  const std::string text_;
  const std::string name_;
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
