// Transactions of many rows: what they skip for speed changes no answer.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "db/public_state.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using testing::Below;
using testing::RandomEngine;
using Row = std::vector<Value>;

class ManyRowsTest : public ::testing::Test {
 protected:
  ManyRowsTest() {
    const Result<ExecuteSummary> declared = database_.Execute(
        "TABLE owner (id INT KEY, name TEXT);"
        "TABLE task (id INT KEY, title TEXT, owner REF owner, points INT);"
        "INDEX task_owner ON task (owner, points)");
    EXPECT_TRUE(declared) << (declared ? "" : ToString(declared.error()));
  }

  static Status Insert(Transaction& transaction, std::int64_t id) {
    const Result<Row> key = transaction.Insert(
        "task", {{"id", Value::Int(id)}, {"title", Value::Text("t" + std::to_string(id))}});
    return key ? Ok() : Status(key.error());
  }
  static ErrorCode CodeOf(const Status& status) {
    return status ? ErrorCode::kInvalidArgument : status.error().code;
  }
  std::size_t CountTasks() const {
    std::size_t rows = 0;
    EXPECT_TRUE(database_.snapshot().Scan("task", [&](std::span<const Value>) {
      ++rows;
      return true;
    }));
    return rows;
  }

  Database database_ = *Database::Open(":memory:");
};

// From the sixteenth row on, an insert knows where the rows of the table end.
TEST_F(ManyRowsTest, MeetTheRowsThatAreThere) {
  ASSERT_TRUE(database_.Write([](Transaction& transaction) -> Status {
    for (const std::int64_t id : {10, 20, 1000}) {
      if (Status added = Insert(transaction, id); !added) return added;
    }
    return Ok();
  }));
  const std::vector<Value> last = {Value::Int(1000)};
  ASSERT_TRUE(database_.Write([&](Transaction& transaction) -> Status {
    const Result<bool> deleted = transaction.Delete("task", last);
    return deleted ? Ok() : Status(deleted.error());
  }));
  Transaction many = database_.Begin();
  for (std::int64_t id = 2000; id < 2050; ++id) ASSERT_TRUE(Insert(many, id));
  for (const std::int64_t id : {10, 20, 2000, 2049}) {
    EXPECT_EQ(CodeOf(Insert(many, id)), ErrorCode::kDuplicateKey) << id;
  }
  for (const std::int64_t id : {15, 1000, 1999, 3000}) EXPECT_TRUE(Insert(many, id)) << id;
  // A row that was not looked for counts as read all the same.
  Transaction other = database_.Begin();
  ASSERT_TRUE(Insert(other, 2030));
  ASSERT_TRUE(other.Commit());
  const Result<CommitInfo> conflict = many.Commit();
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, ErrorCode::kConflict);
  EXPECT_EQ(CountTasks(), 3U);
}

// The same rows, some wrong, in one transaction and in one for each: the same outcome for each row,
// the same rows, and indexes that agree.
TEST_F(ManyRowsTest, AreTheRowsThatOneByOneMakes) {
  RandomEngine random(testing::TestSeed());
  Database other = *Database::Open(":memory:");
  ASSERT_TRUE(
      other.Execute("TABLE owner (id INT KEY, name TEXT);"
                    "TABLE task (id INT KEY, title TEXT, owner REF owner, points INT);"
                    "INDEX task_owner ON task (owner, points)"));
  for (Database* database : {&database_, &other}) {
    ASSERT_TRUE(database->Execute("INSERT INTO owner {id: 1}, {id: 2}; INSERT INTO task {id: 50}"));
  }
  std::vector<Fields> rows;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto id = static_cast<std::int64_t>(i % 10 == 0 ? Below(random, 600) : 100 + i);
    Fields fields = {{"id", Value::Int(id)}};
    if (Below(random, 4) > 0) fields.emplace_back("title", Value::Text(std::string(i % 40, 'x')));
    if (Below(random, 4) > 0)
      fields.emplace_back("OWNER", Value::Int(static_cast<std::int64_t>(1 + i % 2)));
    if (Below(random, 4) > 0)
      fields.emplace_back("points", Value::Int(static_cast<std::int64_t>(i * 7919 % 100)));
    if (Below(random, 20) == 0) fields.emplace_back("nickname", Value::Text("undeclared"));
    if (Below(random, 20) == 0) fields.emplace_back("points", Value::Text("no number"));
    rows.push_back(std::move(fields));
  }
  Transaction all = database_.Begin();
  for (const Fields& fields : rows) {
    const Result<Row> together = all.Insert("task", fields);
    Transaction alone = other.Begin();
    const Result<Row> single = alone.Insert("task", fields);
    ASSERT_EQ(together.has_value(), single.has_value());
    if (single) {
      EXPECT_EQ(*together, *single);
      ASSERT_TRUE(alone.Commit());
    } else {
      EXPECT_EQ(together.error(), single.error());
    }
  }
  ASSERT_TRUE(all.Commit());
  const auto dump = [](const Database& database) {
    std::vector<Row> found;
    EXPECT_TRUE(database.snapshot().Scan("task", [&](std::span<const Value> row) {
      found.emplace_back(row.begin(), row.end());
      return true;
    }));
    return found;
  };
  EXPECT_EQ(dump(database_), dump(other));
  for (const Database* database : {&database_, &other}) {
    const Result<CheckReport> report = database->Check();
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->problems.empty());
  }
}

}  // namespace
}  // namespace trefoil
