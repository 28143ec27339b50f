// The two threads of a store: one flushes and compacts, one syncs what relaxed commits left, within
// the bounds of the options. Both sleep when there is nothing to do.
#include <algorithm>
#include <chrono>
#include <utility>

#include "lsm/store_impl.h"

namespace trefoil::lsm {

namespace {

constexpr std::uint64_t kStepBytes = std::uint64_t{1} << 20;
constexpr std::chrono::milliseconds kRetryDelay{20};

}  // namespace

void StoreImpl::StartThreads() {
  threads_ = std::make_unique<ThreadExecutor>(2);
  threads_->Post([this] { WorkLoop(); });
  threads_->Post([this] { SyncLoop(); });
}

void StoreImpl::StopThreads() {
  {
    const std::lock_guard lock(wake_mutex_);
    closing_ = true;
  }
  worker_wake_.notify_all();
  syncer_wake_.notify_all();
  room_.notify_all();
  threads_.reset();
}

void StoreImpl::WakeWorker() {
  {
    const std::lock_guard lock(wake_mutex_);
    work_wanted_ = true;
  }
  worker_wake_.notify_one();
}

void StoreImpl::WorkLoop() {
  std::unique_lock lock(wake_mutex_);
  while (!closing_) {
    worker_wake_.wait(lock, [this] { return closing_ || work_wanted_; });
    work_wanted_ = false;
    bool more = true;
    while (more && !closing_) {
      lock.unlock();
      // Without a spare the next commit that fills its segment makes one.
      (void)log_->PrepareSpare();
      Result<bool> worked = [this] {
        const std::lock_guard work_lock(work_mutex_);
        return StepLocked(kStepBytes);
      }();
      lock.lock();
      more = worked && *worked;
      background_error_ = worked ? std::nullopt : std::optional<Error>(std::move(worked).error());
      room_.notify_all();
      if (background_error_ && !poisoned_) {
        // The disk may have room again later.
        worker_wake_.wait_for(lock, kRetryDelay, [this] { return closing_; });
        more = true;
      }
    }
  }
}

// Called after each relaxed commit; cheap when the thread knows already.
void StoreImpl::NoteUnsynced() {
  const bool urgent = log_->unsynced_bytes() >= options_.sync_bytes;
  if (unsynced_.load(std::memory_order_relaxed) && !urgent) return;
  {
    const std::lock_guard lock(wake_mutex_);
    unsynced_ = true;
  }
  syncer_wake_.notify_one();
}

void StoreImpl::SyncLoop() {
  const std::chrono::milliseconds interval(options_.sync_interval_ms);
  std::unique_lock lock(wake_mutex_);
  while (!closing_) {
    syncer_wake_.wait(lock, [this] { return closing_ || unsynced_; });
    syncer_wake_.wait_for(lock, interval, [this] {
      return closing_ || log_->unsynced_bytes() >= options_.sync_bytes;
    });
    if (closing_ || poisoned_) return;
    unsynced_ = false;
    lock.unlock();
    const std::uint64_t bytes = log_->unsynced_bytes();
    (void)SyncUpTo(last_sequence());  // a failure poisons, which every writer is told
    log_->PopulateAhead(bytes);       // about as much comes before the next sync
    lock.lock();
  }
}

}  // namespace trefoil::lsm
