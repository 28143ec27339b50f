// DropRules decides which entries a flush or a compaction keeps. Pure.
//
// Readers look at the state after certain sequences, the boundaries: those of live snapshots, the
// newest at the start of the merge, and every sequence from the history horizon on. An entry with
// sequence s is what readers see from s up to the next newer entry, or range delete, of its key:
//
//   sequence   0 ........ s ======== next ........          kept if a boundary lies in [s, next)
//
// I1: what a reader at a boundary finds is the same before and after. I2: a deletion goes only when
// no older entry of its key is left anywhere (`bottom`) and all boundaries lie behind it.
// I3: sequence 0 stands for "settled": older than every boundary, nothing older anywhere, and no
// range delete beside it that could hide it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lsm/internal_key.h"
#include "lsm/options.h"
#include "lsm/range_deletes.h"

namespace trefoil::lsm {

struct Boundaries {
  std::vector<SequenceNumber> sequences;  // ascending, not empty
  std::optional<SequenceNumber> horizon;  // every sequence from this on is a boundary too

  // Every boundary is at least this.
  SequenceNumber settled() const;
  // True if some reader looks at a state in [from, to).
  bool AnyIn(SequenceNumber from, SequenceNumber to) const;
};

class DropRules {
 public:
  struct Options {
    Boundaries boundaries;
    bool bottom = false;                     // no older entries of these keys outside the merge
    std::vector<RangeDelete> range_deletes;  // of all inputs
    CompactionFilter filter;                 // empty: keep
  };
  explicit DropRules(Options options);

  // The entry to write in place of `entry`, if any. Entries come in the order of internal_key.h.
  // The result points to the bytes of `entry`.
  std::optional<Entry> Keep(const Entry& entry);
  // Those still needed, sorted by start, then newest first.
  const std::vector<RangeDelete>& range_deletes() const { return kept_ranges_; }

 private:
  // Smallest sequence after `sequence` of a range delete over the key; kLatestSequence if none.
  SequenceNumber NextRangeDelete(Slice key, SequenceNumber sequence) const;

  const Options options_;
  const SequenceNumber settled_;
  const RangeDeleteSet ranges_;
  std::vector<RangeDelete> kept_ranges_;
  bool has_key_ = false;
  std::string key_;           // of the entry before
  SequenceNumber newer_ = 0;  // its sequence
};

}  // namespace trefoil::lsm
