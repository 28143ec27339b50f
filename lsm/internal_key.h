// What the store keeps for one user key: entries, each the effect of one batch on the key. Entries
// are ordered by key, and among one key the newest first:
//
//   (key ascending, sequence descending)
//
// so the first entry of a key with sequence <= s is what a reader at s sees. A batch holds a key at
// most once, hence (key, sequence) names an entry. Sequence 0 stands for "older than every snapshot
// and the history horizon"; only the deepest entry of a key may have it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "lsm/options.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// Stored in the log and in files; never renumbered.
enum class EntryKind : std::uint8_t {
  kPut = 1,
  kDelete = 2,
  kDeleteRange = 3,  // in batches and the log only; runs keep range deletes apart
  kBlobPut = 4,      // the value is a reference into a blob file
};

inline constexpr SequenceNumber kLatestSequence = ~SequenceNumber{0};
inline constexpr std::size_t kKeyBytesMax = std::size_t{64} << 10;

// A borrowed entry; whoever hands it out says how long the bytes live.
struct Entry {
  Slice key;
  SequenceNumber sequence = 0;
  EntryKind kind = EntryKind::kPut;
  Slice value = {};  // empty for kDelete
};

constexpr std::strong_ordering CompareEntries(const Entry& a, const Entry& b) {
  if (const auto order = a.key <=> b.key; order != 0) return order;
  return b.sequence <=> a.sequence;
}

// Deletes every key in [start, limit) whose entry is older than `sequence`.
struct RangeDelete {
  std::string start;
  std::string limit;
  SequenceNumber sequence = 0;

  friend bool operator==(const RangeDelete&, const RangeDelete&) = default;
};

}  // namespace trefoil::lsm
