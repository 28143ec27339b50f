// Decides which files are merged next. Pure: takes the files of a version, returns a plan, so that
// a test states a tree and asserts the plan.
//
// Level 0 holds flushed files, which may overlap; deeper levels hold disjoint files. Level 1 may
// hold level1_bytes, each deeper one level_ratio times as much. The level furthest above its limit
// gives a file to the next: in level 0 the oldest with all that overlap it, deeper the one that
// rewrites least for each byte it brings down.
//
// Source: leveled compaction of O'Neil et al., "The Log-Structured Merge-Tree", 1996, as LevelDB
// and RocksDB have it; least overlap first as in RocksDB's kMinOverlappingRatio.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "lsm/file_meta.h"
#include "lsm/store.h"

namespace trefoil::lsm {

using FilePointer = std::shared_ptr<const FileMeta>;

struct CompactionOptions {
  std::size_t level0_files_max = 4;  // so many files in level 0 are merged
  std::uint64_t level1_bytes = std::uint64_t{64} << 20;
  std::uint64_t level_ratio = 8;
  std::uint64_t file_bytes = std::uint64_t{8} << 20;
  // No snapshot and no horizon needs what a file whose last sequence is at most this hides.
  SequenceNumber settled_sequence = 0;
};

// Merge `inputs` of `level` and `overlaps` of `output_level` into new files of `output_level`.
struct CompactionPlan {
  int level = 0;
  int output_level = 0;
  std::vector<FilePointer> inputs;    // newest first in level 0, else by key
  std::vector<FilePointer> overlaps;  // by key
  std::vector<FilePointer>
      grandparents;           // files below the output, by key: outputs end where they do
  bool trivial_move = false;  // an edit that moves `inputs` is enough; then overlaps is empty
  bool bottom = false;        // no file below the output holds keys of this range
  std::vector<FileNumber> relocate_blobs;  // values in these files are written anew

  std::uint64_t input_bytes() const;
};

// The next compaction, or nothing when every level is within its limit.
std::optional<CompactionPlan> PickCompaction(const LevelFiles& levels,
                                             const CompactionOptions& options);

// The next step to bring all of the range into the deepest level that holds any of it; nothing
// when it is there.
std::optional<CompactionPlan> PickRangeCompaction(const LevelFiles& levels, const KeyRange& range,
                                                  const CompactionOptions& options);

// A file full of deletions that nobody needs any more; for idle time.
std::optional<CompactionPlan> PickDeletesCompaction(const LevelFiles& levels,
                                                    const CompactionOptions& options);

// Bytes that compaction must still write until every level is within its limit, roughly.
std::uint64_t CompactionDebt(const LevelFiles& levels, const CompactionOptions& options);

}  // namespace trefoil::lsm
