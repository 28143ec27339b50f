// Batch: growth and consolidation.
#include "dataflow/batch.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

namespace {

// Up to this many rows are sorted in place by insertion: no index, no allocation.
constexpr std::size_t kSmallRows = 16;

}  // namespace

void Batch::Add(RowView row, Weight weight) {
  Check(row.size() == width_, "a row has the width of its batch");
  cells_.insert(cells_.end(), row.begin(), row.end());
  weights_.push_back(weight);
}

std::span<Value> Batch::AddRow(Weight weight) {
  const std::size_t start = cells_.size();
  cells_.resize(start + width_);
  weights_.push_back(weight);
  return {cells_.data() + start, width_};
}

void Batch::RemoveLast() {
  Check(!weights_.empty(), "only a row that is there can be removed");
  weights_.pop_back();
  cells_.resize(weights_.size() * width_);
}

void Batch::Clear() {
  cells_.clear();
  weights_.clear();
}

void Batch::Swap(Batch& other) noexcept {
  std::swap(width_, other.width_);
  cells_.swap(other.cells_);
  weights_.swap(other.weights_);
}

void Batch::Consolidate() {
  if (size() == 1) {
    if (weights_[0] == 0) Clear();
    return;
  }
  if (size() <= kSmallRows) {
    SortSmall();
  } else if (!IsConsolidated()) {
    SortLarge();
  }
  MergeNeighbours();
}

bool Batch::IsConsolidated() const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (weights_[i] == 0) return false;
    if (i > 0 && CompareRows(row(i - 1), row(i)) >= 0) return false;
  }
  return true;
}

void Batch::SortSmall() {
  Value* const cells = cells_.data();
  for (std::size_t i = 1; i < size(); ++i) {
    for (std::size_t j = i; j > 0 && CompareRows(row(j), row(j - 1)) < 0; --j) {
      std::swap_ranges(cells + j * width_, cells + (j + 1) * width_, cells + (j - 1) * width_);
      std::swap(weights_[j], weights_[j - 1]);
    }
  }
}

void Batch::SortLarge() {
  std::vector<std::uint32_t> order(size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [this](std::uint32_t a, std::uint32_t b) { return CompareRows(row(a), row(b)) < 0; });
  std::vector<Value> cells;
  std::vector<Weight> weights;
  cells.reserve(cells_.size());
  weights.reserve(size());
  for (const std::uint32_t i : order) {
    const auto first = cells_.begin() + static_cast<std::ptrdiff_t>(i * width_);
    cells.insert(cells.end(), std::make_move_iterator(first),
                 std::make_move_iterator(first + static_cast<std::ptrdiff_t>(width_)));
    weights.push_back(weights_[i]);
  }
  cells_.swap(cells);
  weights_.swap(weights);
}

void Batch::MergeNeighbours() {
  std::size_t kept = 0;
  for (std::size_t read = 0; read < size();) {
    Weight sum = weights_[read];
    std::size_t end = read + 1;
    while (end < size() && EqualRows(row(end), row(read))) sum += weights_[end++];
    if (sum != 0) {
      if (kept != read) {
        std::move(cells_.data() + read * width_, cells_.data() + (read + 1) * width_,
                  cells_.data() + kept * width_);
      }
      weights_[kept++] = sum;
    }
    read = end;
  }
  weights_.resize(kept);
  cells_.resize(kept * width_);
}

}  // namespace trefoil::dataflow
