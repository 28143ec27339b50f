#include "query/ddl.h"

#include <utility>

#include "query/binder.h"
#include "query/diagnostic.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

std::vector<std::string> TextsOf(const std::vector<Name>& names) {
  std::vector<std::string> texts;
  for (const Name& name : names) texts.push_back(name.text);
  return texts;
}

schema::FieldDeclaration DeclareField(const FieldDeclaration& field) {
  schema::FieldDeclaration declared;
  declared.attribute.id = AttributeId{field.number.value_or(0)};
  declared.attribute.name = field.name.text;
  declared.attribute.type.kind = field.type.kind;
  declared.attribute.type.precision = field.type.precision;
  declared.attribute.type.scale = field.type.scale;
  declared.attribute.merge = field.type.merge;
  declared.attribute.not_null = field.not_null;
  if (field.default_value) declared.attribute.default_expression = Print(*field.default_value);
  if (field.check) declared.attribute.check_expression = Print(*field.check);
  declared.reference = field.type.target.text;
  declared.key = field.key;
  declared.unique = field.unique;
  declared.indexed = field.index;
  return declared;
}

// The table as far as CHECK and DEFAULT can see it: names and kinds.
schema::Type RowType(const TableStatement& table) {
  schema::Type type;
  type.name = table.table.text;
  type.strict = true;
  std::uint32_t number = 0;
  for (const FieldDeclaration& field : table.fields) {
    schema::Attribute attribute = DeclareField(field).attribute;
    attribute.id = AttributeId{++number};
    // What a REF holds is the key of its target, of a kind that is not known here.
    if (attribute.type.kind == ValueKind::kRef) attribute.type.kind = ValueKind::kNull;
    type.attributes.push_back(std::move(attribute));
  }
  return type;
}

}  // namespace

Result<schema::Declaration> Declare(std::string_view text, const TableStatement& table) {
  schema::TypeDeclaration declared;
  declared.name = table.table.text;
  if (table.number) declared.id = TypeId{*table.number};
  declared.was = table.was.text;
  declared.strict = table.strict;
  const schema::Schema none;
  const schema::Type row = RowType(table);
  for (const FieldDeclaration& field : table.fields) {
    if (field.number == 0u) {
      return ErrorAt(text, field.span, ErrorCode::kInvalidArgument,
                     "field numbers begin at 1; 0 is the row itself");
    }
    if (field.default_value) {
      Result<BoundExpr> bound = BindRowExpression({text, none}, *field.default_value, nullptr);
      if (!bound) return std::move(bound).error();
    }
    if (field.check) {
      Result<BoundExpr> bound = BindRowExpression({text, none}, *field.check, &row);
      if (!bound) return std::move(bound).error();
    }
    declared.fields.push_back(DeclareField(field));
  }
  declared.key = TextsOf(table.key);
  for (const std::vector<Name>& names : table.unique) declared.unique.push_back(TextsOf(names));
  for (const std::uint32_t number : table.reserved) {
    declared.reserved.push_back(AttributeId{number});
  }
  return schema::Declaration(std::move(declared));
}

Result<schema::Declaration> Declare(std::string_view text, const IndexStatement& index) {
  schema::IndexDeclaration declared{.name = index.index.text, .type = index.table.text};
  for (const IndexPath& column : index.columns) {
    if (column.path.parts.size() != 1) {
      return ErrorAt(text, column.path.parts[1].span, ErrorCode::kUnsupported,
                     "an index holds columns of its own table",
                     "a join finds the other table through an index of that table");
    }
    declared.columns.push_back(
        {.name = column.path.parts[0].text, .descending = column.descending});
  }
  declared.include = TextsOf(index.include);
  return schema::Declaration(std::move(declared));
}

Result<schema::Declaration> Declare(std::string_view, const DropStatement& drop) {
  if (drop.is_index) return schema::Declaration(schema::DropIndex{.name = drop.name.text});
  return schema::Declaration(schema::DropType{.name = drop.name.text});
}

}  // namespace trefoil::query
