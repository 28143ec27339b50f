// A declaration states what a type or an index should be; a migration is the difference between
// the declared state and the schema in force, computed without touching any data. Field numbers
// decide identity: a field with a known number and another name is renamed, a field that is no
// longer declared retires with its facts and returns with its number.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::schema {

struct FieldDeclaration {
  // id 0: the number of the field of this name, or the next free one. For a REF the value type is
  // ignored and `reference` names the type referred to, which may be declared in the same call.
  Attribute attribute = {};
  std::string reference = {};
  bool key = false;
  bool unique = false;
  bool indexed = false;
};

// TABLE name [= id] [WAS was] ...
struct TypeDeclaration {
  std::string name = {};
  std::optional<TypeId> id = {};
  std::string was = {};  // the name it had before; empty = not renamed
  bool strict = false;
  std::vector<FieldDeclaration> fields = {};
  std::vector<std::string> key = {};                  // KEY (a, b); empty: the fields marked key
  std::vector<std::vector<std::string>> unique = {};  // UNIQUE (a, b)
  std::vector<AttributeId> reserved = {};
};

struct IndexColumnDeclaration {
  std::string name = {};
  bool descending = false;
};

// INDEX name ON type (columns) INCLUDE (include)
struct IndexDeclaration {
  std::string name = {};
  std::string type = {};
  std::vector<IndexColumnDeclaration> columns = {};
  std::vector<std::string> include = {};
  bool unique = false;
};

// The type retires: its facts stay and return when it is declared again.
struct DropType {
  std::string name = {};
};
struct DropIndex {
  std::string name = {};
};

using Declaration = std::variant<TypeDeclaration, IndexDeclaration, DropType, DropIndex>;

// What has to be done to get from one schema to the next.
struct Migration {
  Schema schema;               // the new one; indexes to build are not ready
  std::vector<IndexId> build;  // new indexes
  std::vector<IndexId> drop;   // indexes whose entries go
};

// The migration of `current` by all of `declarations` together. Pure.
// Errors: kSchemaConflict (a contradiction to the catalogue), kInvalidArgument (a declaration that
// contradicts itself), kUnknownTable, kUnknownColumn, kUnknownIndex, kUnsupported.
Result<Migration> Migrate(const Schema& current, std::span<const Declaration> declarations);

// `current` with an attribute that a LAX type got by writing it.
Schema WithUndeclared(const Schema& current, TypeId type, const Attribute& attribute);

// `current` with the index marked ready, or without it and the constraint that it served.
Schema WithIndexReady(const Schema& current, IndexId index);
Schema WithoutIndex(const Schema& current, IndexId index);

}  // namespace trefoil::schema
