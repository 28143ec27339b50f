// The engine on files: reopening, what it says of itself, and writers side by side.
#include "db/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/env_memory.h"
#include "db/triple_source.h"
#include "schema/cell.h"
#include "schema/keys.h"
#include "tests/support/declare.h"
#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::db {
namespace {

using testing::Below;
using testing::Field;
using testing::Indexed;
using testing::Key;
using testing::RandomEngine;
using testing::Table;
using testing::Unique;
using Row = std::vector<Value>;

Value I(std::int64_t number) { return Value::Int(number); }

class EngineTest : public ::testing::Test {
 protected:
  Options FileOptions() {
    Options options;
    options.env = &env_;
    options.clock = &clock_;
    return options;
  }
  std::unique_ptr<Engine> Open(const Options& options) {
    Result<std::unique_ptr<Engine>> engine = Engine::Open("db", options);
    EXPECT_TRUE(engine) << ToString(engine.error());
    return *std::move(engine);
  }
  std::unique_ptr<Engine> Open() { return Open(FileOptions()); }

  static void Declare(Engine& engine, const std::vector<schema::Declaration>& declarations) {
    const Result<CommitInfo> declared = engine.Declare(declarations);
    ASSERT_TRUE(declared) << ToString(declared.error());
  }
  static void DeclareItems(Engine& engine) {
    Declare(engine, {Table("item", {Key("id", ValueKind::kInt), Field("x", ValueKind::kInt)})});
  }
  static Status Set(WriteTransaction& t, std::int64_t id, Value x) {
    const schema::Type& type = *t.schema()->FindType("item");
    const TypeId type_id = type.id;
    const std::vector<FieldEdit> fields = {{type.Find("id")->id, I(id)},
                                           {type.Find("x")->id, std::move(x)}};
    Result<bool> updated = t.Update(type_id, Row{I(id)}, fields);
    if (!updated) return std::move(updated).error();
    if (*updated) return Ok();
    Result<Row> inserted = t.Insert(type_id, fields);
    return inserted ? Ok() : Status(std::move(inserted).error());
  }
  static void MustSet(Engine& engine, std::int64_t id, Value x) {
    const Result<CommitInfo> set = engine.Write([&](WriteTransaction& t) { return Set(t, id, x); });
    ASSERT_TRUE(set) << ToString(set.error());
  }
  static Result<Value> Get(const ReadView& view, const schema::Schema& schema, std::int64_t id) {
    const schema::Type& type = *schema.FindType("item");
    const std::string subject = *EncodeSubject(type, Row{I(id)});
    Value value;
    Status read = TripleStore(view).Lookup(
        type, std::vector{type.Find("x")->id}, std::span(&subject, 1),
        [&](std::size_t, std::span<const Value> row) { value = row.empty() ? Value() : row[0]; });
    if (!read) return std::move(read).error();
    return value;
  }
  static Value Get(const Engine& engine, std::int64_t id) {
    const PinnedRef pinned = engine.Pin();
    return *Get(pinned->view(), *pinned->schema(), id);
  }
  static void ExpectSound(const Engine& engine) {
    const Result<CheckReport> report = engine.CheckData({});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->problems, std::vector<std::string>());
  }

  MemoryEnv env_;
  ManualClock clock_{1'700'000'000'000'000};
};

TEST_F(EngineTest, FindsRowsSchemaAndSiteAgainAfterReopening) {
  SiteIdentity site;
  {
    const std::unique_ptr<Engine> engine = Open();
    DeclareItems(*engine);
    MustSet(*engine, 1, I(5));
    site = engine->site();
  }
  const std::unique_ptr<Engine> engine = Open();
  EXPECT_EQ(Get(*engine, 1), I(5));
  EXPECT_EQ(engine->site(), site);
  EXPECT_EQ(engine->version(), Version{2});
  MustSet(*engine, 1, I(6));
  ExpectSound(*engine);
}

TEST_F(EngineTest, StampsNeverGoBackThoughTheClockDoes) {
  const auto stamp = [](const Engine& engine) {
    const schema::SchemaRef schema = engine.schema();
    const schema::Type& type = *schema->FindType("item");
    const std::string subject = *EncodeSubject(type, Row{I(1)});
    const std::string key = schema::FactKey(type.id, type.Find("x")->id, Slice(subject));
    const std::optional<std::string> bytes = *engine.Pin()->view().Get(Slice(key));
    schema::Cell cell;
    EXPECT_TRUE(schema::DecodeCell(Slice(*bytes), &cell));
    return cell.stamp.time;
  };
  std::uint64_t last = 0;
  for (int life = 0; life < 3; ++life) {
    const std::unique_ptr<Engine> engine = Open();
    if (life == 0) DeclareItems(*engine);
    for (int i = 0; i < 5; ++i) {
      MustSet(*engine, 1, I(i));
      EXPECT_GT(stamp(*engine), last);
      last = stamp(*engine);
    }
    clock_.SetNow(clock_.NowMicros() - 3'600'000'000);
  }
}

TEST_F(EngineTest, ReadOnlyReadsAndRefusesToWrite) {
  {
    const std::unique_ptr<Engine> engine = Open();
    DeclareItems(*engine);
    MustSet(*engine, 1, I(5));
  }
  Options options = FileOptions();
  options.read_only = true;
  const std::unique_ptr<Engine> engine = Open(options);
  EXPECT_EQ(Get(*engine, 1), I(5));
  const std::unique_ptr<WriteTransaction> t = engine->Begin();
  const Status set = Set(*t, 1, I(6));
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kReadOnly);
  EXPECT_EQ(t->Declare({}).error().code, ErrorCode::kReadOnly);
}

TEST_F(EngineTest, RefusesANewerFormatAndForeignData) {
  {
    const std::unique_ptr<Engine> engine = Open();
    DeclareItems(*engine);
    lsm::WriteBatch batch;
    const std::string key = schema::MetaKey(kMetaFormat);
    const std::string format = EncodeFormat(kDatabaseFormat + 1);
    batch.Put(Slice(key), Slice(format));
    ASSERT_TRUE(engine->store().Write(batch, lsm::Durability::kDurable));
  }
  Result<std::unique_ptr<Engine>> engine = Engine::Open("db", FileOptions());
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kNewerFormat);
  EXPECT_NE(engine.error().message.find("2"), std::string::npos);
  {
    Result<std::unique_ptr<lsm::Store>> store =
        lsm::Store::Open(env_, "other", {.background_work = false, .compaction_filter = {}});
    ASSERT_TRUE(store);
    lsm::WriteBatch batch;
    batch.Put(Slice("key"), Slice("value"));
    ASSERT_TRUE((*store)->Write(batch, lsm::Durability::kRelaxed));
  }
  engine = Engine::Open("other", FileOptions());
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kForeignDatabase);
}

TEST_F(EngineTest, AnInterruptedIndexIsFinishedAtTheNextOpen) {
  {
    const std::unique_ptr<Engine> engine = Open();
    DeclareItems(*engine);
    for (int i = 0; i < 20; ++i) MustSet(*engine, i, I(i % 3));
    // As the declaring commit leaves it, when the power goes before the index is filled.
    const Result<CommitInfo> written = engine->Write([](WriteTransaction& t) {
      Result<schema::Migration> migration = schema::Migrate(
          *t.schema(), std::vector<schema::Declaration>{schema::IndexDeclaration{
                           .name = "by_x", .type = "item", .columns = {{.name = "x"}}}});
      EXPECT_TRUE(migration);
      return t.SetSchema(std::move(migration->schema));
    });
    ASSERT_TRUE(written);
    EXPECT_FALSE(engine->schema()->FindIndex("by_x")->ready);
    MustSet(*engine, 3, I(9));
  }
  const std::unique_ptr<Engine> engine = Open();
  EXPECT_TRUE(engine->schema()->FindIndex("by_x")->ready);
  ExpectSound(*engine);
}

TEST_F(EngineTest, AnIndexIsBuiltWhileWritersGoOn) {
  const std::unique_ptr<Engine> engine = *Engine::Open(":memory:", {});
  DeclareItems(*engine);
  for (int i = 0; i < 3000; ++i) MustSet(*engine, i, I(i));
  std::atomic<bool> stop = false;
  const std::uint64_t seed = testing::TestSeed();
  std::thread writer([&] {
    RandomEngine random(seed);
    while (!stop) {
      const auto id = static_cast<std::int64_t>(Below(random, 4000));
      const Result<CommitInfo> written = engine->Write([&](WriteTransaction& t) -> Status {
        if (Below(random, 3) != 0) return Set(t, id, I(static_cast<std::int64_t>(random() % 100)));
        Result<bool> deleted = t.Delete(t.schema()->FindType("item")->id, Row{I(id)});
        return deleted ? Ok() : Status(std::move(deleted).error());
      });
      EXPECT_TRUE(written) << ToString(written.error());
    }
  });
  for (int round = 0; round < 3; ++round) {
    Declare(*engine,
            {schema::IndexDeclaration{.name = "by_x", .type = "item", .columns = {{.name = "x"}}}});
    EXPECT_TRUE(engine->schema()->FindIndex("by_x")->ready);
    ExpectSound(*engine);
    Declare(*engine, {schema::DropIndex{.name = "by_x"}});
  }
  stop = true;
  writer.join();
  ExpectSound(*engine);
}

// Each transaction reads some keys and writes their sum into another: what it read says in which
// order it can have run. Replayed by version, every transaction must read what it read.
TEST_F(EngineTest, ConcurrentTransactionsHaveASerialOrder) {
  struct Done {
    std::vector<std::pair<std::int64_t, std::int64_t>> reads;
    std::int64_t target = 0;
    std::int64_t written = 0;
  };
  constexpr std::int64_t kKeys = 5;
  constexpr int kThreads = 3;
  const std::unique_ptr<Engine> engine = *Engine::Open(":memory:", {});
  DeclareItems(*engine);
  for (std::int64_t key = 0; key < kKeys; ++key) MustSet(*engine, key, I(0));
  const std::uint64_t seed = testing::TestSeed();
  const int rounds = static_cast<int>(200 * testing::TestScale());
  std::vector<std::map<Version, Done>> done(kThreads);
  std::atomic<int> conflicts = 0;
  const auto work = [&](int thread) {
    RandomEngine random(seed + static_cast<std::uint64_t>(thread));
    for (int i = 0; i < rounds; ++i) {
      Done run;
      run.target = static_cast<std::int64_t>(Below(random, kKeys));
      const std::unique_ptr<WriteTransaction> t = engine->Begin();
      std::int64_t sum = static_cast<std::int64_t>(Below(random, 1000));
      for (int n = 0; n < 2; ++n) {
        const auto key = static_cast<std::int64_t>(Below(random, kKeys));
        const std::int64_t value = Get(t->view(), *t->schema(), key)->AsInt();
        run.reads.emplace_back(key, value);
        sum += value;
        std::this_thread::yield();
      }
      run.written = sum % 1'000'003;
      ASSERT_TRUE(Set(*t, run.target, I(run.written)));
      const Result<CommitInfo> committed = engine->Commit(*t, Durability::kRelaxed);
      if (committed) {
        done[static_cast<std::size_t>(thread)][committed->version] = run;
      } else {
        EXPECT_EQ(committed.error().code, ErrorCode::kConflict);
        ++conflicts;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(work, thread);
  for (std::thread& thread : threads) thread.join();
  std::map<Version, Done> all;
  for (const auto& runs : done) all.insert(runs.begin(), runs.end());
  std::map<std::int64_t, std::int64_t> state;
  for (const auto& [version, run] : all) {
    for (const auto& [key, value] : run.reads) ASSERT_EQ(state[key], value) << ToNumber(version);
    state[run.target] = run.written;
  }
  for (std::int64_t key = 0; key < kKeys; ++key) EXPECT_EQ(Get(*engine, key), I(state[key]));
  RecordProperty("conflicts", conflicts);
}

}  // namespace
}  // namespace trefoil::db
