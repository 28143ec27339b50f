// The inside of View: buckets, items and the references between them. See view.h.
//
//   Bucket --tree--> Item --link--> Bucket of a deeper level
//      ^----------------home            |
//   first_link <------chain of links----+        all links that refer to one bucket
#pragma once

#include <atomic>
#include <boost/intrusive_ptr.hpp>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataflow/counted_tree.h"
#include "dataflow/row_ref.h"
#include "trefoil/change.h"

namespace trefoil::dataflow::view {

struct Bucket;
struct Item;

// One child field of an item, in the chain of its bucket.
struct Link {
  Bucket* bucket = nullptr;  // null: the columns hold a NULL, there is no bucket
  Item* item = nullptr;
  Link* previous = nullptr;
  Link* next = nullptr;
};

// One row of a list. What is shown never changes, and a snapshot may hold the last reference; the
// rest is seen by the thread of the view only.
struct Item {
  Item(RowRef order_in, Value key_in, Value value_in, Bucket* home_in)
      : order(std::move(order_in)),
        key(std::move(key_in)),
        value(std::move(value_in)),
        home(home_in) {}

  friend void intrusive_ptr_add_ref(const Item* item) {
    item->owners.fetch_add(1, std::memory_order_relaxed);
  }
  friend void intrusive_ptr_release(const Item* item) {
    if (item->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete item;
  }

  mutable std::atomic<std::uint32_t> owners{0};
  bool in_delta = false;  // the delta of this step names it
  const RowRef order;     // values of the order columns
  const Value key;        // of the row within its list
  const Value value;      // what is shown
  Bucket* const home;
  std::unique_ptr<Link[]> links;  // one per child field, in the order of the fields
};
using ItemRef = boost::intrusive_ptr<Item>;

// Where a row of a delta belongs: `columns` are those that its list is ordered by.
struct Place {
  RowView row;
  std::span<const Column> columns;

  const Value& operator[](std::size_t i) const { return row[columns[i]]; }
};

// Orders items by their order values, each of which is a sort column.
struct ItemOrder {
  RowOrder rows;

  std::strong_ordering operator()(const ItemRef& a, const ItemRef& b) const {
    return rows(a->order, b->order);
  }
  std::strong_ordering operator()(const ItemRef& a, const Place& b) const {
    return Compare(a->order->row(), b);
  }
  std::strong_ordering operator()(const Place& a, const Place& b) const { return Compare(a, b); }

 private:
  template <typename Left>
  std::strong_ordering Compare(const Left& a, const Place& b) const {
    const std::vector<SortColumn>& columns = rows.columns();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::strong_ordering order = CompareValues(a[i], b[i]);
      if (order != 0) return columns[i].descending ? 0 <=> order : order;
    }
    return std::strong_ordering::equal;
  }
};
using ItemTree = CountedTree<ItemRef, ItemOrder>;

// A child field whose bucket has a new value.
struct Stale {
  ItemRef item;
  std::size_t field;
  const Bucket* child;
};

// A row of the delta on its way into a bucket.
struct Arrival {
  Place place;
  Weight weight;
};

// What one step does to one bucket.
struct Work {
  std::vector<Arrival> arrivals;
  std::vector<Stale> stale;
  std::vector<Edit> edits;   // paths begin with a position in this list
  bool wants_edits = false;  // somebody saw the list before
  bool changed = false;

  void Clear() {
    arrivals.clear();
    stale.clear();
    edits.clear();
    wants_edits = changed = false;
  }
};

struct Bucket {
  Bucket(Row key_in, std::size_t level_in, const ItemOrder& order)
      : key(std::move(key_in)), level(level_in), items(order) {}

  const Row key;
  const std::size_t level;
  ItemTree items;
  Value value;  // inner levels: the list, or the single item
  Link* first_link = nullptr;
  std::unique_ptr<Work> work;  // null between steps
};

}  // namespace trefoil::dataflow::view
