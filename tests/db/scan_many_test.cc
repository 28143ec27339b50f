// Many walks at once show what each shows alone.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <vector>

#include "db/engine.h"
#include "db/public_state.h"
#include "db/triple_source.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using dataflow::Probe;
using dataflow::When;
using Rows = std::map<std::size_t, std::vector<std::vector<Value>>>;  // by probe

Value I(std::int64_t number) { return Value::Int(number); }

class ScanManyTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kGroups = 60;

  ScanManyTest() : random_(testing::TestSeed()), database_(*Database::Open(":memory:")) {
    Run("TABLE note (owner INT, place INT, title TEXT, tags SET TEXT, KEY (owner, place));"
        "INDEX by_place ON note (place) INCLUDE (title); INDEX falling ON note (place DESC);");
    for (int batch = 0; batch < 4; ++batch) {
      EXPECT_TRUE(database_.Write([&](Transaction& transaction) { return Fill(transaction); }));
      if (batch < 2) {
        EXPECT_TRUE(database_.Compact());
      }
    }
  }

  void Run(std::string_view script) {
    const Result<ExecuteSummary> done = database_.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  // Groups of every size, some of them empty.
  Status Fill(Transaction& transaction) {
    for (int i = 0; i < 200; ++i) {
      const std::vector<Value> key = {I(Below(kGroups) * Below(2)), I(Below(kGroups))};
      const Result<bool> gone = transaction.Delete("note", key);
      if (!gone) return gone.error();
      if (Below(4) == 0) continue;
      const Result<std::vector<Value>> added = transaction.Insert(
          "note", {{"owner", key[0]},
                   {"place", key[1]},
                   {"title", Below(3) == 0 ? Value() : Value::Text(std::to_string(i))}});
      if (!added) return added.error();
    }
    return Ok();
  }

  // `wanted` rows of each probe at most; the visitor ends a walk with the last that it wants.
  static Rows Each(const db::TripleSource& source, const dataflow::BaseRelation& relation,
                   std::span<const Probe> probes, std::size_t wanted) {
    Rows rows;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      EXPECT_TRUE(source.Scan(relation, probes[i], When::kNew, [&](std::span<const Value> row) {
        rows[i].emplace_back(row.begin(), row.end());
        return rows[i].size() < wanted;
      }));
    }
    return rows;
  }
  static Rows Many(const db::TripleSource& source, const dataflow::BaseRelation& relation,
                   std::span<const Probe> probes, std::size_t wanted) {
    Rows rows;
    EXPECT_TRUE(source.ScanMany(relation, probes, When::kNew,
                                [&](std::size_t i, std::span<const Value> row) {
                                  rows[i].emplace_back(row.begin(), row.end());
                                  return rows[i].size() < wanted;
                                }));
    return rows;
  }

  std::mt19937_64 random_;
  Database database_;
};

TEST_F(ScanManyTest, ShowsWhatEachWalkShows) {
  db::Engine& engine = *database_.state().engine;
  const schema::SchemaRef schema = engine.schema();
  const schema::Type& note = *schema->FindType("note");
  const auto id = [&](const char* name) { return note.Find(name)->id; };
  const db::TripleSource source(engine.Pin());
  const std::vector<std::vector<AttributeId>> columns = {
      {id("place")}, {id("owner"), id("title")}, {id("title"), id("tags"), id("place")}};
  const std::vector<std::optional<IndexId>> paths = {
      std::nullopt, schema->FindIndex("by_place")->id, schema->FindIndex("falling")->id};
  for (int round = 0; round < 200; ++round) {
    const dataflow::BaseRelation relation = {note.id, columns[round % columns.size()]};
    std::vector<Probe> probes;
    for (std::int64_t group = Below(3); group < kGroups + 5; group += 1 + Below(1 + round % 20)) {
      probes.push_back({.path = {paths[random_() % paths.size()]}, .prefix = {I(group)}});
      probes.back().path = probes.front().path;
    }
    const std::size_t wanted = 1 + random_() % 5;
    EXPECT_EQ(Many(source, relation, probes, wanted), Each(source, relation, probes, wanted))
        << "round " << round;
  }
}

TEST_F(ScanManyTest, FindsNothingForValuesThatTheColumnCannotHold) {
  db::Engine& engine = *database_.state().engine;
  const schema::SchemaRef schema = engine.schema();
  const schema::Type& note = *schema->FindType("note");
  const dataflow::BaseRelation relation = {note.id, {note.Find("place")->id}};
  std::vector<Probe> probes;
  for (Value value : {Value(), I(0), Value::Float(0.0), Value::Text("x")}) {
    probes.push_back({.path = {}, .prefix = {std::move(value)}});
  }
  const db::TripleSource source(engine.Pin());
  const Rows rows = Many(source, relation, probes, 1000);
  EXPECT_EQ(rows, Each(source, relation, probes, 1000));
  EXPECT_FALSE(rows.contains(0));
  EXPECT_FALSE(rows.at(1).empty());
  EXPECT_EQ(rows.at(1), rows.at(2));
  EXPECT_TRUE(Many(source, relation, {}, 1).empty());
}

}  // namespace
}  // namespace trefoil
