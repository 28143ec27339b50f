#include "query/lift.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "query/prepare.h"
#include "tests/support/query_bed.h"

namespace trefoil::query {
namespace {

class LiftTest : public ::testing::Test {
 protected:
  LiftTest()
      : bed_(
            "TABLE t (id INT KEY, owner INT INDEX, name TEXT, due DATE, cost DECIMAL(9, 2),"
            " size FLOAT, tags SET TEXT)") {}

  std::shared_ptr<const Query::Plan> Prepared(std::string_view text) {
    auto prepared = Prepare(text, bed_.schema());
    EXPECT_TRUE(prepared.has_value()) << text << ": " << ToString(prepared.error());
    return *prepared;
  }
  std::string KeyOf(std::string_view text, const std::vector<Value>& parameters = {}) {
    return PlanKey(Prepared(text)->lifted, parameters);
  }
  // The values of the slots, as JSON.
  std::string SlotsOf(std::string_view text, const std::vector<Value>& parameters = {}) {
    const auto values = SlotValues(Prepared(text)->lifted, parameters);
    return values ? ToJson(Value::List(*values)) : "none";
  }

  testing::QueryBed bed_;
};

TEST_F(LiftTest, TextsThatDifferInComparedLiteralsHaveOneKey) {
  EXPECT_EQ(KeyOf("SELECT id FROM t WHERE owner = 7 AND name = 'a'"),
            KeyOf("SELECT  id FROM t -- all of it\n WHERE owner = 8 AND name = 'it''s'"));
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE owner = 7 AND name = 'a'"), R"([7,"a"])");
  EXPECT_NE(KeyOf("SELECT id FROM t WHERE owner = 7"), KeyOf("SELECT id FROM t WHERE owner < 7"));
}

TEST_F(LiftTest, AParameterIsTheSameAsALiteral) {
  const std::string_view with_parameter = "SELECT id FROM t WHERE owner = :user";
  EXPECT_EQ(KeyOf(with_parameter, {Value::Int(7)}), KeyOf("SELECT id FROM t WHERE owner = 8"));
  EXPECT_EQ(SlotsOf(with_parameter, {Value::Int(7)}), "[7]");
  EXPECT_EQ(SlotsOf(with_parameter, {Value()}), "[null]");
}

TEST_F(LiftTest, ValuesTakeTheKindOfTheirColumn) {
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE size > 2 AND cost = 1.5 AND due = '2026-01-31'"),
            R"([2,1.50,"2026-01-31"])");
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE owner = :p", {Value::Float(3)}), "[3]");
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE owner = :p", {Value::Float(2.5)}), "none");
}

TEST_F(LiftTest, ListsBetweenAndOrAreLiftedItemByItem) {
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE owner IN (1, 2) OR owner BETWEEN 5 AND 9"),
            "[1,2,5,9]");
  EXPECT_NE(KeyOf("SELECT id FROM t WHERE owner IN (1, 2)"),
            KeyOf("SELECT id FROM t WHERE owner IN (1, 2, 3)"));
  EXPECT_EQ(SlotsOf("SELECT id FROM t WHERE owner IN (1, 2, 3, 4, 5, 6, 7, 8, 9)"), "[]");
}

TEST_F(LiftTest, NestedSelectsAreLiftedToo) {
  EXPECT_EQ(SlotsOf("SELECT { id, some: [SELECT id FROM t AS u WHERE u.owner = t.id AND "
                    "u.name = 'x'] } FROM t WHERE owner = 3"),
            R"([3,"x"])");
}

TEST_F(LiftTest, LiteralsThatDecideMoreThanAComparisonStay) {
  for (const std::string_view text : {
           "SELECT 1 AS one FROM t",                                  // a type
           "SELECT id FROM t WHERE owner + 1 = id",                   // an operand
           "SELECT id FROM t WHERE owner = NULL",                     // never true
           "SELECT id FROM t WHERE owner = 2.5",                      // no value of the column
           "SELECT id FROM t WHERE name LIKE 'a%'",                   // a pattern
           "SELECT id FROM t WHERE NOT (owner = 1)",                  // below NOT
           "SELECT owner FROM t GROUP BY owner HAVING count(*) > 2",  // of a group
           "SELECT id FROM t ORDER BY id LIMIT 3",                    // a count
           "WITH a AS (SELECT id FROM t WHERE owner = 1) SELECT id FROM a",
       }) {
    EXPECT_EQ(SlotsOf(text), "[]") << text;
  }
}

TEST_F(LiftTest, CountsAndNamesBelongToTheKey) {
  EXPECT_NE(KeyOf("SELECT id FROM t WHERE owner = 1 LIMIT :n", {Value::Int(1)}),
            KeyOf("SELECT id FROM t WHERE owner = 1 LIMIT :n", {Value::Int(2)}));
  // A column without a name is named as it is written.
  EXPECT_NE(KeyOf("SELECT (SELECT count(*) FROM t WHERE owner = 1)"),
            KeyOf("SELECT (SELECT count(*) FROM t WHERE owner = 2)"));
}

TEST_F(LiftTest, PlansThatWouldTryEveryBindingAreRefused) {
  const auto refusal = [&](std::string_view text) {
    const Result<Compiled> compiled = CompileShared(*Prepared(text), {}, "b");
    return compiled ? std::string() : compiled.error().message;
  };
  EXPECT_EQ(refusal("SELECT id FROM t WHERE owner = 1 AND name > 'a'"), "");
  EXPECT_EQ(refusal("SELECT id FROM t WHERE owner = 1 OR name = 'a'"), "");
  EXPECT_NE(refusal("SELECT id FROM t"), "");
  EXPECT_NE(refusal("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.owner "
                    "AND u.name = 'a')"),
            "");
  EXPECT_NE(refusal("SELECT t.id FROM t RIGHT JOIN t AS u ON u.id = t.owner WHERE u.name = 'a'"),
            "");
}

}  // namespace
}  // namespace trefoil::query
