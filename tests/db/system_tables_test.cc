// The tables that show a replica at work: sys.site, sys.live_query, sys.operator, sys.level; and
// which tables of the system a query can watch.
#include "db/system_tables.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

class SystemTablesTest : public ::testing::Test {
 protected:
  SystemTablesTest() { Run("TABLE task (id INT KEY, owner INT INDEX, title TEXT)"); }

  void Run(std::string_view script) { Run(database_, script); }
  static void Run(Database& database, std::string_view script) {
    const Result<ExecuteSummary> done = database.Execute(script);
    ASSERT_TRUE(done.has_value()) << ToString(done.error());
  }
  std::string Ask(std::string_view text) {
    const Result<Query> query = database_.Prepare(text);
    if (!query) return query.error().message;
    const Result<Rows> rows = database_.snapshot().Run(*query);
    return rows ? rows->ToJson() : rows.error().message;
  }
  Subscription Watch(
      std::string_view text, const Params& params = {},
      const OnChange& on_change = [](const Change&) {}) {
    Result<Subscription> watched = database_.Watch(*database_.Prepare(text), params, on_change);
    EXPECT_TRUE(watched.has_value()) << ToString(watched.error());
    return *std::move(watched);
  }
  // Keeps a copy of the result.
  Subscription Follow(std::string_view text) {
    return Watch(text, {}, [this](const Change& change) {
      if (change.reset) live_.clear();
      Apply(change, live_);
    });
  }
  std::string Live() const {
    std::string text = "[";
    for (const Row& row : live_) text += (text.size() > 1 ? "," : "") + row.ToJson();
    return text + "]";
  }

  Database database_ = *Database::Open(":memory:");
  std::vector<Row> live_;  // of what is followed
};

TEST_F(SystemTablesTest, ASiteIsListedOnceItsTransactionsAreHere) {
  EXPECT_EQ(Ask("SELECT ordinal, head, floor, own, heard FROM sys.site"),
            R"([{"ordinal":0,"head":1,"floor":0,"own":true,"heard":null}])");
  Database other = *Database::Open(":memory:");
  Run(other, "TABLE note (id INT KEY); INSERT INTO note VALUES (1), (2)");
  ASSERT_TRUE(database_.Merge(*other.Changes(database_.version_vector())).has_value());
  EXPECT_EQ(Ask("SELECT ordinal, head, own, heard IS NULL AS silent FROM sys.site ORDER BY own"),
            R"([{"ordinal":1,"head":2,"own":false,"silent":true},)"
            R"({"ordinal":0,"head":1,"own":true,"silent":true}])")
      << "that it was heard is written with the next commit";
  Run("INSERT INTO task VALUES (1, 1, 'x')");
  EXPECT_EQ(Ask("SELECT own, heard IS NULL AS silent FROM sys.site ORDER BY own"),
            R"([{"own":false,"silent":false},{"own":true,"silent":true}])");
  EXPECT_EQ(Ask("SELECT count(*) AS n FROM sys.triple t JOIN sys.site s ON t.site = s.ordinal "
                "WHERE s.own AND t.type_name = 'task'"),
            R"([{"n":3}])");
}

TEST_F(SystemTablesTest, ADatabaseThatNeverWroteKnowsItsOwnSite) {
  database_ = *Database::Open(":memory:");
  EXPECT_EQ(Ask("SELECT head, time, own FROM sys.site"), R"([{"head":0,"time":null,"own":true}])");
}

TEST_F(SystemTablesTest, TheSitesAreLiveThroughCommitsAndMerges) {
  const std::string text = "SELECT id, incarnation, ordinal, head, floor, time, own FROM sys.site";
  const Subscription subscription = Follow(text);
  Database other = *Database::Open(":memory:");
  Run(other, "TABLE note (id INT KEY)");
  for (int i = 0; i < 5; ++i) {
    Run(StrCat("INSERT INTO task VALUES (", i, ", 1, 'x')"));
    EXPECT_EQ(Live(), Ask(text));
    Run(other, StrCat("INSERT INTO note VALUES (", i, ")"));
    ASSERT_TRUE(database_.Merge(*other.Changes(database_.version_vector())).has_value());
    EXPECT_EQ(Live(), Ask(text));
  }
  EXPECT_EQ(live_.size(), 2u);
}

TEST_F(SystemTablesTest, LiveQueriesAreListedWithWhatTheyHold) {
  Run("INSERT INTO task VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c')");
  EXPECT_EQ(Ask("SELECT * FROM sys.live_query"), "[]");
  const std::string text = "SELECT id FROM task WHERE owner = :owner";
  const Query query = *database_.Prepare(text);
  const Subscription first = Watch(text, Params().Set("owner", Value::Int(1)));
  const Subscription again = Watch(text, Params().Set("owner", Value::Int(1)));
  const Subscription second = Watch(text, Params().Set("owner", Value::Int(2)));
  const Subscription third = Watch(text, Params().Set("owner", Value::Int(3)));
  EXPECT_EQ(Ask("SELECT text = 'SELECT id FROM task WHERE owner = :owner' AS same, parameters, "
                "subscriptions, bindings, rows, bytes > 0 AS weighs FROM sys.live_query "
                "ORDER BY parameters"),
            R"([{"same":true,"parameters":"{\"owner\":1}","subscriptions":2,"bindings":1,)"
            R"("rows":2,"weighs":true},)"
            R"({"same":true,"parameters":"{\"owner\":2}","subscriptions":1,"bindings":2,)"
            R"("rows":1,"weighs":true},)"
            R"({"same":true,"parameters":"{\"owner\":3}","subscriptions":1,"bindings":2,)"
            R"("rows":0,"weighs":true}])");
  EXPECT_EQ(Ask("SELECT q.plan, count(*) > 1 AS several, min(o.id) > 0 AS numbered "
                "FROM sys.live_query q JOIN sys.operator o ON o.plan = q.plan "
                "WHERE q.subscriptions = 2 GROUP BY q.plan"),
            R"([{"plan":1,"several":true,"numbered":true}])");
  EXPECT_EQ(Ask("SELECT max(steps) AS steps FROM sys.operator WHERE plan = 1"), R"([{"steps":0}])");
  Run("INSERT INTO task VALUES (4, 1, 'd')");
  EXPECT_EQ(Ask("SELECT max(steps) AS steps, max(changes) AS changes FROM sys.operator "
                "WHERE plan = 1"),
            R"([{"steps":1,"changes":1}])");
}

TEST_F(SystemTablesTest, WhoReadsTheLiveQueriesMayWatchAnother) {
  const Subscription first = Watch("SELECT id FROM task");
  std::vector<Subscription> more;
  ASSERT_TRUE(database_.snapshot()
                  .Scan("sys.live_query",
                        [&](std::span<const Value> row) {
                          more.push_back(
                              Watch(StrCat("SELECT title FROM task WHERE id = ", row[0].AsInt())));
                          return true;
                        })
                  .has_value());
  EXPECT_EQ(more.size(), 1u);
  EXPECT_EQ(Ask("SELECT count(*) AS n FROM sys.live_query"), R"([{"n":2}])");
}

TEST_F(SystemTablesTest, TheLevelsOfTheStoreAreListed) {
  Run("INSERT INTO task VALUES (1, 1, 'a')");
  EXPECT_EQ(Ask("SELECT sum(files) AS files FROM sys.level"), R"([{"files":0}])");
  ASSERT_TRUE(database_.Compact().has_value());
  EXPECT_EQ(Ask("SELECT count(*) AS n FROM sys.level WHERE files > 0 AND bytes > 0 AND "
                "entries > 0"),
            R"([{"n":1}])");
}

TEST_F(SystemTablesTest, ATransactionAndAWriteCanReadThem) {
  Run("INSERT INTO task SELECT level, files, 'level' FROM sys.level");
  EXPECT_EQ(Ask("SELECT count(*) > 0 AS some FROM task WHERE title = 'level'"),
            R"([{"some":true}])");
  Transaction transaction = database_.Begin();
  const Result<Rows> rows =
      transaction.Run(*database_.Prepare("SELECT count(*) AS n FROM sys.site WHERE own"));
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->ToJson(), R"([{"n":1}])");
}

TEST_F(SystemTablesTest, WhatCommitsDoNotTellOfCannotBeWatched) {
  for (const char* table :
       {"sys.triple", "sys.commit", "sys.live_query", "sys.operator", "sys.level"}) {
    const std::string reason =
        StrCat("\"", table, "\" does not change by commits alone, so it cannot be live");
    const std::string text =
        StrCat("SELECT t.id FROM task t WHERE EXISTS (SELECT 1 FROM ", table, ")");
    const Result<Subscription> watched =
        database_.Watch(*database_.Prepare(text), {}, [](const Change&) {});
    ASSERT_FALSE(watched.has_value()) << table;
    EXPECT_EQ(watched.error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(watched.error().message, reason);
    const Result<ExecuteSummary> explained =
        database_.Execute(StrCat("EXPLAIN LIVE SELECT * FROM ", table));
    ASSERT_FALSE(explained.has_value()) << table;
    EXPECT_EQ(explained.error().message, reason);
    Run(StrCat("EXPLAIN SELECT * FROM ", table));
  }
  EXPECT_EQ(Ask("SELECT * FROM sys.live_query"), "[]") << "a refused one leaves nothing";
}

TEST_F(SystemTablesTest, TheReferencesExamplesRun) {
  std::ifstream file(StrCat(TREFOIL_SOURCE_DIR, "/docs/treesql.md"));
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  constexpr std::string_view kFence = "```treesql\nSELECT";
  int examples = 0;
  for (std::size_t at = document.find(kFence); at != std::string::npos;
       at = document.find(kFence, at + 1)) {
    const std::size_t start = document.find('\n', at) + 1;
    const std::string example = document.substr(start, document.find("```", start) - start);
    if (example.find("sys.") == std::string::npos) continue;
    Run(example);
    ++examples;
  }
  EXPECT_GE(examples, 4);
}

}  // namespace
}  // namespace trefoil
