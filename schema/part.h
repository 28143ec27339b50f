// Part: which rows a replica holds. All of them, or those of some tables, of each the whole or some
// ranges of its keys. The catalogue belongs to every part.
//
//   part  nothing for all rows; else count varint | per table, ascending: type varint | ranges
//         varint | per range, ascending: start, limit, each its length first
//
// A range is one of subjects (schema/keys.h), from start on and below limit; no limit has no bytes.
// I1 Ranges are not empty and do not touch, so equal parts have equal bytes. I2 Start and limit are
// those of whole key fields (PrefixLimit of them), so an element behind a subject does not count.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::schema {

struct SubjectRange {
  std::string start;
  std::string limit;  // empty: none

  friend bool operator==(const SubjectRange&, const SubjectRange&) = default;
};

class Part {
 public:
  using Tables = std::map<TypeId, std::vector<SubjectRange>>;

  Part() = default;  // all rows
  // Any ranges in any order.
  explicit Part(Tables tables);

  bool is_whole() const { return !tables_.has_value(); }
  bool HoldsAll(TypeId type) const;
  bool HoldsSome(TypeId type) const;
  bool Holds(TypeId type, Slice subject) const;

  // Whether it holds every row that `other` holds.
  bool Covers(const Part& other) const;
  Part Intersect(const Part& other) const;

  // Null for all rows.
  const Tables* tables() const { return tables_ ? &*tables_ : nullptr; }

  friend bool operator==(const Part&, const Part&) = default;

 private:
  std::optional<Tables> tables_;
};

std::string EncodePart(const Part& part);
// Error: kCorruption for what EncodePart does not make.
Result<Part> DecodePart(Slice bytes);

}  // namespace trefoil::schema
