// What a commit tells of the rows that it touched.
#include "db/commit_delta.h"

#include <gtest/gtest.h>

#include <vector>

#include "db/engine.h"
#include "db/public_state.h"
#include "schema/ids.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using Row = std::vector<Value>;

Value I(std::int64_t number) { return Value::Int(number); }
Value T(const char* text) { return Value::Text(text); }

// Keeps what the last commit did to the demanded columns.
class Watcher final : public db::CommitObserver {
 public:
  void OnCommit(const db::CommitDelta& delta) override {
    touched = delta.touched;
    batch = dataflow::Batch(columns.size());
    EXPECT_TRUE(db::AppendRowChanges(delta, type, columns, batch));
  }

  TypeId type{};
  std::vector<AttributeId> columns;
  dataflow::Batch batch;
  std::vector<db::TouchedRow> touched;
};

class CommitDeltaTest : public ::testing::Test {
 protected:
  CommitDeltaTest() : database_(*Database::Open(":memory:")) {
    Run("TABLE note (id INT KEY, title TEXT, tags SET TEXT, mood MV TEXT, size INT);"
        "INSERT INTO note {id: 1, title: 'a', size: 3}, {id: 2, title: 'b'}, {id: 3}");
    const schema::Type& note = *schema()->FindType("note");
    watcher_.type = note.id;
    watcher_.columns = {Id("id"), Id("title"), Id("tags"), schema::ConflictsOf(Id("mood"))};
    engine().AddObserver(&watcher_);
  }
  ~CommitDeltaTest() override { engine().RemoveObserver(&watcher_); }

  db::Engine& engine() { return *database_.state().engine; }
  schema::SchemaRef schema() { return engine().schema(); }
  AttributeId Id(const char* name) { return schema()->FindType("note")->Find(name)->id; }
  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  static dataflow::Batch Of(const std::vector<std::pair<Row, dataflow::Weight>>& rows) {
    dataflow::Batch batch(4);
    for (const auto& [row, weight] : rows) batch.Add(row, weight);
    batch.Consolidate();
    return batch;
  }

  Database database_;
  Watcher watcher_;
};

TEST_F(CommitDeltaTest, TellsRowsThatComeGoAndStayInOneTransaction) {
  Run("BEGIN; UPDATE note SET title = 'z' WHERE id = 1; DELETE FROM note WHERE id = 2;"
      "INSERT INTO note {id: 4, title: 'd'}; COMMIT");
  EXPECT_EQ(watcher_.batch, Of({{{I(1), T("a"), Value(), Value()}, -1},
                                {{I(1), T("z"), Value(), Value()}, 1},
                                {{I(2), T("b"), Value(), Value()}, -1},
                                {{I(4), T("d"), Value(), Value()}, 1}}));
}

TEST_F(CommitDeltaTest, TellsElementsAndConflictsByTheirAttribute) {
  Run("UPDATE note SET tags += 'x', mood = 'fine' WHERE id = 3");
  const Row after = {I(3), Value(), Value::List({T("x")}), Value::List({T("fine")})};
  EXPECT_EQ(watcher_.batch, Of({{{I(3), Value(), Value(), Value()}, -1}, {after, 1}}));
  Run("UPDATE note SET tags -= 'x' WHERE id = 3");
  EXPECT_EQ(watcher_.batch.size(), 2u);
}

TEST_F(CommitDeltaTest, TellsARowThatWasDeletedAndComesAgain) {
  Run("DELETE FROM note WHERE id = 1");
  Run("INSERT INTO note {id: 1, title: 'new'}");
  EXPECT_EQ(watcher_.batch, Of({{{I(1), T("new"), Value(), Value()}, 1}}));
  Run("BEGIN; DELETE FROM note WHERE id = 1; INSERT INTO note {id: 1, title: 'newer'}; COMMIT");
  EXPECT_EQ(watcher_.batch, Of({{{I(1), T("new"), Value(), Value()}, -1},
                                {{I(1), T("newer"), Value(), Value()}, 1}}));
}

TEST_F(CommitDeltaTest, NamesTheAttributesThatChanged) {
  Run("UPDATE note SET size = 9, title = 'y' WHERE id = 1");
  ASSERT_EQ(watcher_.touched.size(), 1u);
  EXPECT_EQ(watcher_.touched[0].attributes.size(), 2u);
  EXPECT_EQ(watcher_.touched[0].attributes[0], Id("title"));
  Run("UPDATE note SET size = 10 WHERE id = 1");
  EXPECT_TRUE(watcher_.batch.empty());
}

}  // namespace
}  // namespace trefoil
