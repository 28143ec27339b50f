#include "tests/faults/soak_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace trefoil::testing {

Status SoakStep(Transaction& transaction, std::int64_t writer, std::int64_t number,
                Random& random) {
  const auto key = [&](std::int64_t of) {
    return std::vector<Value>{Value::Int(writer), Value::Int(of)};
  };
  const auto value = [&](std::int64_t of, std::int64_t revision) {
    return Value::Int(SoakValue(writer, of, revision));
  };
  Result<std::vector<Value>> added = transaction.Insert(
      "item", {{"writer", Value::Int(writer)},
               {"number", Value::Int(number)},
               {"part", Value::Int(static_cast<std::int64_t>(random.Uniform(kSoakGroups)))},
               {"revision", Value::Int(0)},
               {"value", value(number, 0)},
               {"text", Value::Text(std::string(random.Uniform(200), 'x'))}});
  if (!added) return std::move(added).error();
  if (number > kSoakWindow) {
    const Result<bool> deleted = transaction.Delete("item", key(number - kSoakWindow));
    if (!deleted) return deleted.error();
    if (!*deleted) return Error{.message = "the oldest row is gone before it was removed"};
  }
  const std::int64_t between =
      number - static_cast<std::int64_t>(
                   random.Uniform(static_cast<std::uint64_t>(std::min(number, kSoakWindow))));
  const std::int64_t revision = number % 1000;
  Status updated =
      transaction.Update("item", key(between),
                         {{"revision", Value::Int(revision)}, {"value", value(between, revision)}});
  if (!updated) return updated;
  Result<std::vector<Value>> told =
      transaction.Put("progress", {{"writer", Value::Int(writer)}, {"last", Value::Int(number)}});
  if (!told) return std::move(told).error();
  return Ok();
}

Result<std::int64_t> SoakLast(const Database& database, std::int64_t writer) {
  const std::vector<Value> key = {Value::Int(writer)};
  Result<std::optional<std::vector<Value>>> row = database.snapshot().Get("progress", key);
  if (!row) return std::move(row).error();
  return *row ? (*row)->at(1).AsInt() : 0;
}

Rows Ask(const Database& database, const std::string& treesql, const Params& params) {
  const Result<Query> query = database.Prepare(treesql);
  EXPECT_TRUE(query) << ToString(query.error());
  Result<Rows> rows = database.snapshot().Run(*query, params);
  EXPECT_TRUE(rows) << ToString(rows.error());
  return *std::move(rows);
}

void CheckSoakWriter(const Database& database, std::int64_t writer, std::int64_t acknowledged) {
  Params params;
  params.Set("writer", Value::Int(writer));
  const Rows progress = Ask(database, "SELECT last FROM progress WHERE writer = :writer", params);
  const std::int64_t last = progress.empty() ? 0 : progress[0][0].AsInt();
  EXPECT_GE(last, acknowledged) << "an acknowledged commit is lost";
  const Rows rows = Ask(database,
                        "SELECT number, revision, value FROM item WHERE writer = :writer "
                        "ORDER BY number",
                        params);
  ASSERT_EQ(static_cast<std::int64_t>(rows.size()), std::min(last, kSoakWindow));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t number = last - static_cast<std::int64_t>(rows.size() - 1 - i);
    ASSERT_EQ(rows[i][0].AsInt(), number);
    ASSERT_EQ(rows[i][2].AsInt(), SoakValue(writer, number, rows[i][1].AsInt()));
  }
}

}  // namespace trefoil::testing
