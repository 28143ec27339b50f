// Plans as a database with data in its files chooses them.
#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

// A page of one column holds rows of several tables, and hundreds of each; what is chosen by counts
// must not mistake a page for a row.
TEST(PlansFromCountsTest, ARowByItsKeyIsWhereAJoinBegins) {
  Database database = *Database::Open(":memory:");
  std::string script =
      "TABLE person (id INT KEY, name TEXT);"
      "TABLE bug (id INT KEY, owner REF person, state TEXT);"
      "INDEX bug_state ON bug (state); INDEX bug_owner ON bug (owner, state);"
      "INSERT INTO person VALUES (0, 'x')";
  for (int i = 1; i < 50; ++i) script += StrCat(", (", i, ", 'x')");
  script += "; INSERT INTO bug VALUES (0, 0, 'open')";
  for (int i = 1; i < 1000; ++i) script += StrCat(", (", i, ", ", i % 50, ", 'open')");
  ASSERT_TRUE(database.Execute(script).has_value());
  ASSERT_TRUE(database.Compact().has_value());
  const Result<ExecuteSummary> explained = database.Execute(
      "EXPLAIN SELECT b.id FROM bug b JOIN person p ON b.owner = p.id "
      "WHERE p.id = 7 AND b.state = 'open'");
  ASSERT_TRUE(explained.has_value());
  const Rows& plan = *explained->statements.at(0).rows;
  EXPECT_EQ(plan[2][0].AsText(), "    scan person p by key where id = 7  ~1 row");
}

}  // namespace
}  // namespace trefoil
