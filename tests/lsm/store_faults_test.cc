// Calls to the disk that fail: each in turn, once or until someone repairs the disk. Nothing that
// was promised is lost; what is read is right or an error; a store that a failed sync poisoned
// acknowledges nothing more, and any other works again without a reopen when the disk does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
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

// Two threads that write numbered batches, beside the store's own threads, on a disk that fails for
// a while.
class BackgroundLoad {
 public:
  explicit BackgroundLoad(FaultEnv& env) : store_(Open(env)) {}

  static std::unique_ptr<Store> Open(Env& env) {
    StoreOptions options;
    options.memtable_bytes = std::size_t{64} << 10;
    options.file_bytes = std::size_t{16} << 10;
    options.level1_bytes = std::size_t{64} << 10;
    options.cache_bytes = std::size_t{64} << 10;
    options.sync_interval_ms = 1;
    Result<std::unique_ptr<Store>> store = Store::Open(env, "db", options);
    EXPECT_TRUE(store) << ToString(store.error());
    return *std::move(store);
  }

  void Start() {
    for (std::size_t i = 0; i < kWriters; ++i) {
      threads_.at(i) = std::jthread([this, i](const std::stop_token& stop) { Write(i, stop); });
    }
  }
  void Stop() {
    for (std::jthread& thread : threads_) thread = {};
  }
  // Whether every writer commits again within a minute, or was told that the store is poisoned.
  bool GoesOn() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    const std::array<std::uint64_t, kWriters> before = {written_[0], written_[1]};
    while (!poisoned_ && (written_[0] == before[0] || written_[1] == before[1])) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  bool poisoned() const { return poisoned_; }
  std::uint64_t errors() const { return errors_; }

  // What is durable is in `store`, and each batch as a whole.
  void CheckDurable(const Store& store) const {
    const Snapshot snapshot = store.GetSnapshot();
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      const auto get = [&](const std::string& key) {
        const Result<std::optional<std::string>> value = store.Get(key, snapshot);
        EXPECT_TRUE(value);
        return value && *value ? std::stoull(**value) : std::uint64_t{0};
      };
      const std::uint64_t last = get(StrCat("last", writer));
      EXPECT_GE(last, durable_.at(writer));
      for (std::uint64_t back = 0; back < std::min(last, kSlots); ++back) {
        EXPECT_EQ(get(SlotOf(writer, last - back)), last - back);
      }
    }
  }

 private:
  static constexpr std::size_t kWriters = 2;
  static constexpr std::uint64_t kSlots = 200;

  static std::string SlotOf(std::size_t writer, std::uint64_t number) {
    return StrCat("slot", writer, ".", number % kSlots);
  }

  void Write(std::size_t writer, const std::stop_token& stop) {
    for (std::uint64_t number = 1; !stop.stop_requested() && !poisoned_;) {
      std::string value = std::to_string(number);
      value.resize(100, ' ');
      const std::string slot = SlotOf(writer, number);
      const std::string last = StrCat("last", writer);
      WriteBatch batch;
      batch.Put(slot, value);
      batch.Put(last, value);
      const bool durable = number % 16 == 0;
      const Result<SequenceNumber> written =
          store_->Write(batch, durable ? Durability::kDurable : Durability::kRelaxed);
      if (written) {
        if (durable) durable_.at(writer) = number;
        written_.at(writer) = number++;
        continue;
      }
      ++errors_;
      if (written.error().code == ErrorCode::kPoisoned) poisoned_ = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::unique_ptr<Store> store_;
  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> errors_{0};
  std::array<std::atomic<std::uint64_t>, kWriters> written_{};
  std::array<std::atomic<std::uint64_t>, kWriters> durable_{};
  std::array<std::jthread, kWriters> threads_;
};

TEST(StoreFaultsTest, WritersGoOnBesideWorkInTheBackgroundWhenTheDiskWorksAgain) {
  Random random(testing::TestSeed());
  std::uint64_t errors = 0;
  for (const auto& [operation, effect] : kFaults) {
    SCOPED_TRACE(StrCat(FileOperationName(operation), ", effect ", static_cast<int>(effect)));
    FaultEnv env({.seed = random.Next(), .maps = false});
    BackgroundLoad load(env);
    load.Start();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    env.Inject({.operation = operation, .times = Fault::kForever, .effect = effect});
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    env.ClearFaults();
    EXPECT_TRUE(load.GoesOn());
    const bool syncs =
        operation == FileOperation::kSync || operation == FileOperation::kSyncDirectory;
    EXPECT_TRUE(syncs || !load.poisoned());
    load.Stop();
    errors += load.errors();
    const CrashMode mode = kCrashModes.at(random.Uniform(kCrashModes.size()));
    const std::unique_ptr<FaultEnv> left = env.Crash(mode, random.Next());
    load.CheckDurable(*BackgroundLoad::Open(*left));
  }
  EXPECT_GT(errors, 0U);
}

}  // namespace
}  // namespace trefoil::lsm
