// What a listener was told last, while it is owed more: its view has moved on, and what is owed
// leads back.
#include "db/live_listener.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using testing::Below;
using testing::RandomEngine;

std::string Show(std::span<const Row> rows) {
  std::string text = "[";
  for (const Row& row : rows) text += (text.size() > 1 ? "," : "") + row.ToJson();
  return text + "]";
}

// A client that keeps a copy by Changes alone, and is pumped when the test likes.
struct Client {
  Client(Database& database, const std::string& text, Deliver deliver) {
    Result<Subscription> watched = database.Watch(
        *database.Prepare(text), {}, [this](const Change& change) { Apply(change, rows); },
        {.deliver = deliver, .on_error = [this](const Error&) { failed = true; }});
    EXPECT_TRUE(watched) << ToString(watched.error());
    subscription = *std::move(watched);
  }

  std::string Current() const { return subscription.Current()->ToJson(); }

  std::vector<Row> rows;
  bool failed = false;
  Subscription subscription;
};

class LiveListenerTest : public ::testing::Test {
 protected:
  LiveListenerTest() : database_(*Database::Open(":memory:")) {
    Run("TABLE task (id INT KEY, list INT INDEX, place INT, text TEXT);"
        "TABLE note (id INT KEY, task INT INDEX, text TEXT)");
  }

  void Run(const std::string& script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  std::unique_ptr<Client> Watch(const std::string& text, Deliver deliver = Deliver::kManual) {
    return std::make_unique<Client>(database_, text, deliver);
  }

  Database database_;
};

TEST_F(LiveListenerTest, CurrentIsWhatWasDeliveredLast) {
  Run("INSERT INTO task {id: 1, place: 1, text: 'a'}, {id: 2, place: 2, text: 'b'}");
  const auto client = Watch("SELECT id, text FROM task ORDER BY place, id");
  EXPECT_EQ(client->Current(), "[]");
  database_.Pump();
  const std::string before = client->Current();
  EXPECT_EQ(before, R"([{"id":1,"text":"a"},{"id":2,"text":"b"}])");
  Run("UPDATE task SET place = 3 WHERE id = 1");
  Run("UPDATE task SET text = 'z' WHERE id = 2");
  Run("DELETE FROM task WHERE id = 1");
  Run("INSERT INTO task {id: 3, place: 0, text: 'c'}");
  EXPECT_EQ(client->Current(), before);
  database_.Pump();
  EXPECT_EQ(client->Current(), R"([{"id":3,"text":"c"},{"id":2,"text":"z"}])");
}

TEST_F(LiveListenerTest, OneCallbackSeesAnotherListenerAsItWasTold) {
  std::string seen;
  std::unique_ptr<Client> later;
  const Result<Subscription> first =
      database_.Watch(*database_.Prepare("SELECT id FROM task"), {}, [&](const Change& change) {
        if (!change.reset) seen = later->Current() + " of " + Show(later->rows);
      });
  ASSERT_TRUE(first);
  later = Watch("SELECT text FROM task", Deliver::kOnCommit);
  Run("INSERT INTO task {id: 1, text: 'a'}");
  EXPECT_EQ(seen, "[] of []");
  EXPECT_EQ(later->Current(), R"([{"text":"a"}])");
}

TEST_F(LiveListenerTest, ASchemaThatChangesTheResultLeavesWhatWasDelivered) {
  const auto client = Watch("SELECT * FROM task");
  Run("INSERT INTO task {id: 1, text: 'a'}");
  database_.Pump();
  const std::string before = client->Current();
  Run("INSERT INTO task {id: 2, text: 'b'}");
  Run("TABLE task (id INT KEY, list INT INDEX, place INT, text TEXT, more INT DEFAULT 5)");
  EXPECT_EQ(client->Current(), before);
  database_.Pump();
  EXPECT_EQ(client->Current(), Show(client->rows));
  EXPECT_NE(client->Current(), before);
}

TEST_F(LiveListenerTest, AQueryThatEndsKeepsItsLastResult) {
  const auto client = Watch("SELECT id FROM note");
  Run("INSERT INTO note {id: 1}");
  database_.Pump();
  Run("INSERT INTO note {id: 2}");
  Run("DROP TABLE note");
  EXPECT_EQ(client->Current(), R"([{"id":1}])");
  database_.Pump();
  EXPECT_TRUE(client->failed);
  EXPECT_EQ(client->Current(), R"([{"id":1},{"id":2}])");
}

TEST_F(LiveListenerTest, RandomHistoriesLeadBackToWhatWasDelivered) {
  RandomEngine random(testing::TestSeed());
  std::vector<std::unique_ptr<Client>> clients;
  for (const char* text :
       {"SELECT id, text FROM task ORDER BY place, id", "SELECT text FROM task ORDER BY place, id",
        "SELECT id, place FROM task WHERE list = 1 ORDER BY place DESC, id LIMIT 4",
        "SELECT list, count(*) AS n FROM task GROUP BY list", "SELECT DISTINCT text FROM task",
        "SELECT text FROM task UNION ALL SELECT text FROM note",
        "SELECT { id, notes: [SELECT n.text FROM note AS n WHERE n.task = t.id ORDER BY n.id] } "
        "FROM task AS t ORDER BY place, id"}) {
    clients.push_back(Watch(text));
  }
  const auto number = [&](std::uint64_t limit) { return Below(random, limit); };
  const auto commits = static_cast<int>(600 * testing::TestScale());
  for (int i = 0; i < commits; ++i) {
    std::string script = "BEGIN;";
    for (std::uint64_t writes = 1 + number(3); writes > 0; --writes) {
      const std::uint64_t id = number(8);
      const std::string text = StrCat("'", std::string(1, static_cast<char>('a' + number(3))), "'");
      switch (number(4)) {
        case 0:
          script +=
              StrCat("DELETE FROM ", number(2) == 0 ? "task" : "note", " WHERE id = ", id, ";");
          break;
        case 1:
          script +=
              StrCat("UPSERT INTO note {id: ", id, ", task: ", number(8), ", text: ", text, "};");
          break;
        default:
          script += StrCat("UPSERT INTO task {id: ", id, ", list: ", number(2),
                           ", place: ", number(4), ", text: ", text, "};");
      }
    }
    Run(script + "COMMIT");
    if (number(4) == 0) database_.Pump(std::chrono::microseconds(0));  // of one listener
    if (number(9) == 0) database_.Pump();
    for (const std::unique_ptr<Client>& client : clients) {
      ASSERT_EQ(client->Current(), Show(client->rows));
    }
  }
}

}  // namespace
}  // namespace trefoil
