#include "cli/import/csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trefoil::cli {
namespace {

using Record = std::vector<std::optional<std::string>>;

// The records up to the end or the first error.
struct ReadResult {
  std::vector<Record> records;
  Error error;
};

ReadResult ReadAll(std::string_view text) {
  CsvReader reader(text, "test.csv");
  ReadResult result;
  std::vector<CsvField> record;
  while (true) {
    const Result<bool> more = reader.Next(&record);
    if (!more) {
      result.error = more.error();
      return result;
    }
    if (!*more) return result;
    result.records.emplace_back(record.begin(), record.end());
  }
}

TEST(CsvReaderTest, TellsNullFromEmptyText) {
  EXPECT_EQ(ReadAll("a,,\"\"\n").records, (std::vector<Record>{{"a", std::nullopt, ""}}));
}

TEST(CsvReaderTest, KeepsCommasQuotesAndLineEndsInQuotedFields) {
  EXPECT_EQ(ReadAll("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\nx,y,z").records,
            (std::vector<Record>{{"a,b", "say \"hi\"", "two\nlines"}, {"x", "y", "z"}}));
}

TEST(CsvReaderTest, SkipsTheByteOrderMarkAndBlankLines) {
  EXPECT_EQ(ReadAll("\xEF\xBB\xBF"
                    "a\n\n\nb\n")
                .records,
            (std::vector<Record>{{"a"}, {"b"}}));
}

TEST(CsvReaderTest, CountsLinesAcrossQuotedOnes) {
  CsvReader reader("\"1\n2\"\nx\n", "test.csv");
  std::vector<CsvField> record;
  ASSERT_TRUE(reader.Next(&record).has_value());
  EXPECT_EQ(reader.line(), 1);
  ASSERT_TRUE(reader.Next(&record).has_value());
  EXPECT_EQ(reader.line(), 3);
}

TEST(CsvReaderTest, NamesTheLineOfAQuoteThatIsNeverClosed) {
  EXPECT_EQ(ReadAll("a\nb,\"c\nd").error.message,
            "test.csv:2: a quoted field is never closed: b,\"c");
}

TEST(CsvReaderTest, RefusesTextBehindAClosingQuote) {
  EXPECT_EQ(
      ReadAll("\"a\"b\n").error.message,
      "test.csv:1: text follows a closing quote, expected a comma or the line's end, found b: "
      "\"a\"b");
}

TEST(CsvFieldTest, QuotesWhatMustBeQuotedAndReadsBack) {
  std::string line;
  AppendCsvField(line, "plain");
  line += ',';
  AppendCsvField(line, std::nullopt);
  line += ',';
  AppendCsvField(line, "");
  line += ',';
  AppendCsvField(line, "a \"b\", c");
  EXPECT_EQ(line, "plain,,\"\",\"a \"\"b\"\", c\"");
  EXPECT_EQ(ReadAll(line).records,
            (std::vector<Record>{{"plain", std::nullopt, "", "a \"b\", c"}}));
}

}  // namespace
}  // namespace trefoil::cli
