// LogWriter appends batches to a chain of segments: files of records (record_format.h) that are
// written with zeros beforehand and used again when the memtables have reached files, so that a
// commit is a copy into a mapped page and a sync finds every block in place.
//
//   NNN.log  | header | record | record | ... | zeros, or records of an earlier use |
//
// The number of a file is its name; the number of a segment, in the header, is its place in the
// chain. Where the Env cannot map, records go through WriteAt.
//
// I1: a record of segment n+1 is written only after all of segment n. I2: Sync covers every record
// that was appended before it began, in all segments.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/sometimes.h"
#include "lsm/file_meta.h"
#include "lsm/record_format.h"

namespace trefoil::lsm {

inline constexpr std::size_t kLogSegmentBytesMin = std::size_t{16} << 10;
inline constexpr std::size_t kLogSegmentBytesMax = std::size_t{16} << 20;
// So many files that hold nothing any more wait to be used again, the others are removed. Flushes
// free segments in bunches; with too few kept, each bunch is written with zeros anew.
inline constexpr std::size_t kLogSparesMax = 4;
// A segment that a commit has to wait for is no larger, unless its first record is.
inline constexpr std::size_t kLogSegmentBytesInline = std::size_t{1} << 20;

struct LogOptions {
  Env* env = nullptr;  // outlives the writer
  std::string directory;
  std::string uuid;
  std::size_t segment_bytes = std::size_t{16} << 20;
  std::function<FileNumber()> new_file_number;  // any thread
  const Sometimes* sometimes = nullptr;         // not null; outlives the writer
};

class LogWriter {
 public:
  // Goes on behind `end` in a new segment, which is made by the first Append; `last_segment` is
  // the highest segment number ever used.
  LogWriter(LogOptions options, std::uint64_t last_segment, ChainEnd end);
  ~LogWriter();

  // Appends one record and returns its sequence. One thread at a time. A failure leaves the log as
  // it was. Errors: kNoSpace, kIo, kPermission.
  Result<SequenceNumber> Append(SequenceNumber synced, Slice payload);
  // Sum of the record appended last, to which the next one links. Of the appending thread.
  std::uint64_t last_sum() const { return end_.sum; }
  // True when the last Append passed the middle of its segment. Of the appending thread.
  bool wants_spare() const { return wants_spare_; }
  // Leaves out the sequences up to `sequence`, which the manifest holds durably: the next record
  // begins a new segment. Of the appending thread.
  void GoOnAfter(SequenceNumber sequence);
  // Makes durable what was appended before the call and returns the last sequence of that. One
  // thread at a time, beside Append. After an error nothing may be assumed.
  Result<SequenceNumber> Sync();

  // Segment that holds the next record.
  std::uint64_t current_segment() const { return current_segment_.load(); }
  SequenceNumber last_sequence() const { return last_sequence_.load(std::memory_order_acquire); }
  // The segments before `segment` hold nothing that is still needed: their files are used again or
  // removed. They must be synced, and the manifest must say so durably.
  void Retire(std::uint64_t segment);
  // Makes the pages of the next `bytes` bytes writable, so that no Append has to: the first store
  // into a page after a sync costs as much as many records. Any thread.
  void PopulateAhead(std::uint64_t bytes) const;
  // Makes the next segment's file ready, so that no Append has to; does nothing before the first
  // Append, since a session may write nothing. Any thread.
  Status PrepareSpare();
  // Gives back the space that holds no records. The last call of a session whose log is synced;
  // what fails costs space only.
  void Trim();
  // Files of earlier sessions, which Retire removes too.
  void AdoptOld(std::uint64_t segment, FileNumber file, std::uint64_t size_bytes);
  // Bytes of all segment files; bytes appended since the last sync; bytes appended; syncs of files.
  std::uint64_t file_bytes() const;
  std::uint64_t unsynced_bytes() const { return unsynced_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t appended_bytes() const { return appended_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

 private:
  struct Segment {
    std::unique_ptr<File> file;  // null for a file of an earlier session
    std::span<char> map;         // empty where the Env cannot map
    FileNumber file_number{};
    std::uint64_t size_bytes = 0;
    std::uint64_t number = 0;  // 0 = not in the chain
  };

  Result<std::shared_ptr<Segment>> NewSegment(std::uint64_t size_bytes);
  Status StartSegment(std::size_t record_bytes);
  static Status Store(Segment& segment, std::uint64_t offset, Slice bytes);

  const LogOptions options_;
  // Of the appending thread.
  std::shared_ptr<Segment> current_;
  std::uint64_t file_seed_ = 0;
  ChainEnd end_;
  bool wants_spare_ = false;
  std::string record_;  // where the Env cannot map

  std::atomic<std::uint64_t> current_segment_;
  std::atomic<std::uint64_t> current_offset_{0};
  std::atomic<SequenceNumber> last_sequence_;
  std::atomic<std::uint64_t> unsynced_bytes_{0};
  std::atomic<std::uint64_t> appended_bytes_{0};
  std::atomic<std::uint64_t> syncs_{0};

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Segment>> chain_;      // oldest first, current last; guarded by mutex_
  std::vector<std::shared_ptr<Segment>> unsynced_;  // guarded by mutex_
  std::vector<std::shared_ptr<Segment>> spares_;    // guarded by mutex_
};

}  // namespace trefoil::lsm
