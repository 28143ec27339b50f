// LoopTable: the tuples of one loop relation with their levels and the counts of their derivations
// by iteration. See operators/fixpoint.h.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

class LoopTable {
 public:
  using Slot = RowTable::Slot;
  using Iteration = std::uint32_t;
  // The level of a tuple that is not in the relation.
  static constexpr Iteration kNever = std::numeric_limits<Iteration>::max();

  explicit LoopTable(std::size_t width) : tuples_(width) {}

  // The slot of the tuple, new if need be; valid until Release.
  Slot Locate(RowView tuple) {
    const Slot known = tuples_.Find(tuple);
    if (known != RowTable::kNone) return known;
    const Slot slot = tuples_.Add(tuple, 1).slot;
    if (slot >= states_.size()) states_.resize(tuples_.slot_limit());
    states_[slot] = State();
    return slot;
  }
  // Forgets a tuple without level and counts.
  void Release(Slot slot) {
    Check(IsIdle(slot), "a tuple with derivations is kept");
    const Row tuple(this->tuple(slot).begin(), this->tuple(slot).end());
    tuples_.Add(tuple, -1);
  }
  bool IsIdle(Slot slot) const {
    return states_[slot].level == kNever && states_[slot].counts.empty();
  }

  RowView tuple(Slot slot) const { return tuples_.row(slot); }
  Iteration level(Slot slot) const { return states_[slot].level; }
  void set_level(Slot slot, Iteration level) {
    members_ += level != kNever ? 1 : 0;
    members_ -= states_[slot].level != kNever ? 1 : 0;
    states_[slot].level = level;
  }

  // Says that this step has seen the slot; true the first time.
  bool Mark(Slot slot) { return !std::exchange(states_[slot].marked, true); }
  void Unmark(Slot slot) { states_[slot].marked = false; }

  void AddCount(Slot slot, Iteration iteration, Weight weight) {
    auto& counts = states_[slot].counts;
    const auto place = std::ranges::lower_bound(counts, iteration, {}, &Count::iteration);
    if (place == counts.end() || place->iteration != iteration) {
      counts.insert(place, Count{iteration, weight});
    } else if ((place->count += weight) == 0) {
      counts.erase(place);
    }
  }
  // The first iteration at which the tuple is derived; kNever if it is not.
  Iteration FirstCount(Slot slot) const {
    const auto& counts = states_[slot].counts;
    return counts.empty() ? kNever : counts.front().iteration;
  }
  bool HasNegativeCount(Slot slot) const {
    return std::ranges::any_of(states_[slot].counts, [](const Count& c) { return c.count < 0; });
  }

  // Calls visit(slot) for every tuple in the relation until it returns false.
  template <typename Visit>
  bool ForEachMember(const Visit& visit) const {
    for (Slot slot = 0; slot < tuples_.slot_limit(); ++slot) {
      if (tuples_.InUse(slot) && states_[slot].level != kNever && !visit(slot)) return false;
    }
    return true;
  }

  std::size_t members() const { return members_; }
  std::size_t bytes() const { return tuples_.bytes() + states_.capacity() * sizeof(State); }

 private:
  struct Count {
    Iteration iteration;
    Weight count;
  };
  struct State {
    Iteration level = kNever;
    bool marked = false;
    boost::container::small_vector<Count, 1> counts;  // ascending, none 0
  };

  RowTable tuples_;
  std::vector<State> states_;  // by slot
  std::size_t members_ = 0;
};

}  // namespace trefoil::dataflow
