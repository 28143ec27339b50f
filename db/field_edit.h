// What a write does to one column of a row.
#pragma once

#include <cstdint>

#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil::db {

enum class EditKind : std::uint8_t {
  kAssign,  // the value; of a SET a LIST of its elements, or NULL for none
  kAdd,     // COUNTER: increment by; SET: add an element, or those of a LIST
  kRemove,  // COUNTER: decrement by; SET: remove an element, or those of a LIST
};

struct FieldEdit {
  AttributeId attribute{};
  Value value = {};
  EditKind kind = EditKind::kAssign;
};

}  // namespace trefoil::db
