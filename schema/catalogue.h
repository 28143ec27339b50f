// The catalogue holds the schema as facts of three types of the system, so that it is queried,
// versioned and replicated by the same rules as any other data:
//   sys.type       one row per type, dropped ones included
//   sys.attribute  one row per attribute: declared, undeclared or retired
//   sys.index      one row per secondary index
// The others are computed when they are read and hold no facts (db/system_tables.h):
//   sys.triple      one row per stored fact
//   sys.commit      one row per commit that history retains
//   sys.violation   one row per constraint that does not hold for a row, which only merges bring
//   about
//   sys.site        one row per site whose transactions are here, and the own one
//   sys.live_query  one row per result that is kept for live queries
//   sys.operator    one row per operator of each of their plans
//   sys.level       one row per level of the store
// This file turns a Schema into those rows and back; it reads and writes nothing.
#pragma once

#include <vector>

#include "schema/ids.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::schema {

inline constexpr TypeId kSysType{kSystemTypeBase + 1};
inline constexpr TypeId kSysAttribute{kSystemTypeBase + 2};
inline constexpr TypeId kSysIndex{kSystemTypeBase + 3};
inline constexpr TypeId kSysTriple{kSystemTypeBase + 4};
inline constexpr TypeId kSysCommit{kSystemTypeBase + 5};
inline constexpr TypeId kSysViolation{kSystemTypeBase + 6};
inline constexpr TypeId kSysSite{kSystemTypeBase + 7};
inline constexpr TypeId kSysLiveQuery{kSystemTypeBase + 8};
inline constexpr TypeId kSysOperator{kSystemTypeBase + 9};
inline constexpr TypeId kSysLevel{kSystemTypeBase + 10};

// The types of the system; the same in every database.
const std::vector<Type>& SystemTypes();
constexpr bool IsComputed(TypeId id) { return kSysTriple <= id && id <= kSysLevel; }
// Whether commits tell how the rows of the type change, so that a query of them can live.
constexpr bool FollowsCommits(TypeId id) {
  return !IsComputed(id) || id == kSysViolation || id == kSysSite;
}

// What a new database declares: the types of the system.
Schema EmptySchema();

// A row of one of the system's types, values in the order of its attributes.
struct CatalogueRow {
  TypeId type{};
  std::vector<Value> values;

  friend bool operator==(const CatalogueRow&, const CatalogueRow&) = default;
};

// All rows that describe `schema`, by type and key; the system's own types are not described.
std::vector<CatalogueRow> EncodeCatalogue(const Schema& schema);

// The schema that `rows` (in any order) describe, the system's types added. Rows of an attribute
// or index whose type is missing are passed over: their type may still arrive from a peer.
// Error: kCorruption when a row does not read as one that EncodeCatalogue made.
Result<Schema> DecodeCatalogue(const std::vector<CatalogueRow>& rows);

}  // namespace trefoil::schema
