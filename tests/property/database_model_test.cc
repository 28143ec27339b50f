// Random histories against the model: every state is right when it is made and, while history is
// kept, for ever after.
#include "tests/support/database_model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env_memory.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using testing::Below;
using testing::DatabaseModel;

TEST(DatabaseModelTest, HoldsWhatTheModelHoldsAfterEveryCommit) {
  const std::uint64_t seed = testing::TestSeed();
  for (std::uint64_t history = 0; history < 10 * testing::TestScale(); ++history) {
    DatabaseModel model(seed + history);
    Result<Database> database = Database::Open(":memory:");
    ASSERT_TRUE(database);
    for (int step = 0; step < 300; ++step) {
      ASSERT_TRUE(model.Step(*database)) << model.failure();
      ASSERT_EQ(model.Compare(database->snapshot()), "");
    }
    const Result<CheckReport> report = database->Check();
    ASSERT_TRUE(report);
    ASSERT_EQ(report->problems, std::vector<std::string>());
  }
}

class HistoryTest : public ::testing::Test {
 protected:
  Database Open(std::chrono::microseconds retention) {
    Options options;
    options.env = &env_;
    options.clock = &clock_;
    options.memtable_bytes = 16 << 10;
    options.history.retention = retention;
    Result<Database> database = Database::Open("db", options);
    EXPECT_TRUE(database) << ToString(database.error());
    return *std::move(database);
  }

  MemoryEnv env_;
  ManualClock clock_{1'700'000'000'000'000};
};

TEST_F(HistoryTest, EveryRetainedVersionReadsAsItWas) {
  DatabaseModel model(testing::TestSeed());
  std::vector<std::pair<std::int64_t, Version>> times;
  for (int life = 0; life < 2; ++life) {
    Database database = Open(History::kAll);
    const Version first = Version{1};
    for (int step = 0; step < 400; ++step) {
      clock_.Advance(1000 + Below(model.random(), 100'000));
      ASSERT_TRUE(model.Step(database)) << model.failure();
      if (times.empty() || times.back().second != database.version()) {
        times.emplace_back(clock_.NowMicros(), database.version());
      }
      if (Below(model.random(), 50) == 0) {
        ASSERT_TRUE(database.Compact());
      }
      const Version any{ToNumber(first) + Below(model.random(), ToNumber(database.version()))};
      Result<Snapshot> past = database.AsOf(any);
      ASSERT_TRUE(past) << ToString(past.error());
      ASSERT_EQ(past->version(), any);
      ASSERT_EQ(model.Compare(*past), "");
      const auto& [micros, version] = times[Below(model.random(), times.size())];
      past =
          database.AsOf(std::chrono::system_clock::time_point(std::chrono::microseconds(micros)));
      ASSERT_TRUE(past) << ToString(past.error());
      ASSERT_EQ(past->version(), version);
    }
  }
}

TEST_F(HistoryTest, WithoutHistoryThePastIsTooOld) {
  DatabaseModel model(testing::TestSeed());
  Database database = Open(std::chrono::microseconds(0));
  const Snapshot pinned = database.snapshot();
  for (int step = 0; step < 50; ++step) ASSERT_TRUE(model.Step(database));
  EXPECT_EQ(model.Compare(pinned), "");
  const Result<Snapshot> past = database.AsOf(Version{2});
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, ErrorCode::kTooOld);
  const Result<Snapshot> future = database.AsOf(Version{1'000'000});
  ASSERT_FALSE(future);
  EXPECT_EQ(future.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(database.AsOf(std::chrono::system_clock::time_point()).error().code,
            ErrorCode::kTooOld);
}

TEST_F(HistoryTest, StatesOlderThanTheRetentionAreLetGo) {
  DatabaseModel model(testing::TestSeed());
  Database database = Open(std::chrono::seconds(10));
  for (int step = 0; step < 600; ++step) {
    clock_.Advance(200'000);
    ASSERT_TRUE(model.Step(database));
  }
  const Version oldest{ToNumber(database.version()) - 40};
  const Result<Snapshot> recent = database.AsOf(oldest);
  ASSERT_TRUE(recent);
  EXPECT_EQ(model.Compare(*recent), "");
  EXPECT_EQ(database.AsOf(Version{2}).error().code, ErrorCode::kTooOld);
}

}  // namespace
}  // namespace trefoil
