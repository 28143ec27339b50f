// A random history of a store on a disk that fails, beside what must be read after each batch and
// what was promised to survive. The tests of power cuts and of faults run it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/store.h"

namespace trefoil::lsm {

inline constexpr std::array kCrashModes = {CrashMode::kLoseAll, CrashMode::kSectors,
                                           CrashMode::kTorn, CrashMode::kKeepAll};

class CrashHistory {
 public:
  using Contents = std::map<std::string, std::string>;

  enum class AfterFailure {
    kGoOn,  // on the store as it is, or after a reopen
    kHeal,  // a few calls more while the fault lasts; then it is gone, and all must work again
  };

  CrashHistory(FaultEnv& env, std::uint64_t seed, AfterFailure after = AfterFailure::kGoOn)
      : env_(env), random_(seed), after_(after) {}

  // False when the world failed in a way that ends the history.
  bool Run(int operations) {
    if (!Open() && !Recover()) return false;
    for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
      if (!Operate() && !Recover()) return false;
    }
    store_.reset();
    return true;
  }

  // Opens what a crash left and compares.
  void CheckLeft(FaultEnv& left, const std::string& where) const {
    Result<std::unique_ptr<Store>> store = Store::Open(left, "db", Options());
    ASSERT_TRUE(store) << where << ": " << ToString(store.error());
    const SequenceNumber last = (*store)->last_sequence();
    ASSERT_GE(last, durable_) << where << ": a durable batch is lost";
    ASSERT_LE(last, attempted()) << where;
    ASSERT_TRUE(IsStateOf(last, ContentsOf(**store).value()))
        << where << ": not the state of " << last;
  }
  // How often a store was poisoned, and how often one worked again without a reopen.
  int poisoned() const { return poisoned_; }
  int healed() const { return healed_; }

 private:
  static StoreOptions Options() {
    StoreOptions options;
    options.background_work = false;
    options.memtable_bytes = std::size_t{32} << 10;
    options.file_bytes = std::size_t{8} << 10;
    options.level1_bytes = std::size_t{16} << 10;
    options.cache_bytes = std::size_t{64} << 10;
    return options;
  }

  // Nothing when the walk ended with an error.
  static std::optional<Contents> ContentsOf(Store& store) {
    Contents contents;
    const std::unique_ptr<Iterator> iterator = store.NewIterator({}, store.GetSnapshot());
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      contents.emplace(iterator->key().view(), iterator->value().view());
    }
    if (!iterator->status()) return std::nullopt;
    return contents;
  }

  bool IsStateOf(SequenceNumber sequence, const Contents& contents) const {
    return contents == states_[sequence] ||
           (sequence == attempted() && std::ranges::count(doubtful_, contents) != 0);
  }

  SequenceNumber attempted() const { return states_.size() - 1; }
  const Contents& Now() const { return states_[store_->last_sequence()]; }

  bool Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", Options());
    if (!store) return Failed(store.error());
    store_ = *std::move(store);
    const SequenceNumber last = store_->last_sequence();
    if (last < attempted()) {  // what failed is not there
      states_.resize(last + 1);
      doubtful_.clear();
    }
    Settle(/*may_fail=*/true);
    return true;
  }

  // The world may keep or lose what was not promised; the history goes on from there.
  void Settle(bool may_fail) {
    const SequenceNumber last = store_->last_sequence();
    ASSERT_GE(last, durable_) << "a durable batch is lost";
    ASSERT_LE(last, attempted());
    // A read that fails says so, and works when it is repeated in a world that works.
    std::optional<Contents> contents = ContentsOf(*store_);
    if (!contents) contents = ContentsOf(*store_);
    ASSERT_TRUE(contents || may_fail);
    if (!contents) return;
    ASSERT_TRUE(IsStateOf(last, *contents));
    if (last < attempted()) return;
    states_[last] = *std::move(contents);
    doubtful_.clear();
  }

  bool Recover() {
    if (env_.is_off()) return false;
    return after_ == AfterFailure::kHeal ? Heal() : GoOn();
  }

  // After a call that failed: what is read is as before, and a reopen helps if nothing else does.
  bool GoOn() {
    if (store_ != nullptr) {
      Settle(/*may_fail=*/false);
      if (!random_.OneIn(4) && Commit(WriteBatch(), Contents(Now()), /*durable=*/true)) return true;
    }
    return Open() || Open();
  }

  // A poisoned store acknowledges nothing; any other works again when the fault is gone.
  bool Heal() {
    for (int i = 0; i < 3 && store_ != nullptr; ++i) {
      Settle(/*may_fail=*/true);
      (void)Operate();
    }
    env_.ClearFaults();
    env_.SetCapacity(std::numeric_limits<std::uint64_t>::max());
    if (store_ == nullptr) return Open();
    Settle(/*may_fail=*/false);
    if (Commit(WriteBatch(), Contents(Now()), /*durable=*/true)) {
      ++healed_;
      const Status compacted = store_->Compact({});
      EXPECT_TRUE(compacted) << ToString(compacted.error());
      return true;
    }
    EXPECT_EQ(error_, ErrorCode::kPoisoned);
    ++poisoned_;
    for (const bool durable : {false, true}) {
      EXPECT_FALSE(Commit(WriteBatch(), Contents(Now()), durable));
      EXPECT_EQ(error_, ErrorCode::kPoisoned);
    }
    Settle(/*may_fail=*/false);
    return Open();
  }

  bool Operate() {
    const std::uint64_t choice = random_.Uniform(100);
    if (choice < 75) return WriteSome();
    if (choice < 83) {
      const Result<bool> more = store_->Step(20'000);
      return more || Failed(more.error());
    }
    if (choice < 88) return Done(store_->Flush());
    if (choice < 91) return Done(store_->Compact({}));
    if (choice < 96) {
      if (!Done(store_->SyncUpTo(store_->last_sequence()))) return false;
      durable_ = store_->last_sequence();
      return true;
    }
    return Open();
  }

  bool Done(const Status& status) { return status || Failed(status.error()); }
  bool Failed(const Error& error) {
    error_ = error.code;
    return false;
  }

  bool Commit(const WriteBatch& batch, Contents next, bool durable) {
    // What a call that failed was to write may be there, until another batch stands in its place.
    const SequenceNumber sequence = store_->last_sequence() + 1;
    if (attempted() == sequence) doubtful_.push_back(std::move(states_.back()));
    states_.resize(sequence);
    states_.push_back(std::move(next));
    const Result<SequenceNumber> written =
        store_->Write(batch, durable ? Durability::kDurable : Durability::kRelaxed);
    if (!written) return Failed(written.error());
    doubtful_.clear();
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
  const AfterFailure after_;
  std::unique_ptr<Store> store_;
  std::vector<Contents> states_ = std::vector<Contents>(1);
  std::vector<Contents> doubtful_;  // of batches that failed with the number of the last state
  SequenceNumber durable_ = 0;
  ErrorCode error_{};  // of the last call that failed
  int poisoned_ = 0;
  int healed_ = 0;
};

}  // namespace trefoil::lsm
