// The commit path and what makes it durable.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kBatchBytesMax = std::size_t{1} << 30;
constexpr std::size_t kMemtables = 4;  // of memtable_bytes together: one active, the others sealed
constexpr std::size_t kSealedSoftMax = kMemtables - 1;
constexpr std::size_t kSealedHardMax = kMemtables + 1;
constexpr std::size_t kLevel0SoftMax = 12;
constexpr std::size_t kPacedBytes = std::size_t{64} << 10;
constexpr std::size_t kChunkBytesMin = std::size_t{4} << 10;
constexpr std::size_t kRangeDeletesMax = 256;
constexpr std::uint64_t kGatherPart = 4;  // a sync waits so small a part of its own time for others
constexpr int kLonelySyncs = 16;          // syncs that do not wait after one that waited in vain

}  // namespace

Status StoreImpl::CheckWritable() const {
  if (options_.read_only) {
    return MakeError(ErrorCode::kReadOnly, StrCat(directory_, ": the store is open for reading"));
  }
  if (poisoned_.load(std::memory_order_acquire)) {
    return MakeError(
        ErrorCode::kPoisoned,
        StrCat(directory_, ": an earlier sync failed, so nothing more can be promised"),
        "close and open the store again");
  }
  return Ok();
}

Status StoreImpl::CheckBatch(const WriteBatch& batch) const {
  if (batch.longest_key_bytes() > kKeyBytesMax) {
    return LimitError(
        StrCat("a key of ", batch.longest_key_bytes(), " bytes; keys have at most ", kKeyBytesMax));
  }
  if (batch.encoded().size() > kBatchBytesMax) {
    return LimitError(StrCat("a batch of ", batch.encoded().size(), " bytes; batches have at most ",
                             kBatchBytesMax));
  }
  return Ok();
}

void StoreImpl::Poison() { poisoned_.store(true, std::memory_order_release); }

bool StoreImpl::ActiveIsFull() const {
  return active_->memory_bytes() >= options_.memtable_bytes / kMemtables ||
         active_->range_delete_count() >= kRangeDeletesMax || sometimes_.OneIn(300);
}

void StoreImpl::SealActive() {
  if (active_->empty()) return;
  auto next = std::make_shared<Memtable>(std::clamp<std::size_t>(
      options_.memtable_bytes / kMemtables / 16, kChunkBytesMin, Memtable::kChunkBytesMax));
  const std::lock_guard lock(state_mutex_);
  sealed_.push_back({.memtable = active_,
                     .first_segment = active_first_segment_,
                     .last_sequence = last_sequence()});
  sealed_count_ = sealed_.size();
  auto view = std::make_shared<ReadView>(*view_);
  view->sealed.insert(view->sealed.begin(), active_);
  view->active = next;
  view_ = std::move(view);
  active_ = std::move(next);
  active_first_segment_ = log_->current_segment();
}

Status StoreImpl::MakeRoom(std::size_t batch_bytes) {
  const bool forced = sometimes_.OneIn(100);
  if (!forced && sealed_count_.load(std::memory_order_relaxed) < kSealedSoftMax &&
      level0_files_.load(std::memory_order_relaxed) < kLevel0SoftMax) [[likely]] {
    return Ok();
  }
  if (!options_.background_work) {
    if (!forced && sealed_count_ < kSealedSoftMax) return Ok();
    const std::lock_guard lock(work_mutex_);
    return FlushAll();
  }
  // Each so many bytes wait a moment, long before everything would have to.
  const std::uint64_t start_micros = Clock::System().MonotonicMicros();
  std::unique_lock lock(wake_mutex_);
  const auto full = [this] { return sealed_count_ >= kSealedHardMax; };
  paced_bytes_ += batch_bytes;
  if (paced_bytes_ >= kPacedBytes) {
    paced_bytes_ = 0;
    room_.wait_for(lock, std::chrono::milliseconds(1));
  }
  while (full() && !closing_ && !poisoned_) {
    if (background_error_) return *background_error_;
    room_.wait_for(lock, std::chrono::milliseconds(1));
  }
  ++counters_.stalls;
  counters_.stall_micros += Clock::System().MonotonicMicros() - start_micros;
  return Ok();
}

Result<SequenceNumber> StoreImpl::Write(const WriteBatch& batch, Durability durability) {
  if (Status fits = CheckBatch(batch); !fits) return std::move(fits).error();
  if (Status room = MakeRoom(batch.encoded().size()); !room) return std::move(room).error();
  SequenceNumber sequence = 0;
  bool work = false;
  {
    const std::lock_guard lock(write_mutex_);
    if (Status writable = CheckWritable(); !writable) return std::move(writable).error();
    Result<SequenceNumber> appended = log_->Append(durable_sequence(), batch.encoded());
    if (!appended) return appended;
    sequence = *appended;
    Check(sequence == last_sequence() + 1, "the log and the store count batches alike");
    const bool applied = ApplyEncodedBatch(*active_, batch.encoded(), sequence);
    Check(applied, "a WriteBatch is well-formed");
    published_.store(sequence, std::memory_order_release);
    counters_.user_bytes.fetch_add(batch.encoded().size(), std::memory_order_relaxed);
    const bool full = ActiveIsFull();
    if (full) SealActive();
    work = full || log_->wants_spare();
  }
  if (work && options_.background_work) WakeWorker();
  if (durability == Durability::kDurable) {
    if (Status synced = SyncUpTo(sequence); !synced) return std::move(synced).error();
  } else if (options_.background_work) {
    NoteUnsynced();
  }
  return sequence;
}

// The first to come syncs for all who wait by then; those who come meanwhile are the next group.
Status StoreImpl::SyncUpTo(SequenceNumber sequence) {
  std::unique_lock lock(sync_mutex_);
  sequence = std::min(sequence, last_sequence());
  if (durable_sequence() >= sequence) return Ok();
  if (++sync_waiters_ >= sync_group_) gathered_.notify_one();
  Status synced = SyncWaiting(lock, sequence);
  --sync_waiters_;
  return synced;
}

// Threads that commit in a loop fall into two groups, each of which writes while the other syncs,
// and each sync serves half of them. So the next one waits a moment for those that the last one let
// go, if that paid before.
void StoreImpl::GatherGroup(std::unique_lock<std::mutex>& lock) {
  if (sync_waiters_ >= sync_group_) return;
  if (lonely_syncs_ != 0) {
    --lonely_syncs_;
    return;
  }
  const std::chrono::microseconds moment(sync_micros_ / kGatherPart);
  const bool gathered =
      gathered_.wait_for(lock, moment, [this] { return sync_waiters_ >= sync_group_; });
  if (!gathered) lonely_syncs_ = kLonelySyncs;
}

Status StoreImpl::SyncWaiting(std::unique_lock<std::mutex>& lock, SequenceNumber sequence) {
  while (durable_sequence() < sequence) {
    if (Status writable = CheckWritable(); !writable) return writable;
    if (syncing_) {
      synced_.wait(lock);
      continue;
    }
    syncing_ = true;
    GatherGroup(lock);
    lock.unlock();
    const std::uint64_t start_micros = Clock::System().MonotonicMicros();
    Result<SequenceNumber> synced = log_->Sync();
    sync_micros_ = Clock::System().MonotonicMicros() - start_micros;
    lock.lock();
    sync_group_ = sync_waiters_;
    syncing_ = false;
    if (!synced) {
      Poison();
      synced_.notify_all();
      return std::move(synced).error();
    }
    durable_.store(std::max(durable_sequence(), *synced), std::memory_order_release);
    synced_.notify_all();
  }
  return Ok();
}

}  // namespace trefoil::lsm
