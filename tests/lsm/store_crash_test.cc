// E1: reopen(crash(store)) is a prefix of the batches that holds every batch acknowledged as
// durable. The power is cut before every event of a history, and in recoveries of what is left.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/lsm/crash_history.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

// Cuts the power before every event of one history; every few events also within the recovery.
// Returns the number of crashes.
int CrashEverywhere(std::uint64_t seed, int operations) {
  int crashes = 0;
  FaultEnv env({.seed = seed, .maps = seed % 2 == 0});
  CrashHistory history(env, seed);
  env.Observe([&](const FileEvent& event) {
    if (::testing::Test::HasFatalFailure()) return;
    const CrashMode mode = kCrashModes[(seed + event.number) % kCrashModes.size()];
    const std::string where = StrCat("seed ", seed, ", event ", event.number, " (",
                                     FileOperationName(event.operation), " ", event.path, ")");
    const std::unique_ptr<FaultEnv> left = env.Crash(mode, seed + event.number);
    if (event.number % 8 == 0) {
      left->Observe([&](const FileEvent& inner) {
        if (::testing::Test::HasFatalFailure()) return;
        const std::unique_ptr<FaultEnv> again = left->Crash(mode, seed + inner.number);
        ++crashes;
        history.CheckLeft(*again, StrCat(where, ", then event ", inner.number, " of recovery"));
      });
    }
    ++crashes;
    history.CheckLeft(*left, where);
  });
  EXPECT_TRUE(history.Run(operations));
  env.Observe({});
  return crashes;
}

TEST(StoreCrashTest, APowerCutAtAnyEventLeavesAPrefixWithAllThatIsDurable) {
  Random seeds(testing::TestSeed());
  const int histories = std::max(1, static_cast<int>(12 * testing::TestScale()));
  int crashes = 0;
  for (int i = 0; i < histories && !::testing::Test::HasFailure(); ++i) {
    crashes += CrashEverywhere(seeds.Next(), 120);
  }
  EXPECT_GT(crashes, histories * 50);
}

}  // namespace
}  // namespace trefoil::lsm
