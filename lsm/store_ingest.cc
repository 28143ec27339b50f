// Bulk loading: a sorted run becomes files at once, at the deepest level that nothing above it
// overlaps. The manifest edit that adds the files is the commit: it moves the log's floor behind
// the run's sequence, so memtables are flushed first and the log goes on in a new segment.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

namespace {

// The entries of an EntrySource, all under one sequence.
class SourceCursor final : public RunCursor {
 public:
  SourceCursor(const Store::EntrySource& next, SequenceNumber sequence) : next_(next) {
    entry_.sequence = sequence;
  }

  void SeekToFirst() override { Next(); }
  void Next() override {
    std::swap(key_, previous_);
    valid_ = next_(&key_, &value_);
    if (!valid_) return;
    if (key_.size() > kKeyBytesMax) {
      Fail(
          LimitError(StrCat("a key of ", key_.size(), " bytes; keys have at most ", kKeyBytesMax)));
    } else if (started_ && key_ <= previous_) {
      Fail(InvalidArgument("the keys of a sorted run must increase; one does not"));
    }
    started_ = true;
    entry_.key = key_;
    entry_.value = value_;
  }
  Status status() const override { return error_ ? Status(*error_) : Ok(); }

  // A source is read once, from the front.
  void SeekToLast() override { valid_ = false; }
  void Seek(Slice) override { valid_ = false; }
  void SeekBefore(Slice) override { valid_ = false; }
  void Prev() override { valid_ = false; }

 private:
  void Fail(Error error) {
    error_ = std::move(error);
    valid_ = false;
  }

  const Store::EntrySource& next_;
  std::string key_;
  std::string previous_;
  std::string value_;
  bool started_ = false;
  std::optional<Error> error_;
};

std::uint32_t DeepestFreeLevel(const LevelFiles& levels, Slice start, Slice limit) {
  std::uint32_t deepest = 0;
  for (std::uint32_t level = 0; level < levels.size(); ++level) {
    const bool taken = std::ranges::any_of(
        levels[level], [&](const auto& file) { return file->Overlaps(start, limit); });
    if (taken) break;
    deepest = level;
  }
  return deepest;
}

}  // namespace

Result<SequenceNumber> StoreImpl::IngestSorted(const EntrySource& next) {
  const std::lock_guard work_lock(work_mutex_);
  const std::lock_guard write_lock(write_mutex_);
  if (Status writable = CheckWritable(); !writable) return std::move(writable).error();
  // What is under way must not miss files that appear below it.
  if (Status finished = FinishCompaction(); !finished) return std::move(finished).error();
  SealActive();
  if (Status flushed = FlushAll(); !flushed) return std::move(flushed).error();

  const SequenceNumber sequence = last_sequence() + 1;
  MergeJobOptions options = JobOptions(/*output_level=*/kLevels - 1);
  options.last_level = true;
  options.compression = options_.compression;
  options.rules.boundaries.sequences = {sequence - 1, sequence};  // all of it is new
  std::vector<std::unique_ptr<RunCursor>> cursors;
  cursors.push_back(std::make_unique<SourceCursor>(next, sequence));
  MergeJob job(std::move(options), std::move(cursors), nullptr);
  for (;;) {
    Result<bool> done = job.Step(~std::uint64_t{0});
    if (!done) return std::move(done).error();
    if (*done) break;
  }
  VersionEdit edit;
  if (!job.outputs().empty()) {
    const std::uint32_t level = DeepestFreeLevel(
        manifest_.contents().levels, job.outputs().front().smallest, job.outputs().back().limit);
    for (const FileMeta& meta : job.outputs()) edit.added.push_back({.level = level, .meta = meta});
  }
  edit.added_blobs = job.blob_outputs();
  edit.log_floor = {.segment = log_->current_segment() + 1, .sequence = sequence};
  Status installed = Install(std::move(edit));
  if (installed || poisoned_) job.Release();
  if (!installed) return std::move(installed).error();

  log_->GoOnAfter(sequence);
  {
    const std::lock_guard lock(state_mutex_);
    active_first_segment_ = log_->current_segment();
  }
  published_.store(sequence, std::memory_order_release);
  durable_.store(sequence, std::memory_order_release);
  counters_.flush_bytes += job.bytes_written();
  log_->Retire(log_->current_segment());
  return sequence;
}

}  // namespace trefoil::lsm
