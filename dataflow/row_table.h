// RowTable: a Z-set in memory, from rows to weights. Rows sit in chunks that never move, so growth
// copies no row; a freed slot is taken again before a new one. The slot of a row names it for side
// arrays of the owner (chains, accumulators).
//
//   index: hash(row) -> slot      chunk k: cells of slots [k * 1024, (k + 1) * 1024), weights
//
// I1: a slot is in use if and only if its weight is not zero.
// Memory per row: width * 16 + 8, and about 12 for the index.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "dataflow/row.h"
#include "dataflow/slot_index.h"

namespace trefoil::dataflow {

class RowTable {
 public:
  using Slot = SlotIndex::Slot;
  static constexpr Slot kNone = SlotIndex::kNone;

  struct Change {
    Slot slot;
    Weight before;
    Weight after;  // 0: the slot was freed; the row can be read until the next Add
  };

  explicit RowTable(std::size_t width) : width_(width) {}

  // Adds `weight`, not 0, to the row. `row` may not point into the table.
  Change Add(RowView row, Weight weight);
  Slot Find(RowView row) const;
  Weight WeightOf(RowView row) const {
    const Slot slot = Find(row);
    return slot == kNone ? 0 : weight(slot);
  }

  RowView row(Slot slot) const {
    return {chunks_[slot / kChunkRows].cells.get() + (slot % kChunkRows) * width_, width_};
  }
  Weight weight(Slot slot) const { return chunks_[slot / kChunkRows].weights[slot % kChunkRows]; }

  std::size_t size() const { return index_.size(); }
  // Slots in use are below this.
  Slot slot_limit() const { return slot_limit_; }
  bool InUse(Slot slot) const { return weight(slot) != 0; }
  std::size_t bytes() const;

  // Calls visit(row, weight) for every row in slot order until it returns false.
  template <typename Visit>
  bool ForEach(const Visit& visit) const {
    for (Slot slot = 0; slot < slot_limit_; ++slot) {
      if (InUse(slot) && !visit(row(slot), weight(slot))) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kChunkRows = 1024;
  struct Chunk {
    std::unique_ptr<Value[]> cells;
    std::unique_ptr<Weight[]> weights;
  };

  Slot TakeSlot(RowView row);

  std::size_t width_;
  SlotIndex index_;
  std::vector<Chunk> chunks_;
  std::vector<Slot> free_;
  Slot slot_limit_ = 0;
  std::size_t shared_bytes_ = 0;  // on the heap behind the values
};

}  // namespace trefoil::dataflow
