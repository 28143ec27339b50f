// Calls to the disk that fail: each in turn, once or until someone repairs the disk. Nothing that
// was promised is lost; what is read is right or an error; a store that a failed sync poisoned
// acknowledges nothing more, and any other works again without a reopen when the disk does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "tests/lsm/crash_history.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

constexpr int kOperations = 60;

struct Outcome {
  int runs = 0;
  int poisoned = 0;
  int healed = 0;
};

std::string Describe(std::uint64_t seed, const Fault& fault) {
  return StrCat("seed ", seed, ", ", FileOperationName(fault.operation), " number ", fault.skip,
                ", effect ", static_cast<int>(fault.effect), ", code ",
                static_cast<int>(fault.code), fault.times == 1 ? ", once" : ", for ever");
}

// How often a history of this seed makes the call when nothing fails.
std::uint64_t CallsOf(std::uint64_t seed, FileOperation operation) {
  FaultEnv env({.seed = seed, .maps = seed % 2 == 0});
  CrashHistory history(env, seed);
  EXPECT_TRUE(history.Run(kOperations)) << "seed " << seed;
  return env.calls(operation);
}

void RunWith(std::uint64_t seed, const Fault& fault, CrashHistory::AfterFailure after,
             Outcome& outcome) {
  const std::string where = Describe(seed, fault);
  SCOPED_TRACE(where);
  FaultEnv env({.seed = seed, .maps = seed % 2 == 0});
  CrashHistory history(env, seed, after);
  env.Inject(fault);
  const bool finished = history.Run(kOperations);
  EXPECT_TRUE(finished || (after == CrashHistory::AfterFailure::kGoOn && fault.skip < 8));
  history.CheckLeft(*env.Crash(kCrashModes[seed % kCrashModes.size()], seed), where);
  ++outcome.runs;
  outcome.poisoned += history.poisoned();
  outcome.healed += history.healed();
}

// Every call of the kind in turn; at the default length one in so many, another one each time.
void FailEach(std::uint64_t seed, Fault fault, std::uint64_t stride, Outcome& outcome) {
  const std::uint64_t calls = CallsOf(seed, fault.operation);
  const auto step = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(static_cast<double>(stride) / testing::TestScale()));
  for (fault.skip = seed % step; fault.skip < calls; fault.skip += step) {
    if (::testing::Test::HasFailure()) return;
    RunWith(seed, fault, CrashHistory::AfterFailure::kHeal, outcome);
  }
}

TEST(StoreFaultsTest, EachSyncThatFailsIsMadeGoodOrPoisons) {
  Random seeds(testing::TestSeed());
  Outcome outcome;
  for (const FileOperation operation : {FileOperation::kSync, FileOperation::kSyncDirectory}) {
    for (const FaultEffect effect : {FaultEffect::kFail, FaultEffect::kRevert}) {
      FailEach(seeds.Next(), {.operation = operation, .effect = effect}, 1, outcome);
    }
  }
  EXPECT_GT(outcome.poisoned, 0);
  EXPECT_GT(outcome.healed, 0);
}

constexpr std::array kFaults = {
    std::pair(FileOperation::kWrite, FaultEffect::kFail),
    std::pair(FileOperation::kWrite, FaultEffect::kShort),
    std::pair(FileOperation::kWrite, FaultEffect::kTear),
    std::pair(FileOperation::kSync, FaultEffect::kFail),
    std::pair(FileOperation::kSync, FaultEffect::kRevert),
    std::pair(FileOperation::kSyncDirectory, FaultEffect::kFail),
    std::pair(FileOperation::kCreate, FaultEffect::kFail),
    std::pair(FileOperation::kOpen, FaultEffect::kFail),
    std::pair(FileOperation::kAllocate, FaultEffect::kFail),
    std::pair(FileOperation::kTruncate, FaultEffect::kFail),
    std::pair(FileOperation::kMap, FaultEffect::kFail),
    std::pair(FileOperation::kRead, FaultEffect::kFail),
    std::pair(FileOperation::kRemove, FaultEffect::kFail),
    std::pair(FileOperation::kList, FaultEffect::kFail),
    std::pair(FileOperation::kExists, FaultEffect::kFail),
    std::pair(FileOperation::kLock, FaultEffect::kFail),
};

TEST(StoreFaultsTest, EachCallThatFailsOnceOrForEverCostsNothingThatWasPromised) {
  Random seeds(testing::TestSeed());
  Outcome outcome;
  for (const auto& [operation, effect] : kFaults) {
    for (const std::uint64_t times : {std::uint64_t{1}, Fault::kForever}) {
      for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace}) {
        FailEach(seeds.Next(),
                 {.operation = operation, .times = times, .effect = effect, .code = code}, 8,
                 outcome);
      }
    }
  }
  EXPECT_GT(outcome.healed, 0);
}

TEST(StoreFaultsTest, ADiskThatIsFullFromAnyEventOnTakesWritesAgainWhenItHasRoom) {
  Random seeds(testing::TestSeed());
  const std::uint64_t seed = seeds.Next();
  const auto step =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(4 / testing::TestScale()));
  std::uint64_t full_at = 1 + seed % step;
  int healed = 0;
  for (bool reached = true; reached && !HasFailure(); full_at += step) {
    const std::string where = StrCat("seed ", seed, ", full at event ", full_at);
    SCOPED_TRACE(where);
    reached = false;
    FaultEnv env({.seed = seed, .maps = full_at % 2 == 0});
    CrashHistory history(env, seed, CrashHistory::AfterFailure::kHeal);
    env.Observe([&](const FileEvent& event) {
      if (event.number != full_at) return;
      reached = true;
      env.SetCapacity(0);
    });
    EXPECT_TRUE(history.Run(kOperations));
    EXPECT_EQ(history.poisoned(), 0);
    history.CheckLeft(*env.Crash(kCrashModes[full_at % kCrashModes.size()], seed), where);
    healed += history.healed();
  }
  EXPECT_GT(healed, 0);
}

TEST(StoreFaultsTest, ACallThatFailsOnceCostsNothingInRandomHistories) {
  Random seeds(testing::TestSeed());
  Outcome outcome;
  const int rounds = std::max(1, static_cast<int>(20 * testing::TestScale()));
  for (int i = 0; i < rounds; ++i) {
    for (const auto& [operation, effect] : kFaults) {
      if (HasFailure()) return;
      const std::uint64_t seed = seeds.Next();
      RunWith(seed,
              {.operation = operation,
               .skip = seed % 100,
               .effect = effect,
               .code = seed % 3 == 0 ? ErrorCode::kNoSpace : ErrorCode::kIo},
              CrashHistory::AfterFailure::kGoOn, outcome);
    }
  }
}

}  // namespace
}  // namespace trefoil::lsm
