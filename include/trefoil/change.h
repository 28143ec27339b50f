// What a live query tells its listener: a Change is the exact difference between the result at two
// versions, as rows that entered, left and were updated, and as positional edits of the ordered,
// nested result. Rows and Changes are values: they never change, never dangle, and may be kept and
// read on any thread.
//
//   result at `from`  --- Apply(change) --->  result at `to`
//   Compose(a, b) is the one Change from a.from to b.to; Changes add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil {

// One row of a result: named values, shared by reference count. Equal rows have equal names and
// values; the key does not take part.
class Row {
 public:
  Row() = default;  // no columns
  // `object` is of kind OBJECT. `key` tells the rows of one result apart, whatever their columns;
  // it is not shown.
  explicit Row(Value object, Value key = Value());
  // One name per value.
  Row(ObjectNames names, std::vector<Value> values, Value key = Value())
      : Row(Value::Object(std::move(names), std::move(values)), std::move(key)) {}

  std::size_t size() const { return values().size(); }
  std::span<const std::string> names() const;
  std::span<const Value> values() const;
  const Value& operator[](std::size_t column) const { return values()[column]; }
  // The value of the first column of that name; null when there is none.
  const Value* Find(std::string_view name) const;

  const Value& object() const { return object_; }  // NULL for a Row without columns
  const Value& key() const { return key_; }

  // {"name":value,...} in column order.
  std::string ToJson() const;

  friend bool operator==(const Row& a, const Row& b) { return a.object_ == b.object_; }

 private:
  Value object_;
  Value key_;
};

// A row that stayed in the result with other values.
struct Update {
  Row before;
  Row after;
  // Bit i is set when column i differs; bit 63 stands for all columns from 63 on.
  std::uint64_t columns = 0;

  friend bool operator==(const Update&, const Update&) = default;
};

// Which columns differ, as in Update::columns. The rows have the same names.
std::uint64_t ChangedColumns(const Row& before, const Row& after);

enum class EditOp : std::uint8_t { kInsert, kRemove, kReplace };

// A position in a list, or the name of a column.
using PathStep = std::variant<std::size_t, std::string>;

// One step from the old nested result to the new one. Edits apply one after the other: a position
// counts rows as the edits before it have left them.
struct Edit {
  EditOp op = EditOp::kReplace;
  // From the list of result rows inwards: {3, "comments", 0} is the first comment of row 3. The
  // last step says what is inserted, removed or replaced.
  std::vector<PathStep> path;
  Value value;  // what is there afterwards; NULL for kRemove
  Value key;    // of an inserted, removed or replaced row of the result; else NULL

  friend bool operator==(const Edit&, const Edit&) = default;
};

// Where the commits of a Change come from.
enum class Origin : std::uint8_t { kLocal, kMerged, kBoth };
// "local", "merged", "both".
std::string_view OriginName(Origin origin);

struct Change {
  Version from{};  // the result before; 0 for a first result
  Version to{};
  Origin origin = Origin::kLocal;
  // The result as a whole, in `added`, in order; forget what you have. No edits then.
  bool reset = false;
  std::vector<Row> added = {};
  std::vector<Row> removed = {};
  std::vector<Update> updated = {};
  std::vector<Edit> edits = {};

  // Nothing to tell. A row that only moved, because a sort key that is not shown changed, is in
  // `edits` alone.
  bool empty() const { return !reset && has_same_rows() && edits.empty(); }
  bool has_same_rows() const { return added.empty() && removed.empty() && updated.empty(); }
  // The edits as a JSON Patch (RFC 6902) of the array of result rows.
  std::string JsonPatch() const;

  friend bool operator==(const Change&, const Change&) = default;
};

// {"from":0,"to":17,"origin":"local","reset":true,"added":[],"removed":[],"updated":[]}; with a
// `live_name`, {"live":"...", first. This text is a contract with other programs.
std::string ToJson(const Change& change, std::string_view live_name = {});

// The one Change that does what `first` and then `second` do. Rows that come and go cancel; what is
// left of a key before and after becomes an update. `second` begins where `first` ends.
Change Compose(const Change& first, const Change& second);

// Brings a copy of the result at change.from to change.to.
void Apply(const Change& change, std::vector<Row>& rows);

// Fills added, removed and updated from rows that left and rows that entered: equal rows of one key
// cancel, the others of one key pair up in order.
void PairByKey(std::span<const Row> left, std::span<const Row> entered, Change& change);

}  // namespace trefoil
