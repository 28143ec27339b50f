// Short ways to declare tables in tests of the layers below TreeSQL.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schema/migration.h"

namespace trefoil::testing {

inline schema::FieldDeclaration Field(std::string name, ValueKind kind, std::uint32_t number = 0) {
  return {
      .attribute = {.id = AttributeId{number}, .name = std::move(name), .type = {.kind = kind}}};
}
inline schema::FieldDeclaration Key(std::string name, ValueKind kind) {
  schema::FieldDeclaration field = Field(std::move(name), kind);
  field.key = true;
  return field;
}
inline schema::FieldDeclaration Indexed(std::string name, ValueKind kind) {
  schema::FieldDeclaration field = Field(std::move(name), kind);
  field.indexed = true;
  return field;
}
inline schema::FieldDeclaration Unique(std::string name, ValueKind kind) {
  schema::FieldDeclaration field = Field(std::move(name), kind);
  field.unique = true;
  return field;
}
inline schema::FieldDeclaration Merged(std::string name, ValueKind kind, schema::MergeKind merge) {
  schema::FieldDeclaration field = Field(std::move(name), kind);
  field.attribute.merge = merge;
  return field;
}
inline schema::FieldDeclaration Reference(std::string name, std::string target) {
  schema::FieldDeclaration field = Field(std::move(name), ValueKind::kNull);
  field.reference = std::move(target);
  return field;
}
inline schema::FieldDeclaration Acyclic(std::string name, std::string own_table) {
  schema::FieldDeclaration field = Reference(std::move(name), std::move(own_table));
  field.attribute.merge = schema::MergeKind::kTree;
  return field;
}
inline schema::TypeDeclaration Table(std::string name,
                                     std::vector<schema::FieldDeclaration> fields) {
  return {.name = std::move(name), .fields = std::move(fields)};
}

}  // namespace trefoil::testing
