#include "db/row_layout.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/merge.h"
#include "schema/cell.h"
#include "schema/convert.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Index;
using schema::KeyPart;
using schema::Type;

namespace {

KeyPart PartOf(const Attribute& attribute) {
  return {.kind = attribute.type.kind, .scale = attribute.type.scale};
}

KeyPart IndexPart(const Type& type, AttributeId id, bool descending) {
  const Attribute* attribute = type.Find(id);
  Check(attribute != nullptr, "an index names attributes of its type");
  KeyPart part = PartOf(*attribute);
  part.nullable = true;
  part.descending = descending;
  return part;
}

}  // namespace

std::vector<KeyPart> SubjectParts(const Type& type) {
  std::vector<KeyPart> parts;
  parts.reserve(type.key.size());
  for (const AttributeId id : type.key) parts.push_back(PartOf(*type.Find(id)));
  return parts;
}

bool DecodeColumn(Slice cell, const ColumnPlace& place, Value* value) {
  if (place.is_conflicts) return crdt::DecodeConflicts(cell, value);
  bool retracted;
  return schema::DecodeCellValue(cell, value, &retracted);
}

bool DecodeParts(Slice subject, std::span<const KeyPart> parts, std::vector<Value>* values) {
  values->resize(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!schema::TakeKeyPart(subject, parts[i], &(*values)[i])) return false;
  }
  return true;
}

Error UnreadableIn(const Type& type, const char* what) {
  return Corruption(StrCat("table \"", type.name, "\" has ", what, " that does not read"),
                    "run `trefoil check`");
}

Result<std::string> EncodeSubject(const Type& type, std::span<const Value> key) {
  if (key.size() != type.key.size()) {
    return InvalidArgument(StrCat("the key of table \"", type.name, "\" has ", type.key.size(),
                                  " fields, not ", key.size()));
  }
  std::string subject;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Attribute& attribute = *type.Find(type.key[i]);
    if (!key[i].is_null() && schema::FitsAsIs(attribute.type, key[i])) {
      schema::AppendKeyPart(subject, PartOf(attribute), key[i]);
      continue;
    }
    Result<Value> value = schema::Convert(type, attribute, key[i]);
    if (!value) return std::move(value).error();
    if (value->is_null()) {
      return MakeError(ErrorCode::kNotNullViolation, StrCat("key column \"", type.name, ".",
                                                            attribute.name, "\" cannot be NULL"));
    }
    schema::AppendKeyPart(subject, PartOf(attribute), *value);
  }
  return subject;
}

Result<std::vector<Value>> DecodeSubject(const Type& type, Slice subject) {
  std::vector<Value> key;
  for (const KeyPart& part : SubjectParts(type)) {
    if (!schema::TakeKeyPart(subject, part, &key.emplace_back())) {
      return Corruption(StrCat("table \"", type.name, "\" has a subject that does not read"),
                        "run `trefoil check`");
    }
  }
  return key;
}

KeyPart ElementPart(const Attribute& attribute) { return PartOf(attribute); }

std::vector<ColumnPlace> PlacesOf(const Type& type, std::span<const AttributeId> columns) {
  std::vector<ColumnPlace> places;
  places.reserve(columns.size());
  for (const AttributeId id : columns) {
    ColumnPlace& place = places.emplace_back(ColumnPlace{.attribute = id});
    const auto key = std::ranges::find(type.key, id);
    if (key != type.key.end()) {
      place.key_place = static_cast<std::size_t>(key - type.key.begin());
      continue;
    }
    if (schema::IsConflicts(id)) {
      place.attribute = schema::WithoutConflicts(id);
      place.is_conflicts = true;
      continue;
    }
    const Attribute* attribute = type.Find(id);
    const auto retired = std::ranges::find(type.retired, id, &Attribute::id);
    if (attribute == nullptr && retired != type.retired.end()) attribute = &*retired;
    if (attribute == nullptr || attribute->merge != schema::MergeKind::kSet) continue;
    place.is_set = true;
    place.element = ElementPart(*attribute);
  }
  return places;
}

IndexLayout::IndexLayout(const Type& type, const Index& index)
    : prefix(schema::IndexPrefix(index.id)), include_attributes(index.include) {
  for (const schema::IndexColumn& column : index.columns) {
    attributes.push_back(column.attribute);
    columns.push_back(IndexPart(type, column.attribute, column.descending));
  }
  for (const AttributeId id : index.include) include.push_back(IndexPart(type, id, false));
}

std::string IndexEntryPrefix(const IndexLayout& layout, std::span<const Value> columns) {
  Check(columns.size() <= layout.columns.size(), "an index entry has the columns of its index");
  std::string key = layout.prefix;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    schema::AppendKeyPart(key, layout.columns[i], columns[i]);
  }
  return key;
}

std::string IndexEntryValue(const IndexLayout& layout, std::span<const Value> include) {
  std::string value;
  for (std::size_t i = 0; i < include.size(); ++i) {
    schema::AppendKeyPart(value, layout.include[i], include[i]);
  }
  return value;
}

std::string DescribeKey(std::span<const Value> key) {
  std::string text = "(";
  for (const Value& value : key) {
    if (text.size() > 1) text += ", ";
    text += schema::Shortened(value);
  }
  return text + ")";
}

}  // namespace trefoil::db
