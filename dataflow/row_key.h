// Rows as keys of hash tables, and the part of a row that is a key.
#pragma once

#include <cstddef>
#include <span>

#include "dataflow/row.h"

namespace trefoil::dataflow {

struct RowHash {
  using is_transparent = void;
  std::size_t operator()(RowView row) const { return HashRow(row); }
};
struct RowEqual {
  using is_transparent = void;
  bool operator()(RowView a, RowView b) const { return EqualRows(a, b); }
};

// The named columns of `row`, in place of what `cut` held.
inline void CutInto(Row& cut, RowView row, std::span<const Column> columns) {
  cut.clear();
  for (const Column column : columns) cut.push_back(row[column]);
}

}  // namespace trefoil::dataflow
