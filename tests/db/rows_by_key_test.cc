// Rows by their keys, one and many at a time.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "trefoil/database.h"

namespace trefoil {
namespace {

using Row = std::vector<Value>;

Value I(std::int64_t number) { return Value::Int(number); }

class RowsByKeyTest : public ::testing::Test {
 protected:
  RowsByKeyTest() : database_(*Database::Open(":memory:")) {}

  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  // Checks that the rows come in the order of the keys.
  std::vector<Row> Many(const std::vector<Row>& keys) {
    std::vector<Row> rows;
    const Status read =
        database_.snapshot().GetMany("track", keys, [&](std::size_t i, std::span<const Value> row) {
          EXPECT_EQ(i, rows.size());
          rows.emplace_back(row.begin(), row.end());
        });
    EXPECT_TRUE(read) << ToString(read.error());
    return rows;
  }
  std::optional<ErrorCode> ErrorOf(std::string_view type, const Row& key) {
    const Status read = database_.snapshot().GetMany(type, std::vector<Row>{key},
                                                     [](std::size_t, std::span<const Value>) {});
    if (read) return std::nullopt;
    return read.error().code;
  }

  Database database_;
};

TEST_F(RowsByKeyTest, ComeInTheOrderOfTheKeys) {
  Run("TABLE track (id INT KEY, title TEXT, length INT);"
      "INSERT INTO track {id: 1, length: 100}, {id: 2, title: 'b'}, {id: 3, title: 'c'}");
  EXPECT_EQ(Many({{I(3)}, {I(9)}, {I(1)}, {I(3)}}),
            (std::vector<Row>{{I(3), Value::Text("c"), Value()},
                              {},
                              {I(1), Value(), I(100)},
                              {I(3), Value::Text("c"), Value()}}));
  EXPECT_EQ(Many({}), std::vector<Row>());
  EXPECT_EQ(ErrorOf("none", {I(3)}), ErrorCode::kUnknownTable);
  EXPECT_EQ(ErrorOf("track", {Value::Text("x")}), ErrorCode::kTypeMismatch);
}

// A row is there though no column of it has a value.
TEST_F(RowsByKeyTest, TellARowWithoutValuesFromNone) {
  Run("TABLE track (id INT KEY, title TEXT, tag SET TEXT);"
      "INSERT INTO track {id: 1}, {id: 2, title: 'b'}, {id: 3};"
      "UPDATE track SET title = NULL WHERE id = 2; DELETE FROM track WHERE id = 3;"
      "UPDATE track SET tag += 'x' WHERE id = 1");
  EXPECT_EQ(
      Many({{I(1)}, {I(2)}, {I(3)}, {I(4)}}),
      (std::vector<Row>{
          {I(1), Value(), Value::List({Value::Text("x")})}, {I(2), Value(), Value()}, {}, {}}));
  Run("INSERT INTO track {id: 3}");
  EXPECT_EQ(Many({{I(3)}}), (std::vector<Row>{{I(3), Value(), Value()}}));
}

}  // namespace
}  // namespace trefoil
