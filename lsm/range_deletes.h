// RangeDeleteSet answers "which range delete covers this key" for any number of overlapping ones.
// The ranges are cut at each other's borders into disjoint fragments,
//
//   [a------5------)                [a-5-)[b--5,7--)[m--7--)
//        [b-----7--------)    ->
//
// each with the sequences that cover it, newest first; a look-up is one binary search. Immutable
// after construction, so it is shared by versions and iterators without a lock.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lsm/internal_key.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

class RangeDeleteSet {
 public:
  struct Fragment {
    std::string start;
    std::string limit;
    std::vector<SequenceNumber> sequences = {};  // descending, distinct
  };

  RangeDeleteSet() = default;
  explicit RangeDeleteSet(std::span<const RangeDelete> deletes);

  bool empty() const { return fragments_.empty(); }
  // The fragment that holds `key`, or null.
  const Fragment* Find(Slice key) const;
  // The newest delete that covers `key` among those with sequence <= snapshot; 0 if none does.
  SequenceNumber NewestCovering(Slice key, SequenceNumber snapshot) const;
  // Disjoint, sorted by start.
  std::span<const Fragment> fragments() const { return fragments_; }

 private:
  std::vector<Fragment> fragments_;
};

}  // namespace trefoil::lsm
