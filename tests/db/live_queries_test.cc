#include "db/live_queries.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

// A database with one table of tasks, and what a listener was told.
class LiveQueriesTest : public ::testing::Test {
 protected:
  LiveQueriesTest() : database_(*Database::Open(":memory:")) {
    Run("TABLE task (id INT KEY, title TEXT, done BOOL, priority INT INDEX)");
  }

  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done.has_value()) << ToString(done.error());
  }

  Subscription Watch(std::string_view text, const WatchOptions& options = {}) {
    Result<Subscription> subscription = database_.Watch(
        *database_.Prepare(text), {}, [this](const Change& change) { changes_.push_back(change); },
        options);
    EXPECT_TRUE(subscription.has_value());
    return *std::move(subscription);
  }

  std::vector<Change> Take() { return std::exchange(changes_, {}); }

  std::string Fresh(std::string_view text) {
    return database_.snapshot().Run(*database_.Prepare(text))->ToJson();
  }

  Database database_;
  std::vector<Change> changes_;
};

constexpr const char* kOpen = "SELECT id, title FROM task WHERE NOT done ORDER BY priority DESC";

TEST_F(LiveQueriesTest, BeginsWithTheWholeResult) {
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  const Subscription subscription = Watch(kOpen);
  const std::vector<Change> changes = Take();
  ASSERT_EQ(changes.size(), 1);
  EXPECT_EQ(ToJson(changes[0]),
            R"({"from":0,"to":2,"origin":"local","reset":true,"added":[{"id":1,"title":"a"}],)"
            R"("removed":[],"updated":[]})");
}

TEST_F(LiveQueriesTest, TellsEachCommitOnceAndOnlyIfTheResultChanges) {
  const Subscription subscription = Watch(kOpen);
  Take();
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1},"
      "{id: 2, title: 'b', done: false, priority: 2}");
  Run("INSERT INTO task {id: 3, title: 'c', done: true, priority: 3}");
  Run("UPDATE task SET title = 'A' WHERE id = 1");
  const std::vector<Change> changes = Take();
  ASSERT_EQ(changes.size(), 2);
  EXPECT_EQ(changes[0].added.size(), 2);
  EXPECT_EQ(changes[1].updated.size(), 1);
  EXPECT_EQ(changes[1].from, changes[0].to);
}

TEST_F(LiveQueriesTest, ASecondSubscriberOfTheSameQuerySharesTheView) {
  const Subscription first = Watch(kOpen);
  const Subscription second = Watch(kOpen);
  Take();
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  EXPECT_EQ(Take().size(), 2);
  EXPECT_NE(database_.DataflowJson().find("\"listeners\":2"), std::string::npos);
}

TEST_F(LiveQueriesTest, EndsWithItsSubscription) {
  {
    const Subscription subscription = Watch(kOpen);
  }
  Take();
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  EXPECT_TRUE(Take().empty());
  EXPECT_EQ(database_.DataflowJson(), R"({"views":[],"operators":[]})");
}

TEST_F(LiveQueriesTest, ACallbackMayEndItsOwnSubscription) {
  std::optional<Subscription> subscription;
  int calls = 0;
  Result<Subscription> watched =
      database_.Watch(*database_.Prepare(kOpen), {}, [&](const Change& change) {
        ++calls;
        if (!change.reset) subscription.reset();
      });
  subscription.emplace(*std::move(watched));
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  Run("INSERT INTO task {id: 2, title: 'b', done: false, priority: 1}");
  EXPECT_EQ(calls, 2);
}

TEST_F(LiveQueriesTest, ACallbackMayWrite) {
  const Result<Subscription> subscription = database_.Watch(
      *database_.Prepare("SELECT id FROM task WHERE priority = 9"), {}, [&](const Change& change) {
        if (!change.added.empty() && !change.reset) {
          Run("UPDATE task SET priority = 1 WHERE priority = 9");
        }
      });
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 9}");
  EXPECT_EQ(Fresh("SELECT priority FROM task"), R"([{"priority":1}])");
  EXPECT_EQ(subscription->Current()->size(), 0);
}

TEST_F(LiveQueriesTest, AManualListenerGetsTheSumWhenItPumps) {
  const Subscription subscription = Watch(kOpen, {.deliver = Deliver::kManual});
  EXPECT_TRUE(Take().empty());
  EXPECT_EQ(database_.Pump(), 1);
  Take();
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  Run("INSERT INTO task {id: 2, title: 'b', done: false, priority: 2}");
  Run("DELETE FROM task WHERE id = 1");
  EXPECT_EQ(database_.Pump(), 1);
  const std::vector<Change> changes = Take();
  ASSERT_EQ(changes.size(), 1);
  ASSERT_EQ(changes[0].added.size(), 1);
  EXPECT_EQ(changes[0].added[0].ToJson(), R"({"id":2,"title":"b"})");
  EXPECT_TRUE(changes[0].removed.empty());
  EXPECT_EQ(database_.Pump(), 0);
}

TEST_F(LiveQueriesTest, TellsAMoveByASortKeyThatIsNotShown) {
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1},"
      "{id: 2, title: 'b', done: false, priority: 2}");
  std::vector<Row> copy;
  const Result<Subscription> subscription = database_.Watch(
      *database_.Prepare(kOpen), {}, [&](const Change& change) { Apply(change, copy); });
  Run("UPDATE task SET priority = 3 WHERE id = 1");
  ASSERT_EQ(copy.size(), 2);
  EXPECT_EQ(copy[0].ToJson(), R"({"id":1,"title":"a"})");
  EXPECT_EQ(subscription->Current()->ToJson(), Fresh(kOpen));
}

TEST_F(LiveQueriesTest, WhatCancelsOutIsNotTold) {
  const Subscription subscription = Watch(kOpen, {.deliver = Deliver::kManual});
  database_.Pump();
  Take();
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  Run("DELETE FROM task WHERE id = 1");
  EXPECT_EQ(database_.Pump(), 0);
}

TEST_F(LiveQueriesTest, ResumesFromAVersionThatIsStillHeld) {
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  const Snapshot pin = database_.snapshot();
  Run("INSERT INTO task {id: 2, title: 'b', done: false, priority: 2}");
  const Subscription subscription = Watch(kOpen, {.since = pin.version()});
  const std::vector<Change> changes = Take();
  ASSERT_EQ(changes.size(), 1);
  EXPECT_FALSE(changes[0].reset);
  EXPECT_EQ(changes[0].from, pin.version());
  EXPECT_EQ(changes[0].added.size(), 1);
}

TEST_F(LiveQueriesTest, BeginsAnewWhenTheSchemaChangesItsResult) {
  Run("INSERT INTO task {id: 1, title: 'a', done: false, priority: 1}");
  const Subscription subscription = Watch("SELECT * FROM task");
  Take();
  Run("TABLE task (id INT KEY, title TEXT, done BOOL, priority INT INDEX, note TEXT)");
  const std::vector<Change> changes = Take();
  ASSERT_FALSE(changes.empty());
  EXPECT_TRUE(changes.back().reset);
  EXPECT_EQ(changes.back().added[0].ToJson(),
            R"({"id":1,"title":"a","done":false,"priority":1,"note":null})");
}

TEST_F(LiveQueriesTest, SaysWhenAQueryCanNoLongerBeKept) {
  std::vector<Error> errors;
  const Subscription subscription =
      Watch("SELECT priority FROM task",
            {.on_error = [&](const Error& error) { errors.push_back(error); }});
  Run("DROP TABLE task");
  ASSERT_EQ(errors.size(), 1);
  EXPECT_EQ(errors[0].code, ErrorCode::kUnknownTable);
}

TEST(LiveQueriesLimitTest, RefusesAQueryBeyondTheMemoryBudget) {
  Database database = *Database::Open(":memory:", {.live_memory_bytes = 1});
  ASSERT_TRUE(database.Execute("TABLE t (id INT KEY); INSERT INTO t {id: 1}").has_value());
  const Result<Subscription> subscription =
      database.Watch(*database.Prepare("SELECT id FROM t"), {}, [](const Change&) {});
  ASSERT_FALSE(subscription.has_value());
  EXPECT_EQ(subscription.error().code, ErrorCode::kLimit);
}

TEST(LiveQueriesBackgroundTest, DeliversOnAThreadOfTheDatabase) {
  Database database = *Database::Open(":memory:");
  ASSERT_TRUE(database.Execute("TABLE t (id INT KEY)").has_value());
  std::vector<Row> rows;
  {
    const Result<Subscription> subscription = database.Watch(
        *database.Prepare("SELECT id FROM t"), {},
        [&](const Change& change) { Apply(change, rows); }, {.deliver = Deliver::kBackground});
    for (int i = 0; i < 100; ++i) {
      Params params;
      params.Set("id", Value::Int(i));
      ASSERT_TRUE(database.Execute("INSERT INTO t {id: :id}", params).has_value());
    }
    while (subscription->Current()->size() < 100) {
    }
  }
  EXPECT_EQ(rows.size(), 100);
}

}  // namespace
}  // namespace trefoil
