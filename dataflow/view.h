// View: the output of one prepared query, nested as its shape says, for all its bindings at once.
// Each level of the shape is one flat relation; a row belongs to the list that its bucket columns
// name. Rows that leave and enter go in; for every root list that changed, the rows that left and
// entered and the edits between the two come out.
//
//   level 0 (issue)              bucket = parameters of the binding
//     [7] -> items in order: {id, title, [.]--+ }
//   level 1 (comment)            bucket = issue  |
//     [42] -> items in order: {body}  <----------+  one bucket serves every row that refers to it
//
// A step goes from the deepest level to the root. A bucket that changed gives each item that refers
// to it a new value; only the path from there to the root is made anew, everything else is shared
// with the old value. Lists of the root are counted trees, so a snapshot is a pointer copy.
//
// Cost of a step: O(rows in the deltas * log n + width of each changed inner list on the path).
//
// I1: every item of a level refers, for each child field, to the bucket its columns name; buckets
//     exist while they have items or referring items.
// I2: between steps the value of an inner bucket is the list (or first) of its items' values, and
//     the value of an item contains the values of its child buckets.
// Threads: one at a time; snapshots may be read and dropped on any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataflow/batch.h"
#include "dataflow/row.h"
#include "trefoil/change.h"
#include "trefoil/query.h"
#include "trefoil/value.h"

namespace trefoil::dataflow {

// A field that holds rows of a deeper level.
struct ViewChild {
  std::size_t level = 0;
  // Columns of this level's rows whose values name the bucket of the child. A NULL names none.
  std::vector<Column> bucket;
  // The first row alone, or NULL; otherwise a list.
  bool single = false;
};

struct ViewField {
  Column column = 0;  // the cell to show, unless there is a child
  std::optional<ViewChild> child = std::nullopt;
};

struct ViewLevel {
  // Which list a row belongs to. For the root: the parameters of a binding; empty: one list.
  std::vector<Column> bucket;
  // Order of the rows of one list. Ends with the columns of `key`.
  std::vector<SortColumn> order;
  // Tells the rows of one list apart.
  std::vector<Column> key;
  // One per field. Null: there is one field, and it is the item itself (never for the root).
  ObjectNames names;
  std::vector<ViewField> fields;
};

struct ViewShape {
  // The root first; every other level is the child of one field of a level before it.
  std::vector<ViewLevel> levels;
};

// Rows of these names as an answer; null names: no rows.
Rows AnswerOf(const ObjectNames& names, std::span<const trefoil::Row> rows);

// The rows of one root list at one version.
class ViewSnapshot {
 public:
  class Items;

  ViewSnapshot() = default;
  ViewSnapshot(ObjectNames names, std::shared_ptr<const Items> items)
      : names_(std::move(names)), items_(std::move(items)) {}

  std::size_t size() const;
  // In order, with their keys. O(rows).
  std::vector<trefoil::Row> ToRows() const;
  Rows ToAnswer() const { return AnswerOf(names_, ToRows()); }
  const ObjectNames& names() const { return names_; }

 private:
  ObjectNames names_;
  std::shared_ptr<const Items> items_;  // null: no rows
};

// What a step did to one root list.
struct ListChange {
  Row bucket;
  // Rows that are no longer there as they were, and rows that were not there as they are; equal
  // keys in both are updates (PairByKey). In the order of the edits.
  std::vector<trefoil::Row> left;
  std::vector<trefoil::Row> entered;
  std::vector<Edit> edits;
};

Change ToChange(ListChange list, Version from, Version to, Origin origin);

class View {
 public:
  explicit View(ViewShape shape);
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // Takes one step: deltas[i] is the delta of level i, null if it has none. Returns the root lists
  // that changed, each once. A list that had no rows is reported like any other.
  std::vector<ListChange> Step(std::span<const Batch* const> deltas);
  // As Step, when nobody asks what changed: to build a new view.
  void Load(std::span<const Batch* const> deltas);

  ViewSnapshot Snapshot(RowView bucket) const;

  // Bytes of all items, lists and trees; shared text is counted where it is shown.
  std::size_t state_bytes() const;
  // Rows of all levels.
  std::size_t state_rows() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace trefoil::dataflow
