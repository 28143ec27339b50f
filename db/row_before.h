// RowBefore: what RowWriter reads of a row before it writes: whether the row is there, and as much
// of its values as the edit depends on. What is not read is no part of the transaction's read set,
// so others may change it meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "db/field_edit.h"
#include "db/overlay_view.h"
#include "db/row_images.h"
#include "db/type_layout.h"
#include "schema/part.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::db {

struct RowCell {
  bool exists = false;
  std::uint64_t causal_length = 0;  // of the newest row cell; 0 = there never was one
};

// One row after the other, each: wants, then Read.
class RowBefore {
 public:
  // Borrows the view.
  explicit RowBefore(const OverlayView& view) : view_(view) {}

  // All of the first `places` places of the layout.
  void WantAll(std::size_t places) { wanted_.assign(places, Want::kRead); }
  // What an update depends on: where a CHECK may look at everything, the whole row; else the values
  // that edits are relative to, and the columns of the indexes that hold an edited field.
  void WantForUpdate(const TypeLayout& layout, std::span<const FieldEdit> fields);
  // Wants the rest of the row too if an observer asks for images; false if there will be none, as
  // of a row with a SET that the edit does not look at, whose elements cannot be read unnoted.
  bool WantForImage(const TypeLayout& layout, const RowImages& images);

  // Reads the row cell and what is wanted. Error: kOutsidePart for what this replica does not hold.
  Result<RowCell> Read(const TypeLayout& layout, const schema::Part& part, Slice subject);
  // As Read, of a row of which nothing else is wanted, whatever was wanted of the last one.
  Result<RowCell> ReadCell(const TypeLayout& layout, const schema::Part& part, Slice subject);

  // By place, NULL where nothing was wanted. Empty if nothing was at all, or there is no row.
  const std::vector<Value>& values() const { return values_; }
  // Whether a wanted fact was read, be it a mark.
  bool has_cell(std::size_t place) const { return has_cell_[place] != 0; }

 private:
  // How far a transaction depends on a value of a row that it edits.
  enum class Want : unsigned char {
    kNot,
    kShown,  // read for the row's image alone, and no part of the read set
    kRead,
  };
  Status Complete(const TypeLayout& layout, Slice subject);

  const OverlayView& view_;
  std::vector<Want> wanted_;             // by place
  std::vector<unsigned char> has_cell_;  // by place
  std::vector<Value> values_;
  std::string key_;
};

}  // namespace trefoil::db
