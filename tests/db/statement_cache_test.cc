// A text that ran before is answered as if it ran for the first time.
#include "db/statement_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

using db::StatementCache;

// What each statement answered, or the error.
std::string Shown(const Result<ExecuteSummary>& summary) {
  if (!summary) return StrCat("error: ", summary.error().message);
  std::string text;
  for (const StatementResult& one : summary->statements) {
    if (one.rows) text += one.rows->ToJson();
    if (one.affected) text += StrCat('#', *one.affected);
  }
  return text;
}

Params With(Value value) { return Params().Set("v", std::move(value)); }

class StatementCacheTest : public ::testing::Test {
 protected:
  StatementCacheTest() { Run("TABLE item (id INT KEY, size INT); INDEX by_size ON item (size)"); }

  std::string Run(const std::string& text, const Params& params = {}) {
    return Shown(database_.Execute(text, params));
  }

  Database database_ = *Database::Open(":memory:");
};

TEST_F(StatementCacheTest, ANewColumnIsSeenByATextThatRanBefore) {
  Run("INSERT INTO item {id: 1, size: 2}");
  EXPECT_EQ(Run("SELECT * FROM item"), R"([{"id":1,"size":2}])");
  EXPECT_EQ(Run("DELETE FROM item WHERE id = 9 RETURNING *"), "[]#0");
  Run("TABLE item (id INT KEY, size INT, name TEXT)");
  EXPECT_EQ(Run("SELECT * FROM item"), R"([{"id":1,"size":2,"name":null}])");
  EXPECT_EQ(Run("DELETE FROM item WHERE id = 9 RETURNING *"), "[]#0");
  Run("INSERT INTO item {id: 9, name: 'x'}");
  EXPECT_EQ(Run("DELETE FROM item WHERE id = 9 RETURNING *"),
            R"([{"id":9,"size":null,"name":"x"}]#1)");
}

TEST_F(StatementCacheTest, ADroppedIndexOrTableIsNotReadAnyMore) {
  const std::string update = "UPDATE item SET size += 1 WHERE size = :v RETURNING id";
  Run("INSERT INTO item VALUES (1, 5), (2, 6)");
  EXPECT_EQ(Run(update, With(Value::Int(5))), R"([{"id":1}]#1)");
  Run("DROP INDEX by_size");
  EXPECT_EQ(Run(update, With(Value::Int(6))), R"([{"id":1},{"id":2}]#2)");
  Run("DROP TABLE item");
  EXPECT_NE(Run(update, With(Value::Int(7))).find("error"), std::string::npos);
  EXPECT_EQ(Run("TABLE item (id INT KEY, size INT)"), "#0");
  EXPECT_EQ(Run("INSERT INTO item VALUES (3, 70)"), "#1");
  EXPECT_EQ(Run(update, With(Value::Int(70))), R"([{"id":3}]#1)");
}

TEST_F(StatementCacheTest, AParameterMayBeOfAnotherKindInTheNextRun) {
  const std::string select = "SELECT :v AS v";
  EXPECT_EQ(Run(select, With(Value::Int(1))), R"([{"v":1}])");
  EXPECT_EQ(Run(select, With(Value::Text("a"))), R"([{"v":"a"}])");
  EXPECT_EQ(Run(select, With(Value())), R"([{"v":null}])");
  const std::string erase = "DELETE FROM item WHERE size = :v";
  Run("INSERT INTO item VALUES (1, 5), (2, 6)");
  EXPECT_EQ(Run(erase, With(Value())), "#0");
  EXPECT_EQ(Run(erase, With(Value::Float(5.5))), "#0");
  EXPECT_EQ(Run(erase, With(Value::Int(6))), "#1");
  EXPECT_EQ(Run(erase, With(Value::Float(5.0))), "#1");
  EXPECT_NE(Run(erase, With(Value::Text("x"))).find("error"), std::string::npos);
  EXPECT_EQ(Run(erase, {}).find("error: parameter :v has no value"), 0u);
}

TEST_F(StatementCacheTest, LiteralsBelongToTheText) {
  EXPECT_EQ(Run("SELECT 1 AS v"), R"([{"v":1}])");
  EXPECT_EQ(Run("SELECT '1' AS v"), R"([{"v":"1"}])");
  EXPECT_EQ(Run("SELECT 7 / 2 AS v"), R"([{"v":3}])");
  EXPECT_EQ(Run("SELECT 7 / 2e0 AS v"), R"([{"v":3.5}])");
}

TEST_F(StatementCacheTest, RowsOfValuesAreComputedInEachRun) {
  const std::string insert = "INSERT INTO item VALUES (:v, 1), (:v + 1, :v * 2) RETURNING id, size";
  EXPECT_EQ(Run(insert, With(Value::Int(1))), R"([{"id":1,"size":1},{"id":2,"size":2}]#2)");
  EXPECT_EQ(Run(insert, With(Value::Int(3))), R"([{"id":3,"size":1},{"id":4,"size":6}]#2)");
  EXPECT_NE(Run(insert, With(Value::Int(4))).find("error"), std::string::npos);
  EXPECT_EQ(Run(insert, With(Value::Int(5))), R"([{"id":5,"size":1},{"id":6,"size":10}]#2)");
}

TEST_F(StatementCacheTest, AWriteThatAddsAColumnAnswersWithIt) {
  const std::string insert = "INSERT INTO item {id: :v, colour: 'red'} RETURNING id, size";
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Run(insert, With(Value::Int(i))), StrCat(R"([{"id":)", i, R"(,"size":null}]#1)"));
  }
  EXPECT_EQ(Run("SELECT count(*) AS n FROM item WHERE colour = 'red'"), R"([{"n":3}])");
}

TEST_F(StatementCacheTest, ATransactionReadsByItsOwnSchema) {
  Run("INSERT INTO item VALUES (1, 5)");
  const std::string select = "SELECT * FROM item";
  const std::string outside = Run(select);
  {
    Transaction transaction = database_.Begin();
    EXPECT_EQ(Shown(transaction.Execute("TABLE item (id INT KEY, size INT, name TEXT)")), "#0");
    EXPECT_EQ(Shown(transaction.Execute(select)), R"([{"id":1,"size":5,"name":null}])");
    EXPECT_EQ(Run(select), outside);
    EXPECT_EQ(Shown(transaction.Execute(select)), R"([{"id":1,"size":5,"name":null}])");
  }
  EXPECT_EQ(Run(select), outside);
}

TEST_F(StatementCacheTest, PreparingATextAgainGivesTheSamePlanUntilTheSchemaChanges) {
  const std::string text = "SELECT * FROM item";
  const Query first = *database_.Prepare(text);
  EXPECT_EQ(database_.Prepare(text)->plan(), first.plan());
  Run("TABLE item (id INT KEY, size INT, name TEXT)");
  const Query later = *database_.Prepare(text);
  EXPECT_EQ(first.names().size(), 2u);
  EXPECT_EQ(later.names().size(), 3u);
  EXPECT_EQ(database_.Prepare("SELECT").error().message,
            database_.Prepare("SELECT").error().message);
}

TEST_F(StatementCacheTest, TwoThreadsRunOneText) {
  constexpr int kTurns = 200;
  const auto work = [&](int first) {
    for (int i = 0; i < kTurns; ++i) {
      const Params params = With(Value::Int(first + 2 * i));
      EXPECT_EQ(Run("INSERT INTO item VALUES (:v, :v)", params), "#1");
      EXPECT_EQ(Run("SELECT size AS v FROM item WHERE id = :v", params),
                StrCat(R"([{"v":)", first + 2 * i, "}]"));
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  EXPECT_EQ(Run("SELECT count(*) AS n FROM item"), StrCat(R"([{"n":)", 2 * kTurns, "}]"));
}

TEST(StatementCacheBoundsTest, KeepsWhatRanLastWithinItsBytes) {
  StatementCache cache;
  const StatementCache::ScriptRef kept = cache.Find("SELECT 1");
  EXPECT_EQ(cache.Find("SELECT 1"), kept);
  const std::weak_ptr<const db::CachedScript> first = cache.Find("SELECT 2");
  for (int i = 3; i < 3000; ++i) cache.Find(StrCat("SELECT ", i));
  EXPECT_TRUE(first.expired());
  EXPECT_LE(cache.stats().bytes, StatementCache::kBytesMax);
  EXPECT_GT(cache.stats().entries, 100u);
  EXPECT_LT(cache.stats().entries, 2000u);
}

TEST(StatementCacheBoundsTest, DoesNotKeepLongTextsAndThoseThatDoNotParse) {
  StatementCache cache;
  cache.Find("SELECT FROM");
  const std::string spaces(StatementCache::kTextBytesMax, ' ');
  EXPECT_EQ(cache.Find(spaces + "SELECT 1")->parsed().statements.size(), 1u);
  EXPECT_EQ(cache.stats().entries, 0u);
}

// One database is asked in texts that it knows, the other in texts that it has never seen.
TEST(StatementCacheRandomTest, AnswersAreThoseOfANewText) {
  const std::uint64_t seed = TestSeed();
  Random random(seed);
  const std::vector<std::string> declarations = {
      "TABLE t (id INT KEY, a INT, b TEXT)",
      "TABLE t (id INT KEY, a INT, b TEXT, c FLOAT)",
      "TABLE t (id INT KEY, a INT INDEX, b TEXT)",
      "INDEX t_b ON t (b, a)",
      "DROP INDEX t_b",
      "DROP TABLE t",
  };
  const std::vector<std::string> statements = {
      "INSERT INTO t {id: :v, a: :v % 5, b: 'x'} RETURNING *",
      "UPSERT INTO t {id: :v % 20, a: :w}, {id: :w, b: 'y'}",
      "UPSERT INTO t {id: :w, extra: :v}",
      "INSERT INTO t SELECT { id: t.id + 100, a: t.a } FROM t WHERE t.a = :w",
      "UPDATE t SET a = a + :w WHERE id < :v RETURNING id, a, b",
      "UPDATE t SET b = :w UNSET a WHERE a > :v",
      "DELETE FROM t WHERE a = :w RETURNING *",
      "DELETE FROM t WHERE b = 'y' AND id % 3 = :w",
      "SELECT * FROM t WHERE a >= :w ORDER BY id LIMIT :v % 7",
      "SELECT x.id, (SELECT count(*) FROM t y WHERE y.a = x.a) AS n FROM t x WHERE x.id <> :v",
      "SELECT b, sum(a) AS s FROM t GROUP BY b; DELETE FROM t WHERE id = :v",
      "BEGIN; UPDATE t SET a = :w WHERE id = :v; SELECT * FROM t; ROLLBACK",
  };
  Database known = *Database::Open(":memory:");
  Database unseen = *Database::Open(":memory:");
  for (Database* database : {&known, &unseen}) {
    ASSERT_TRUE(database->Execute(declarations[0]).has_value());
  }
  const int turns = static_cast<int>(1500 * TestScale());
  int errors = 0;
  for (int i = 0; i < turns; ++i) {
    const auto pick = [&](const std::vector<std::string>& from) {
      return from[random.Uniform(from.size())];
    };
    const std::string text = random.Uniform(12) == 0 ? pick(declarations) : pick(statements);
    Params params;
    params.Set("v", Value::Int(static_cast<std::int64_t>(random.Uniform(40))));
    const auto w = static_cast<std::int64_t>(random.Uniform(5));
    params.Set("w", random.Uniform(4) == 0 ? Value() : Value::Int(w));
    const std::string expected = Shown(unseen.Execute(StrCat(text, " -- ", i), params));
    ASSERT_EQ(Shown(known.Execute(text, params)), expected) << text << ", seed " << seed;
    errors += expected.starts_with("error") ? 1 : 0;
  }
  EXPECT_LT(errors, turns);
}

}  // namespace
}  // namespace trefoil::testing
