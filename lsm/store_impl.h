// StoreImpl joins the parts of the store. The files store_*.cc each hold one side of it: open and
// recovery, writing and syncing, reading, background work.
//
// Locks, taken in this order:
//   work_mutex_   files, manifest, superblock: one flush, compaction or checkpoint at a time
//   write_mutex_  the log's end, the active memtable, sequence numbers: one writer at a time
//   state_mutex_  the pointers readers copy: the current ReadView; held for a few instructions
// and on its own
//   sync_mutex_   who syncs, what is durable
//
// A commit: log record, memtable, then one store publishes the sequence (I1: a published sequence
// is wholly in the view). A failed sync poisons the store: no write and no acknowledgement after
// it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/executor.h"
#include "base/sometimes.h"
#include "lsm/compaction_picker.h"
#include "lsm/log_writer.h"
#include "lsm/manifest.h"
#include "lsm/merge_job.h"
#include "lsm/page_pool.h"
#include "lsm/snapshot_state.h"
#include "lsm/store.h"
#include "lsm/superblock.h"
#include "lsm/table_file.h"
#include "lsm/version.h"

namespace trefoil::lsm {

// What recovery found; see store_open.cc.
struct RecoveredLog {
  std::shared_ptr<Memtable> memtable;
  ChainEnd end;
  std::uint64_t last_segment = 0;
  std::uint64_t last_file = 0;  // highest number of any file in the directory
  struct OldSegment {
    std::uint64_t segment = 0;
    FileNumber file{};
    std::uint64_t size_bytes = 0;
  };
  std::vector<OldSegment> segments;  // still needed, in order
  std::vector<FileNumber> unneeded;
};

// What Stats counts; relaxed.
struct Counters {
  std::atomic<std::uint64_t> user_bytes{0};
  std::atomic<std::uint64_t> flush_bytes{0};
  std::atomic<std::uint64_t> compaction_bytes{0};
  std::atomic<std::uint64_t> flushes{0};
  std::atomic<std::uint64_t> compactions{0};
  std::atomic<std::uint64_t> trivial_moves{0};
  std::atomic<std::uint64_t> stalls{0};
  std::atomic<std::uint64_t> stall_micros{0};
};

class StoreImpl final : public Store {
 public:
  struct Parts {
    Env* env = nullptr;
    std::string directory;
    StoreOptions options;
    std::unique_ptr<FileLock> lock;  // null when read-only
    Superblock superblock;
    Manifest manifest;
    RecoveredLog log;
    bool recovered = false;
  };
  static Result<std::unique_ptr<StoreImpl>> Start(Parts parts);
  ~StoreImpl() override;

  Result<SequenceNumber> Write(const WriteBatch& batch, Durability durability) override;
  Result<std::optional<std::string>> Get(Slice key, const Snapshot& snapshot) const override;
  using Store::MultiGet;
  Status MultiGet(std::span<const Slice> keys, const Snapshot& snapshot,
                  FoundVisitor visit) const override;
  std::unique_ptr<Iterator> NewIterator(KeyRange range, const Snapshot& snapshot) const override;
  Result<SequenceNumber> LatestSequence(Slice key) const override;
  Snapshot GetSnapshot() const override;
  Result<Snapshot> SnapshotAt(SequenceNumber sequence) const override;
  SequenceNumber last_sequence() const override {
    return published_.load(std::memory_order_acquire);
  }
  SequenceNumber durable_sequence() const override {
    return durable_.load(std::memory_order_acquire);
  }
  void SetHistoryHorizon(SequenceNumber sequence) override;
  SequenceNumber history_horizon() const override;
  Status SyncUpTo(SequenceNumber sequence) override;
  Status Flush() override;
  Status Compact(const KeyRange& range) override;
  Result<SequenceNumber> IngestSorted(const EntrySource& next) override;
  Result<bool> Step(std::uint64_t budget_bytes) override;
  Status Checkpoint(const std::string& directory) override;
  Result<std::vector<Damage>> Verify(VerifyDepth depth) const override;
  std::uint64_t ApproximateCount(const KeyRange& range) const override;
  std::uint64_t ApproximateBytes(const KeyRange& range) const override;
  StoreStats Stats() const override;
  Slice uuid() const override { return superblock_.uuid; }
  bool recovered() const override { return recovered_; }

 private:
  // A memtable that is complete, oldest first in sealed_.
  struct Sealed {
    std::shared_ptr<const Memtable> memtable;
    std::uint64_t first_segment = 0;  // of the log, with its first record
    SequenceNumber last_sequence = 0;
  };
  struct RunningFlush {
    std::vector<Sealed> sealed;
    std::unique_ptr<MergeJob> job;
  };
  struct RunningCompaction {
    CompactionPlan plan;
    std::unique_ptr<MergeJob> job;
  };

  explicit StoreImpl(Parts parts);

  // store_open.cc
  Status OpenFiles();
  void StartLog(const RecoveredLog& log);
  Status SecureRecovered();
  void ReleaseLog();
  // Removes files that the manifest does not know.
  void RemoveOrphans(const RecoveredLog& log);
  Result<std::shared_ptr<const TableFile>> OpenTable(std::shared_ptr<const FileMeta> meta) const;
  Result<std::shared_ptr<const BlobInUse>> OpenBlob(const BlobMeta& meta) const;
  FileNumber NewFileNumber() const { return FileNumber{next_file_.fetch_add(1)}; }

  // store_write.cc
  Status CheckWritable() const;
  Status CheckBatch(const WriteBatch& batch) const;
  // Waits, or works, while too much is in memory. Holds no lock.
  Status MakeRoom(std::size_t batch_bytes);
  // Replaces the active memtable by an empty one. Holds write_mutex_.
  void SealActive();
  bool ActiveIsFull() const;
  std::shared_ptr<SkipHints> NewHints() const;
  void Poison();
  // Returns when `sequence` is durable; the lock is that of sync_mutex_.
  Status SyncWaiting(std::unique_lock<std::mutex>& lock, SequenceNumber sequence);
  void GatherGroup(std::unique_lock<std::mutex>& lock);

  // store_read.cc
  std::shared_ptr<const ReadView> CurrentView() const;

  // store_work.cc; all hold work_mutex_
  Result<bool> StepLocked(std::uint64_t budget_bytes);
  Status StartFlush();
  Result<bool> StepFlush(std::uint64_t budget_bytes);
  Status CommitFlush();
  Status FlushAll();
  bool PickWork();
  CompactionOptions PickerOptions() const;
  Result<bool> StepCompaction(std::uint64_t budget_bytes);
  Status CommitCompaction();
  Status MoveFiles(const CompactionPlan& plan);
  Status FinishCompaction();
  bool CanMove(const CompactionPlan& plan, bool last_level) const;
  void StartCompaction(CompactionPlan plan);
  MergeJobOptions JobOptions(int output_level) const;
  // Makes the edit durable, then current. `flushed` memtables leave the view with it.
  Status Install(VersionEdit edit, std::size_t flushed = 0);
  Status RewriteManifest();
  // The files of the next version; those that it does not need go to `dropped`.
  Result<std::vector<Version::Level>> NextLevels(const Version& old, const VersionEdit& edit,
                                                 Version::Level& dropped) const;
  // The blob files of the next version; likewise, and the edit drops them.
  Result<Version::Blobs> NextBlobs(const Version& old, const std::vector<Version::Level>& levels,
                                   VersionEdit& edit, Version::Blobs& dropped) const;
  void RemoveDropped();
  Boundaries CurrentBoundaries() const;

  // store_threads.cc
  void StartThreads();
  void StopThreads();
  void WorkLoop();
  void SyncLoop();
  void WakeWorker();
  void NoteUnsynced();

  Env& env_;
  const std::string directory_;
  const StoreOptions options_;
  const std::unique_ptr<FileLock> lock_;
  const bool recovered_;
  const std::shared_ptr<Graveyard> graveyard_ = std::make_shared<Graveyard>();
  const std::shared_ptr<SnapshotList> snapshots_ = std::make_shared<SnapshotList>();
  const Sometimes sometimes_;
  const std::unique_ptr<PagePool> pool_;
  mutable std::atomic<std::uint64_t> next_file_;

  mutable std::mutex work_mutex_;
  Superblock superblock_;                        // guarded by work_mutex_; its uuid is fixed
  Manifest manifest_;                            // guarded by work_mutex_
  std::optional<RunningFlush> flush_;            // guarded by work_mutex_
  std::optional<RunningCompaction> compaction_;  // guarded by work_mutex_

  std::mutex write_mutex_;
  std::shared_ptr<Memtable> active_;  // guarded by write_mutex_
  std::unique_ptr<LogWriter> log_;    // appended to under write_mutex_

  mutable std::mutex state_mutex_;
  std::shared_ptr<const ReadView> view_;    // guarded by state_mutex_
  std::deque<Sealed> sealed_;               // guarded by state_mutex_
  std::uint64_t active_first_segment_ = 0;  // guarded by state_mutex_
  std::optional<SequenceNumber> horizon_;   // guarded by state_mutex_

  std::atomic<SequenceNumber> published_;
  std::atomic<SequenceNumber> durable_;
  std::atomic<bool> poisoned_{false};
  std::atomic<std::size_t> sealed_count_{0};
  std::atomic<std::size_t> level0_files_{0};
  mutable Counters counters_;

  std::mutex sync_mutex_;
  std::condition_variable synced_;
  std::condition_variable gathered_;
  bool syncing_ = false;           // guarded by sync_mutex_
  int sync_waiters_ = 0;           // guarded by sync_mutex_; threads that wait for a sync or do it
  int sync_group_ = 0;             // guarded by sync_mutex_; waiters when the last sync ended
  int lonely_syncs_ = 0;           // guarded by sync_mutex_
  std::uint64_t sync_micros_ = 0;  // of the last sync; written by the thread that syncs

  mutable std::mutex wake_mutex_;
  std::condition_variable worker_wake_;
  std::condition_variable syncer_wake_;
  std::condition_variable room_;             // memtables were flushed, or background work failed
  bool closing_ = false;                     // guarded by wake_mutex_
  bool work_wanted_ = false;                 // guarded by wake_mutex_
  std::uint64_t paced_bytes_ = 0;            // guarded by wake_mutex_
  std::optional<Error> background_error_;    // guarded by wake_mutex_; of the last attempt
  std::atomic<bool> unsynced_{false};        // SyncLoop has been told
  std::unique_ptr<ThreadExecutor> threads_;  // last: all else outlives the threads
};

// Inserts the edits of a batch; false when the bytes are no batch.
bool ApplyEncodedBatch(Memtable& memtable, Slice encoded, SequenceNumber sequence);

// Reads the log from the floor on. Changes nothing. Errors: kCorruption, kIo.
Result<RecoveredLog> RecoverLog(Env& env, const std::string& directory,
                                const Superblock& superblock, const LogFloor& floor);

}  // namespace trefoil::lsm
