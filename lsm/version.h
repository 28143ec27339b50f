// What a reader reads: immutable lists of files and memtables, shared by pointer. The writer makes
// a new ReadView when a memtable is sealed, background work when files change; whoever holds an old
// one goes on reading it.
//
//   ReadView -> active memtable, sealed memtables (newest first), Version
//   Version  -> level 0 (newest first, overlapping), levels 1.. (by key, disjoint), blob files
//
// I1: of two places that hold entries of one key, the newer entries lie in the one listed first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lsm/blob_in_use.h"
#include "lsm/memtable.h"
#include "lsm/range_deletes.h"
#include "lsm/skip_hints.h"
#include "lsm/table_file.h"

namespace trefoil::lsm {

class Version {
 public:
  using Level = std::vector<std::shared_ptr<const TableFile>>;
  using Blobs = std::vector<std::shared_ptr<const BlobInUse>>;  // by number

  explicit Version(std::vector<Level> levels, Blobs blobs = {});

  const std::vector<Level>& levels() const { return levels_; }
  const Blobs& blobs() const { return blobs_; }
  // Of all files.
  const RangeDeleteSet& range_deletes() const { return range_deletes_; }
  LevelFiles metas() const;

  // Looks the keys up in the files that may hold them, newest first.
  Status Get(PointLookup& lookup) const;
  Status MultiGet(std::span<PointLookup* const> lookups) const;
  // The value that a reference of an entry of these files stands for. Errors: kIo, kCorruption.
  Result<std::string> ReadBlob(Slice reference) const;

 private:
  // The file of a sorted level that may hold `key`, or null.
  const TableFile* FindFile(std::size_t level, Slice key) const;

  std::vector<Level> levels_;
  std::vector<std::vector<std::uint64_t>> limit_heads_;  // of each file: PaddedHead of its limit
  Blobs blobs_;
  RangeDeleteSet range_deletes_;
};

struct ReadView {
  std::shared_ptr<const Memtable> active;
  std::vector<std::shared_ptr<const Memtable>> sealed;
  std::shared_ptr<const Version> version;
  // Outlives a seal, which changes no content; a new version has new ones.
  std::shared_ptr<SkipHints> hints;

  // The newest visible entry of the key; a range delete that hides it makes it a kDelete under the
  // sequence of the range delete.
  Status Get(PointLookup& lookup) const;
  Status MultiGet(std::span<PointLookup* const> lookups) const;
  // The newest range delete over `key` that `snapshot` sees; 0 = none.
  SequenceNumber NewestCovering(Slice key, SequenceNumber snapshot) const;
  bool has_range_deletes() const;
  // The hint over the key that holds for a reader at `snapshot`, if there is one.
  std::optional<SkipHint> HintOver(Slice key, SequenceNumber snapshot) const;

 private:
  void ApplyRangeDeletes(PointLookup& lookup) const;
};

}  // namespace trefoil::lsm
