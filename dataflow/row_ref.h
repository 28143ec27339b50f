// RowRef: a row on the heap, in one block with its reference count, for ordered state that several
// trees share. The values never change. RowOrder compares such rows by sort columns.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/intrusive_ptr.hpp>
#include <compare>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "dataflow/row.h"

namespace trefoil::dataflow {

class RowBlock {
 public:
  // A copy of `row`.
  static boost::intrusive_ptr<const RowBlock> Make(RowView row) {
    void* memory = ::operator new(sizeof(RowBlock) + row.size() * sizeof(Value));
    auto* block = new (memory) RowBlock(static_cast<std::uint32_t>(row.size()));
    std::uninitialized_copy(row.begin(), row.end(), block->values());
    return block;
  }
  RowBlock(const RowBlock&) = delete;
  RowBlock& operator=(const RowBlock&) = delete;

  RowView row() const { return {reinterpret_cast<const Value*>(this + 1), width_}; }

  static std::size_t BytesFor(RowView row) {
    std::size_t bytes = sizeof(RowBlock) + row.size() * sizeof(Value);
    for (const Value& value : row) bytes += value.shared_bytes();
    return bytes;
  }

  friend void intrusive_ptr_add_ref(const RowBlock* block) {
    block->owners_.fetch_add(1, std::memory_order_relaxed);
  }
  friend void intrusive_ptr_release(const RowBlock* block) {
    if (block->owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    auto* mine = const_cast<RowBlock*>(block);
    std::destroy_n(mine->values(), mine->width_);
    mine->~RowBlock();
    ::operator delete(mine);
  }

 private:
  explicit RowBlock(std::uint32_t width) : width_(width) {}
  Value* values() { return reinterpret_cast<Value*>(this + 1); }

  mutable std::atomic<std::uint32_t> owners_{0};
  std::uint32_t width_;
};
static_assert(sizeof(RowBlock) % alignof(Value) == 0);

using RowRef = boost::intrusive_ptr<const RowBlock>;

// Orders rows by sort columns, then by all values, so that rows with equal sort columns never fall
// into one. A Place is a prefix of the sort columns' values: it equals every row that begins so.
class RowOrder {
 public:
  struct Place {
    std::span<const Value> values;
  };

  explicit RowOrder(std::vector<SortColumn> columns)
      : columns_(std::make_shared<const std::vector<SortColumn>>(std::move(columns))) {}

  std::strong_ordering operator()(RowView a, RowView b) const {
    for (const SortColumn& sort : *columns_) {
      const std::strong_ordering order = CompareValues(a[sort.column], b[sort.column]);
      if (order != 0) return sort.descending ? 0 <=> order : order;
    }
    return CompareRows(a, b);
  }
  std::strong_ordering operator()(const RowRef& a, const RowRef& b) const {
    return a == b ? std::strong_ordering::equal : (*this)(a->row(), b->row());
  }
  std::strong_ordering operator()(const RowRef& a, RowView b) const { return (*this)(a->row(), b); }
  std::strong_ordering operator()(RowView row, Place place) const {
    for (std::size_t i = 0; i < place.values.size(); ++i) {
      const SortColumn sort = (*columns_)[i];
      const std::strong_ordering order = CompareValues(row[sort.column], place.values[i]);
      if (order != 0) return sort.descending ? 0 <=> order : order;
    }
    return std::strong_ordering::equal;
  }
  std::strong_ordering operator()(const RowRef& a, Place place) const {
    return (*this)(a->row(), place);
  }

  const std::vector<SortColumn>& columns() const { return *columns_; }

 private:
  std::shared_ptr<const std::vector<SortColumn>> columns_;  // shared by all trees of an operator
};

}  // namespace trefoil::dataflow
