#include "db/held.h"

#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/row_layout.h"

namespace trefoil::db {

Status CheckRowHeld(const schema::Part& part, const schema::Type& type, Slice subject) {
  if (part.Holds(type.id, subject)) return Ok();
  const Result<std::vector<Value>> key = DecodeSubject(type, subject);
  return MakeError(ErrorCode::kOutsidePart,
                   StrCat("row ", key ? DescribeKey(*key) : "?", " of table \"", type.name,
                          "\" is not in the part that this replica holds"),
                   "write it on a replica that holds it");
}

Status CheckColumnHeld(const schema::Part& part, const schema::Type& type,
                       const schema::Attribute& attribute) {
  if (attribute.merge != schema::MergeKind::kTree || part.HoldsAll(type.id)) return Ok();
  return MakeError(ErrorCode::kOutsidePart,
                   StrCat("column \"", type.name, ".", attribute.name,
                          "\" is ACYCLIC, and this replica holds only some rows of its table"),
                   "write it on a replica that holds the whole table");
}

}  // namespace trefoil::db
