// RowTable: adding weights, taking and freeing slots.
#include "dataflow/row_table.h"

#include <algorithm>

namespace trefoil::dataflow {

namespace {

std::size_t SharedBytes(RowView row) {
  std::size_t bytes = 0;
  for (const Value& value : row) bytes += value.shared_bytes();
  return bytes;
}

}  // namespace

RowTable::Slot RowTable::Find(RowView row) const {
  return index_.Find(HashRow(row), [&](Slot slot) { return EqualRows(this->row(slot), row); });
}

RowTable::Change RowTable::Add(RowView row, Weight weight) {
  Check(row.size() == width_, "a row has the width of its table");
  const std::uint64_t hash = HashRow(row);
  const Slot found = index_.Find(hash, [&](Slot slot) { return EqualRows(this->row(slot), row); });
  if (found == kNone) {
    const Slot slot = TakeSlot(row);
    chunks_[slot / kChunkRows].weights[slot % kChunkRows] = weight;
    index_.Insert(hash, slot);
    return {slot, 0, weight};
  }
  Weight& stored = chunks_[found / kChunkRows].weights[found % kChunkRows];
  const Change change = {found, stored, stored + weight};
  stored = change.after;
  if (change.after == 0) {
    index_.Erase(hash, found);
    free_.push_back(found);
    shared_bytes_ -= SharedBytes(row);
  }
  return change;
}

RowTable::Slot RowTable::TakeSlot(RowView row) {
  Slot slot = slot_limit_;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else {
    Check(slot_limit_ < kNone, "a table holds fewer than 2^32 - 1 rows");
    if (slot % kChunkRows == 0) {
      chunks_.push_back(
          {std::make_unique<Value[]>(kChunkRows * width_), std::make_unique<Weight[]>(kChunkRows)});
    }
    ++slot_limit_;
  }
  Value* const cells = chunks_[slot / kChunkRows].cells.get() + (slot % kChunkRows) * width_;
  std::ranges::copy(row, cells);
  shared_bytes_ += SharedBytes(row);
  return slot;
}

std::size_t RowTable::bytes() const {
  return index_.bytes() + chunks_.size() * kChunkRows * (width_ * sizeof(Value) + sizeof(Weight)) +
         free_.capacity() * sizeof(Slot) + shared_bytes_;
}

}  // namespace trefoil::dataflow
