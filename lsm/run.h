// A Run is an immutable sorted set of entries plus range deletes: a sealed memtable or an SST. The
// store reads through this seam only, so it knows no file format.
//
// Invariant of the store: of two runs that hold entries of one key, the newer entries lie in the
// run that is asked first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "lsm/internal_key.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// Walks all entries of a run (every version of every key) in the order of internal_key.h. Reading
// the current entry is no call; a cursor that ended, at the end or at an error, is not Valid. The
// entry's bytes live until the next move. One thread at a time.
class RunCursor {
 public:
  RunCursor() = default;
  RunCursor(const RunCursor&) = delete;
  RunCursor& operator=(const RunCursor&) = delete;
  virtual ~RunCursor() = default;

  bool Valid() const { return valid_; }
  const Entry& entry() const { return *shown_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // The first entry whose key is >= target (so the newest of that key).
  virtual void Seek(Slice target) = 0;
  // The last entry whose key is < target (so the oldest of that key).
  virtual void SeekBefore(Slice target) = 0;
  virtual void Next() = 0;
  virtual void Prev() = 0;
  // Not ok when the walk ended at an error.
  virtual Status status() const = 0;

 protected:
  // Of a cursor over others: its current entry is that of `child`, where it stands now.
  void ShowEntryOf(const RunCursor& child) { shown_ = child.shown_; }

  Entry entry_;
  bool valid_ = false;

 private:
  const Entry* shown_ = &entry_;
};

// A value that was found: bytes that live as long as the run where they lie, or a copy.
class FoundValue {
 public:
  Slice get() const { return copy_.empty() ? borrowed_ : Slice(copy_); }
  void Borrow(Slice value) {
    borrowed_ = value;
    copy_.clear();
  }
  void Copy(Slice value) {
    borrowed_ = {};
    copy_.assign(value.view());
  }

 private:
  Slice borrowed_;
  std::string copy_;
};

// One key on its way through the runs, newest run first.
struct PointLookup {
  Slice key;
  std::uint64_t hash = 0;       // Hash64(key), computed once for all filters
  SequenceNumber snapshot = 0;  // entries newer than this are invisible
  // Out: the newest visible entry, set by the first run that has one.
  bool found = false;
  SequenceNumber sequence = 0;
  EntryKind kind = EntryKind::kPut;
  FoundValue value = {};  // as stored: a reference when kind is kBlobPut
};

class Run {
 public:
  virtual ~Run() = default;

  // The cursor must not outlive the run.
  struct CursorOptions {
    bool sequential = false;  // read ahead (compaction, full scans)
    // If set, the cursor may leave out what no reader at this sequence sees: newer entries, and
    // entries of a key older than the newest visible one.
    std::optional<SequenceNumber> snapshot = std::nullopt;
  };
  virtual std::unique_ptr<RunCursor> NewCursor(const CursorOptions& options) const = 0;
  // Fills `lookup` if the run has a visible entry of its key; asks the filter first. Range deletes
  // are not looked at.
  virtual Status Get(PointLookup& lookup) const = 0;
  // As Get for each lookup that is not found yet, overlapping their cache misses.
  virtual Status MultiGet(std::span<PointLookup* const> lookups) const = 0;
  // False only if no key of the run starts with this equality prefix (KeyLayout::EqualityPrefix).
  virtual bool MayContainPrefix(Slice equality_prefix) const = 0;
  // Sorted by start; may overlap. Lives as long as the run.
  virtual std::span<const RangeDelete> range_deletes() const = 0;
  virtual std::uint64_t ApproximateCount(Slice start, Slice limit) const = 0;
  virtual std::uint64_t ApproximateBytes(Slice start, Slice limit) const = 0;
};

}  // namespace trefoil::lsm
