// E1 over the whole path: at every event of a random history on a faulty disk the power may go.
// What the database then holds is the state after some commit, no older than the last one that was
// acknowledged as durable, and facts, rows and indexes agree.
#include <gtest/gtest.h>

#include <string>

#include "base/env_fault.h"
#include "tests/support/database_model.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

using testing::Below;
using testing::DatabaseModel;
using testing::RandomEngine;

Options OptionsFor(FaultEnv& env, Clock& clock) {
  Options options;
  options.env = &env;
  options.clock = &clock;
  options.memtable_bytes = 16 << 10;
  options.cache_bytes = 1 << 20;
  return options;
}

constexpr CrashMode kModes[] = {CrashMode::kKeepAll, CrashMode::kSectors, CrashMode::kTorn,
                                CrashMode::kLoseAll};

class CrashTest : public ::testing::Test {
 protected:
  // Reopens what a crash left and looks at everything.
  void CheckCrash(const FaultEnv& env, CrashMode mode, std::uint64_t seed, Version durable,
                  const DatabaseModel& model) {
    SCOPED_TRACE("crash seed " + std::to_string(seed));
    const std::unique_ptr<FaultEnv> after = env.Crash(mode, seed);
    ++crashes_;
    Result<Database> reopened = Database::Open("db", OptionsFor(*after, clock_));
    if (!reopened) {
      // Only a database that was being made may be missing.
      ASSERT_EQ(durable, Version{}) << ToString(reopened.error());
      return;
    }
    ASSERT_GE(reopened->version(), durable);
    ASSERT_EQ(model.Compare(reopened->snapshot()), "");
    const Result<CheckReport> report = reopened->Check();
    ASSERT_TRUE(report);
    ASSERT_EQ(report->problems, std::vector<std::string>());
  }

  void RunHistory(std::uint64_t seed, int steps) {
    SCOPED_TRACE("history seed " + std::to_string(seed));
    FaultEnv env({.seed = seed});
    DatabaseModel model(seed);
    RandomEngine random(seed + 1);
    Database* open = nullptr;
    bool inside = false;
    env.Observe([&](const FileEvent& event) {
      if (inside || open == nullptr || HasFatalFailure()) return;
      inside = true;
      const Version durable = open->durable_version();
      CheckCrash(env, kModes[Below(random, 4)], seed + event.number, durable, model);
      inside = false;
    });
    for (int life = 0; life < 2; ++life) {
      Result<Database> database = Database::Open("db", OptionsFor(env, clock_));
      ASSERT_TRUE(database) << ToString(database.error());
      ASSERT_EQ(model.Compare(database->snapshot()), "");
      open = &*database;
      for (int step = 0; step < steps && !HasFatalFailure(); ++step) {
        clock_.Advance(Below(random, 50'000));
        ASSERT_TRUE(model.Step(*database)) << model.failure();
        ASSERT_EQ(model.Compare(database->snapshot()), "");
        if (Below(random, 10) == 0) {
          CheckCrash(env, kModes[Below(random, 4)], random(), database->durable_version(), model);
        }
        if (Below(random, 25) == 0) {
          ASSERT_TRUE(database->Flush());
        }
        if (Below(random, 40) == 0) {
          ASSERT_TRUE(database->Compact());
        }
      }
      open = nullptr;
    }
  }

  ManualClock clock_{1'700'000'000'000'000};
  std::uint64_t crashes_ = 0;
};

TEST_F(CrashTest, AfterAnyCrashTheDatabaseHoldsAPrefixWithEveryDurableCommit) {
  const std::uint64_t seed = testing::TestSeed();
  const auto wanted = static_cast<std::uint64_t>(2000 * testing::TestScale());
  for (std::uint64_t history = 0; crashes_ < wanted && !HasFatalFailure(); ++history) {
    RunHistory(seed + history * 1'000'000, 60);
  }
  RecordProperty("crashes", static_cast<int>(crashes_));
}

}  // namespace
}  // namespace trefoil
