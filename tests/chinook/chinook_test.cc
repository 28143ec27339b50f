// Queries written by hand over real data, each once and live. The files of SQL beside this one hold
// them: a TreeSQL statement, then what SQLite is asked instead (nothing: the same text). A shaped
// answer is compared with the JSON that SQLite builds. Numbers may differ by rounding, as prices
// are exact here and floating point there.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/json_text.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/chinook/chinook_data.h"
#include "tests/support/script_runner.h"
#include "tests/support/seed.h"
#include "tests/support/sqlite_oracle.h"
#include "trefoil/change.h"

namespace trefoil::testing {
namespace {

std::vector<ScriptStep> ReadQueries(const std::string& name) {
  std::ifstream in(StrCat(TREFOIL_SOURCE_DIR, "/tests/chinook/", name, ".sql"));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  return ParseScript(text)->steps;
}

// Whether two canonical JSON texts say the same: TRUE is 1, and numbers may differ by rounding.
bool SameJson(std::string_view a, std::string_view b) {
  const auto is_number = [](std::string_view text) {
    return text.starts_with('-') || (!text.empty() && text[0] >= '0' && text[0] <= '9') ||
           text.starts_with("true") || text.starts_with("false");
  };
  const auto take_number = [](std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of(",]}"), text.size());
    const std::string token(text.substr(0, end));
    text.remove_prefix(end);
    return token == "true" ? 1.0 : token == "false" ? 0.0 : std::strtod(token.c_str(), nullptr);
  };
  bool in_text = false;
  while (!a.empty() && !b.empty()) {
    if (!in_text && is_number(a) && is_number(b)) {
      const double left = take_number(a);
      const double right = take_number(b);
      if (std::abs(left - right) > 1e-6 * std::max(1.0, std::abs(left))) return false;
      continue;
    }
    if (a[0] != b[0]) return false;
    if (in_text && a[0] == '\\') {
      if (a.substr(0, 2) != b.substr(0, 2)) return false;
      a.remove_prefix(1);
      b.remove_prefix(1);
    } else if (a[0] == '"') {
      in_text = !in_text;
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && b.empty();
}

// Both databases with the same rows.
class World {
 public:
  explicit World(const std::string& folder)
      : tables_(*ReadChinook(folder)), database_(*Database::Open(":memory:")) {
    EXPECT_TRUE(database_.Execute(ChinookTreeSql(tables_)).has_value());
    for (const std::string& statement : ChinookSqlite(tables_)) AskSqlite(statement);
    for (const ChinookTable& table : tables_) {
      Write([&](Transaction& transaction) {
        for (const std::vector<Value>& row : table.rows) Insert(transaction, table, row);
      });
    }
  }

  // One transaction in both.
  void Write(const std::function<void(Transaction&)>& body) {
    AskSqlite("BEGIN");
    const Result<CommitInfo> commit = database_.Write([&](Transaction& transaction) -> Status {
      body(transaction);
      return Ok();
    });
    EXPECT_TRUE(commit.has_value()) << ToString(commit.error());
    AskSqlite("COMMIT");
  }

  void Insert(Transaction& transaction, const ChinookTable& table, const std::vector<Value>& row) {
    const auto inserted = transaction.Insert(table.name, table.FieldsOf(row));
    EXPECT_TRUE(inserted.has_value()) << ToString(inserted.error());
    std::string sql = StrCat("INSERT INTO ", table.name, " VALUES (");
    for (const Value& value : row) sql += StrCat(SqliteLiteral(value), ", ");
    sql.replace(sql.size() - 2, 2, ")");
    AskSqlite(sql);
  }

  void Delete(Transaction& transaction, const ChinookTable& table, const std::vector<Value>& row) {
    const Result<bool> deleted = transaction.Delete(table.name, table.KeyOf(row));
    EXPECT_TRUE(deleted.has_value() && *deleted);
    AskSqlite(StrCat("DELETE FROM ", table.name, KeyTest(table, row)));
  }

  // The row of the same key becomes `row`.
  void Change(Transaction& transaction, const ChinookTable& table, const std::vector<Value>& row) {
    const auto put = transaction.Put(table.name, table.FieldsOf(row));
    EXPECT_TRUE(put.has_value()) << ToString(put.error());
    std::string sql = StrCat("UPDATE ", table.name, " SET ");
    for (std::size_t i = table.key_count; i < row.size(); ++i) {
      sql += StrCat(table.columns[i].name, " = ", SqliteLiteral(row[i]), ", ");
    }
    sql.resize(sql.size() - 2);
    AskSqlite(sql + KeyTest(table, row));
  }

  // "" when `rows` is what SQLite answers, in the same order.
  std::string Compare(const ScriptStep& query, const Rows& rows) {
    const std::string expected = SqliteAnswer(query, rows.shared_names());
    const std::string got = *CanonicalJson(rows.ToJson());
    if (SameJson(got, expected)) return {};
    return StrCat(query.preamble, query.statement, "\ngot    ", got, "\nSQLite ", expected, "\n");
  }

  Database& database() { return database_; }
  const std::vector<ChinookTable>& tables() const { return tables_; }

 private:
  static std::string KeyTest(const ChinookTable& table, const std::vector<Value>& row) {
    std::string test;
    for (std::size_t i = 0; i < table.key_count; ++i) {
      test +=
          StrCat(i == 0 ? " WHERE " : " AND ", table.columns[i].name, " = ", SqliteLiteral(row[i]));
    }
    return test;
  }

  std::vector<std::vector<Value>> AskSqlite(const std::string& sql) {
    Result<std::vector<std::vector<Value>>> rows = sqlite_.Run(sql);
    EXPECT_TRUE(rows.has_value()) << sql << ": " << ToString(rows.error());
    return rows ? *std::move(rows) : std::vector<std::vector<Value>>();
  }

  std::string SqliteAnswer(const ScriptStep& query, const ObjectNames& names) {
    std::string json = "[";
    for (std::vector<Value>& row :
         AskSqlite(query.expected.empty() ? query.statement : query.expected)) {
      if (json.size() > 1) json += ',';
      const bool is_shaped =
          row.size() == 1 && row[0].kind() == ValueKind::kText && row[0].AsText().starts_with('{');
      if (is_shaped) {
        json += row[0].AsText();
      } else {
        EXPECT_EQ(row.size(), names->size()) << query.statement;
        if (row.size() != names->size()) return {};
        json += ToJson(Value::Object(names, std::move(row)));
      }
    }
    return *CanonicalJson(json + "]");
  }

  std::vector<ChinookTable> tables_;
  Database database_;
  SqliteOracle sqlite_;
};

class ChinookTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (ChinookFolder().empty()) GTEST_SKIP() << "no Chinook data beside the repository";
    world_ = std::make_unique<World>(ChinookFolder());
  }

  std::unique_ptr<World> world_;
};

TEST_P(ChinookTest, AnswersAreThoseOfSqlite) {
  for (const ScriptStep& query : ReadQueries(GetParam())) {
    const Result<Query> prepared = world_->database().Prepare(query.statement);
    EXPECT_TRUE(prepared.has_value()) << query.statement << "\n" << ToString(prepared.error());
    if (!prepared) continue;
    const Result<Rows> rows = world_->database().snapshot().Run(*prepared);
    ASSERT_TRUE(rows.has_value()) << query.statement << "\n" << ToString(rows.error());
    EXPECT_FALSE(rows->empty()) << "a query without an answer shows little: " << query.statement;
    EXPECT_EQ(world_->Compare(query, *rows), "");
  }
}

// A live query, and a client that knows of it only what it was told.
struct Live {
  ScriptStep query;
  Query prepared;
  std::vector<Row> client;
  std::size_t changes = 0;
  Subscription subscription;
};

std::string ShowRows(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) text += StrCat(text.size() > 1 ? "," : "", row.ToJson());
  return text + "]";
}

class ChinookLiveTest : public ChinookTest {
 protected:
  void WatchAll() {
    for (ScriptStep& query : ReadQueries(GetParam())) {
      auto live = std::make_unique<Live>();
      live->query = std::move(query);
      live->prepared = *world_->database().Prepare(live->query.statement);
      Result<Subscription> subscription = world_->database().Watch(
          live->prepared, {}, [told = live.get()](const trefoil::Change& change) {
            ++told->changes;
            Apply(change, told->client);
          });
      ASSERT_TRUE(subscription.has_value()) << ToString(subscription.error());
      live->subscription = *std::move(subscription);
      queries_.push_back(std::move(live));
    }
  }

  // Every live result is what the query gives now, and what SQLite gives.
  void CompareAll(const std::string& when) {
    for (const std::unique_ptr<Live>& live : queries_) {
      const Result<Rows> fresh = world_->database().snapshot().Run(live->prepared);
      ASSERT_TRUE(fresh.has_value()) << ToString(fresh.error());
      const std::string expected = fresh->ToJson();
      ASSERT_EQ(live->subscription.Current()->ToJson(), expected)
          << when << ": " << live->query.statement;
      ASSERT_EQ(ShowRows(live->client), expected) << when << ": " << live->query.statement;
      ASSERT_EQ(world_->Compare(live->query, *fresh), "") << when;
    }
  }

  // Every row of the table goes, comes back as another, and becomes itself again; in transactions
  // of one row up to hundreds.
  void Churn(const ChinookTable& table, Random& random) {
    std::vector<std::size_t> order(table.rows.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.Uniform(i)]);
    constexpr std::size_t kSizes[] = {1, 4, 30, 900};
    std::size_t turn = random.Uniform(std::size(kSizes));
    for (std::size_t at = 0; at < order.size();) {
      const std::size_t size = std::min(kSizes[turn++ % std::size(kSizes)], order.size() - at);
      const auto each = [&](auto body) {
        world_->Write([&](Transaction& transaction) {
          for (std::size_t i = at; i < at + size; ++i) body(transaction, order[i]);
        });
      };
      each([&](Transaction& t, std::size_t i) { world_->Delete(t, table, table.rows[i]); });
      if (random.OneIn(20)) CompareAll(StrCat(table.name, " without ", size, " rows"));
      each([&](Transaction& t, std::size_t i) { world_->Insert(t, table, OtherRow(table, i)); });
      if (random.OneIn(20)) CompareAll(StrCat(table.name, " with ", size, " others"));
      if (table.key_count < table.columns.size()) {
        each([&](Transaction& t, std::size_t i) { world_->Change(t, table, table.rows[i]); });
      }
      at += size;
    }
  }

  // Row `i` with every second column of the next row.
  static std::vector<Value> OtherRow(const ChinookTable& table, std::size_t i) {
    std::vector<Value> row = table.rows[i];
    const std::vector<Value>& next = table.rows[(i + 1) % table.rows.size()];
    for (std::size_t column = table.key_count; column < row.size(); ++column) {
      if ((column + i) % 2 == 0) row[column] = next[column];
    }
    return row;
  }

  std::vector<std::unique_ptr<Live>> queries_;
};

TEST_P(ChinookLiveTest, ResultsStayThoseOfSqliteWhileEveryRowChanges) {
  Random random(TestSeed());
  WatchAll();
  CompareAll("at first");
  for (const ChinookTable& table : world_->tables()) {
    Churn(table, random);
    CompareAll(StrCat("after ", table.name));
    if (HasFatalFailure()) return;
  }
  for (const std::unique_ptr<Live>& live : queries_) {
    EXPECT_GT(live->changes, 1u) << "never changed: " << live->query.statement;
  }
}

constexpr const char* kScripts[] = {"flat",       "joins",     "groups", "sets",
                                    "subselects", "recursion", "shapes", "depth"};
const auto kScriptName = [](const auto& info) { return std::string(info.param); };
INSTANTIATE_TEST_SUITE_P(Script, ChinookTest, ::testing::ValuesIn(kScripts), kScriptName);
INSTANTIATE_TEST_SUITE_P(Script, ChinookLiveTest, ::testing::ValuesIn(kScripts), kScriptName);

}  // namespace
}  // namespace trefoil::testing
