// Transactions side by side: one that read what another has changed meanwhile does not commit.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "trefoil/database.h"

namespace trefoil {
namespace {

using Row = std::vector<Value>;

Value I(std::int64_t number) { return Value::Int(number); }

class ConflictTest : public ::testing::Test {
 protected:
  Status Write(const std::function<Status(Transaction&)>& body) {
    Result<CommitInfo> written = database_.Write(body);
    return written ? Ok() : Status(std::move(written).error());
  }
  Status Insert(const Fields& fields) {
    return Write([&](Transaction& t) {
      Result<Row> key = t.Insert("track", fields);
      return key ? Ok() : Status(std::move(key).error());
    });
  }

  Database database_ = *Database::Open(":memory:");
};

TEST_F(ConflictTest, AConcurrentChangeOfWhatWasReadIsAConflict) {
  ASSERT_TRUE(database_.Execute("TABLE track (id INT KEY, title TEXT, length INT)"));
  ASSERT_TRUE(Insert({{"id", I(1)}, {"length", I(1)}}));
  const auto row_length = [](Transaction& t) { return (**t.Get("track", Row{I(1)}))[2].AsInt(); };
  {
    Transaction slow = database_.Begin();
    const std::int64_t length = row_length(slow);
    ASSERT_TRUE(
        Write([](Transaction& t) { return t.Update("track", Row{I(1)}, {{"length", I(10)}}); }));
    ASSERT_TRUE(slow.Put("track", {{"id", I(2)}, {"length", I(length)}}));
    const Result<CommitInfo> committed = slow.Commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, ErrorCode::kConflict);
  }
  {
    // What it read did not change.
    Transaction slow = database_.Begin();
    ASSERT_TRUE(slow.Put("track", {{"id", I(3)}}));
    ASSERT_TRUE(Insert({{"id", I(4)}}));
    ASSERT_TRUE(slow.Commit());
  }
  int runs = 0;
  ASSERT_TRUE(Write([&](Transaction& t) {
    const std::int64_t length = row_length(t);
    if (++runs == 1) {
      std::thread([&] {
        EXPECT_TRUE(Write(
            [](Transaction& u) { return u.Update("track", Row{I(1)}, {{"length", I(20)}}); }));
      }).join();
    }
    return t.Update("track", Row{I(1)}, {{"length", I(length + 1)}});
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ((**database_.snapshot().Get("track", Row{I(1)}))[2], I(21));
}

TEST_F(ConflictTest, UpdatesOfOneRowConflictWhereAnIndexHoldsBothColumns) {
  ASSERT_TRUE(
      database_.Execute("TABLE t (id INT KEY, a INT, b INT, c INT, d INT);"
                        "INDEX t_ab ON t (a, b); INDEX t_c ON t (c) INCLUDE (d)"));
  const auto race = [&](const char* first, const char* second) {
    EXPECT_TRUE(Write([](Transaction& t) -> Status {
      const Result<std::vector<Value>> put =
          t.Put("t", {{"id", I(1)}, {"a", I(0)}, {"b", I(0)}, {"c", I(0)}, {"d", I(0)}});
      return put ? Ok() : Status(put.error());
    }));
    Transaction slow = database_.Begin();
    EXPECT_TRUE(slow.Update("t", Row{I(1)}, {{first, I(7)}}));
    EXPECT_TRUE(Write([&](Transaction& t) { return t.Update("t", Row{I(1)}, {{second, I(8)}}); }));
    const bool committed = slow.Commit().has_value();
    EXPECT_TRUE(database_.Check()->problems.empty());
    return committed;
  };
  EXPECT_TRUE(race("a", "c"));
  EXPECT_TRUE(race("d", "b"));
  EXPECT_EQ((**database_.snapshot().Get("t", Row{I(1)})), (Row{I(1), I(0), I(8), I(0), I(7)}));
  EXPECT_FALSE(race("a", "b"));
  EXPECT_FALSE(race("b", "a"));
  EXPECT_FALSE(race("c", "d"));
  EXPECT_FALSE(race("d", "c"));
}

}  // namespace
}  // namespace trefoil
