// Router: which bindings a row can concern. A prepared query compares columns of a row with its
// parameters; ten thousand subscriptions are ten thousand rows of parameters, and a changed row
// must find the few that it touches without looking at the others.
//
//   alternative: project = $1 and created >= $2
//   (project) --hash--> bucket --interval tree over [$2, unbounded)--> bindings --tests--> visit
//
// One test of every kind leads to bindings: all equalities and one list together through a hash, a
// prefix as one more hashed column for each length in use, a range through an interval tree per
// bucket. Everything else, and every open end, is tested on what was found. Alternatives are OR-ed;
// a binding that several alternatives find is visited once.
//
// Cost: O(bindings found), plus O(log n) for a range and one probe per prefix length in use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/function_ref.h"
#include "dataflow/arrangement.h"
#include "dataflow/interval_tree.h"
#include "dataflow/row.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

enum class RouteTest : std::uint8_t {
  kEqual,         // the same Value, not NULL
  kSame,          // the same Value, or both NULL
  kIn,            // the binding's column is a LIST with an item that is the same Value, not NULL
  kPrefix,        // the row's text begins with the binding's
  kLess,          // row < binding; these four as SQL compares
  kLessEqual,     // row <= binding
  kGreater,       // row > binding
  kGreaterEqual,  // row >= binding
};

// One comparison of a column of the row with a column of the binding.
struct RouteSlot {
  RouteTest test = RouteTest::kEqual;
  Column row = 0;
  Column binding = 0;

  friend bool operator==(const RouteSlot&, const RouteSlot&) = default;
};

// All of these hold.
using RouteAlternative = std::vector<RouteSlot>;

// Whether `binding` and `row` pass all slots.
bool Passes(const RouteAlternative& alternative, RowView binding, RowView row);

// The values that kIn finds in a list, each once; none if it is no LIST.
std::vector<Value> ListItems(const Value& list);

class Router {
 public:
  Router(std::size_t binding_width, std::vector<RouteAlternative> alternatives);

  // A change of the bindings relation.
  void Add(RowView binding, Weight weight);
  // Every binding that passes one of the alternatives with this row, once.
  void Route(RowView row, FunctionRef<void(RowView binding, Weight weight)> visit) const;

  // All bindings, by their column 0.
  const KeyedRows& bindings() const { return bindings_; }
  std::size_t bytes() const;

 private:
  using Slot = RowTable::Slot;

  // The way to the bindings of one alternative. The key of a bucket is the hashed values in the
  // order of `hashed`, then the item of the list, then the prefix.
  struct Index {
    RouteAlternative all;
    std::vector<RouteSlot> hashed;    // kEqual, kSame
    std::optional<RouteSlot> in;      // kIn
    std::optional<RouteSlot> prefix;  // kPrefix
    std::optional<RouteSlot> lower;   // kGreater, kGreaterEqual
    std::optional<RouteSlot> upper;   // kLess, kLessEqual, of the same column as `lower`
    // Without a range: (key of bucket, slot of the binding).
    KeyedRows entries;
    // With a range: the keys, whose slots number the trees.
    RowTable buckets;
    std::vector<IntervalTree> trees;
    std::map<std::size_t, std::size_t> prefix_sizes;  // how many bindings have a prefix so long

    explicit Index(RouteAlternative alternative);
    std::size_t key_width() const { return hashed.size() + (in ? 1 : 0) + (prefix ? 1 : 0); }
    bool has_range() const { return lower || upper; }
  };

  static void Enter(Index& index, RowView binding, Slot slot, bool enters);
  static void EnterKey(Index& index, const Row& key, RowView binding, Slot slot, bool enters);
  void Find(const Index& index, RowView row, FunctionRef<void(Slot)> visit) const;
  static void FindKey(const Index& index, const Row& key, RowView row,
                      FunctionRef<void(Slot)> visit);

  KeyedRows bindings_;
  std::vector<Index> indexes_;
};

}  // namespace trefoil::dataflow
