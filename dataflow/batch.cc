// Batch: growth and consolidation.
#include "dataflow/batch.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

namespace {

// Up to this many rows are sorted in place by insertion: no index, no allocation.
constexpr std::size_t kSmallRows = 16;
// Larger buffers for sorting are given back.
constexpr std::size_t kScratchCells = 1 << 16;

// Bytes of a TEXT that its head holds.
constexpr std::size_t kHeadBytes = 7;

// A number that orders values of INT, and those of TEXT as far as it differs: of a text it has the
// first bytes, and behind them how many there are, so that "a" comes before "a\0".
std::int64_t HeadOf(const Value& value) {
  if (value.kind() == ValueKind::kInt) return value.AsInt();
  const std::string_view text = value.AsText();
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < kHeadBytes; ++i) {
    head = head << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  head = head << 8 | std::min(text.size(), kHeadBytes + 1);
  return static_cast<std::int64_t>(head ^ std::uint64_t{1} << 63);
}

// A column as far as it holds texts: not in all rows; in all; and all so short that texts with
// equal heads are equal.
enum class Texts { kNone, kLong, kShort };

Texts TextsOf(const Batch& batch, std::size_t column) {
  if (column >= batch.width()) return Texts::kNone;
  Texts texts = Texts::kShort;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Value& value = batch.row(i)[column];
    if (value.kind() != ValueKind::kText) return Texts::kNone;
    if (value.AsText().size() > kHeadBytes) texts = Texts::kLong;
  }
  return texts;
}

// Insertion sort that gives up, with the items in some order, when they are far from sorted. A
// commit lists its rows by key, each old row beside its new one, so that most deltas nearly are.
template <typename Item, typename IsBefore>
bool SortNearlySorted(std::vector<Item>& items, const IsBefore& is_before) {
  std::size_t moves_left = 2 * items.size();
  for (std::size_t i = 1; i < items.size(); ++i) {
    for (std::size_t j = i; j > 0 && is_before(items[j], items[j - 1]); --j) {
      std::swap(items[j], items[j - 1]);
      if (--moves_left == 0) return false;
    }
  }
  return true;
}

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

bool operator==(const Batch& a, const Batch& b) {
  return a.width_ == b.width_ && a.cells_ == b.cells_ && a.weights_ == b.weights_;
}

void Batch::Consolidate() {
  if (IsConsolidated()) return;
  size() <= kSmallRows ? SortSmall() : SortLarge();
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

// Sorts numbers of rows, the heads of the first cells beside each: most comparisons end there,
// without a look at the row.
void Batch::SortLarge() {
  sort_places_.clear();
  const Texts texts = TextsOf(*this, 0);
  const bool decides = AreInts(0) || texts == Texts::kShort;
  const bool by_first = decides || texts == Texts::kLong;
  const bool by_second = decides && (AreInts(1) || TextsOf(*this, 1) != Texts::kNone);
  for (std::uint32_t i = 0; i < size(); ++i) {
    const Value* const cells = cells_.data() + i * width_;
    sort_places_.push_back({by_first ? HeadOf(cells[0]) : 0, by_second ? HeadOf(cells[1]) : 0, i});
  }
  const auto is_before = [this](const SortPlace& a, const SortPlace& b) {
    if (a.first != b.first) return a.first < b.first;
    if (a.second != b.second) return a.second < b.second;
    return CompareRows(row(a.row), row(b.row)) < 0;
  };
  if (!SortNearlySorted(sort_places_, is_before)) std::ranges::sort(sort_places_, is_before);
  sorted_cells_.clear();
  sorted_weights_.clear();
  for (const SortPlace& place : sort_places_) {
    const auto first = cells_.begin() + static_cast<std::ptrdiff_t>(place.row * width_);
    sorted_cells_.insert(sorted_cells_.end(), std::make_move_iterator(first),
                         std::make_move_iterator(first + static_cast<std::ptrdiff_t>(width_)));
    sorted_weights_.push_back(weights_[place.row]);
  }
  cells_.swap(sorted_cells_);
  weights_.swap(sorted_weights_);
  sort_places_.clear();
  sorted_cells_.clear();
  if (sorted_cells_.capacity() > kScratchCells) ForgetScratch();
}

bool Batch::AreInts(std::size_t column) const {
  if (column >= width_) return false;
  for (std::size_t i = column; i < cells_.size(); i += width_) {
    if (cells_[i].kind() != ValueKind::kInt) return false;
  }
  return true;
}

void Batch::ForgetScratch() {
  sort_places_ = {};
  sorted_cells_ = {};
  sorted_weights_ = {};
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
