// The oracle itself under test: generated queries keep their meaning through the printer, and the
// naive evaluator gives what SQLite gives, for what SQLite can say.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/errors.h"
#include "query/parser.h"
#include "query/printer.h"
#include "tests/support/naive_database.h"
#include "tests/support/query_generator.h"
#include "tests/support/seed.h"
#include "tests/support/sqlite_oracle.h"

namespace trefoil::testing {
namespace {

std::string ShowRows(std::vector<std::vector<Value>> rows) {
  std::ranges::sort(rows);
  std::string text;
  for (const std::vector<Value>& row : rows) text += ToJson(Value::List(row)) + "\n";
  return text;
}

// "" when both agree, else how they do not.
std::string DifferenceToSqlite(const GeneratedCase& made) {
  NaiveDatabase naive(made.tables);
  SqliteOracle sqlite;
  for (const GeneratedTable& table : made.tables) {
    const auto created = sqlite.Run("CREATE TABLE " + table.name + " (" + table.ColumnList() + ")");
    if (!created) return created.error().message;
  }
  for (const GeneratedWrite& write : made.rows) {
    naive.Apply(write);
    std::string statement = write.statement;
    if (statement.starts_with("UPSERT")) {
      GeneratedWrite gone = write;
      statement.replace(0, 6, "INSERT");
      std::string where;
      const GeneratedTable& table = made.tables[write.table];
      for (std::size_t i = 0; i < write.key.size(); ++i) {
        where += (i == 0 ? " WHERE " : " AND ") + table.columns[i].name + " = " +
                 query::PrintLiteral(write.key[i]);
      }
      if (!sqlite.Run("DELETE FROM " + table.name + where)) return "SQLite cannot delete";
    }
    const auto written = sqlite.Run(statement);
    if (!written) return written.error().message;
  }
  for (const std::string& query : made.queries) {
    const Result<Rows> ours = naive.Run(query);
    if (!ours && ours.error().code == ErrorCode::kLimit) continue;
    if (!ours) return "naive: " + ToString(ours.error());
    const auto theirs = sqlite.Run(query);
    if (!theirs) return theirs.error().message;
    std::vector<std::vector<Value>> our_rows;
    for (std::size_t i = 0; i < ours->size(); ++i) {
      std::vector<Value>& row = our_rows.emplace_back();
      for (const Value& value : (*ours)[i]) row.push_back(AsSqliteShows(value));
    }
    std::vector<std::vector<Value>> their_rows = *theirs;
    for (std::vector<Value>& row : their_rows) {
      for (Value& value : row) value = AsSqliteShows(value);
    }
    const std::string our_text = ShowRows(std::move(our_rows));
    const std::string their_text = ShowRows(std::move(their_rows));
    if (our_text != their_text) return "naive:\n" + our_text + "SQLite:\n" + their_text;
  }
  return {};
}

TEST(NaiveEvaluatorTest, AgreesWithSqliteOnPlainSql) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(1000 * TestScale());
  constexpr GeneratorOptions kOptions{.plain_sql = true};
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, kOptions);
    if (DifferenceToSqlite(made).empty()) continue;
    const auto fails = [&](const std::vector<std::uint32_t>& recorded) {
      Choices replay(recorded);
      return !DifferenceToSqlite(GenerateCase(replay, kOptions)).empty();
    };
    Choices smallest(Shrink(choices.taken(), 3000, fails));
    const GeneratedCase small = GenerateCase(smallest, kOptions);
    FAIL() << "round " << round << "\n" << small.ToText() << DifferenceToSqlite(small);
  }
}

TEST(QueryGeneratorTest, MakesQueriesThatBindAndPrintToThemselves) {
  const std::uint64_t seed = TestSeed();
  const int rounds = static_cast<int>(1000 * TestScale());
  for (int round = 0; round < rounds; ++round) {
    Choices choices(seed + static_cast<std::uint64_t>(round));
    const GeneratedCase made = GenerateCase(choices, {});
    const NaiveDatabase naive(made.tables);
    for (const std::string& query : made.queries) {
      const query::ParsedScript script = query::Parse(query);
      ASSERT_TRUE(script.diagnostics.empty()) << query << "\n" << ToString(script.diagnostics[0]);
      const std::string printed = query::Print(script.statements.at(0));
      const query::ParsedScript again = query::Parse(printed);
      ASSERT_TRUE(again.diagnostics.empty()) << query << "\n" << printed;
      ASSERT_EQ(query::Print(again.statements.at(0)), printed) << query;
      const Result<Rows> rows = naive.Run(query);
      const bool takes_long = !rows && rows.error().code == ErrorCode::kLimit;
      ASSERT_TRUE(rows.has_value() || takes_long) << made.ToText() << ToString(rows.error());
    }
  }
}

}  // namespace
}  // namespace trefoil::testing
