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

constexpr bool IsSystemType(TypeId id) { return ToNumber(id) >= kSystemTypeBase; }
// True for attributes of a LAX type that no declaration names.
constexpr bool IsUndeclared(AttributeId id) { return ToNumber(id) >= kFieldLimit; }

// All hashes fold the name's ASCII case, since names are compared so.
TypeId TypeIdOf(std::string_view name);
AttributeId UndeclaredAttributeId(std::string_view name);
IndexId IndexIdOf(std::string_view name);

}  // namespace trefoil::schema
