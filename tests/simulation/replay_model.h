// What a replica must show, derived from the transactions that it has applied and from nothing
// else: all frames are replayed one after the other in the order of their stamps, by rules written
// down here a second time, without the merge rules, the store or any state in between.
//
//   register   a later transaction overwrites; so two cells that a transaction writes never mix
//   MV, SET    what no other write has observed
//   COUNTER    the increments that the script asked for, not the totals in the frames
//   MAX, MIN   over all values
//   ACYCLIC    all moves of all rows, one transaction after the other, those on a cycle taken back
//   rows       there while the greatest causal length is odd; what was written under another is
//   gone
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crdt/log_frame.h"
#include "crdt/version_vector.h"
#include "trefoil/value.h"

namespace trefoil::testing {

using Frames = std::map<crdt::Dot, crdt::Frame>;
// What each transaction was asked to add to a count.
using Increments = std::map<crdt::Dot, std::int64_t>;
// Rows of a table of integers by key; columns 2, 3, ... in order.
using ModelRows = std::map<std::int64_t, std::vector<Value>>;

// The rows of `type`, which has `columns` columns, its key first, after the frames that `heads`
// covers.
ModelRows Replay(const Frames& frames, const Increments& increments, const crdt::Heads& heads,
                 TypeId type, std::size_t columns);

}  // namespace trefoil::testing
