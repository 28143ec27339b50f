// What iterators learnt of ranges without a visible key, so that those that come later need not
// walk over the deletions again. A hint says: at sequence s no key in [start, limit) is visible.
// That stays true of later sequences for as long as nothing is written in the range, which the
// memtables tell (Memtable::NewestSequenceIn) of all batches that are in no file. So readers of a
// state before the newest file leave no hints, and a new version begins without any. Nothing is
// stored, so nothing can be wrong on disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/sometimes.h"
#include "lsm/options.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

struct SkipHint {
  std::string start;
  std::string limit;
  SequenceNumber sequence = 0;
  std::uint64_t dead_keys = 0;  // that an iterator saves
};

// Any thread.
class SkipHints {
 public:
  static constexpr std::size_t kHintsMax = 64;
  // Fewer are walked over as fast as a hint is used.
  static constexpr std::uint64_t kDeadKeysMin = 64;
  // The first few dead keys in a row are cheaper than to look for a hint.
  static constexpr std::uint64_t kDeadKeysBeforeHint = 4;

  // Batches up to `oldest` are in files.
  explicit SkipHints(SequenceNumber oldest, const Sometimes* sometimes = nullptr)
      : oldest_(oldest), sometimes_(sometimes) {}

  // Whether to leave a hint, and to look for one, after so many dead keys in a row.
  bool IsWorth(std::uint64_t dead_keys) const {
    return dead_keys >= kDeadKeysMin || (dead_keys != 0 && Early());
  }
  bool MayHelp(std::uint64_t dead_keys) const {
    return !empty() && (dead_keys == kDeadKeysBeforeHint || Early());
  }

  // In place of the hints that it overlaps; of too many the one that saves least goes.
  void Add(SkipHint hint);
  // The hint that covers the key, if a reader at `snapshot` may use it.
  std::optional<SkipHint> Find(Slice key, SequenceNumber snapshot) const;
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }

 private:
  using Hints = std::map<std::string, SkipHint, std::less<>>;  // by start, disjoint

  bool Early() const { return sometimes_ != nullptr && sometimes_->OneIn(4); }

  const SequenceNumber oldest_;
  const Sometimes* const sometimes_;  // may be null
  mutable std::mutex mutex_;
  Hints hints_;  // guarded by mutex_
  std::atomic<std::size_t> count_{0};
};

}  // namespace trefoil::lsm
