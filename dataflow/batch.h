// A Batch is a Z-set as it travels along an edge of the graph: rows with weights. As the content of
// a relation all weights are positive; as a delta, +w enters and -w leaves. An update is the old
// row with -1 and the new row with +1.
//
//   cells:   | row 0: v v v | row 1: v v v | ...     row-major, `width` values per row
//   weights: |      +1      |      -1      | ...
//
// I1: a consolidated batch holds each row once, with a weight that is not zero, in the order of
//     CompareRows. Every delta that leaves an operator is consolidated.
// A cleared batch keeps its memory, so that the steady path does not allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataflow/row.h"

namespace trefoil::dataflow {

class Batch {
 public:
  explicit Batch(std::size_t width = 0) : width_(width) {}

  std::size_t width() const { return width_; }
  std::size_t size() const { return weights_.size(); }
  bool empty() const { return weights_.empty(); }

  RowView row(std::size_t i) const { return {cells_.data() + i * width_, width_}; }
  Weight weight(std::size_t i) const { return weights_[i]; }
  // All cells, row after row.
  std::span<const Value> cells() const { return cells_; }

  // `row` must have the width of the batch; it may not point into this batch.
  void Add(RowView row, Weight weight);
  // A new row of NULLs, to be filled by the caller before the next call.
  std::span<Value> AddRow(Weight weight);
  void RemoveLast();
  void Clear();
  void Swap(Batch& other) noexcept;

  // Sums the weights of equal rows, drops zeros, sorts. O(n log n); no allocation up to 16 rows.
  void Consolidate();
  bool IsConsolidated() const;

  friend bool operator==(const Batch& a, const Batch& b);

 private:
  // A row to be sorted: its number, and its first two cells as numbers where those order rows.
  struct SortPlace {
    std::int64_t first;
    std::int64_t second;
    std::uint32_t row;
  };

  void SortSmall();
  void SortLarge();
  bool AreInts(std::size_t column) const;
  void ForgetScratch();
  void MergeNeighbours();

  std::size_t width_;
  std::vector<Value> cells_;
  std::vector<Weight> weights_;
  // Scratch of SortLarge.
  std::vector<SortPlace> sort_places_;
  std::vector<Value> sorted_cells_;
  std::vector<Weight> sorted_weights_;
};

}  // namespace trefoil::dataflow
