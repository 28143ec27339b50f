#include "db/schema_text.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/str_cat.h"
#include "query/lexer.h"
#include "schema/ids.h"

namespace trefoil::db {

namespace {

using schema::Attribute;
using schema::Index;
using schema::MergeKind;
using schema::Schema;
using schema::Type;

std::string NameOf(const Type& type, AttributeId id) {
  const Attribute* attribute = type.Find(id);
  return query::QuoteName(attribute == nullptr ? "?" : attribute->name);
}

std::string Names(const Type& type, const std::vector<AttributeId>& ids) {
  std::string names;
  for (const AttributeId id : ids) names += StrCat(names.empty() ? "" : ", ", NameOf(type, id));
  return names;
}

std::string MergePrefix(MergeKind merge) {
  switch (merge) {
    case MergeKind::kRegister:
    case MergeKind::kCounter:
    case MergeKind::kTree:
      return "";
    case MergeKind::kMv:
      return "MV ";
    case MergeKind::kSet:
      return "SET ";
    case MergeKind::kMax:
      return "MAX ";
    case MergeKind::kMin:
      return "MIN ";
  }
  return "";
}

std::string TypeOf(const Schema& schema, const Attribute& attribute) {
  if (attribute.merge == MergeKind::kCounter) return "COUNTER";
  const std::string prefix = MergePrefix(attribute.merge);
  if (attribute.type.target) {
    const Type* target = schema.FindType(*attribute.type.target);
    return StrCat(prefix, "REF ", query::QuoteName(target == nullptr ? "?" : target->name),
                  attribute.merge == MergeKind::kTree ? " ACYCLIC" : "");
  }
  if (attribute.type.is_any()) return prefix + "ANY";
  if (attribute.type.kind == ValueKind::kDecimal) {
    return StrCat(prefix, "DECIMAL(", int{attribute.type.precision}, ", ",
                  int{attribute.type.scale}, ")");
  }
  return prefix + std::string(KindName(attribute.type.kind));
}

std::string FieldOf(const Schema& schema, const Type& type, const Attribute& attribute) {
  std::string text = StrCat(query::QuoteName(attribute.name), " ", TypeOf(schema, attribute), " = ",
                            ToNumber(attribute.id));
  if (type.key == std::vector{attribute.id}) text += " KEY";
  if (attribute.not_null) text += " NOT NULL";
  if (!attribute.default_expression.empty()) text += " DEFAULT " + attribute.default_expression;
  if (!attribute.check_expression.empty())
    text += StrCat(" CHECK (", attribute.check_expression, ")");
  return text;
}

std::string TableOf(const Schema& schema, const Type& type) {
  std::string text = StrCat("TABLE ", query::QuoteName(type.name), " = ", ToNumber(type.id),
                            type.strict ? " STRICT (" : " (");
  std::string separator = "\n  ";
  const auto add = [&](const std::string& entry) {
    text += separator + entry;
    separator = ",\n  ";
  };
  for (const Attribute& attribute : type.attributes) {
    if (type.generated_key && type.IsKey(attribute.id)) continue;
    add(FieldOf(schema, type, attribute));
  }
  if (type.key.size() > 1) add(StrCat("KEY (", Names(type, type.key), ")"));
  for (const std::vector<AttributeId>& unique : type.unique) {
    add(StrCat("UNIQUE (", Names(type, unique), ")"));
  }
  for (const AttributeId reserved : type.reserved) add(StrCat("RESERVED ", ToNumber(reserved)));
  return text + "\n);\n";
}

std::string IndexOf(const Type& type, const Index& index) {
  std::string columns;
  for (const schema::IndexColumn& column : index.columns) {
    columns += StrCat(columns.empty() ? "" : ", ", NameOf(type, column.attribute),
                      column.descending ? " DESC" : "");
  }
  std::string text = StrCat("INDEX ", query::QuoteName(index.name), " ON ",
                            query::QuoteName(type.name), " (", columns, ")");
  if (!index.include.empty()) text += StrCat(" INCLUDE (", Names(type, index.include), ")");
  return text + ";\n";
}

// Tables in an order in which each stands behind those that it refers to, as far as there is one.
class TableOrder {
 public:
  explicit TableOrder(const Schema& schema) : schema_(schema) {
    for (const Type& type : schema.types()) Visit(type);
  }
  const std::vector<const Type*>& types() const { return types_; }

 private:
  void Visit(const Type& type) {
    if (schema::IsSystemType(type.id) || !seen_.insert(type.id).second) return;
    for (const Attribute& attribute : type.attributes) {
      if (!attribute.type.target) continue;
      if (const Type* target = schema_.FindType(*attribute.type.target)) Visit(*target);
    }
    types_.push_back(&type);
  }

  const Schema& schema_;
  std::set<TypeId> seen_;
  std::vector<const Type*> types_;
};

}  // namespace

std::string SchemaText(const Schema& schema) {
  std::string text;
  const TableOrder order(schema);
  for (const Type* type : order.types()) text += TableOf(schema, *type);
  for (const Type* type : order.types()) {
    for (const Index* index : schema.IndexesOf(type->id)) {
      if (!index->unique) text += IndexOf(*type, *index);
    }
  }
  return text;
}

}  // namespace trefoil::db
