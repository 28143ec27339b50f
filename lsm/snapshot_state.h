// What a Snapshot pins: a ReadView and a sequence, noted in a list so that compaction keeps what
// the snapshot sees.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lsm/store.h"
#include "lsm/version.h"

namespace trefoil::lsm {

// The sequences that live snapshots see. Any thread. A snapshot mostly sees the newest sequence of
// all, so adding one touches the end of a vector and allocates nothing.
class SnapshotList {
 public:
  void Add(SequenceNumber sequence) {
    const std::lock_guard lock(mutex_);
    ++count_;
    const auto place = Place(sequence);
    if (place != live_.end() && place->sequence == sequence) {
      ++place->snapshots;
    } else {
      live_.insert(place, {.sequence = sequence, .snapshots = 1});
    }
  }
  void Remove(SequenceNumber sequence) {
    const std::lock_guard lock(mutex_);
    --count_;
    const auto place = Place(sequence);
    if (--place->snapshots == 0) live_.erase(place);
  }
  bool Contains(SequenceNumber sequence) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::binary_search(live_, sequence, {}, &Live::sequence);
  }
  // Ascending, distinct.
  std::vector<SequenceNumber> Sequences() const {
    const std::lock_guard lock(mutex_);
    std::vector<SequenceNumber> sequences;
    sequences.reserve(live_.size());
    for (const Live& live : live_) sequences.push_back(live.sequence);
    return sequences;
  }
  // Of snapshots, not of sequences.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  struct Live {
    SequenceNumber sequence;
    std::size_t snapshots;
  };
  // The first that is not below `sequence`.
  std::vector<Live>::iterator Place(SequenceNumber sequence) {
    if (live_.empty() || live_.back().sequence < sequence) return live_.end();
    return std::ranges::lower_bound(live_, sequence, {}, &Live::sequence);
  }

  mutable std::mutex mutex_;
  std::vector<Live> live_;  // ascending
  std::size_t count_ = 0;
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
