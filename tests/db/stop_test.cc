// RunOptions::stop ends what runs, from another thread, and nothing of it stays.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr int kRows = 3000;
// Minutes, unless it is stopped.
constexpr const char* kEndless =
    "SELECT count(*) AS n FROM item a, item b, item c WHERE a.id + b.id < c.id";
constexpr std::chrono::milliseconds kPause{100};
// Far more than a stop takes, far less than the statements.
constexpr std::chrono::seconds kSoon{10};

class StopTest : public ::testing::Test {
 protected:
  StopTest() {
    std::string rows;
    for (int i = 0; i < kRows; ++i) {
      rows += (i == 0 ? "{id: " : ", {id: ") + std::to_string(i) + ", size: 0}";
    }
    EXPECT_TRUE(database_.Execute("TABLE item (id INT KEY, size INT); INSERT INTO item " + rows)
                    .has_value());
  }

  // Runs `work` while another thread sets the flag after a pause; the error that ends it.
  template <typename Work>
  Error StopWhile(const Work& work) {
    std::atomic<bool> stop = false;
    const auto start = std::chrono::steady_clock::now();
    std::jthread presser([&] {
      std::this_thread::sleep_for(kPause);
      stop = true;
    });
    const auto result = work(RunOptions{.stop = &stop});
    EXPECT_LT(std::chrono::steady_clock::now() - start, kSoon);
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Error{.message = "it ended by itself"} : result.error();
  }
  std::string Ask(const std::string& treesql) {
    const Result<ExecuteSummary> answer = database_.Execute(treesql);
    return answer ? answer->statements.at(0).rows->ToJson() : ToString(answer.error());
  }

  Database database_ = *Database::Open(":memory:");
};

TEST_F(StopTest, EndsAJoinOfASnapshot) {
  const Result<Query> query = database_.Prepare(kEndless);
  ASSERT_TRUE(query.has_value());
  const Error error = StopWhile(
      [&](const RunOptions& options) { return database_.snapshot().Run(*query, {}, options); });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
  EXPECT_EQ(error.message, "the statement was stopped; it changed nothing");
}

TEST_F(StopTest, EndsARecursion) {
  const Error error = StopWhile([&](const RunOptions& options) {
    return database_.Execute(
        "WITH RECURSIVE pair (a, b) AS (SELECT id, id FROM item UNION "
        "SELECT p.a, i.id FROM pair p JOIN item i ON i.id > p.b) SELECT count(*) AS n FROM pair",
        {}, options);
  });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
}

TEST_F(StopTest, EndsAnExplainThatMeasures) {
  const Error error = StopWhile([&](const RunOptions& options) {
    return database_.Execute(std::string("EXPLAIN ANALYZE ") + kEndless, {}, options);
  });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
}

TEST_F(StopTest, AStoppedWriteChangesNothingAndEndsItsScript) {
  const Version before = database_.version();
  const Error error = StopWhile([&](const RunOptions& options) {
    return database_.Execute(
        std::string("UPDATE item SET size = (") + kEndless + ") WHERE id = 1; DELETE FROM item", {},
        options);
  });
  EXPECT_EQ(error.code, ErrorCode::kCancelled);
  EXPECT_EQ(database_.version(), before);
  EXPECT_EQ(Ask("SELECT count(*) AS n, sum(size) AS s FROM item"), R"([{"n":3000,"s":0}])");
}

TEST_F(StopTest, RowsThatAStoppedStatementWroteAreTakenBack) {
  // Set from the start, a scan of few rows is not looked at: the rows of VALUES are.
  const std::atomic<bool> stop = true;
  Transaction transaction = database_.Begin();
  const Result<ExecuteSummary> stopped =
      transaction.Execute("INSERT INTO item {id: -1, size: 1}", {}, {.stop = &stop});
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  ASSERT_TRUE(transaction.Execute("INSERT INTO item {id: -2, size: 2}").has_value());
  ASSERT_TRUE(transaction.Commit().has_value());
  EXPECT_EQ(Ask("SELECT id FROM item WHERE id < 0"), R"([{"id":-2}])");
}

TEST_F(StopTest, AFlagThatNobodySetsChangesNothing) {
  const std::atomic<bool> stop = false;
  const Result<Query> query = database_.Prepare("SELECT count(*) AS n FROM item");
  ASSERT_TRUE(query.has_value());
  const Result<Rows> rows = database_.snapshot().Run(*query, {}, {.stop = &stop});
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->ToJson(), R"([{"n":3000}])");
}

}  // namespace
}  // namespace trefoil::testing
