// A file to import, as records of Values under named columns, whatever its format. CSV gives text
// whose type is guessed later; JSON and SQLite give typed values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::cli {

class RecordReader {
 public:
  virtual ~RecordReader() = default;

  virtual const std::vector<std::string>& columns() const = 0;
  // Reads the next record, one value per column; false at the end. Errors name file and line.
  virtual Result<bool> Next(std::vector<Value>* record) = 0;
  // Begins again with the first record.
  virtual Status Rewind() = 0;
  // Where the record read last stands, as a number; and in words: "file.csv:17". The words of any
  // record can be asked for beside a thread that reads.
  virtual std::uint64_t Position() const = 0;
  virtual std::string PlaceOf(std::uint64_t position) const = 0;
  std::string Place() const { return PlaceOf(Position()); }
  // Bytes (or rows) consumed and in all, for progress.
  virtual std::uint64_t Done() const = 0;
  virtual std::uint64_t Total() const = 0;
  // True when texts may stand for numbers and booleans, as in CSV.
  virtual bool is_untyped() const = 0;
};

// One table found in a file.
struct ImportSource {
  std::string table;  // suggested name
  std::unique_ptr<RecordReader> reader;
};

// Opens a file by its ending (.csv .tsv .json .ndjson .jsonl .db .sqlite .sqlite3) or, failing
// that, its first bytes. A SQLite file holds several tables.
// Errors: kNotFound, kIo, kSyntax (file:line), kUnsupported.
Result<std::vector<ImportSource>> OpenImport(const std::string& path);

// One per format; `name` is used in errors.
Result<std::unique_ptr<RecordReader>> OpenCsv(std::string text, std::string name);
Result<std::unique_ptr<RecordReader>> OpenJson(std::string_view text, std::string name, bool lines);
Result<std::vector<ImportSource>> OpenSqlite(const std::string& path);

}  // namespace trefoil::cli
