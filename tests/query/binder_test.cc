#include "query/binder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "query/parser.h"
#include "schema/migration.h"

namespace trefoil::query {
namespace {

schema::FieldDeclaration Field(std::string name, ValueKind kind, std::string reference = {}) {
  schema::FieldDeclaration field;
  field.attribute.name = std::move(name);
  field.attribute.type.kind = kind;
  field.reference = std::move(reference);
  field.key = field.attribute.name == "id";
  return field;
}

schema::Schema TestSchema() {
  using enum ValueKind;
  const std::vector<schema::Declaration> declarations = {
      schema::TypeDeclaration{.name = "team", .fields = {Field("id", kInt), Field("name", kText)}},
      schema::TypeDeclaration{
          .name = "person",
          .strict = true,
          .fields = {Field("id", kInt), Field("name", kText), Field("team", kInt, "team"),
                     Field("boss", kInt, "person"), Field("height", kFloat), Field("born", kDate)}},
      schema::TypeDeclaration{
          .name = "issue",
          .fields = {Field("id", kInt), Field("title", kText), Field("creator", kInt, "person"),
                     Field("priority", kInt), Field("created", kTimestamp), Field("open", kBool)}}};
  Result<schema::Migration> migration = schema::Migrate(schema::Schema(), declarations);
  EXPECT_TRUE(migration.has_value());
  return migration->schema;
}

class BinderTest : public ::testing::Test {
 protected:
  // "" when the statement binds, else "line:column code message (hint)".
  std::string ErrorOf(std::string_view text) {
    const ParsedScript script = Parse(text);
    if (!script.diagnostics.empty()) return "syntax: " + script.diagnostics[0].message;
    return std::visit([&](const auto& node) { return ErrorOfNode(text, node); },
                      script.statements.at(0).node);
  }
  BoundQuery BindQuery(std::string_view text) {
    const ParsedScript script = Parse(text);
    Result<BoundQuery> bound =
        Bind({text, schema_}, std::get<SelectStatement>(script.statements.at(0).node).select);
    EXPECT_TRUE(bound.has_value()) << text;
    return bound ? *std::move(bound) : BoundQuery();
  }

  schema::Schema schema_ = TestSchema();

 private:
  template <typename Node>
  std::string ErrorOfNode(std::string_view text, const Node& node) {
    const BindInput input{text, schema_};
    if constexpr (std::is_same_v<Node, SelectStatement>) {
      return Show(Bind(input, node.select));
    } else if constexpr (std::is_same_v<Node, InsertStatement> ||
                         std::is_same_v<Node, UpdateStatement> ||
                         std::is_same_v<Node, DeleteStatement>) {
      return Show(Bind(input, node));
    }
    return "no statement to bind";
  }
  template <typename T>
  static std::string Show(const Result<T>& result) {
    if (result) return "";
    const Error& error = result.error();
    return std::to_string(error.line) + ":" + std::to_string(error.column) + " " + ToString(error);
  }
};

TEST_F(BinderTest, AcceptsTheLanguage) {
  for (const std::string_view text : {
           "SELECT 1",
           "SELECT *, i.* FROM issue i",
           "SELECT { id, title, who: creator.name, team: creator.team.name, "
           "creator: { name, t: team.name, boss: { * } OF boss } OF creator, "
           "peers: [SELECT name FROM person p WHERE p.team = i.creator.team "
           "ORDER BY born DESC "
           "LIMIT 2], "
           "n: (SELECT count(*) FROM issue j WHERE j.creator = i.creator) } "
           "FROM issue AS i "
           "WHERE EXISTS (SELECT 1 FROM person WHERE person.id = i.creator) "
           "ORDER BY created DESC "
           "LIMIT 5",
           "SELECT priority, count(*), sum(priority) FILTER (WHERE open) FROM "
           "issue GROUP BY "
           "priority "
           "HAVING count(*) > 1 ORDER BY count(*) DESC, 1",
           "SELECT creator.name AS who, count(DISTINCT title) FROM issue GROUP "
           "BY who",
           "SELECT p.id, p.name, count(*) FROM person p JOIN issue i ON "
           "i.creator = p.id GROUP BY "
           "p.id",
           "SELECT priority % 2, max(created) FROM issue GROUP BY priority % 2 "
           "ORDER BY priority % "
           "2",
           "SELECT creator, creator.name FROM issue GROUP BY creator",
           "SELECT id FROM person UNION SELECT creator FROM issue EXCEPT "
           "SELECT 1.5 ORDER BY id "
           "LIMIT 3",
           "WITH RECURSIVE up (id, n) AS (SELECT id, 0 FROM person UNION "
           "SELECT p.boss, n + 1 FROM person p JOIN up ON up.id = p.id WHERE n "
           "< 5) SELECT * FROM "
           "up",
           "SELECT * FROM person LEFT JOIN team USING (name)",
           "SELECT name, a.id FROM person a FULL JOIN team USING (name)",
           "SELECT title FROM issue WHERE created > '2026-01-01' AND creator "
           "IN (SELECT id FROM "
           "person)",
           "SELECT CASE WHEN open THEN 1 ELSE 2.5 END, coalesce(title, 'x') || "
           "priority FROM issue",
           "SELECT (SELECT name FROM person WHERE id = creator) FROM issue",
           "SELECT title FROM issue ORDER BY created DESC, priority AFTER "
           "('2026-01-01', 3, 17)",
           "SELECT * FROM (SELECT id, count(*) OVERALL FROM issue GROUP BY id) "
           "AS x WHERE "
           "x.overall > 1",
           "SELECT title FROM issue AS OF VERSION :v",
           "SELECT now(), date_trunc('day', created), date('2026-01-01') FROM "
           "issue",
           "INSERT INTO issue { id: 1, nickname: 'x', created: '2026-01-01' } "
           "RETURNING { id, "
           "title }",
           "INSERT INTO team VALUES (1, 'a'), (?, ?)",
           "INSERT INTO team (id, name) SELECT id, name FROM person",
           "UPSERT INTO team SELECT { name, id } FROM person",
           "UPDATE issue i SET priority = priority + 1, title = i.creator.name "
           "UNSET open WHERE id "
           "= 1",
           "DELETE FROM issue WHERE creator.team = 3 RETURNING id",
       }) {
    EXPECT_EQ(ErrorOf(text), "") << text;
  }
}

TEST_F(BinderTest, NamesWhatIsUnknownAndWhatIsNear) {
  EXPECT_EQ(ErrorOf("SELECT titel FROM issue"),
            "1:8 error[unknown-column]: table \"issue\" has no column \"titel\"; "
            "did you mean \"title\"?");
  EXPECT_EQ(ErrorOf("SELECT i.titel FROM issue i"),
            "1:10 error[unknown-column]: table \"i\" has no column \"titel\"; "
            "did you mean \"title\"?");
  EXPECT_EQ(ErrorOf("SELECT 1\nFROM isue"),
            "2:6 error[unknown-table]: there is no table \"isue\"; did you "
            "mean \"issue\"?");
  EXPECT_EQ(ErrorOf("SELECT lenght(title) FROM issue"),
            "1:8 error[unknown-function]: there is no function \"lenght\"; did "
            "you mean \"length\"?");
  EXPECT_EQ(ErrorOf("SELECT creator.nam FROM issue"),
            "1:16 error[unknown-column]: table \"person\" has no column \"nam\"; "
            "did you mean \"name\"?");
  EXPECT_EQ(ErrorOf("SELECT id FROM issue, person"),
            "1:8 error[ambiguous-name]: more than one table has a column \"id\"; "
            "write issue.id or the like");
  EXPECT_EQ(ErrorOf("INSERT INTO person { id: 1, nme: 'x' }"),
            "1:29 error[unknown-column]: table \"person\" has no column \"nme\"; "
            "did you mean \"name\"?");
}

TEST_F(BinderTest, RefusesWhatCannotMeanAnything) {
  const auto code_of = [&](std::string_view text) {
    const std::string error = ErrorOf(text);
    const std::size_t begin = error.find('[') + 1;
    return error.substr(begin, error.find(']') - begin);
  };
  EXPECT_EQ(code_of("SELECT title + 1 FROM issue"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT 1 FROM issue WHERE title = 1"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT 1 FROM issue WHERE priority"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT 1 FROM issue WHERE created = 'yesterday'"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT title.x FROM issue"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT upper(priority) FROM issue"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT sum(title) FROM issue"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT title, count(*) FROM issue"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT 1 FROM issue WHERE count(*) > 1"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT sum(count(*)) FROM issue"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT (SELECT title FROM issue)"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT 1, 2 UNION SELECT 1"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT 'a' UNION SELECT 1"), "type-mismatch");
  EXPECT_EQ(code_of("SELECT title FROM issue ORDER BY 2"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT DISTINCT title FROM issue ORDER BY id"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT title FROM issue LIMIT -1"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT title FROM issue AFTER (1, 2)"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT * FROM issue, issue"), "ambiguous-name");
  EXPECT_EQ(code_of("SELECT *"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT issue FROM issue"), "unknown-column");
  EXPECT_EQ(code_of("INSERT INTO team VALUES (1)"), "invalid-argument");
  EXPECT_EQ(code_of("INSERT INTO team { id: 1, id: 2 }"), "invalid-argument");
  EXPECT_EQ(code_of("INSERT INTO team { id: 'x' }"), "type-mismatch");
  EXPECT_EQ(code_of("UPDATE issue SET id = 2"), "unsupported");
  EXPECT_EQ(code_of("UPDATE issue SET creator.name = 'x'"), "unsupported");
  EXPECT_EQ(code_of("SELECT round(1, 2, 3)"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT upper(DISTINCT title) FROM issue"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT id IN (SELECT id, title FROM issue) FROM issue"), "invalid-argument");
  EXPECT_EQ(code_of("SELECT (SELECT 1 FROM issue AS OF VERSION 1)"), "unsupported");
}

TEST_F(BinderTest, InfersTheTypesOfParameters) {
  const BoundQuery query = BindQuery(
      "SELECT title FROM issue WHERE created > :since AND ? = "
      "priority AND title LIKE ? LIMIT :n");
  ASSERT_EQ(query.parameters.size(), 4u);
  EXPECT_EQ(query.parameters[0].name, "since");
  EXPECT_EQ(query.parameters[0].type.kind, ValueKind::kTimestamp);
  EXPECT_EQ(query.parameters[1].ordinal, 1);
  EXPECT_EQ(query.parameters[1].type.kind, ValueKind::kInt);
  EXPECT_EQ(query.parameters[2].type.kind, ValueKind::kText);
  EXPECT_EQ(query.parameters[3].type.kind, ValueKind::kInt);
}

TEST_F(BinderTest, EndsEveryOrderWithTheKeyOfTheRow) {
  const BoundSelect select = BindQuery("SELECT title FROM issue ORDER BY created DESC").select;
  ASSERT_EQ(select.order.size(), 2u);
  EXPECT_EQ(select.columns.size(), 1u);
  EXPECT_EQ(select.cores[0].outputs.size(), 3u);
  EXPECT_TRUE(select.order[0].descending);
  EXPECT_FALSE(select.order[0].nulls_first);
  EXPECT_EQ(select.order_by_count, 1u);
  const auto& key = std::get<ColumnRef>(select.cores[0].outputs[select.order[1].output].node);
  EXPECT_EQ(select.cores[0].from[0].source.columns[key.column].name, "id");
}

TEST_F(BinderTest, EndsWhenNestingDoublesTheWork) {
  std::string text = "TRUE";
  for (int i = 0; i < 100; ++i) text = "(" + text + " BETWEEN FALSE AND TRUE)";
  EXPECT_NE(ErrorOf("SELECT " + text).find("limit: repeated expressions"), std::string::npos);
}

TEST_F(BinderTest, NamesEveryColumnDifferently) {
  const BoundSelect select = BindQuery(
                                 "SELECT i.id, p.id, count(*) FROM issue "
                                 "i JOIN person p ON p.id = i.creator "
                                 "GROUP BY i.id, p.id")
                                 .select;
  EXPECT_EQ(select.columns[0].name, "id");
  EXPECT_EQ(select.columns[1].name, "id_2");
  EXPECT_EQ(select.columns[2].name, "count(*)");
}

TEST(SetOperatorOrderTest, PutsIntersectFirst) {
  using enum SetOperator;
  const std::vector<SetStep> steps = SetOperatorOrder({kUnion, kIntersect, kExcept});
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].op, kIntersect);
  EXPECT_EQ(steps[0].left, 1u);
  EXPECT_EQ(steps[0].right, 2u);
  EXPECT_EQ(steps[1].op, kUnion);
  EXPECT_EQ(steps[1].left, 0u);
  EXPECT_EQ(steps[1].right, 4u);
  EXPECT_EQ(steps[2].left, 5u);
  EXPECT_EQ(steps[2].right, 3u);
}

}  // namespace
}  // namespace trefoil::query
