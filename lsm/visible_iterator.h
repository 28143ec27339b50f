// The public iterator: of all entries of the runs it shows the newest visible one of each key,
// unless that is a deletion or hidden by a range delete.
//
// Forward, the merge stands on the entry shown, and its bytes are shown in place. Backward, entries
// of one key come oldest first, so the newest visible one is known only when the key is left
// behind: the entry shown is a copy, and the merge stands on the key before it.
//
// A walk over many keys without a visible entry leaves a hint (skip_hints.h) for later ones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lsm/merging_cursor.h"
#include "lsm/snapshot_state.h"
#include "lsm/store.h"

namespace trefoil::lsm {

// Reads what a kBlobPut refers to. Any thread.
using BlobReader = std::function<Result<std::string>(Slice reference)>;

class VisibleIterator final : public Iterator {
 public:
  VisibleIterator(KeyRange range, Snapshot snapshot, BlobReader read_blob);

  bool Valid() const override { return valid_; }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekForPrev(Slice target) override;
  void Next() override;
  void Prev() override;
  Slice key() const override { return shown_.key; }
  Slice value() const override { return shown_.value; }
  SequenceNumber sequence() const override { return shown_.sequence; }
  Status status() const override;

 private:
  void SeekBefore(Slice target);
  // From the merge's position on, to the first key that is visible and not `skip_`.
  void FindNext();
  // From the merge's position back, to the last visible key.
  void FindPrev();
  // Ends a walk forward that found nothing before `limit`.
  void EndAfter(const std::string& limit);
  // A usable hint over the key, when it is time to ask for one.
  std::optional<SkipHint> HintOver(Slice key) const;
  // Says to later iterators that nothing is visible in [start, limit), if it is worth it.
  void LeaveHint(Slice start, Slice limit) const;
  bool IsHidden(const Entry& entry) const;
  void Show(const Entry& entry);
  void End() { valid_ = false; }

  const KeyRange range_;
  const Snapshot snapshot_;
  const SequenceNumber sequence_;
  const bool has_range_deletes_;
  const BlobReader read_blob_;
  MergingCursor merge_;

  bool valid_ = false;
  bool forward_ = true;
  bool skipping_ = false;
  std::string skip_;             // while skipping_: the key whose entries are dealt with
  std::uint64_t dead_keys_ = 0;  // crossed in a row by the move under way
  std::string dead_from_;        // forward: the first of them; backward: just behind the first
  std::string dead_to_;          // backward: the last of them
  Entry shown_;
  std::string shown_key_;    // owns shown_.key when moving backward
  std::string shown_value_;  // owns shown_.value when moving backward, or when it is a blob
  Status blob_status_;
};

}  // namespace trefoil::lsm
