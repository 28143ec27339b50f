// Constraints that are declared over rows that exist.
#include <gtest/gtest.h>

#include <string>

#include "trefoil/database.h"

namespace trefoil {
namespace {

class DeclaredConstraintsTest : public ::testing::Test {
 protected:
  DeclaredConstraintsTest() : database_(*Database::Open(":memory:")) {
    Run("TABLE track (id INT KEY, title TEXT, length INT);"
        "INSERT INTO track {id: 1, title: 'a', length: 10}, {id: 2, title: 'b'},"
        "                  {id: 3, title: 'a', length: 30}");
  }

  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  void ExpectRefused(std::string_view script, ErrorCode code, const std::string& message) {
    const std::string schema = database_.SchemaText();
    const Version version = database_.version();
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_FALSE(done) << script;
    EXPECT_EQ(done.error().code, code) << ToString(done.error());
    EXPECT_NE(done.error().message.find(message), std::string::npos) << ToString(done.error());
    EXPECT_EQ(database_.SchemaText(), schema);
    // An index that turns out not to be unique is built and dropped again.
    EXPECT_TRUE(code == ErrorCode::kUniqueViolation || database_.version() == version);
    const Result<CheckReport> report = database_.Check();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->problems, std::vector<std::string>());
  }

  Database database_;
};

TEST_F(DeclaredConstraintsTest, NotNullIsRefusedWithTheFirstRowThatHasNoValue) {
  const std::string declaration = "TABLE track (id INT KEY, title TEXT, length INT NOT NULL)";
  ExpectRefused(declaration, ErrorCode::kNotNullViolation,
                "the row with key (2) has no \"length\"");
  Run("UPDATE track SET length = 20 WHERE id = 2");
  Run(declaration);
  EXPECT_FALSE(database_.Execute("UPDATE track SET length = NULL WHERE id = 2"));
}

TEST_F(DeclaredConstraintsTest, ANewColumnIsNullInTheRowsThatExist) {
  ExpectRefused("TABLE track (id INT KEY, title TEXT, length INT, rating INT NOT NULL DEFAULT 1)",
                ErrorCode::kNotNullViolation, "the row with key (1) has no \"rating\"");
  Run("DELETE FROM track");
  Run("TABLE track (id INT KEY, title TEXT, length INT, rating INT NOT NULL DEFAULT 1)");
}

TEST_F(DeclaredConstraintsTest, ACheckIsRefusedWithTheFirstRowThatFailsIt) {
  ExpectRefused("TABLE track (id INT KEY, title TEXT, length INT CHECK (length < 30))",
                ErrorCode::kCheckViolation, "the row with key (3) has 30 in \"length\"");
  Run("TABLE track (id INT KEY, title TEXT, length INT CHECK (length <= 30))");
  EXPECT_FALSE(database_.Execute("UPDATE track SET length = 31 WHERE id = 1"));
}

TEST_F(DeclaredConstraintsTest, UniqueIsRefusedWithTwoRowsThatShareAValue) {
  ExpectRefused("TABLE track (id INT KEY, title TEXT UNIQUE, length INT)",
                ErrorCode::kUniqueViolation, "with ('a'), the first two with keys (1) and (3)");
  Run("UPDATE track SET title = 'c' WHERE id = 3");
  Run("TABLE track (id INT KEY, title TEXT UNIQUE, length INT)");
  EXPECT_FALSE(database_.Execute("UPDATE track SET title = 'a' WHERE id = 3"));
}

// The rows of the transaction itself count, and a refused declaration leaves it as it was.
TEST_F(DeclaredConstraintsTest, HoldForTheRowsOfTheOpenTransaction) {
  Transaction transaction = database_.Begin();
  ASSERT_TRUE(
      transaction.Execute("UPDATE track SET length = 20 WHERE id = 2;"
                          "INSERT INTO track {id: 4}"));
  const char* declaration = "TABLE track (id INT KEY, title TEXT, length INT NOT NULL)";
  const Result<ExecuteSummary> refused = transaction.Execute(declaration);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotNullViolation);
  ASSERT_TRUE(transaction.Execute("UPDATE track SET length = 40 WHERE id = 4"));
  ASSERT_TRUE(transaction.Execute(declaration));
  const Result<CommitInfo> committed = transaction.Commit();
  EXPECT_TRUE(committed) << ToString(committed.error());
}

}  // namespace
}  // namespace trefoil
