#include "schema/schema.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::schema {

const Attribute* Type::Find(std::string_view attribute_name) const {
  for (const std::vector<Attribute>* list : {&attributes, &undeclared}) {
    if (strict && list == &undeclared) break;
    const auto found = std::ranges::find_if(
        *list, [&](const Attribute& a) { return EqualIgnoringCase(a.name, attribute_name); });
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

const Attribute* Type::Find(AttributeId attribute_id) const {
  for (const std::vector<Attribute>* list : {&attributes, &undeclared}) {
    const auto found = std::ranges::find(*list, attribute_id, &Attribute::id);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

bool Type::IsKey(AttributeId attribute_id) const {
  return std::ranges::find(key, attribute_id) != key.end();
}

Schema::Schema(std::vector<Type> types, std::vector<Index> indexes, std::vector<Type> retired_types)
    : types_(std::move(types)),
      indexes_(std::move(indexes)),
      retired_types_(std::move(retired_types)) {
  std::ranges::sort(types_, {}, &Type::id);
  std::ranges::sort(retired_types_, {}, &Type::id);
  std::ranges::sort(indexes_, {}, &Index::id);
}

Schema Schema::OfPart(Part part) && {
  part_ = std::move(part);
  return std::move(*this);
}

const Type* Schema::FindType(std::string_view name) const {
  const auto found = std::ranges::find_if(
      types_, [&](const Type& type) { return EqualIgnoringCase(type.name, name); });
  return found == types_.end() ? nullptr : &*found;
}

const Type* Schema::FindType(TypeId id) const {
  const auto found = std::ranges::lower_bound(types_, id, {}, &Type::id);
  return found == types_.end() || found->id != id ? nullptr : &*found;
}

const Index* Schema::FindIndex(std::string_view name) const {
  const auto found = std::ranges::find_if(
      indexes_, [&](const Index& index) { return EqualIgnoringCase(index.name, name); });
  return found == indexes_.end() ? nullptr : &*found;
}

const Index* Schema::FindIndex(IndexId id) const {
  const auto found = std::ranges::lower_bound(indexes_, id, {}, &Index::id);
  return found == indexes_.end() || found->id != id ? nullptr : &*found;
}

std::vector<const Index*> Schema::IndexesOf(TypeId type) const {
  std::vector<const Index*> found;
  for (const Index& index : indexes_) {
    if (index.type == type) found.push_back(&index);
  }
  return found;
}

Status CheckHeld(const Schema& schema, const Type& type) {
  if (schema.part().HoldsSome(type.id)) return Ok();
  return MakeError(ErrorCode::kOutsidePart,
                   StrCat("table \"", type.name, "\" is not in the part that this replica holds"),
                   "ask a replica that holds it");
}

}  // namespace trefoil::schema
