// What a Snapshot pins: a ReadView and a sequence, noted in a list so that compaction keeps what
// the snapshot sees.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "lsm/store.h"
#include "lsm/version.h"

namespace trefoil::lsm {

// The sequences that live snapshots see. Any thread.
class SnapshotList {
 public:
  void Add(SequenceNumber sequence) {
    const std::lock_guard lock(mutex_);
    sequences_.insert(sequence);
  }
  void Remove(SequenceNumber sequence) {
    const std::lock_guard lock(mutex_);
    sequences_.erase(sequences_.find(sequence));
  }
  bool Contains(SequenceNumber sequence) const {
    const std::lock_guard lock(mutex_);
    return sequences_.contains(sequence);
  }
  // Ascending, distinct.
  std::vector<SequenceNumber> Sequences() const {
    const std::lock_guard lock(mutex_);
    std::vector<SequenceNumber> sequences;
    for (const SequenceNumber sequence : sequences_) {
      if (sequences.empty() || sequences.back() != sequence) sequences.push_back(sequence);
    }
    return sequences;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return sequences_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<SequenceNumber> sequences_;  // guarded by mutex_
};

class Snapshot::State {
 public:
  // `sequence` is in `list` already; the State takes it out.
  State(std::shared_ptr<const ReadView> read_view, SequenceNumber snapshot_sequence,
        std::shared_ptr<SnapshotList> snapshots)
      : view(std::move(read_view)), sequence(snapshot_sequence), list_(std::move(snapshots)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { list_->Remove(sequence); }

  const std::shared_ptr<const ReadView> view;
  const SequenceNumber sequence;

 private:
  const std::shared_ptr<SnapshotList> list_;
};

}  // namespace trefoil::lsm
