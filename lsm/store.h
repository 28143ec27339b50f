// Store: an ordered, versioned, crash-safe map from bytes to bytes. The only header of this folder
// that others include (with options.h and write_batch.h, which it includes).
//
// Threads: every method may be called from any thread. Writes are serial; readers take no lock.
// A failed sync poisons the store: writes fail with kPoisoned, reads go on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/function_ref.h"
#include "lsm/options.h"
#include "lsm/write_batch.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// A pinned state of the store: a value, copying counts a reference. Must not outlive its Store.
class Snapshot {
 public:
  class State;  // defined by the store

  Snapshot() = default;
  explicit Snapshot(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  // The batches with a number up to this one are visible.
  SequenceNumber sequence() const;
  const State& state() const { return *state_; }
  bool valid() const { return state_ != nullptr; }

 private:
  std::shared_ptr<const State> state_;
};

// A half-open range of keys; an empty limit means no limit.
struct KeyRange {
  std::string start;
  std::string limit;
};

// Walks the visible entries of a range in key order, in both directions. Starts nowhere: seek
// first. key() and value() stay valid until the next move. One thread at a time.
class Iterator {
 public:
  virtual ~Iterator() = default;

  virtual bool Valid() const = 0;
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  virtual void Seek(Slice target) = 0;         // first key >= target
  virtual void SeekForPrev(Slice target) = 0;  // last key <= target
  virtual void Next() = 0;
  virtual void Prev() = 0;
  virtual Slice key() const = 0;
  virtual Slice value() const = 0;
  // Sequence of the batch that wrote the entry; 0 when it is older than every snapshot.
  virtual SequenceNumber sequence() const = 0;
  // Not ok when the walk ended at an error instead of the end of the range.
  virtual Status status() const = 0;
};

// Is told what is stored under key number `i`; the bytes are valid during the call.
using FoundVisitor = FunctionRef<void(std::size_t i, std::optional<Slice> value)>;

// Where the store stands: totals and one entry per level, for stats and tests.
struct LevelStats {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};
struct StoreStats {
  std::vector<LevelStats> levels;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t bytes_written_by_user = 0;
  std::uint64_t bytes_written_to_log = 0;
  std::uint64_t bytes_written_by_flush = 0;
  std::uint64_t bytes_written_by_compaction = 0;
  std::uint64_t flushes = 0;
  std::uint64_t compactions = 0;
  std::uint64_t trivial_moves = 0;
  std::uint64_t stalls = 0;
  std::uint64_t stall_micros = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t syncs = 0;
};

enum class VerifyDepth { kFast, kFull, kDeep };

// One damaged place found by Verify.
struct Damage {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
};

class Store {
 public:
  // Opens, recovering from the log; makes a new store if options.create allows. A failed open
  // creates and changes nothing.
  // Errors: kNotFound, kLocked, kForeignDatabase, kNewerFormat, kCorruption, kIo, kPermission.
  static Result<std::unique_ptr<Store>> Open(Env& env, const std::string& path,
                                             const StoreOptions& options);
  virtual ~Store() = default;  // a clean close

  // Applies the batch and returns its sequence number. Errors: kPoisoned, kReadOnly, kNoSpace,
  // kLimit (a key above 64 KiB, a batch above 1 GiB), kIo.
  virtual Result<SequenceNumber> Write(const WriteBatch& batch, Durability durability) = 0;

  // The value of `key` at the snapshot, or nothing.
  virtual Result<std::optional<std::string>> Get(Slice key, const Snapshot& snapshot) const = 0;
  // As Get for many keys, overlapping cache misses; visits each, in order, where its value lies.
  virtual Status MultiGet(std::span<const Slice> keys, const Snapshot& snapshot,
                          FoundVisitor visit) const = 0;
  // The same, values copied.
  Result<std::vector<std::optional<std::string>>> MultiGet(std::span<const Slice> keys,
                                                           const Snapshot& snapshot) const;
  virtual std::unique_ptr<Iterator> NewIterator(KeyRange range, const Snapshot& snapshot) const = 0;
  // Sequence of the newest entry of `key` (a deletion counts), or 0 when it is unknown because it
  // is older than every snapshot.
  virtual Result<SequenceNumber> LatestSequence(Slice key) const = 0;

  virtual Snapshot GetSnapshot() const = 0;
  // The state after batch `sequence`, if the history horizon still holds it. Error: kTooOld.
  virtual Result<Snapshot> SnapshotAt(SequenceNumber sequence) const = 0;
  virtual SequenceNumber last_sequence() const = 0;
  virtual SequenceNumber durable_sequence() const = 0;
  // Batches from `sequence` on keep their history through compaction; only moves forward.
  virtual void SetHistoryHorizon(SequenceNumber sequence) = 0;
  virtual SequenceNumber history_horizon() const = 0;

  // All batches up to `sequence` are durable on return. Error: kPoisoned, kIo.
  virtual Status SyncUpTo(SequenceNumber sequence) = 0;
  // Writes the memtables to files and waits.
  virtual Status Flush() = 0;
  // Merges everything in the range down to the last level and waits.
  virtual Status Compact(const KeyRange& range) = 0;
  // Adds a sorted run of new keys as files, without the log and the memtable, as one sequence.
  // `next` yields entries in strictly increasing key order until it returns false.
  using EntrySource = std::function<bool(std::string* key, std::string* value)>;
  virtual Result<SequenceNumber> IngestSorted(const EntrySource& next) = 0;
  // Does background work of about `budget_bytes`; returns false when there is none left.
  virtual Result<bool> Step(std::uint64_t budget_bytes) = 0;

  // A consistent copy in a new directory, by hard links where the Env has them.
  virtual Status Checkpoint(const std::string& directory) = 0;
  virtual Result<std::vector<Damage>> Verify(VerifyDepth depth) const = 0;

  virtual std::uint64_t ApproximateCount(const KeyRange& range) const = 0;
  virtual std::uint64_t ApproximateBytes(const KeyRange& range) const = 0;
  virtual StoreStats Stats() const = 0;
  // 16 random bytes fixed at creation.
  virtual Slice uuid() const = 0;
  // True when the last close was not clean and the log was replayed at this open.
  virtual bool recovered() const = 0;
};

// Rebuilds what is readable of a damaged store in `from` as a new store in `to` and reports the
// lost key ranges. Never touches the originals.
struct RepairReport {
  std::uint64_t entries_saved = 0;
  std::vector<Damage> damages;
};
Result<RepairReport> Repair(Env& env, const std::string& from, const std::string& to);

}  // namespace trefoil::lsm
