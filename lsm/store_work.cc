// Background work: flushes, compactions, the manifest, removal of files. Everything here runs under
// work_mutex_, in steps, on the store's own thread or on that of whoever calls Step.
//
// A change of files is made in this order: new files written and synced, directory synced, edit in
// the manifest synced, new view for readers, and only then old files and log segments let go.
#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

namespace {

constexpr std::uint64_t kWholeJob = ~std::uint64_t{0};
constexpr std::uint64_t kFlushFileBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kLevelRatio = 8;

// A compaction reads the files of one version.
struct CompactionInputs {
  std::shared_ptr<const Version> version;
  Version::Level upper;  // of the plan's level
  Version::Level lower;  // of its output level
};

Version::Level TablesOf(const Version::Level& level, const std::vector<FilePointer>& files) {
  Version::Level tables;
  for (const FilePointer& file : files) {
    const auto table = std::ranges::find_if(
        level, [&](const auto& candidate) { return candidate->meta().number == file->number; });
    Check(table != level.end(), "a compaction plan names files of the current version");
    tables.push_back(*table);
  }
  return tables;
}

void AppendRangeDeletes(const Run& run, std::vector<RangeDelete>& to) {
  const std::span<const RangeDelete> ranges = run.range_deletes();
  to.insert(to.end(), ranges.begin(), ranges.end());
}

}  // namespace

Boundaries StoreImpl::CurrentBoundaries() const {
  const std::lock_guard lock(state_mutex_);
  Boundaries boundaries = {.sequences = snapshots_->Sequences(), .horizon = horizon_};
  if (boundaries.sequences.empty() || boundaries.sequences.back() != last_sequence()) {
    boundaries.sequences.push_back(last_sequence());
  }
  return boundaries;
}

MergeJobOptions StoreImpl::JobOptions(int output_level) const {
  MergeJobOptions options;
  options.env = &env_;
  options.directory = directory_;
  options.uuid = superblock_.uuid;
  options.output_level = output_level;
  options.file_bytes = output_level == 0 ? kFlushFileBytes : options_.file_bytes;
  options.key_layout = options_.key_layout;
  options.new_file_number = [this] { return NewFileNumber(); };
  options.sometimes = &sometimes_;
  options.rules.boundaries = CurrentBoundaries();
  options.read_blob = [version = CurrentView()->version](Slice reference) {
    return version->ReadBlob(reference);
  };
  return options;
}

Status StoreImpl::StartFlush() {
  RunningFlush flush;
  {
    const std::lock_guard lock(state_mutex_);
    flush.sealed.assign(sealed_.begin(), sealed_.end());
  }
  Check(!flush.sealed.empty(), "a flush has memtables");
  MergeJobOptions options = JobOptions(/*output_level=*/0);
  const LevelFiles& levels = manifest_.contents().levels;
  options.rules.bottom =
      std::ranges::all_of(levels, [](const auto& level) { return level.empty(); });
  auto inputs = std::make_shared<std::vector<Sealed>>(flush.sealed);
  std::vector<std::unique_ptr<RunCursor>> cursors;
  for (auto sealed = inputs->rbegin(); sealed != inputs->rend(); ++sealed) {
    cursors.push_back(sealed->memtable->NewCursor({}));
    AppendRangeDeletes(*sealed->memtable, options.rules.range_deletes);
  }
  flush.job = std::make_unique<MergeJob>(std::move(options), std::move(cursors), std::move(inputs));
  flush_ = std::move(flush);
  return Ok();
}

Result<bool> StoreImpl::StepFlush(std::uint64_t budget_bytes) {
  if (!flush_) {
    if (Status started = StartFlush(); !started) return std::move(started).error();
  }
  Result<bool> done = flush_->job->Step(budget_bytes);
  if (!done) {
    flush_.reset();
    return done;
  }
  if (!*done) return false;
  Status committed = CommitFlush();
  flush_.reset();
  if (!committed) return std::move(committed).error();
  return true;
}

Status StoreImpl::CommitFlush() {
  // The log must not end before what the files hold.
  if (Status synced = SyncUpTo(flush_->sealed.back().last_sequence); !synced) return synced;
  VersionEdit edit;
  for (const FileMeta& meta : flush_->job->outputs())
    edit.added.push_back({.level = 0, .meta = meta});
  edit.added_blobs = flush_->job->blob_outputs();
  std::uint64_t next_segment = 0;
  {
    const std::lock_guard lock(state_mutex_);
    const std::size_t flushed = flush_->sealed.size();
    next_segment =
        sealed_.size() > flushed ? sealed_[flushed].first_segment : active_first_segment_;
  }
  edit.log_floor = {.segment = next_segment, .sequence = flush_->sealed.back().last_sequence};
  Status installed = Install(std::move(edit), flush_->sealed.size());
  // After a failed sync the manifest may name the files: the next open decides.
  if (installed || poisoned_) flush_->job->Release();
  if (!installed) return installed;
  counters_.flush_bytes += flush_->job->bytes_written();
  ++counters_.flushes;
  log_->Retire(next_segment);
  return Ok();
}

// Flushes what is sealed, all of it.
Status StoreImpl::FlushAll() {
  while (sealed_count_ != 0) {
    Result<bool> done = StepFlush(kWholeJob);
    if (!done) return std::move(done).error();
  }
  return Ok();
}

CompactionOptions StoreImpl::PickerOptions() const {
  CompactionOptions options;
  options.level1_bytes = options_.level1_bytes;
  options.level_ratio = kLevelRatio;
  options.file_bytes = options_.file_bytes;
  options.settled_sequence = CurrentBoundaries().settled();
  return options;
}

// Starts the next compaction if one is due.
bool StoreImpl::PickWork() {
  const LevelFiles& levels = manifest_.contents().levels;
  const CompactionOptions options = PickerOptions();
  std::optional<CompactionPlan> plan = PickCompaction(levels, options);
  if (!plan) plan = PickDeletesCompaction(levels, options);
  if (!plan) plan = PickBlobCollection(manifest_.contents().blobs, levels);
  if (!plan && sometimes_.OneIn(8)) plan = PickRangeCompaction(levels, {}, options);
  if (!plan) return false;
  StartCompaction(*std::move(plan));
  return true;
}

// Whether an edit is enough: a file that could be compressed is rewritten on its way to the last
// level, which is where most of the data lies.
bool StoreImpl::CanMove(const CompactionPlan& plan, bool last_level) const {
  if (!plan.trivial_move) return false;
  if (!last_level || options_.compression == Compression::kNone) return true;
  const std::shared_ptr<const Version> version = CurrentView()->version;
  const Version::Level tables =
      TablesOf(version->levels()[static_cast<std::size_t>(plan.level)], plan.inputs);
  return std::ranges::all_of(tables, [&](const auto& table) {
    return table->run().footer().compression == options_.compression;
  });
}

void StoreImpl::StartCompaction(CompactionPlan plan) {
  const LevelFiles& levels = manifest_.contents().levels;
  const bool last_level = std::all_of(levels.begin() + plan.output_level + 1, levels.end(),
                                      [](const auto& level) { return level.empty(); });
  plan.trivial_move = CanMove(plan, last_level);
  RunningCompaction compaction = {.plan = std::move(plan), .job = nullptr};
  const CompactionPlan& chosen = compaction.plan;
  if (!chosen.trivial_move) {
    auto inputs = std::make_shared<CompactionInputs>();
    inputs->version = CurrentView()->version;
    const auto level_of = [&](int level) -> const Version::Level& {
      return inputs->version->levels()[static_cast<std::size_t>(level)];
    };
    inputs->upper = TablesOf(level_of(chosen.level), chosen.inputs);
    inputs->lower = TablesOf(level_of(chosen.output_level), chosen.overlaps);
    MergeJobOptions options = JobOptions(chosen.output_level);
    options.rules.bottom = chosen.bottom;
    options.relocate_blobs = chosen.relocate_blobs;
    options.rules.filter = options_.compaction_filter;
    options.last_level = last_level;
    if (last_level) options.compression = options_.compression;
    for (const FilePointer& file : chosen.grandparents) options.borders.push_back(file->limit);
    const Run::CursorOptions sequential = {.sequential = true};
    std::vector<std::unique_ptr<RunCursor>> cursors;
    if (chosen.level == 0) {
      for (const auto& table : inputs->upper) cursors.push_back(table->run().NewCursor(sequential));
    } else {
      cursors.push_back(std::make_unique<LevelCursor>(inputs->upper, sequential));
    }
    cursors.push_back(std::make_unique<LevelCursor>(inputs->lower, sequential));
    for (const auto& table : inputs->upper) {
      AppendRangeDeletes(table->run(), options.rules.range_deletes);
    }
    for (const auto& table : inputs->lower) {
      AppendRangeDeletes(table->run(), options.rules.range_deletes);
    }
    compaction.job =
        std::make_unique<MergeJob>(std::move(options), std::move(cursors), std::move(inputs));
  }
  compaction_ = std::move(compaction);
}

Result<bool> StoreImpl::StepCompaction(std::uint64_t budget_bytes) {
  Result<bool> done = true;
  if (compaction_->job != nullptr) done = compaction_->job->Step(budget_bytes);
  if (done && !*done) return false;
  Status ended = !done                         ? Status(std::move(done).error())
                 : compaction_->job == nullptr ? MoveFiles(compaction_->plan)
                                               : CommitCompaction();
  compaction_.reset();
  if (!ended) return std::move(ended).error();
  return true;
}

Status StoreImpl::MoveFiles(const CompactionPlan& plan) {
  VersionEdit edit;
  for (const FilePointer& file : plan.inputs) {
    edit.dropped.push_back(
        {.level = static_cast<std::uint32_t>(plan.level), .number = file->number});
    edit.added.push_back({.level = static_cast<std::uint32_t>(plan.output_level), .meta = *file});
  }
  ++counters_.trivial_moves;
  return Install(std::move(edit));
}

Status StoreImpl::CommitCompaction() {
  const CompactionPlan& plan = compaction_->plan;
  VersionEdit edit;
  for (const FilePointer& file : plan.inputs) {
    edit.dropped.push_back(
        {.level = static_cast<std::uint32_t>(plan.level), .number = file->number});
  }
  const auto output_level = static_cast<std::uint32_t>(plan.output_level);
  for (const FilePointer& file : plan.overlaps) {
    edit.dropped.push_back({.level = output_level, .number = file->number});
  }
  for (const FileMeta& meta : compaction_->job->outputs()) {
    edit.added.push_back({.level = output_level, .meta = meta});
  }
  edit.added_blobs = compaction_->job->blob_outputs();
  Status installed = Install(std::move(edit));
  if (installed || poisoned_) compaction_->job->Release();
  if (!installed) return installed;
  counters_.compaction_bytes += compaction_->job->bytes_written();
  ++counters_.compactions;
  return Ok();
}

// Brings the compaction under way, if any, to its end.
Status StoreImpl::FinishCompaction() {
  while (compaction_) {
    if (Result<bool> done = StepCompaction(kWholeJob); !done) return std::move(done).error();
  }
  return Ok();
}

std::shared_ptr<SkipHints> StoreImpl::NewHints() const {
  return std::make_shared<SkipHints>(manifest_.contents().log_floor.sequence, &sometimes_);
}

Status StoreImpl::Install(VersionEdit edit, std::size_t flushed) {
  if (Status synced = env_.SyncDirectory(directory_); !synced) {
    Poison();  // which entries the device has is not known from here on
    return synced;
  }
  if (manifest_.WantsRewrite() || sometimes_.OneIn(20)) {
    if (Status rewritten = RewriteManifest(); !rewritten) return rewritten;
  }
  const std::shared_ptr<const Version> old = CurrentView()->version;
  Version::Level dropped;
  Result<std::vector<Version::Level>> next_levels = NextLevels(*old, edit, dropped);
  if (!next_levels) return std::move(next_levels).error();
  std::vector<Version::Level> levels = *std::move(next_levels);
  Version::Blobs dropped_blobs;
  Result<Version::Blobs> blobs = NextBlobs(*old, levels, edit, dropped_blobs);
  if (!blobs) return std::move(blobs).error();
  edit.next_file = FileNumber{next_file_.load()};
  {
    const std::lock_guard lock(state_mutex_);
    edit.history_horizon = horizon_;
  }
  bool poisoned = false;
  Status appended = manifest_.Append(edit, &poisoned);
  if (poisoned) Poison();
  if (!appended) return appended;

  level0_files_ = levels[0].size();
  auto version = std::make_shared<const Version>(std::move(levels), *std::move(blobs));
  {
    const std::lock_guard lock(state_mutex_);
    auto view = std::make_shared<ReadView>(*view_);
    view->version = std::move(version);
    view->hints = NewHints();
    view->sealed.resize(view->sealed.size() - flushed);  // the oldest are last
    sealed_.erase(sealed_.begin(), sealed_.begin() + static_cast<std::ptrdiff_t>(flushed));
    sealed_count_ = sealed_.size();
    view_ = std::move(view);
  }
  for (const auto& table : dropped) table->Drop();
  for (const auto& blob : dropped_blobs) blob->Drop();
  return Ok();
}

Result<std::vector<Version::Level>> StoreImpl::NextLevels(const Version& old,
                                                          const VersionEdit& edit,
                                                          Version::Level& dropped) const {
  std::vector<Version::Level> levels = old.levels();
  for (const VersionEdit::DropFile& drop : edit.dropped) {
    Version::Level& level = levels[drop.level];
    const auto table = std::ranges::find_if(
        level, [&](const auto& candidate) { return candidate->meta().number == drop.number; });
    Check(table != level.end(), "an edit drops files of the current version");
    dropped.push_back(*table);
    level.erase(table);
  }
  std::size_t front = 0;
  for (const VersionEdit::AddFile& add : edit.added) {
    // A file that only moves stays open.
    const auto moved = std::ranges::find_if(dropped, [&](const auto& candidate) {
      return candidate->meta().number == add.meta.number;
    });
    std::shared_ptr<const TableFile> table;
    if (moved != dropped.end()) {
      table = *moved;
      dropped.erase(moved);
    } else {
      Result<std::shared_ptr<const TableFile>> opened =
          OpenTable(std::make_shared<const FileMeta>(add.meta));
      if (!opened) return std::move(opened).error();
      table = *std::move(opened);
    }
    Version::Level& level = levels[add.level];
    const auto place = add.level == 0
                           ? level.begin() + static_cast<std::ptrdiff_t>(front++)
                           : std::ranges::upper_bound(
                                 level, Slice(add.meta.smallest), {},
                                 [](const auto& file) { return Slice(file->meta().smallest); });
    level.insert(place, std::move(table));
  }
  return levels;
}

Result<Version::Blobs> StoreImpl::NextBlobs(const Version& old,
                                            const std::vector<Version::Level>& levels,
                                            VersionEdit& edit, Version::Blobs& dropped) const {
  std::set<FileNumber> used;
  for (const Version::Level& level : levels) {
    for (const auto& file : level) {
      for (const BlobUse& use : file->meta().blobs) used.insert(use.file);
    }
  }
  Version::Blobs blobs;
  for (const auto& blob : old.blobs()) {
    (used.contains(blob->meta().number) ? blobs : dropped).push_back(blob);
  }
  for (const auto& blob : dropped) edit.dropped_blobs.push_back(blob->meta().number);
  for (const BlobMeta& meta : edit.added_blobs) {
    Result<std::shared_ptr<const BlobInUse>> blob = OpenBlob(meta);
    if (!blob) return std::move(blob).error();
    blobs.push_back(*std::move(blob));
  }
  std::ranges::sort(blobs, {}, [](const auto& blob) { return blob->meta().number; });
  return blobs;
}

Status StoreImpl::RewriteManifest() {
  StoreContents contents = manifest_.contents();
  contents.next_file = NewFileNumber();
  const NumberedFile old = {.kind = FileKind::kManifest, .number = manifest_.number()};
  bool poisoned = false;
  Result<Manifest> manifest = Manifest::Create(env_, directory_, superblock_, contents, &poisoned);
  if (poisoned) Poison();
  if (!manifest) return std::move(manifest).error();
  manifest_ = *std::move(manifest);
  (void)env_.Remove(FilePath(directory_, old));
  return Ok();
}

void StoreImpl::RemoveDropped() {
  for (const NumberedFile& file : graveyard_->Take()) {
    (void)env_.Remove(FilePath(directory_, file));
  }
}

Result<bool> StoreImpl::StepLocked(std::uint64_t budget_bytes) {
  if (Status writable = CheckWritable(); !writable) return std::move(writable).error();
  RemoveDropped();
  if (sealed_count_ != 0) {
    if (Result<bool> done = StepFlush(budget_bytes); !done) return done;
    return true;
  }
  if (!compaction_ && !PickWork()) return false;
  if (Result<bool> done = StepCompaction(budget_bytes); !done) return done;
  RemoveDropped();
  return true;
}

Result<bool> StoreImpl::Step(std::uint64_t budget_bytes) {
  if (Status writable = CheckWritable(); !writable) return std::move(writable).error();
  if (!options_.background_work && log_->unsynced_bytes() >= options_.sync_bytes) {
    if (Status synced = SyncUpTo(last_sequence()); !synced) return std::move(synced).error();
  }
  const std::lock_guard lock(work_mutex_);
  return StepLocked(budget_bytes);
}

Status StoreImpl::Flush() {
  if (Status writable = CheckWritable(); !writable) return writable;
  {
    const std::lock_guard lock(write_mutex_);
    SealActive();
  }
  const std::lock_guard lock(work_mutex_);
  return FlushAll();
}

Status StoreImpl::Compact(const KeyRange& range) {
  if (Status flushed = Flush(); !flushed) return flushed;
  const std::lock_guard lock(work_mutex_);
  if (Status finished = FinishCompaction(); !finished) return finished;
  for (;;) {
    std::optional<CompactionPlan> plan =
        PickRangeCompaction(manifest_.contents().levels, range, PickerOptions());
    if (!plan) break;
    StartCompaction(*std::move(plan));
    if (Status finished = FinishCompaction(); !finished) return finished;
  }
  RemoveDropped();
  return Ok();
}

}  // namespace trefoil::lsm
