// The window of one TopK partition: see top_k.h for the picture and the invariants I1, I2.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "dataflow/counted_tree.h"
#include "dataflow/operator.h"
#include "dataflow/operators/top_k.h"
#include "dataflow/row_ref.h"

namespace trefoil::dataflow {

// Which positions of its partition a window shows: [start, end).
struct WindowBounds {
  std::uint64_t offset = 0;
  std::uint64_t limit = kNoLimit;

  Weight start() const { return limit == 0 ? 0 : Clamped(offset); }
  Weight end() const { return limit == 0 ? 0 : Clamped(offset) + Clamped(limit); }
  Weight slack() const { return std::max<Weight>(4, (end() - start()) / 4); }

  friend bool operator==(const WindowBounds&, const WindowBounds&) = default;

 private:
  static Weight Clamped(std::uint64_t n) {
    constexpr std::uint64_t kMost = std::numeric_limits<Weight>::max() / 8;
    return static_cast<Weight>(std::min(n, kMost));
  }
};

class TopKWindow {
 public:
  // Where a window reads on, its `reader(after, wanted, sink)`, gives the rows of the partition
  // behind a place in order, from the first on if `after` is empty, and says whether it came to the
  // end; it takes about `wanted` of them.

  // Shows nothing, and keeps the first rows of an empty partition; Fill reads those of another.
  TopKWindow(const RowOrder& order, Row id, WindowBounds bounds, Row after)
      : id_(std::move(id)),
        bounds_(bounds),
        after_(std::move(after)),
        order_(order),
        rows_(order) {}

  const Row& id() const { return id_; }
  const WindowBounds& bounds() const { return bounds_; }
  const Row& after() const { return after_; }
  std::size_t size() const { return rows_.size(); }
  std::size_t bytes() const { return sizeof *this + rows_.bytes() + row_bytes_; }

  // Takes a change of the partition and emits what it does to the output as far as it is kept;
  // Settle, after all changes, does the rest. `emit(row, weight)`.
  template <typename Emit>
  void Change(RowView row, Weight weight, const Emit& emit);

  // Restores I2 at the far end: reads on when rows are missing, forgets what is well beyond.
  template <typename Reader, typename Emit>
  void Settle(const Reader& reader, const Emit& emit);

  // The first rows of a new window; `once`: it never changes, and keeps no row behind its end.
  template <typename Reader>
  void Fill(const Reader& reader, bool once) {
    bound_ = Row();
    ReadOn(reader, once ? 0 : bounds_.slack(), [](RowView, Weight) {});
  }

  template <typename Reader>
  void SetBounds(WindowBounds bounds, const Reader& reader) {
    bounds_ = bounds;
    Settle(reader, [](RowView, Weight) {});
  }

  // Calls visit(row, weight) for each row of the output, in order, until it returns false.
  template <typename Visit>
  bool ForEachShown(const Visit& visit) const {
    return ForEachAt(bounds_.start(), bounds_.end(), visit);
  }

  // I1 as far as it can be seen from here, and I2.
  bool IsSettled() const {
    return (!bound_ || rows_.total() >= bounds_.end()) &&
           (!bound_ || rows_.empty() || order_(rows_.Last().key(), RowOrder::Place{*bound_}) <= 0);
  }

 private:
  using Tree = CountedTree<RowRef, RowOrder>;

  template <typename Visit>
  bool ForEachAt(Weight from, Weight to, const Visit& visit) const;
  // `count` copies of `row` are put at position `at` of the kept rows as they are now (+1), or have
  // been taken from there (-1): emits that row, and the rows that cross an end of the output.
  template <typename Emit>
  void EmitShift(RowView row, Weight at, Weight count, int sign, const Emit& emit) const;
  // Reads until `slack` rows are kept behind the end.
  template <typename Reader, typename Emit>
  void ReadOn(const Reader& reader, Weight slack, const Emit& emit);
  void Trim();
  Weight Add(const RowRef& row, Weight weight);
  Row PlaceOf(RowView row) const {
    Row place;
    for (const SortColumn& sort : order_.columns()) place.push_back(row[sort.column]);
    return place;
  }

  Row id_;
  WindowBounds bounds_;
  Row after_;                 // values of the order columns; empty: from the first row
  std::optional<Row> bound_;  // likewise, empty: nothing is kept yet; nothing: everything is
  const RowOrder& order_;     // of the operator
  Tree rows_;
  std::size_t row_bytes_ = 0;
};

template <typename Emit>
void TopKWindow::Change(RowView row, Weight weight, const Emit& emit) {
  if (!after_.empty() && order_(row, RowOrder::Place{after_}) <= 0) return;
  if (bound_ && order_(row, RowOrder::Place{*bound_}) > 0) return;
  const Tree::Cursor known = rows_.Find(row);
  const RowRef kept = known ? known.key() : RowBlock::Make(row);
  const Weight at = rows_.Rank(row);
  const bool may_show = at < bounds_.end();
  if (weight > 0 && may_show) EmitShift(row, at, weight, 1, emit);
  const Weight after = Add(kept, weight);
  Check(after >= 0, "a row leaves a top-k as often as it came");
  if (weight < 0 && may_show) EmitShift(row, at, -weight, -1, emit);
}

template <typename Reader, typename Emit>
void TopKWindow::Settle(const Reader& reader, const Emit& emit) {
  // An empty window must know whether its partition is, even if it shows nothing.
  if (bound_ && (rows_.total() < bounds_.end() || rows_.empty())) {
    ReadOn(reader, bounds_.slack(), emit);
  }
  if (rows_.total() > bounds_.end() + 2 * bounds_.slack()) Trim();
}

template <typename Visit>
bool TopKWindow::ForEachAt(Weight from, Weight to, const Visit& visit) const {
  if (from >= to) return true;
  Weight at = 0;
  for (Tree::Cursor cursor = rows_.Nth(from, &at); cursor && at < to; cursor.Next()) {
    const Weight next = at + cursor.weight();
    if (!visit(cursor.key()->row(), std::min(next, to) - std::max(at, from))) return false;
    at = next;
  }
  return true;
}

template <typename Emit>
void TopKWindow::EmitShift(RowView row, Weight at, Weight count, int sign, const Emit& emit) const {
  const Weight start = bounds_.start();
  const Weight end = bounds_.end();
  const Weight shown = std::min(at + count, end) - std::max(at, start);
  if (shown > 0) emit(row, sign * shown);
  ForEachAt(std::max(at, start - count), std::min(start, end - count),
            [&](RowView other, Weight weight) {
              emit(other, sign * weight);
              return true;
            });
  ForEachAt(std::max({at, start, end - count}), end, [&](RowView other, Weight weight) {
    emit(other, -sign * weight);
    return true;
  });
}

template <typename Reader, typename Emit>
void TopKWindow::ReadOn(const Reader& reader, Weight slack, const Emit& emit) {
  const Weight wanted = bounds_.end() + slack;
  const Row place = bound_->empty() ? after_ : *bound_;
  RowRef last;
  const auto take = [&](RowView row, Weight weight) {
    const Weight at = rows_.total();
    last = RowBlock::Make(row);
    Add(last, weight);
    const Weight shown = std::min(at + weight, bounds_.end()) - std::max(at, bounds_.start());
    if (shown > 0) emit(row, shown);
    return rows_.total() < wanted;
  };
  const auto missing = static_cast<std::size_t>(std::max<Weight>(wanted - rows_.total(), 1));
  const bool exhausted = reader(std::span<const Value>(place), missing, take);
  bound_ = exhausted || last == nullptr ? std::nullopt : std::optional(PlaceOf(last->row()));
}

inline void TopKWindow::Trim() {
  const Weight wanted = bounds_.end() + bounds_.slack();
  for (;;) {
    const Tree::Cursor last = rows_.Last();
    if (!last || rows_.total() - last.weight() < wanted) break;
    const RowRef row = last.key();
    Add(row, -last.weight());
  }
  bound_ = PlaceOf(rows_.Last().key()->row());
}

inline Weight TopKWindow::Add(const RowRef& row, Weight weight) {
  const std::size_t distinct = rows_.size();
  const Weight after = rows_.Add(row, weight);
  if (rows_.size() > distinct) row_bytes_ += RowBlock::BytesFor(row->row());
  if (rows_.size() < distinct) row_bytes_ -= RowBlock::BytesFor(row->row());
  return after;
}

}  // namespace trefoil::dataflow
