// Live queries that differ in literals and parameters only: one plan, and for every subscription
// the contract of a query of its own.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "tests/support/seed.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

// A subscription with what it was told.
struct Client {
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::string text;
  std::vector<Change> changes;
  std::vector<Row> rows;
  std::vector<Error> errors;
  Subscription subscription;  // last, as it calls the others
};

class SharedQueriesTest : public ::testing::Test {
 protected:
  SharedQueriesTest() : database_(*Database::Open(":memory:")) {
    Run("TABLE task (id INT KEY, title TEXT, owner INT INDEX, priority INT)");
  }

  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done.has_value()) << ToString(done.error());
  }
  void Add(int id, int owner, int priority) {
    Run(StrCat("INSERT INTO task {id: ", id, ", title: 't", id, "', owner: ", owner,
               ", priority: ", priority, "}"));
  }

  static std::string TextFor(int owner) {
    return StrCat("SELECT id, title FROM task WHERE owner = ", owner,
                  " ORDER BY priority DESC LIMIT 2");
  }
  std::unique_ptr<Client> Watch(const std::string& text, WatchOptions options = {},
                                const Params& params = {}) {
    auto client = std::make_unique<Client>();
    client->text = text;
    options.on_error = [raw = client.get()](const Error& e) { raw->errors.push_back(e); };
    Result<Subscription> subscription = database_.Watch(
        *database_.Prepare(text), params,
        [raw = client.get()](const Change& change) {
          Apply(change, raw->rows);
          raw->changes.push_back(change);
        },
        options);
    EXPECT_TRUE(subscription.has_value());
    client->subscription = *std::move(subscription);
    return client;
  }
  std::unique_ptr<Client> WatchOwner(int owner, const WatchOptions& options = {}) {
    return Watch(TextFor(owner), options);
  }

  std::size_t CountInGraph(std::string_view what) {
    const std::string json = database_.DataflowJson();
    std::size_t count = 0;
    for (std::size_t at = json.find(what); at != std::string::npos; at = json.find(what, at + 1)) {
      ++count;
    }
    return count;
  }
  void ExpectFresh(const Client& client) {
    const Result<Rows> fresh = database_.snapshot().Run(*database_.Prepare(client.text));
    ASSERT_TRUE(fresh.has_value());
    std::string rows = "[";
    for (const Row& row : client.rows) rows += StrCat(rows.size() > 1 ? "," : "", row.ToJson());
    EXPECT_EQ(rows + "]", fresh->ToJson()) << client.text;
    EXPECT_EQ(client.subscription.Current()->ToJson(), fresh->ToJson()) << client.text;
  }

  Database database_;
};

TEST_F(SharedQueriesTest, AnyNumberOfLiteralsIsOnePlan) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int owner = 0; owner < 3; ++owner) clients.push_back(WatchOwner(owner));
  const std::size_t operators = CountInGraph("\"operator\":");
  for (int owner = 3; owner < 50; ++owner) clients.push_back(WatchOwner(owner));
  EXPECT_EQ(CountInGraph("\"operator\":"), operators);
  EXPECT_EQ(CountInGraph("\"listeners\":1"), 50);
}

TEST_F(SharedQueriesTest, AnIndexOfSomeOfTheComparedColumnsIsEnough) {
  for (int id = 0; id < 40; ++id) Add(id, id % 10, id % 4);
  std::vector<std::unique_ptr<Client>> clients;
  for (int owner = 0; owner < 10; ++owner) {
    clients.push_back(Watch(
        StrCat("SELECT id, title FROM task WHERE owner = ", owner, " AND priority = ", owner % 4)));
  }
  EXPECT_EQ(CountInGraph("arrange"), 0) << "nothing of the table is kept in memory";
  for (int id = 0; id < 40; id += 3) {
    Run(StrCat("UPDATE task SET priority = ", (id + 1) % 4, ", owner = ", id % 9,
               " WHERE id = ", id));
  }
  for (const auto& client : clients) ExpectFresh(*client);
}

TEST_F(SharedQueriesTest, EqualLiteralsAndParametersAreOneView) {
  const auto literal = WatchOwner(1);
  const auto other = WatchOwner(2);
  Params params;
  params.Set("who", Value::Int(2));
  const auto parameter = Watch(
      "SELECT id, title FROM task WHERE owner = :who ORDER BY priority DESC LIMIT 2", {}, params);
  EXPECT_EQ(CountInGraph("\"listeners\":2"), 1);
  Add(1, 2, 1);
  EXPECT_EQ(other->rows.size(), 1);
  EXPECT_EQ(parameter->rows.size(), 1);
  EXPECT_TRUE(literal->rows.empty());
}

TEST_F(SharedQueriesTest, EachSubscriptionIsToldOfItsOwnRowsOncePerCommit) {
  Add(1, 1, 1);
  const auto one = WatchOwner(1);
  const auto two = WatchOwner(2);
  const auto three = WatchOwner(3);
  ASSERT_EQ(three->changes.size(), 1);
  EXPECT_TRUE(three->changes[0].reset);
  Run("INSERT INTO task {id: 2, owner: 2, priority: 1}, {id: 3, owner: 3, priority: 1},"
      "{id: 4, owner: 3, priority: 2}");
  Run("UPDATE task SET owner = 3 WHERE id = 2");
  EXPECT_EQ(one->changes.size(), 1);
  ASSERT_EQ(two->changes.size(), 3);
  ASSERT_EQ(three->changes.size(), 3);
  EXPECT_EQ(three->changes[1].added.size(), 2);
  EXPECT_EQ(three->changes[1].from, three->changes[0].to);
  EXPECT_EQ(three->changes[2].from, three->changes[1].to);
  EXPECT_EQ(two->changes[2].to, three->changes[2].to);
  for (const Client* client : {one.get(), two.get(), three.get()}) ExpectFresh(*client);
}

TEST_F(SharedQueriesTest, ASubscriptionThatEndsTakesItsStateAlong) {
  Add(1, 2, 1);
  auto one = WatchOwner(1);
  auto two = WatchOwner(2);
  auto three = WatchOwner(3);
  one.reset();
  two.reset();
  Add(2, 3, 1);
  ExpectFresh(*three);
  three.reset();
  EXPECT_EQ(database_.DataflowJson(), R"({"views":[],"operators":[]})");
}

TEST_F(SharedQueriesTest, CallbacksMayEndAndStartSubscriptionsOfTheSamePlan) {
  const auto first = WatchOwner(1);
  const auto second = WatchOwner(2);
  std::optional<Subscription> ended;
  std::unique_ptr<Client> started;
  ended = *database_.Watch(*database_.Prepare(TextFor(3)), {}, [&](const Change& change) {
    if (change.reset) return;
    ended.reset();
    started = WatchOwner(4);
  });
  Run("INSERT INTO task {id: 1, owner: 3, priority: 1}, {id: 2, owner: 4, priority: 1}");
  EXPECT_FALSE(ended.has_value());
  ASSERT_NE(started, nullptr);
  Add(3, 4, 2);
  ExpectFresh(*started);
}

TEST_F(SharedQueriesTest, BeginsSinceAVersionOrSilently) {
  const auto first = WatchOwner(1);
  const auto second = WatchOwner(2);
  Add(1, 3, 1);
  const Snapshot pin = database_.snapshot();
  Add(2, 3, 2);
  const auto since = WatchOwner(3, {.since = pin.version()});
  ASSERT_EQ(since->changes.size(), 1);
  EXPECT_FALSE(since->changes[0].reset);
  EXPECT_EQ(since->changes[0].from, pin.version());
  EXPECT_EQ(since->changes[0].added.size(), 1);
  const auto silent = WatchOwner(4, {.initial = false});
  EXPECT_TRUE(silent->changes.empty());
  Add(3, 4, 1);
  ExpectFresh(*silent);
}

TEST_F(SharedQueriesTest, ManualSubscriptionsGetTheSumWhenTheyArePumped) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int owner = 0; owner < 5; ++owner) {
    clients.push_back(WatchOwner(owner, {.deliver = Deliver::kManual}));
  }
  EXPECT_EQ(database_.Pump(), 5);
  Add(1, 2, 1);
  Add(2, 2, 2);
  Add(3, 4, 1);
  EXPECT_EQ(database_.Pump(std::chrono::microseconds(0)), 1);
  EXPECT_EQ(database_.Pump(), 1);
  EXPECT_EQ(database_.Pump(), 0);
  for (const auto& client : clients) ExpectFresh(*client);
  EXPECT_EQ(clients[2]->changes.size(), 2);
}

TEST_F(SharedQueriesTest, AChangeOfTheSchemaLeavesThemOnePlan) {
  Add(1, 2, 1);
  std::vector<std::unique_ptr<Client>> clients;
  for (int owner = 0; owner < 5; ++owner) clients.push_back(WatchOwner(owner));
  Run("TABLE other (id INT KEY)");
  Add(2, 2, 2);
  for (const auto& client : clients) ExpectFresh(*client);
  EXPECT_EQ(clients[2]->changes.size(), 2) << "an equal result is not told again";
  EXPECT_EQ(CountInGraph("\"operator\":\"feed bindings"), 1);
  Run("DROP TABLE task");
  for (const auto& client : clients) {
    ASSERT_EQ(client->errors.size(), 1);
    EXPECT_EQ(client->errors[0].code, ErrorCode::kUnknownTable);
  }
  Run("TABLE task (id INT KEY, title TEXT, owner INT, priority INT)");
  Add(7, 2, 1);
  const auto again = WatchOwner(2);
  ExpectFresh(*again);
}

TEST_F(SharedQueriesTest, AQueryPreparedBeforeAChangeOfTheSchemaIsBoundAgain) {
  const Query before = *database_.Prepare("SELECT id FROM task WHERE owner = 1");
  Run("DROP TABLE task; TABLE task (owner INT, id INT KEY)");
  Run("INSERT INTO task {id: 5, owner: 1}");
  const Result<Subscription> subscription = database_.Watch(before, {}, [](const Change&) {});
  ASSERT_TRUE(subscription.has_value());
  EXPECT_EQ(subscription->Current()->ToJson(), R"([{"id":5}])");
}

TEST_F(SharedQueriesTest, ValuesThatNoSlotHoldsGetAPlanOfTheirOwn) {
  const std::string text = "SELECT id FROM task WHERE owner < :limit";
  std::vector<std::unique_ptr<Client>> clients;
  Add(1, 2, 1);
  for (const Value& limit : {Value::Int(3), Value::Int(2), Value::Float(2.5)}) {
    Params params;
    params.Set("limit", limit);
    clients.push_back(Watch(text, {}, params));
  }
  EXPECT_EQ(clients[0]->rows.size(), 1);
  EXPECT_EQ(clients[1]->rows.size(), 0);
  EXPECT_EQ(clients[2]->rows.size(), 1);
  Add(2, 1, 1);
  EXPECT_EQ(clients[1]->rows.size(), 1);
  EXPECT_EQ(clients[2]->rows.size(), 2);
}

TEST(SharedQueriesLimitTest, ABindingBeyondTheMemoryBudgetIsRefusedAndLeavesNothing) {
  Database database = *Database::Open(":memory:", {.live_memory_bytes = 1'000'000});
  ASSERT_TRUE(database.Execute("TABLE t (id INT KEY, owner INT INDEX, text TEXT)").has_value());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(database
                    .Execute(StrCat("INSERT INTO t {id: ", i, ", owner: ", i / 50, ", text: '",
                                    std::string(20'000, 'x'), "'}"))
                    .has_value());
  }
  const auto watch = [&](int owner) {
    return database.Watch(*database.Prepare(StrCat("SELECT id, text FROM t WHERE owner = ", owner)),
                          {}, [](const Change&) {});
  };
  const Result<Subscription> first = watch(7);
  const Result<Subscription> second = watch(8);
  ASSERT_TRUE(first.has_value() && second.has_value());
  const std::string before = database.DataflowJson();
  const Result<Subscription> third = watch(1);
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code, ErrorCode::kLimit);
  ASSERT_TRUE(database.Execute("INSERT INTO t {id: 1000, owner: 8}").has_value());
  EXPECT_EQ(second->Current()->size(), 1);
}

// Subscriptions come and go between random transactions.
TEST_F(SharedQueriesTest, AreAlwaysThatOfAFreshRun) {
  std::mt19937_64 random(testing::TestSeed());
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
  };
  const auto some_text = [&] {
    const int a = below(6);
    switch (below(6)) {
      case 0:
        return TextFor(a);
      case 1:
        return StrCat("SELECT id FROM task WHERE priority >= ", a, " AND priority < ", a + 2);
      case 2:
        return StrCat("SELECT count(*) AS n, sum(priority) AS s FROM task WHERE owner = ", a);
      case 3:
        return StrCat("SELECT id FROM task WHERE owner IN (", a, ", ", below(6), ")");
      case 4:
        return StrCat("SELECT { id, near: [SELECT n.id FROM task AS n WHERE n.priority = ",
                      below(3), " AND n.owner = t.owner] } FROM task AS t WHERE owner = ", a);
      default:
        return StrCat("SELECT owner, max(id) AS last FROM task WHERE priority = ", a,
                      " GROUP BY owner");
    }
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int round = 0; round < static_cast<int>(60 * testing::TestScale()); ++round) {
    for (int i = below(4); i > 0; --i) clients.push_back(Watch(some_text()));
    while (clients.size() > 25) {
      clients.erase(clients.begin() + below(static_cast<int>(clients.size())));
    }
    std::string script = "BEGIN;";
    for (int i = below(4); i >= 0; --i) {
      const int id = below(30);
      script += below(4) == 0 ? StrCat("DELETE FROM task WHERE id = ", id, ";")
                              : StrCat("UPSERT INTO task {id: ", id, ", title: 'r", round,
                                       "', owner: ", below(6), ", priority: ", below(6), "};");
    }
    Run(script + "COMMIT");
    for (const auto& client : clients) ExpectFresh(*client);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace trefoil
