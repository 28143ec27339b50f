// Arrangements: the rows of a node, kept in memory under a key, for asks that the node cannot
// answer itself. The graph makes them on demand and shares them by key; nobody keeps a private
// copy.
//
//   keys:  hash(key columns) -> first slot of its chain
//   rows:  RowTable, slot -> row, weight;   next/previous: chain of the rows with one key
//
// Insert, delete: O(1). Probe: O(answer).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

// A Z-set with one index on some of its columns.
class KeyedRows {
 public:
  KeyedRows(std::size_t width, std::vector<Column> key) : rows_(width), key_(std::move(key)) {}

  RowTable::Change Add(RowView row, Weight weight);
  // Calls visit(row, weight) for each row with this key until it returns false.
  template <typename Visit>
  bool ForEachWithKey(std::span<const Value> key, const Visit& visit) const {
    if (key_.empty()) return rows_.ForEach(visit);
    Slot slot = FindFirst(key);
    while (slot != RowTable::kNone) {
      const Slot next = links_[slot].next;
      if (!visit(rows_.row(slot), rows_.weight(slot))) return false;
      slot = next;
    }
    return true;
  }

  const RowTable& rows() const { return rows_; }
  const std::vector<Column>& key() const { return key_; }
  std::size_t bytes() const {
    return rows_.bytes() + keys_.bytes() + links_.capacity() * sizeof(Links);
  }

 private:
  using Slot = RowTable::Slot;
  struct Links {
    Slot next = RowTable::kNone;
    Slot previous = RowTable::kNone;
  };

  Slot FindFirst(std::span<const Value> key) const;
  void Link(Slot slot);
  void Unlink(Slot slot);
  bool SameKey(RowView a, RowView b) const;

  RowTable rows_;
  std::vector<Column> key_;
  SlotIndex keys_;
  std::vector<Links> links_;
};

// Hash arrangement of its one input by key columns. Made by the graph; a plan rarely names it.
struct Arrange {
  std::vector<Column> key;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

// The spec of the arrangement of `node` that answers `ask`.
// Errors: kUnsupported when no kind of arrangement does.
Result<Spec> ArrangementFor(const Operator& node, const Ask& ask);

}  // namespace trefoil::dataflow
