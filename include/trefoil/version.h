// Versions and the identities of tables and columns, each a type of its own so that one is never
// passed for another.
#pragma once

#include <compare>
#include <cstdint>

namespace trefoil {

// Number of a commit on this replica: 0 is the empty database, the first commit makes 1. It is the
// sequence number of the store.
enum class Version : std::uint64_t {};

constexpr std::uint64_t ToNumber(Version version) { return static_cast<std::uint64_t>(version); }
constexpr Version Next(Version version) { return Version{ToNumber(version) + 1}; }

// Number of a type (table) in the catalogue; agrees between replicas.
enum class TypeId : std::uint32_t {};
// Number of an attribute (column) within its type: the field number of its declaration, or
// 2^20 and above for undeclared ones. 0 is the row cell.
enum class AttributeId : std::uint32_t {};
// Number of a secondary index in the catalogue.
enum class IndexId : std::uint32_t {};

constexpr std::uint32_t ToNumber(TypeId id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t ToNumber(AttributeId id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t ToNumber(IndexId id) { return static_cast<std::uint32_t>(id); }

// Release of the library, "0.1.0".
const char* LibraryVersion();

}  // namespace trefoil
