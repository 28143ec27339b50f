// A damaged place in a file as a line for people.
#pragma once

#include <string>

#include "base/str_cat.h"
#include "lsm/store.h"

namespace trefoil::db {

// "shop.db/000004.sst at 8192: checksum mismatch".
inline std::string DamageText(const lsm::Damage& damage) {
  // What was found by reading the file says itself where.
  if (damage.what.starts_with(damage.file)) return damage.what;
  if (damage.offset == 0) return StrCat(damage.file, ": ", damage.what);
  return StrCat(damage.file, " at ", damage.offset, ": ", damage.what);
}

}  // namespace trefoil::db
