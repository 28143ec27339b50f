// Any bytes as CSV: the reader ends, and the records that it reads, written again, are the same.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "cli/import/csv.h"

namespace {

using namespace trefoil;

using Record = std::vector<std::optional<std::string>>;

// The records up to the first error or the end.
std::vector<Record> ReadAll(const std::string& text) {
  cli::CsvReader reader(text, "fuzz.csv");
  std::vector<Record> records;
  std::vector<cli::CsvField> fields;
  for (;;) {
    const std::size_t position = reader.position();
    const Result<bool> more = reader.Next(&fields);
    Check(more || !more.error().message.empty(), "an error says what is wrong");
    if (!more || !*more) return records;
    Check(reader.position() > position, "a record consumes something");
    records.emplace_back(fields.begin(), fields.end());
  }
}

std::string Write(const std::vector<Record>& records) {
  std::string text = "\xEF\xBB\xBF";  // so that one in the first field stays
  for (const Record& record : records) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (i != 0) text += ',';
      cli::AppendCsvField(text, record[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Record> records = ReadAll({reinterpret_cast<const char*>(data), size});
  Check(ReadAll(Write(records)) == records, "records read back as they were written");
  return 0;
}
