#include "query/parser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/errors.h"
#include "query/lexer.h"
#include "query/printer.h"
#include "tests/support/seed.h"

namespace trefoil::query {
namespace {

// The statements of `text` as they print, or the first diagnostic as "line:column message".
std::string Reprint(std::string_view text) {
  const ParsedScript script = Parse(text);
  if (!script.diagnostics.empty()) {
    const Error& error = script.diagnostics[0];
    return std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.message;
  }
  std::string printed;
  for (const Statement& statement : script.statements) printed += Print(statement) + ";";
  return printed;
}

const std::vector<std::string> kStatements = {
    "SELECT 1",
    "SELECT a, b AS c, t.*, * FROM t AS t JOIN u ON t.x = u.y LEFT JOIN v USING (k, l), w",
    "SELECT { id, title, creator: creator.name, assignee: { name, team } OF assignee, "
    "labels: [SELECT label.name FROM issue_label WHERE issue_label.issue = i.id ORDER BY "
    "label.name], "
    "n: (SELECT count(*) FROM comment c WHERE c.issue = i.id) } FROM issue AS i WHERE project = "
    ":project "
    "AND EXISTS (SELECT 1 FROM issue_label l WHERE l.issue = i.id AND l.label = 'bug') "
    "ORDER BY modified DESC NULLS LAST, id LIMIT 20 OFFSET 3",
    "SELECT DISTINCT a FROM t WHERE NOT (a BETWEEN 1 AND 2 OR b IN (1, 2, 3) OR c NOT IN (SELECT x "
    "FROM y))"
    " GROUP BY a, b + 1 HAVING count(DISTINCT c) FILTER (WHERE d > 0) > 1",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 10), s AS (SELECT 2) "
    "SELECT n FROM r UNION ALL SELECT * FROM s INTERSECT SELECT 3 EXCEPT SELECT 4 ORDER BY 1",
    "SELECT a FROM t ORDER BY a AFTER (1, NULL) LIMIT 4",
    "SELECT a FROM t AS OF VERSION 17",
    "SELECT a FROM t AS OF TIMESTAMP '2026-01-01T00:00:00Z'",
    "SELECT CASE WHEN a IS NULL THEN 1 WHEN a IS DISTINCT FROM b THEN 2 ELSE -3 END, "
    "CASE a WHEN 1 THEN 'x' END, CAST(a AS DECIMAL (10, 2)), a LIKE 'x%' AND b NOT ILIKE '%''y', "
    "-(-5), - x, a - -5, 1.50, 1e3, x'00FF', ['a', 1], [], -9223372036854775808 FROM t",
    "SELECT sum(x) FILTER (WHERE y) FROM (SELECT 1 AS x) AS q CROSS JOIN sys.type",
    "TABLE track = 7 WAS song STRICT (id INT = 1 KEY, name TEXT NOT NULL DEFAULT 'x' || 'y', "
    "n DECIMAL(10,2) CHECK (n > 0), album REF album INDEX, tags SET TEXT, likes COUNTER, top MAX "
    "INT, part_of REF track ACYCLIC, "
    "UNIQUE (name, album), KEY (id), RESERVED 4, 5)",
    "INDEX by_name ON track (name DESC, album) INCLUDE (n)",
    "DROP TABLE track",
    "DROP INDEX by_name",
    "INSERT INTO t { a: 1, b: [1, 2] }, { a: :x } RETURNING { a }",
    "INSERT INTO t (a, b) VALUES (1, ?), (2, ?) RETURNING a, b AS c",
    "UPSERT INTO t SELECT * FROM u",
    "UPDATE t AS x SET a = a + 1, tags += 'x', tags -= 'y' UNSET b, c WHERE id = 1 RETURNING *",
    "DELETE FROM t WHERE a = 1",
    "BEGIN",
    "COMMIT DURABLE",
    "ROLLBACK",
    "EXPLAIN ANALYZE LIVE SELECT 1",
    "EXPLAIN DOT SELECT 1",
};

TEST(ParserTest, PrintsEveryKindOfStatementBackToTheSameTree) {
  for (const std::string& text : kStatements) {
    const std::string once = Reprint(text);
    EXPECT_EQ(Reprint(once), once) << text;
    EXPECT_TRUE(once.ends_with(";")) << text << "\n" << once;
  }
}

TEST(ParserTest, BindsOperatorsByPrecedence) {
  EXPECT_EQ(Reprint("SELECT a OR b AND NOT c = d || e + f * -g"),
            "SELECT a OR (b AND (NOT (c = (d || (e + (f * (-g)))))));");
  EXPECT_EQ(Reprint("SELECT 1 - 2 - 3"), "SELECT (1 - 2) - 3;");
  EXPECT_EQ(Reprint("SELECT a<b IS NULL"), "SELECT (a < b) IS NULL;");
}

TEST(ParserTest, EndsATypedLiteralBehindItsText) {
  EXPECT_EQ(Reprint("SELECT a FROM t WHERE b >= DATE '2026-01-01' AND c"),
            Reprint("SELECT a FROM t WHERE (b >= CAST('2026-01-01' AS DATE)) AND c"));
}

TEST(ParserTest, ReadsAColonWithoutBlanksAsTheColonOfAnEntry) {
  EXPECT_EQ(Reprint("SELECT {a:b, c::d} FROM t"), "SELECT { a: b, c: :d } FROM t;");
  EXPECT_EQ(Reprint("INSERT INTO t {a:b}"), "INSERT INTO t { a: b };");
}

TEST(ParserTest, NamesThePlaceAndWhatWasExpected) {
  EXPECT_EQ(Reprint("SELECT 1\nFROM"), "2:5 expected a table name, found the end of the text");
  EXPECT_EQ(Reprint("SELECT FROM t"), "1:8 expected an expression, found \"FROM\"");
  EXPECT_EQ(Reprint("SELECT 'abc"), "1:8 this text has no closing '");
  EXPECT_EQ(Reprint("SELECT 12abc"), "1:8 a number must not run into a name");
  EXPECT_EQ(Reprint("SELECT x'0'"),
            "1:8 a bytes literal is x'...' with an even number of hexadecimal digits");
  EXPECT_EQ(Reprint("SELECT 1 /* open"), "1:10 this comment has no closing */");
  EXPECT_EQ(Reprint("CREATE TABLE t (a INT)"), "1:1 a table is declared without CREATE or ALTER");
  EXPECT_EQ(Reprint("TABLE t (a DECIMAL(20, 2))"),
            "1:20 DECIMAL (p, s) has p from 1 to 18 digits, s of them after the point");
  EXPECT_EQ(Reprint("SELECT \"\""), "1:8 a quoted name must not be empty");
  EXPECT_EQ(Reprint("SELECT {a + 1}").substr(0, 5), "1:11 ");
}

TEST(ParserTest, GoesOnAfterABrokenStatement) {
  const ParsedScript script = Parse("SELECT FROM; SELECT 1; UPDATE t; SELECT 2");
  ASSERT_EQ(script.statements.size(), 4u);
  EXPECT_EQ(script.diagnostics.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(script.statements[0].node));
  EXPECT_EQ(Print(script.statements[1]), "SELECT 1");
  EXPECT_EQ(Print(script.statements[3]), "SELECT 2");
}

TEST(ParserTest, LimitsDepthByName) {
  const auto repeat = [](std::string_view part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  for (const std::string& text :
       {repeat("(", 100000), "SELECT " + repeat("- ", 100000) + "1",
        "SELECT " + repeat("NOT ", 100000), "SELECT 1" + repeat(" + 1", 100000),
        "SELECT a" + repeat(" IS NULL", 100000), "SELECT " + repeat("(SELECT ", 100000),
        "SELECT " + repeat("{ a: ", 100000), "SELECT " + repeat("f(", 100000),
        "SELECT " + repeat("[", 100000), "SELECT " + repeat("CASE ", 100000),
        "SELECT 1 FROM " + repeat("(SELECT 1 FROM ", 100000)}) {
    const ParsedScript script = Parse("SELECT " + text);
    ASSERT_EQ(script.diagnostics.size(), 1u) << text.substr(0, 40);
  }
  const ParsedScript script = Parse("SELECT 1" + repeat(" + 1", 100000));
  EXPECT_EQ(script.diagnostics[0].code, ErrorCode::kLimit);
  EXPECT_NE(script.diagnostics[0].message.find("limit: depth"), std::string::npos);
  EXPECT_TRUE(Parse("SELECT a" + repeat(" OR a", 10000)).diagnostics.empty());
}

TEST(ParserTest, ParsesOneExpressionAlone) {
  Result<Expr> expr = ParseExpression("a + 1");
  ASSERT_TRUE(expr.has_value());
  EXPECT_EQ(Print(*expr), "a + 1");
  EXPECT_FALSE(ParseExpression("a + ").has_value());
  EXPECT_FALSE(ParseExpression("a b").has_value());
}

// Random edits of real statements: no crash, and what parses survives printing.
TEST(ParserTest, SurvivesRandomlyDamagedText) {
  std::mt19937_64 random(testing::TestSeed());
  std::vector<std::string> words;
  for (const std::string& text : kStatements) {
    for (const Token& token : Lex(text)) {
      words.push_back(text.substr(token.span.begin, token.span.end - token.span.begin));
    }
  }
  int parsed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::string& original = kStatements[random() % kStatements.size()];
    for (const Token& token : Lex(original)) {
      const unsigned dice = random() % 40;
      if (dice == 0) continue;
      if (dice == 1) text += words[random() % words.size()] + " ";
      text += original.substr(token.span.begin, token.span.end - token.span.begin) + " ";
    }
    if (random() % 10 == 0 && !text.empty())
      text[random() % text.size()] = static_cast<char>(random());
    for (const Statement& statement : Parse(text).statements) {
      if (std::holds_alternative<std::monostate>(statement.node)) continue;
      const std::string once = Print(statement);
      ASSERT_EQ(Reprint(once), once + ";") << text;
      ++parsed;
    }
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace trefoil::query
