// Every clause, run once over a small world, with all passes and with none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/query_bed.h"

namespace trefoil::query {
namespace {

using testing::QueryBed;

constexpr std::string_view kTables = R"(
  TABLE team (id INT KEY, name TEXT);
  TABLE person (id INT KEY, name TEXT, team REF team INDEX, boss REF person, height FLOAT);
  TABLE issue (id INT KEY, title TEXT, creator REF person INDEX, priority INT, open BOOL);
  TABLE comment (id INT KEY, issue REF issue INDEX, author REF person, body TEXT);
  INDEX by_priority ON issue (open, priority DESC);
)";

class RunTest : public ::testing::Test {
 protected:
  RunTest() : bed_(kTables) {
    const auto i = Value::Int;
    const auto t = Value::Text;
    const auto f = Value::Float;
    const auto b = Value::Bool;
    const Value null;
    bed_.Put("team", {i(1), t("red")});
    bed_.Put("team", {i(2), t("blue")});
    bed_.Put("person", {i(1), t("ann"), i(1), null, f(1.5)});
    bed_.Put("person", {i(2), t("bob"), i(1), i(1), f(1.75)});
    bed_.Put("person", {i(3), t("cid"), null, i(2), null});
    bed_.Put("person", {i(4), t("dan"), i(9), i(2), f(1.5)});
    bed_.Put("issue", {i(1), t("crash"), i(1), i(3), b(true)});
    bed_.Put("issue", {i(2), t("slow"), i(2), i(1), b(true)});
    bed_.Put("issue", {i(3), t("typo"), i(1), i(2), b(false)});
    bed_.Put("issue", {i(4), t("idea"), null, null, b(true)});
    bed_.Put("comment", {i(1), i(1), i(2), t("me too")});
    bed_.Put("comment", {i(2), i(1), i(3), t("fixed")});
    bed_.Put("comment", {i(3), i(2), i(1), t("no")});
  }

  // Runs with every set of passes; all must agree.
  std::string Run(std::string_view text, const Params& params = {}) {
    const std::string answer = bed_.Run(text, params);
    for (int bits = 0; bits < 128; ++bits) {
      const PassSet passes{.push_filters = (bits & 1) != 0,
                           .find_keys = (bits & 2) != 0,
                           .drop_domains = (bits & 16) != 0,
                           .choose_ranges = (bits & 4) != 0,
                           .drop_idle = (bits & 32) != 0,
                           .order_joins = (bits & 64) != 0,
                           .prune_columns = (bits & 8) != 0};
      EXPECT_EQ(bed_.Run(text, params, passes), answer) << text << "\npasses " << bits;
    }
    return answer;
  }

  QueryBed bed_;
};

TEST_F(RunTest, FiltersProjectsAndOrders) {
  EXPECT_EQ(Run("SELECT 1 AS a, 'x' AS b"), R"([{"a":1,"b":"x"}])");
  EXPECT_EQ(Run("SELECT 1 AS a WHERE 1 > 2"), "[]");
  EXPECT_EQ(Run("SELECT id, title FROM issue WHERE priority >= 2"),
            R"([{"id":1,"title":"crash"},{"id":3,"title":"typo"}])");
  EXPECT_EQ(Run("SELECT title FROM issue ORDER BY priority DESC, id LIMIT 2 OFFSET 1"),
            R"([{"title":"typo"},{"title":"slow"}])");
  EXPECT_EQ(Run("SELECT id FROM issue ORDER BY priority"),
            R"([{"id":4},{"id":2},{"id":3},{"id":1}])");
  EXPECT_EQ(Run("SELECT id FROM issue ORDER BY priority NULLS LAST LIMIT 3"),
            R"([{"id":2},{"id":3},{"id":1}])");
  EXPECT_EQ(Run("SELECT id FROM issue ORDER BY priority DESC NULLS FIRST LIMIT 2"),
            R"([{"id":4},{"id":1}])");
  EXPECT_EQ(Run("SELECT id FROM issue WHERE open = :o AND priority < ? ORDER BY id",
                Params().Set("o", Value::Bool(true)).Add(Value::Int(3))),
            R"([{"id":2}])");
  EXPECT_EQ(Run("SELECT id FROM issue WHERE id BETWEEN 2 AND 3 OR title LIKE 'c%'"),
            R"([{"id":1},{"id":2},{"id":3}])");
  EXPECT_EQ(Run("SELECT id FROM issue ORDER BY priority, id AFTER (1)"), R"([{"id":3},{"id":1}])");
  EXPECT_EQ(Run("SELECT id FROM issue ORDER BY priority AFTER (NULL, 4) LIMIT 1"), R"([{"id":2}])");
}

TEST_F(RunTest, TakesAnExpressionOfParametersAsLimit) {
  const auto page = [](std::int64_t number) {
    return Params().Set("size", Value::Int(2)).Set("page", Value::Int(number));
  };
  const std::string query =
      "SELECT id FROM issue ORDER BY id LIMIT :size OFFSET :size * (:page - 1)";
  EXPECT_EQ(Run(query, page(1)), R"([{"id":1},{"id":2}])");
  EXPECT_EQ(Run(query, page(2)), R"([{"id":3},{"id":4}])");
  EXPECT_THAT(Run("SELECT id FROM issue LIMIT (SELECT 1)"),
              ::testing::HasSubstr("error[unsupported]"));
}

TEST_F(RunTest, WalksAlongReferences) {
  EXPECT_EQ(Run("SELECT { id, who: creator.name, team: creator.team.name } FROM issue"),
            R"([{"id":1,"who":"ann","team":"red"},{"id":2,"who":"bob","team":"red"},)"
            R"({"id":3,"who":"ann","team":"red"},{"id":4,"who":null,"team":null}])");
  EXPECT_EQ(Run("SELECT { id, team: { name } OF team } FROM person WHERE boss.name = 'bob'"),
            R"([{"id":3,"team":null},{"id":4,"team":null}])");
  EXPECT_EQ(
      Run("SELECT { id, boss: { name, team: { id } OF team } OF boss } FROM person WHERE id < 3"),
      R"([{"id":1,"boss":null},{"id":2,"boss":{"name":"ann","team":{"id":1}}}])");
}

TEST_F(RunTest, Joins) {
  EXPECT_EQ(
      Run("SELECT i.id, p.name FROM issue i JOIN person p ON p.id = i.creator WHERE p.team = 1"),
      R"([{"id":1,"name":"ann"},{"id":2,"name":"bob"},{"id":3,"name":"ann"}])");
  EXPECT_EQ(
      Run("SELECT p.id, i.id AS issue FROM person p LEFT JOIN issue i ON i.creator = p.id AND "
          "i.open"),
      R"([{"id":1,"issue":1},{"id":2,"issue":2},{"id":3,"issue":null},{"id":4,"issue":null}])");
  EXPECT_EQ(
      Run("SELECT t.name, p.name AS person FROM person p RIGHT JOIN team t ON p.team = t.id "
          "ORDER BY t.id, p.id"),
      R"([{"name":"red","person":"ann"},{"name":"red","person":"bob"},{"name":"blue","person":null}])");
  EXPECT_EQ(
      Run("SELECT t.id, p.id AS person FROM person p FULL JOIN team t ON p.team = t.id "
          "ORDER BY t.id, p.id"),
      R"([{"id":null,"person":3},{"id":null,"person":4},{"id":1,"person":1},{"id":1,"person":2},)"
      R"({"id":2,"person":null}])");
  EXPECT_EQ(Run("SELECT count(*) AS n FROM person, issue, team"), R"([{"n":32}])");
  EXPECT_EQ(Run("SELECT a.name, b.name AS other FROM person a JOIN person b USING (height) WHERE "
                "a.id < b.id"),
            R"([{"name":"ann","other":"dan"}])");
}

TEST_F(RunTest, GroupsAndAggregates) {
  EXPECT_EQ(Run("SELECT count(*) AS n, sum(priority) AS s, avg(priority) AS a, min(title) AS lo, "
                "max(priority) AS hi FROM issue"),
            R"([{"n":4,"s":6,"a":2,"lo":"crash","hi":3}])");
  EXPECT_EQ(
      Run("SELECT count(*) AS n, sum(priority) AS s, total(priority) AS t FROM issue WHERE id > 9"),
      R"([{"n":0,"s":null,"t":0}])");
  EXPECT_EQ(Run("SELECT open, count(*) AS n, count(priority) AS p FROM issue GROUP BY open HAVING "
                "count(*) > 1"),
            R"([{"open":true,"n":3,"p":2}])");
  EXPECT_EQ(
      Run("SELECT creator.name AS who, count(*) AS n FROM issue GROUP BY who ORDER BY n DESC, who"),
      R"([{"who":"ann","n":2},{"who":null,"n":1},{"who":"bob","n":1}])");
  EXPECT_EQ(Run("SELECT count(DISTINCT height) AS n, count(*) FILTER (WHERE team = 1) AS red FROM "
                "person"),
            R"([{"n":2,"red":2}])");
  EXPECT_EQ(Run("SELECT p.id, p.name, count(i.id) AS n FROM person p LEFT JOIN issue i ON "
                "i.creator = p.id "
                "GROUP BY p.id ORDER BY n DESC LIMIT 2"),
            R"([{"id":1,"name":"ann","n":2},{"id":2,"name":"bob","n":1}])");
  EXPECT_EQ(Run("SELECT string_agg(name, ',') AS names FROM person"),
            R"([{"names":"ann,bob,cid,dan"}])");
}

TEST_F(RunTest, NestsSelects) {
  EXPECT_EQ(
      Run("SELECT { id, comments: [SELECT body FROM comment c WHERE c.issue = i.id], "
          "n: (SELECT count(*) FROM comment c WHERE c.issue = i.id) } FROM issue i WHERE id < 4"),
      R"([{"id":1,"comments":["me too","fixed"],"n":2},{"id":2,"comments":["no"],"n":1},)"
      R"({"id":3,"comments":[],"n":0}])");
  EXPECT_EQ(
      Run("SELECT { name, issues: [SELECT { title, comments: [SELECT { who: author.name, body } "
          "FROM comment c WHERE c.issue = i.id ORDER BY id DESC LIMIT 1] } FROM issue i "
          "WHERE i.creator = p.id ORDER BY priority] } FROM person p WHERE id <= 2"),
      R"([{"name":"ann","issues":[{"title":"typo","comments":[]},)"
      R"({"title":"crash","comments":[{"who":"cid","body":"fixed"}]}]},)"
      R"({"name":"bob","issues":[{"title":"slow","comments":[{"who":"ann","body":"no"}]}]}])");
  EXPECT_EQ(Run("SELECT { id, last: (SELECT { body, by: author.name } FROM comment c WHERE c.issue "
                "= i.id "
                "ORDER BY id DESC LIMIT 1) } FROM issue i WHERE id IN (1, 4)"),
            R"([{"id":1,"last":{"body":"fixed","by":"cid"}},{"id":4,"last":null}])");
  EXPECT_EQ(Run("SELECT { all: [SELECT name FROM team], t: (SELECT name FROM team WHERE id = 2) }"),
            R"([{"all":["red","blue"],"t":"blue"}])");
}

TEST_F(RunTest, TestsWithSelects) {
  EXPECT_EQ(Run("SELECT id FROM issue i WHERE EXISTS (SELECT 1 FROM comment WHERE issue = i.id)"),
            R"([{"id":1},{"id":2}])");
  EXPECT_EQ(
      Run("SELECT id FROM issue i WHERE NOT EXISTS (SELECT 1 FROM comment WHERE issue = i.id)"),
      R"([{"id":3},{"id":4}])");
  EXPECT_EQ(Run("SELECT id FROM person WHERE id IN (SELECT creator FROM issue)"),
            R"([{"id":1},{"id":2}])");
  EXPECT_EQ(Run("SELECT id FROM person WHERE id NOT IN (SELECT creator FROM issue)"), "[]");
  EXPECT_EQ(Run("SELECT id FROM person WHERE id NOT IN (SELECT author FROM comment)"),
            R"([{"id":4}])");
  EXPECT_EQ(Run("SELECT id, team IN (SELECT id FROM team) AS t FROM person"),
            R"([{"id":1,"t":true},{"id":2,"t":true},{"id":3,"t":null},{"id":4,"t":false}])");
  EXPECT_EQ(
      Run("SELECT id FROM issue i WHERE (SELECT count(*) FROM comment c WHERE c.issue = i.id) = 0 "
          "OR EXISTS (SELECT 1 FROM comment c WHERE c.issue = i.id AND c.author = i.creator + 1)"),
      R"([{"id":1},{"id":3},{"id":4}])");
}

TEST_F(RunTest, CombinesSets) {
  EXPECT_EQ(Run("SELECT id FROM person UNION SELECT id FROM team ORDER BY id DESC LIMIT 2"),
            R"([{"id":4},{"id":3}])");
  EXPECT_EQ(Run("SELECT team FROM person UNION ALL SELECT id FROM team"),
            R"([{"team":null},{"team":1},{"team":1},{"team":1},{"team":2},{"team":9}])");
  EXPECT_EQ(
      Run("SELECT id FROM person EXCEPT SELECT id FROM team INTERSECT SELECT creator FROM issue"),
      R"([{"id":3},{"id":4}])");
  EXPECT_EQ(Run("SELECT DISTINCT p.height FROM person p ORDER BY p.height DESC LIMIT 1"),
            Run("SELECT DISTINCT height FROM person ORDER BY height DESC LIMIT 1"));
  EXPECT_EQ(Run("SELECT DISTINCT height FROM person"),
            R"([{"height":null},{"height":1.5},{"height":1.75}])");
  EXPECT_EQ(Run("WITH tall AS (SELECT id, name FROM person WHERE height > 1.6) "
                "SELECT a.name FROM tall a, tall b"),
            R"([{"name":"bob"}])");
  EXPECT_EQ(Run("SELECT * FROM (SELECT creator, count(*) AS n FROM issue GROUP BY creator) AS x "
                "WHERE n > 1"),
            R"([{"creator":1,"n":2}])");
}

TEST_F(RunTest, KeepsWhatASelectInExistsSaysOfTheRowAroundAlone) {
  EXPECT_EQ(Run("SELECT id FROM issue i WHERE EXISTS (SELECT 1 FROM comment c WHERE c.issue = i.id "
                "AND i.id > 1)"),
            R"([{"id":2}])");
  EXPECT_EQ(Run("SELECT id FROM issue i WHERE EXISTS (SELECT 1 FROM comment c WHERE c.issue = i.id "
                "AND 'a' LIKE 'b')"),
            "[]");
  EXPECT_EQ(Run("SELECT id FROM issue i WHERE i.id < 3 AND i.id IN (SELECT c.issue FROM comment c "
                "WHERE c.issue = i.id AND i.id <> 2)"),
            R"([{"id":1}])");
}

TEST_F(RunTest, JoinsOutwardInsideOfCorrelatedSelects) {
  EXPECT_EQ(Run("SELECT [SELECT { who: p.name, team: t.name } FROM person p RIGHT JOIN team t "
                "ON p.team = t.id AND p.id >= b.id ORDER BY t.id] AS teams FROM person b "
                "WHERE id IN (2, 4)"),
            R"([{"teams":[{"who":"bob","team":"red"},{"who":null,"team":"blue"}]},)"
            R"({"teams":[{"who":null,"team":"red"},{"who":null,"team":"blue"}]}])");
  EXPECT_EQ(Run("SELECT id, (SELECT count(*) FROM person p FULL JOIN team t "
                "ON p.team = t.id AND p.id >= b.id) AS n FROM person b WHERE id <> 3"),
            R"([{"id":1,"n":5},{"id":2,"n":5},{"id":4,"n":6}])");
  EXPECT_EQ(Run("SELECT id, (SELECT count(*) FROM team t LEFT JOIN (SELECT i.creator FROM issue i "
                "WHERE i.creator = p.id) AS mine ON TRUE) AS n FROM person p"),
            R"([{"id":1,"n":4},{"id":2,"n":2},{"id":3,"n":2},{"id":4,"n":2}])");
}

TEST_F(RunTest, NamesSelectsThatSeeTheRowsAround) {
  EXPECT_EQ(Run("SELECT id, (WITH mine AS (SELECT id FROM issue WHERE creator = p.id) "
                "SELECT count(*) FROM mine a JOIN mine b ON a.id <= b.id) AS n FROM person p"),
            R"([{"id":1,"n":3},{"id":2,"n":1},{"id":3,"n":0},{"id":4,"n":0}])");
  EXPECT_TRUE(Run("SELECT id, (WITH mine AS (SELECT id FROM issue WHERE creator = p.id) SELECT "
                  "count(*) FROM team t WHERE EXISTS (SELECT 1 FROM mine WHERE mine.id = t.id)) "
                  "AS n FROM person p")
                  .starts_with("error[unsupported]"));
}

TEST_F(RunTest, Recurses) {
  EXPECT_EQ(Run("WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 4) SELECT i "
                "FROM n"),
            R"([{"i":1},{"i":2},{"i":3},{"i":4}])");
  EXPECT_EQ(
      Run("WITH RECURSIVE below (id) AS (SELECT id FROM person WHERE boss IS NULL UNION "
          "SELECT p.id FROM person p JOIN below b ON p.boss = b.id) "
          "SELECT { id, name: (SELECT name FROM person WHERE person.id = below.id) } FROM below"),
      R"([{"id":1,"name":"ann"},{"id":2,"name":"bob"},{"id":3,"name":"cid"},{"id":4,"name":"dan"}])");
  EXPECT_EQ(
      Run("WITH RECURSIVE pair (a, b) AS (SELECT id, boss FROM person WHERE boss IS NOT NULL UNION "
          "SELECT x.a, y.b FROM pair x JOIN pair y ON x.b = y.a) SELECT count(*) AS n FROM pair"),
      R"([{"n":5}])");
  EXPECT_TRUE(Run("WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT i FROM n")
                  .starts_with("error[limit]"));
  EXPECT_EQ(Run("WITH RECURSIVE even (n) AS (SELECT 0 UNION SELECT n + 1 FROM odd WHERE n < 5), "
                "odd (n) AS (SELECT n + 1 FROM even WHERE n < 5) "
                "SELECT n, 'even' AS kind FROM even UNION ALL SELECT n, 'odd' FROM odd ORDER BY n"),
            R"([{"n":0,"kind":"even"},{"n":1,"kind":"odd"},{"n":2,"kind":"even"},)"
            R"({"n":3,"kind":"odd"},{"n":4,"kind":"even"},{"n":5,"kind":"odd"}])");
  EXPECT_TRUE(
      Run("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
          .starts_with("error[unsupported]"));
  EXPECT_TRUE(
      Run("WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT max(i) + 1 FROM n) SELECT i FROM n")
          .starts_with("error[unsupported]"));
}

}  // namespace
}  // namespace trefoil::query
