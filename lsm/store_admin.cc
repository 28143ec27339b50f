// History, approximate sizes and statistics.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

Result<Snapshot> StoreImpl::SnapshotAt(SequenceNumber sequence) const {
  const std::lock_guard lock(state_mutex_);
  if (sequence > last_sequence()) {
    return InvalidArgument(
        StrCat("version ", sequence, " is not there yet; the newest is ", last_sequence()));
  }
  const bool kept = sequence == last_sequence() || (horizon_ && sequence >= *horizon_) ||
                    snapshots_->Contains(sequence);
  if (!kept) {
    return MakeError(ErrorCode::kTooOld,
                     StrCat("version ", sequence, " is no longer kept; the oldest is ",
                            horizon_.value_or(last_sequence())),
                     "keep a longer history");
  }
  snapshots_->Add(sequence);
  return Snapshot(std::make_shared<const Snapshot::State>(view_, sequence, snapshots_));
}

void StoreImpl::SetHistoryHorizon(SequenceNumber sequence) {
  bool first = false;
  {
    const std::lock_guard lock(state_mutex_);
    first = !horizon_.has_value();
    // What was folded before cannot be brought back.
    horizon_ = std::max(sequence, horizon_.value_or(last_sequence()));
  }
  // The first must be known to the next session before it folds anything; later ones only keep
  // less, and travel with the next edit.
  if (!first || options_.read_only || poisoned_) return;
  const std::lock_guard work_lock(work_mutex_);
  (void)Install(VersionEdit());
}

SequenceNumber StoreImpl::history_horizon() const {
  const std::lock_guard lock(state_mutex_);
  return horizon_.value_or(last_sequence());
}

namespace {

// The sum of what `measure(run, start, limit)` says of the parts of the view that the range meets.
// Ends that lie outside a file are left away, as each that is given costs a look at a page.
template <typename Measure>
std::uint64_t SumOver(const ReadView& view, const KeyRange& range, const Measure& measure) {
  const Slice start(range.start);
  const Slice limit(range.limit);
  std::uint64_t sum = measure(*view.active, start, limit);
  for (const auto& memtable : view.sealed) sum += measure(*memtable, start, limit);
  for (const Version::Level& level : view.version->levels()) {
    for (const auto& file : level) {
      const FileMeta& meta = file->meta();
      if (Slice(meta.limit) <= start || (!limit.empty() && limit <= Slice(meta.smallest))) continue;
      sum += measure(file->run(), start <= Slice(meta.smallest) ? Slice() : start,
                     Slice(meta.limit) <= limit ? Slice() : limit);
    }
  }
  return sum;
}

}  // namespace

std::uint64_t StoreImpl::ApproximateCount(const KeyRange& range) const {
  return SumOver(*CurrentView(), range, [](const Run& run, Slice start, Slice limit) {
    return run.ApproximateCount(start, limit);
  });
}

std::uint64_t StoreImpl::ApproximateBytes(const KeyRange& range) const {
  return SumOver(*CurrentView(), range, [](const Run& run, Slice start, Slice limit) {
    return run.ApproximateBytes(start, limit);
  });
}

StoreStats StoreImpl::Stats() const {
  StoreStats stats;
  const std::shared_ptr<const ReadView> view = CurrentView();
  for (const Version::Level& level : view->version->levels()) {
    LevelStats& sums = stats.levels.emplace_back();
    for (const auto& file : level) {
      ++sums.files;
      sums.bytes += file->meta().size_bytes;
      sums.entries += file->meta().entries;
    }
  }
  stats.memtable_bytes = view->active->memory_bytes();
  for (const auto& memtable : view->sealed) stats.memtable_bytes += memtable->memory_bytes();
  stats.bytes_written_by_user = counters_.user_bytes;
  stats.bytes_written_by_flush = counters_.flush_bytes;
  stats.bytes_written_by_compaction = counters_.compaction_bytes;
  stats.flushes = counters_.flushes;
  stats.compactions = counters_.compactions;
  stats.trivial_moves = counters_.trivial_moves;
  stats.stalls = counters_.stalls;
  stats.stall_micros = counters_.stall_micros;
  stats.cache_hits = pool_->hits();
  stats.cache_misses = pool_->misses();
  if (log_ != nullptr) {
    stats.log_bytes = log_->file_bytes();
    stats.bytes_written_to_log = log_->appended_bytes();
    stats.syncs = log_->syncs();
  }
  stats.snapshots = snapshots_->size();
  return stats;
}

}  // namespace trefoil::lsm
