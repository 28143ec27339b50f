#include "lsm/compaction_picker.h"

#include <algorithm>

#include "base/check.h"

namespace trefoil::lsm {

namespace {

// A file is not moved over so much of the level below its target that merging it later would cost
// more than merging it now.
constexpr std::uint64_t kGrandparentFilesMax = 10;
// A file with at least one deletion in so many entries is worth merging when there is time.
constexpr std::uint64_t kEntriesPerDelete = 4;

const std::vector<FilePointer>& FilesOf(const LevelFiles& levels, int level) {
  static const std::vector<FilePointer> kNone;
  const std::size_t i = static_cast<std::size_t>(level);
  return i < levels.size() ? levels[i] : kNone;
}

std::uint64_t BytesOf(const std::vector<FilePointer>& files) {
  std::uint64_t bytes = 0;
  for (const FilePointer& file : files) bytes += file->size_bytes;
  return bytes;
}

// The range of keys from the smallest to the exclusive limit of some files.
struct Bounds {
  Slice start;
  Slice limit;
};
Bounds BoundsOf(const std::vector<FilePointer>& files) {
  Bounds bounds{.start = files.front()->smallest, .limit = files.front()->limit};
  for (const FilePointer& file : files) {
    bounds.start = std::min<Slice>(bounds.start, file->smallest);
    bounds.limit = std::max<Slice>(bounds.limit, file->limit);
  }
  return bounds;
}

// The files that overlap [start, limit); an empty limit has no end.
std::vector<FilePointer> Overlapping(const std::vector<FilePointer>& files, const Bounds& bounds) {
  std::vector<FilePointer> result;
  for (const FilePointer& file : files) {
    const bool before_limit = bounds.limit.empty() || Slice(file->smallest) < bounds.limit;
    if (before_limit && bounds.start < Slice(file->limit)) result.push_back(file);
  }
  return result;
}

std::uint64_t LevelLimit(int level, const CompactionOptions& options) {
  std::uint64_t limit = options.level1_bytes;
  for (int i = 1; i < level; ++i) limit *= options.level_ratio;
  return limit;
}

// Level 0 files stay readable in the right order only if, with a file, all files that overlap it
// and are older go down too; taking the newer ones as well saves writes.
std::vector<FilePointer> WithOverlaps(const std::vector<FilePointer>& files,
                                      std::vector<FilePointer> chosen) {
  while (true) {
    std::vector<FilePointer> more = Overlapping(files, BoundsOf(chosen));
    if (more.size() == chosen.size()) return chosen;
    chosen = std::move(more);
  }
}

// Bytes that a merge of this file rewrites for each byte that it brings down or frees.
double CostOf(const FileMeta& file, const std::vector<FilePointer>& below) {
  const std::vector<FilePointer> overlaps =
      Overlapping(below, {.start = file.smallest, .limit = file.limit});
  std::uint64_t overlap_bytes = 0;
  std::uint64_t overlap_entries = 0;
  for (const FilePointer& overlap : overlaps) {
    overlap_bytes += overlap->size_bytes;
    overlap_entries += overlap->entries;
  }
  const double entry_bytes = overlap_entries == 0 ? 0
                                                  : static_cast<double>(overlap_bytes) /
                                                        static_cast<double>(overlap_entries);
  const double gain =
      static_cast<double>(file.size_bytes) + static_cast<double>(file.deletes) * entry_bytes;
  return static_cast<double>(overlap_bytes) / gain;
}

bool AnyOverlapBelow(const LevelFiles& levels, int level, const Bounds& bounds) {
  for (int deeper = level + 1; deeper < kLevels; ++deeper) {
    if (!Overlapping(FilesOf(levels, deeper), bounds).empty()) return true;
  }
  return false;
}

bool AreDisjoint(const std::vector<FilePointer>& files) {
  for (const FilePointer& file : files) {
    if (Overlapping(files, {.start = file->smallest, .limit = file->limit}).size() != 1) {
      return false;
    }
  }
  return true;
}

CompactionPlan PlanOf(const LevelFiles& levels, int level, std::vector<FilePointer> inputs,
                      const CompactionOptions& options) {
  Check(!inputs.empty() && level + 1 < kLevels, "a compaction has inputs and a level below");
  CompactionPlan plan;
  plan.level = level;
  plan.output_level = level + 1;
  plan.inputs = std::move(inputs);
  const Bounds bounds = BoundsOf(plan.inputs);
  plan.overlaps = Overlapping(FilesOf(levels, plan.output_level), bounds);
  Bounds all = bounds;
  if (!plan.overlaps.empty()) {
    all.start = std::min(all.start, BoundsOf(plan.overlaps).start);
    all.limit = std::max(all.limit, BoundsOf(plan.overlaps).limit);
  }
  if (plan.output_level + 1 < kLevels) {
    plan.grandparents = Overlapping(FilesOf(levels, plan.output_level + 1), all);
  }
  plan.bottom = !AnyOverlapBelow(levels, plan.output_level, all);
  const bool has_deletes = std::ranges::any_of(plan.inputs, [](const FilePointer& file) {
    return file->deletes != 0 || file->range_deletes != 0;
  });
  plan.trivial_move = plan.overlaps.empty() && AreDisjoint(plan.inputs) &&
                      !(plan.bottom && has_deletes) &&
                      BytesOf(plan.grandparents) <= kGrandparentFilesMax * options.file_bytes;
  return plan;
}

// How far the level is above its limit; 1 is at the limit.
double ScoreOf(const LevelFiles& levels, int level, const CompactionOptions& options) {
  const std::vector<FilePointer>& files = FilesOf(levels, level);
  if (level == 0) {
    return static_cast<double>(files.size()) / static_cast<double>(options.level0_files_max);
  }
  // A level that is exactly full is fine.
  return static_cast<double>(BytesOf(files)) /
         (static_cast<double>(LevelLimit(level, options)) + 1);
}

}  // namespace

std::uint64_t CompactionPlan::input_bytes() const { return BytesOf(inputs) + BytesOf(overlaps); }

std::optional<CompactionPlan> PickCompaction(const LevelFiles& levels,
                                             const CompactionOptions& options) {
  int level = 0;
  double score = 0;
  for (int i = 0; i + 1 < kLevels; ++i) {
    const double own = ScoreOf(levels, i, options);
    if (own > score) {
      score = own;
      level = i;
    }
  }
  if (score < 1) return std::nullopt;
  const std::vector<FilePointer>& files = FilesOf(levels, level);
  if (level == 0) {
    return PlanOf(levels, 0, WithOverlaps(files, {files.back()}), options);
  }
  const std::vector<FilePointer>& below = FilesOf(levels, level + 1);
  const auto cheapest = std::ranges::min_element(
      files, {}, [&](const FilePointer& file) { return CostOf(*file, below); });
  return PlanOf(levels, level, {*cheapest}, options);
}

std::optional<CompactionPlan> PickRangeCompaction(const LevelFiles& levels, const KeyRange& range,
                                                  const CompactionOptions& options) {
  const Bounds bounds{.start = range.start, .limit = range.limit};
  for (int level = 0; level + 1 < kLevels; ++level) {
    std::vector<FilePointer> inputs = Overlapping(FilesOf(levels, level), bounds);
    if (inputs.empty()) continue;
    // The files of level 0 overlap, so they are never in their last place; nor is a level above
    // data of the range.
    if (level != 0 && !AnyOverlapBelow(levels, level, bounds)) return std::nullopt;
    if (level == 0) inputs = WithOverlaps(FilesOf(levels, 0), std::move(inputs));
    return PlanOf(levels, level, std::move(inputs), options);
  }
  return std::nullopt;
}

std::optional<CompactionPlan> PickDeletesCompaction(const LevelFiles& levels,
                                                    const CompactionOptions& options) {
  for (int level = 1; level + 1 < kLevels; ++level) {
    for (const FilePointer& file : FilesOf(levels, level)) {
      const bool many = file->deletes * kEntriesPerDelete >= file->entries;
      const bool any = file->deletes != 0 || file->range_deletes != 0;
      if (any && many && file->last_sequence <= options.settled_sequence) {
        return PlanOf(levels, level, {file}, options);
      }
    }
  }
  return std::nullopt;
}

std::uint64_t CompactionDebt(const LevelFiles& levels, const CompactionOptions& options) {
  std::uint64_t debt = 0;
  const std::vector<FilePointer>& level0 = FilesOf(levels, 0);
  std::uint64_t incoming = level0.size() >= options.level0_files_max ? BytesOf(level0) : 0;
  debt += incoming;
  for (int level = 1; level + 1 < kLevels; ++level) {
    const std::uint64_t bytes = BytesOf(FilesOf(levels, level)) + incoming;
    const std::uint64_t limit = LevelLimit(level, options);
    incoming = bytes > limit ? bytes - limit : 0;
    debt += incoming * (1 + options.level_ratio / 2);
  }
  return debt;
}

}  // namespace trefoil::lsm
