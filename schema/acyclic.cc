#include "schema/acyclic.h"

#include <algorithm>
#include <string>

#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::schema {

Status CheckAcyclic(const Type& type) {
  const bool is_open = std::ranges::any_of(type.key, [&](AttributeId id) {
    const ValueType& field = type.Find(id)->type;
    return field.is_any() || (field.kind == ValueKind::kRef && type.key.size() == 1);
  });
  for (const Attribute& attribute : type.attributes) {
    if (attribute.merge != MergeKind::kTree) continue;
    const std::string place =
        StrCat("field \"", type.name, ".", attribute.name, "\" is ACYCLIC, but ");
    if (attribute.type.target != type.id) return InvalidArgument(place + "refers to another table");
    if (is_open) return Unsupported(place + "the key of its table is ANY, or a REF of many fields");
  }
  return Ok();
}

}  // namespace trefoil::schema
