// Schema: the declared types, attributes and indexes as one immutable value. Everything that
// resolves a name or encodes a fact holds a shared_ptr<const Schema> and never sees it change;
// a schema change makes a new one (schema/migration.h). It also says which part of the rows is here
// (schema/part.h), so that nobody who resolves a table takes a part for the whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/part.h"
#include "trefoil/result.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil::schema {

// The declared type of an attribute's value. `kind` kNull means ANY: dynamically typed.
// A REF attribute holds the key of a row of `target`: the value of its key field when that key is
// one field (`kind` is then that field's kind), a Value of kind kRef otherwise.
struct ValueType {
  ValueKind kind = ValueKind::kNull;
  std::uint8_t precision = 0;         // DECIMAL only, 1..18
  std::uint8_t scale = 0;             // DECIMAL only, 0..precision
  std::optional<TypeId> target = {};  // REF only

  bool is_any() const { return kind == ValueKind::kNull; }
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

// How concurrent writes of one attribute merge (crdt/merge.h). kTree: a REF to the own type that
// stays a forest (ACYCLIC).
enum class MergeKind : std::uint8_t { kRegister, kMv, kCounter, kSet, kMax, kMin, kTree };

struct Attribute {
  AttributeId id{};
  std::string name = {};
  ValueType type = {};
  MergeKind merge = MergeKind::kRegister;
  bool not_null = false;
  std::string default_expression = {};  // TreeSQL text, empty = none
  std::string check_expression = {};    // TreeSQL text over the row, empty = none

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Type {
  TypeId id{};
  std::string name = {};
  bool strict = false;                                // refuse undeclared attributes
  std::vector<Attribute> attributes = {};             // in declaration order, key fields included
  std::vector<AttributeId> key = {};                  // the fields that form the subject, in order
  std::vector<std::vector<AttributeId>> unique = {};  // UNIQUE constraints, each served by an index
  std::vector<AttributeId> reserved = {};             // numbers that no field may take again
  bool generated_key = false;                         // implicit `id UUID KEY`, filled with UUIDv7
  std::vector<Attribute> undeclared = {};  // of a LAX type: written without a declaration
  std::vector<Attribute> retired = {};     // left the declaration; their facts stay

  // Among the declared, then the undeclared; by name only of a LAX type. None is retired.
  const Attribute* Find(std::string_view attribute_name) const;
  const Attribute* Find(AttributeId id) const;
  bool IsKey(AttributeId id) const;

  friend bool operator==(const Type&, const Type&) = default;
};

struct IndexColumn {
  AttributeId attribute{};
  bool descending = false;

  friend bool operator==(const IndexColumn&, const IndexColumn&) = default;
};

// A secondary index: entries ordered by `columns`, then by subject; `include` are covered columns.
struct Index {
  IndexId id{};
  std::string name = {};
  TypeId type{};
  std::vector<IndexColumn> columns = {};
  std::vector<AttributeId> include = {};
  bool unique = false;
  bool ready = false;  // false while it is being built: maintained, but not used to read

  friend bool operator==(const Index&, const Index&) = default;
};

class Schema {
 public:
  Schema() = default;
  // `retired_types` are types that were dropped: their facts stay, their names are free.
  Schema(std::vector<Type> types, std::vector<Index> indexes, std::vector<Type> retired_types = {});

  const Type* FindType(std::string_view name) const;  // ASCII case-insensitive; null = none
  const Type* FindType(TypeId id) const;
  const Index* FindIndex(std::string_view name) const;
  const Index* FindIndex(IndexId id) const;
  // Indexes of a type, in the order of their ids.
  std::vector<const Index*> IndexesOf(TypeId type) const;

  // All by id. The types of the system (schema/catalogue.h) are among them, at the end.
  const std::vector<Type>& types() const { return types_; }
  const std::vector<Index>& indexes() const { return indexes_; }
  const std::vector<Type>& retired_types() const { return retired_types_; }

  const Part& part() const { return part_; }
  // The same declarations where this part is held.
  Schema OfPart(Part part) &&;

  friend bool operator==(const Schema&, const Schema&) = default;

 private:
  std::vector<Type> types_;
  std::vector<Index> indexes_;
  std::vector<Type> retired_types_;
  Part part_;
};

// Error kOutsidePart for a table of which nothing is held here.
Status CheckHeld(const Schema& schema, const Type& type);

using SchemaRef = std::shared_ptr<const Schema>;

}  // namespace trefoil::schema
