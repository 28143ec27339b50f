// A prepared query is planned once and runs many times: with other values, over other rows.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "query/prepare.h"
#include "tests/support/query_bed.h"

namespace trefoil::query {
namespace {

using testing::QueryBed;

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest()
      : bed_(
            "TABLE team (id INT KEY, name TEXT);"
            "TABLE person (id INT KEY, team INT INDEX, name TEXT, age DECIMAL(4,1) INDEX);"
            "INDEX by_name ON person (team, name)") {
    for (int n = 0; n < 4; ++n) bed_.Put("team", {Value::Int(n), Value::Text("t")});
    PutPeople(0, 40);
  }

  void PutPeople(int first, int limit) {
    for (int n = first; n < limit; ++n) {
      const std::string name(1, static_cast<char>('a' + n % 7));
      bed_.Put("person",
               {Value::Int(n), Value::Int(n % 4), Value::Text(name), Value::Decimal(n * 10, 1)});
    }
    bed_.source().Advance();
  }

  void Prepare(std::string_view text) {
    const auto prepared = query::Prepare(text, bed_.schema());
    ASSERT_TRUE(prepared.has_value()) << text << "\n" << ToString(prepared.error());
    query_ = *prepared;
  }

  // Runs it, and expects what a query gives that has never run before.
  std::string Run(const std::vector<Value>& values) {
    Params params;
    for (const Value& value : values) params.Add(value);
    const Result<Rows> rows = query::Run(*query_, bed_.source(), params, {});
    const std::string answer = rows ? rows->ToJson() : ToString(rows.error());
    EXPECT_EQ(answer, bed_.Run(query_->text, params)) << query_->text;
    return answer;
  }

  std::uint64_t plans_made() const { return query_->standing.plans_made(); }

  QueryBed bed_;
  std::shared_ptr<const Query::Plan> query_;
};

TEST_F(RunnerTest, PlansOnceForValuesOfTheSameKinds) {
  for (const char* text :
       {"SELECT id FROM person WHERE team = ? AND name >= ?",
        "SELECT id FROM person WHERE id > ? AND name <> ?",
        "SELECT id + ? AS n FROM person WHERE name < ?",
        "SELECT p.id FROM person p JOIN team t ON t.id = p.team AND t.id <> ? WHERE p.name = ?",
        "SELECT p.id, t.id AS t FROM person p LEFT JOIN team t ON t.id = p.team AND t.id > ? "
        "WHERE p.name = ?",
        "SELECT id FROM team t WHERE id >= ? AND EXISTS (SELECT 1 FROM person p WHERE p.team = "
        "t.id AND p.name = ?)",
        "SELECT team, count(*) AS n FROM person WHERE id > ? AND name > ? GROUP BY team",
        "SELECT count(*) AS n FROM person WHERE id > ? AND name > ?",
        "SELECT DISTINCT team FROM person WHERE id > ? AND name > ?",
        "SELECT id FROM person WHERE team = ? AND name > ? ORDER BY id DESC LIMIT 3",
        "SELECT { id, people: [SELECT id FROM person p WHERE p.team = t.id AND p.id > ? AND "
        "p.name > ?] } FROM team t",
        "SELECT id FROM person WHERE id IN (?, 3) OR name = ?", "SELECT ? AS a, ? AS b"}) {
    Prepare(text);
    for (const char* name : {"b", "c", "b", "", "z"}) {
      for (const int number : {2, 0, 3, 2, 99}) Run({Value::Int(number), Value::Text(name)});
    }
    EXPECT_EQ(plans_made(), 1u) << text;
  }
}

TEST_F(RunnerTest, TellsTwoParametersWithTheSameFirstValueApart) {
  Prepare("SELECT id FROM person WHERE (id = ? OR id = ?) AND team + ? >= ?");
  for (const int other : {5, 6, 7, 5}) {
    Run({Value::Int(5), Value::Int(other), Value::Int(other), Value::Int(5)});
  }
  EXPECT_EQ(plans_made(), 1u);
}

TEST_F(RunnerTest, PlansAnewForNullAndForOtherKinds) {
  Prepare("SELECT id FROM person WHERE team = ?");
  EXPECT_NE(Run({Value::Int(1)}), "[]");
  EXPECT_EQ(Run({Value()}), "[]");
  EXPECT_NE(Run({Value::Int(1)}), "[]");
  EXPECT_EQ(Run({Value::Float(1.5)}), "[]");
  EXPECT_NE(Run({Value::Float(1)}), "[]");
  EXPECT_EQ(Run({Value::Float(1.5)}), "[]");
}

TEST_F(RunnerTest, PlansAnewForAnotherLimitAndForValuesThatMustBeConverted) {
  Prepare("SELECT id FROM person ORDER BY id LIMIT ?");
  EXPECT_EQ(Run({Value::Int(1)}), R"([{"id":0}])");
  EXPECT_EQ(Run({Value::Int(2)}), R"([{"id":0},{"id":1}])");
  EXPECT_EQ(Run({Value::Int(2)}), R"([{"id":0},{"id":1}])");
  EXPECT_EQ(plans_made(), 2u);
  Prepare("SELECT id FROM person WHERE age = ?");
  for (const int unscaled : {100, 10, 101, 10}) {
    Run({Value::Decimal(unscaled * 10, 2)});
    Run({Value::Decimal(unscaled, 1)});
  }
}

TEST_F(RunnerTest, DropsNoConditionThatOnlyTheFirstValueMakesIdle) {
  Prepare("SELECT count(*) AS n FROM person WHERE ?");
  EXPECT_EQ(Run({Value::Bool(true)}), R"([{"n":40}])");
  EXPECT_EQ(Run({Value::Bool(false)}), R"([{"n":0}])");
  EXPECT_EQ(plans_made(), 1u);
}

TEST_F(RunnerTest, RunsRecursionForEachValue) {
  Prepare(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n");
  EXPECT_EQ(Run({Value::Int(2)}), R"([{"i":1},{"i":2}])");
  EXPECT_EQ(Run({Value::Int(1)}), R"([{"i":1}])");
}

TEST_F(RunnerTest, SeesTheRowsOfTheMoment) {
  for (const char* text :
       {"SELECT count(*) AS n FROM person", "SELECT DISTINCT name FROM person",
        "SELECT id FROM person ORDER BY id DESC LIMIT 2",
        "SELECT a.id FROM person a JOIN person b ON a.name = b.name WHERE b.id = 39",
        "SELECT t.id, (SELECT count(*) FROM person p WHERE p.team = t.id) AS n FROM team t"}) {
    Prepare(text);
    const std::string before = Run({});
    PutPeople(40, 48);
    EXPECT_TRUE(Run({}) != before || std::string_view(text).find("DISTINCT") != std::string::npos);
    for (int n = 40; n < 48; ++n) bed_.Erase("person", {Value::Int(n)});
    bed_.source().Advance();
    EXPECT_EQ(Run({}), before);
    EXPECT_EQ(plans_made(), 1u);
  }
}

TEST_F(RunnerTest, OrdersJoinsAnewOnceATableIsOfAnotherSize) {
  Prepare("SELECT count(*) AS n FROM person p JOIN team t ON t.id = p.team");
  for (int i = 0; i < 40; ++i) Run({});
  EXPECT_EQ(plans_made(), 1u);
  PutPeople(40, 800);
  for (int i = 0; i < 40; ++i) Run({});
  EXPECT_EQ(plans_made(), 2u);
}

}  // namespace
}  // namespace trefoil::query
