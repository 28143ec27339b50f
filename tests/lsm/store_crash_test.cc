// E1: reopen(crash(store)) is a prefix of the batches that holds every batch acknowledged as
// durable. The power is cut before every event of a history, and in recoveries of what is left.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/store.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

using Contents = std::map<std::string, std::string>;

constexpr std::array kModes = {CrashMode::kLoseAll, CrashMode::kSectors, CrashMode::kTorn,
                               CrashMode::kKeepAll};

double Scale() {
  const char* given = std::getenv("TREFOIL_SCALE");
  return given != nullptr ? std::strtod(given, nullptr) : 1;
}

StoreOptions SmallOptions() {
  StoreOptions options;
  options.background_work = false;
  options.memtable_bytes = std::size_t{32} << 10;
  options.file_bytes = std::size_t{8} << 10;
  options.level1_bytes = std::size_t{16} << 10;
  options.cache_bytes = std::size_t{64} << 10;
  return options;
}

// A read that fails says so, and works when it is repeated.
Contents ContentsOf(Store& store, int attempts = 2) {
  Contents contents;
  const std::unique_ptr<Iterator> iterator = store.NewIterator({}, store.GetSnapshot());
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    contents.emplace(iterator->key().view(), iterator->value().view());
  }
  if (!iterator->status() && attempts > 1) return ContentsOf(store, attempts - 1);
  EXPECT_TRUE(iterator->status());
  return contents;
}

// Writes a random history and remembers what was true after each batch and what was promised.
class Writer {
 public:
  Writer(FaultEnv& env, std::uint64_t seed) : env_(env), random_(seed) {}

  // False when the world failed in a way that ends the history.
  bool Run(int operations) {
    if (!Open()) return false;
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
      if (!Operate() && !Recover()) return false;
    }
    store_.reset();
    return true;
  }

  // What the batches up to `sequence` add up to.
  const Contents& StateAt(SequenceNumber sequence) const { return states_[sequence]; }
  SequenceNumber durable() const { return durable_; }
  SequenceNumber attempted() const { return states_.size() - 1; }

 private:
  bool Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", SmallOptions());
    if (!store) return false;
    store_ = *std::move(store);
    Settle();
    return true;
  }

  // The world may keep or lose what was not promised; the history goes on from there.
  void Settle() {
    const SequenceNumber last = store_->last_sequence();
    ASSERT_GE(last, durable_) << "a durable batch is lost";
    ASSERT_LE(last, attempted());
    ASSERT_TRUE(ContentsOf(*store_) == states_[last]);
  }

  // After a call that failed: what is read is as before, and a reopen helps if nothing else does.
  bool Recover() {
    if (env_.is_off()) return false;
    if (store_ != nullptr) {
      Settle();
      if (!random_.OneIn(4) && Commit(WriteBatch(), Contents(Now()), /*durable=*/true)) return true;
    }
    return Open() || Open();
  }

  bool Operate() {
    const std::uint64_t choice = random_.Uniform(100);
    if (choice < 75) return WriteSome();
    if (choice < 83) return store_->Step(20'000).has_value();
    if (choice < 88) return store_->Flush().has_value();
    if (choice < 91) return store_->Compact({}).has_value();
    if (choice < 96) {
      if (!store_->SyncUpTo(store_->last_sequence())) return false;
      durable_ = store_->last_sequence();
      return true;
    }
    return Open();
  }

  const Contents& Now() const { return states_[store_->last_sequence()]; }

  bool Commit(const WriteBatch& batch, Contents next, bool durable) {
    states_.resize(store_->last_sequence() + 1);
    states_.push_back(std::move(next));  // it may be there even if the call fails
    const Result<SequenceNumber> written =
        store_->Write(batch, durable ? Durability::kDurable : Durability::kRelaxed);
    if (!written) return false;
    if (durable) durable_ = attempted();
    return true;
  }

  bool WriteSome() {
    WriteBatch batch;
    Contents next = Now();
    if (random_.OneIn(10)) {
      const std::string start = StrCat("k", random_.Uniform(40));
      const std::string limit = start + "5";
      batch.DeleteRange(start, limit);
      next.erase(next.lower_bound(start), next.lower_bound(limit));
    }
    for (std::uint64_t i = 0; i < 1 + random_.Uniform(4); ++i) {
      const std::string key = StrCat("k", random_.Uniform(40));
      if (random_.OneIn(4)) {
        batch.Delete(key);
        next.erase(key);
        continue;
      }
      std::string value = StrCat(states_.size(), ".", i);
      value.resize(random_.OneIn(8) ? random_.Uniform(3000) : value.size(), 'v');
      batch.Put(key, value);
      next[key] = value;
    }
    return Commit(batch, std::move(next), random_.OneIn(4));
  }

  FaultEnv& env_;
  Random random_;
  std::unique_ptr<Store> store_;
  std::vector<Contents> states_ = std::vector<Contents>(1);
  SequenceNumber durable_ = 0;
};

// Opens what a crash left and compares.
void CheckLeft(FaultEnv& env, const Writer& writer, const std::string& where) {
  Result<std::unique_ptr<Store>> store = Store::Open(env, "db", SmallOptions());
  ASSERT_TRUE(store) << where << ": " << ToString(store.error());
  const SequenceNumber last = (*store)->last_sequence();
  ASSERT_GE(last, writer.durable()) << where << ": a durable batch is lost";
  ASSERT_LE(last, writer.attempted()) << where;
  ASSERT_TRUE(ContentsOf(**store) == writer.StateAt(last))
      << where << ": not the state of " << last;
}

// Cuts the power before every event of one history; every few events also within the recovery.
// Returns the number of crashes.
int CrashEverywhere(std::uint64_t seed, int operations) {
  int crashes = 0;
  FaultEnv env({.seed = seed, .maps = seed % 2 == 0});
  Writer writer(env, seed);
  env.Observe([&](const FileEvent& event) {
    if (::testing::Test::HasFatalFailure()) return;
    const CrashMode mode = kModes[(seed + event.number) % kModes.size()];
    const std::string where = StrCat("seed ", seed, ", event ", event.number, " (",
                                     FileOperationName(event.operation), " ", event.path, ")");
    const std::unique_ptr<FaultEnv> left = env.Crash(mode, seed + event.number);
    if (event.number % 8 == 0) {
      left->Observe([&](const FileEvent& inner) {
        if (::testing::Test::HasFatalFailure()) return;
        const std::unique_ptr<FaultEnv> again = left->Crash(mode, seed + inner.number);
        ++crashes;
        CheckLeft(*again, writer, StrCat(where, ", then event ", inner.number, " of recovery"));
      });
    }
    ++crashes;
    CheckLeft(*left, writer, where);
  });
  EXPECT_TRUE(writer.Run(operations));
  env.Observe({});
  return crashes;
}

TEST(StoreCrashTest, APowerCutAtAnyEventLeavesAPrefixWithAllThatIsDurable) {
  Random seeds(testing::TestSeed());
  const int histories = std::max(1, static_cast<int>(12 * Scale()));
  int crashes = 0;
  for (int i = 0; i < histories && !::testing::Test::HasFailure(); ++i) {
    crashes += CrashEverywhere(seeds.Next(), 120);
  }
  EXPECT_GT(crashes, histories * 50);
}

// One call fails, once; the history goes on, and a crash at the end finds what was promised.
void FailOnce(std::uint64_t seed, const Fault& fault) {
  FaultEnv env({.seed = seed, .maps = seed % 2 == 0});
  Writer writer(env, seed);
  env.Inject(fault);
  const std::string where =
      StrCat("seed ", seed, ", ", FileOperationName(fault.operation), " number ", fault.skip,
             ", effect ", static_cast<int>(fault.effect));
  EXPECT_TRUE(writer.Run(60) || fault.skip < 8) << where;
  CheckLeft(*env.Crash(kModes[seed % kModes.size()], seed), writer, where);
}

TEST(StoreCrashTest, ACallThatFailsOnceCostsNothingThatWasPromised) {
  Random seeds(testing::TestSeed());
  constexpr std::array kFaults = {
      std::pair(FileOperation::kWrite, FaultEffect::kFail),
      std::pair(FileOperation::kWrite, FaultEffect::kShort),
      std::pair(FileOperation::kWrite, FaultEffect::kTear),
      std::pair(FileOperation::kSync, FaultEffect::kFail),
      std::pair(FileOperation::kSync, FaultEffect::kRevert),
      std::pair(FileOperation::kCreate, FaultEffect::kFail),
      std::pair(FileOperation::kAllocate, FaultEffect::kFail),
      std::pair(FileOperation::kMap, FaultEffect::kFail),
      std::pair(FileOperation::kRead, FaultEffect::kFail),
      std::pair(FileOperation::kRemove, FaultEffect::kFail),
      std::pair(FileOperation::kSyncDirectory, FaultEffect::kFail),
      std::pair(FileOperation::kList, FaultEffect::kFail),
      std::pair(FileOperation::kExists, FaultEffect::kFail),
  };
  const int rounds = std::max(1, static_cast<int>(40 * Scale()));
  for (int i = 0; i < rounds; ++i) {
    for (const auto& [operation, effect] : kFaults) {
      if (::testing::Test::HasFailure()) return;
      const std::uint64_t seed = seeds.Next();
      FailOnce(seed, {.operation = operation,
                      .skip = seed % 100,
                      .effect = effect,
                      .code = seed % 3 == 0 ? ErrorCode::kNoSpace : ErrorCode::kIo});
    }
  }
}

}  // namespace
}  // namespace trefoil::lsm
