// Ids that replicas agree on without meeting: a declared number, or 28 bits of a hash of the name.
#pragma once

#include <cstdint>
#include <string_view>

#include "trefoil/version.h"

namespace trefoil::schema {

// Declared type and field numbers are below this; hashed type ids are, too.
inline constexpr std::uint32_t kTypeLimit = 1u << 28;
inline constexpr std::uint32_t kFieldLimit = 1u << 20;
// Ids from here on belong to the types of the system (schema/catalogue.h).
inline constexpr std::uint32_t kSystemTypeBase = kTypeLimit;

// The concurrent values of an MV attribute, read as a LIST, go by the attribute's id with this bit.
inline constexpr std::uint32_t kConflictsBit = 1u << 31;

constexpr AttributeId ConflictsOf(AttributeId id) {
  return AttributeId{ToNumber(id) | kConflictsBit};
}
constexpr bool IsConflicts(AttributeId id) { return (ToNumber(id) & kConflictsBit) != 0; }
constexpr AttributeId WithoutConflicts(AttributeId id) {
  return AttributeId{ToNumber(id) & ~kConflictsBit};
}

constexpr bool IsSystemType(TypeId id) { return ToNumber(id) >= kSystemTypeBase; }
// True for attributes of a LAX type that no declaration names.
constexpr bool IsUndeclared(AttributeId id) { return ToNumber(id) >= kFieldLimit; }

// All hashes fold the name's ASCII case, since names are compared so.
TypeId TypeIdOf(std::string_view name);
AttributeId UndeclaredAttributeId(std::string_view name);
IndexId IndexIdOf(std::string_view name);

}  // namespace trefoil::schema
