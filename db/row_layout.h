// How the rows of a type and the entries of an index lie in keys: the parts of a subject, of an
// index entry, and where each asked-for column of a row is found.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/key_codec.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::db {

// The parts of the subjects of a type, in the order of its key fields.
std::vector<schema::KeyPart> SubjectParts(const schema::Type& type);

// The subject of the row with these key values, which are converted to the kinds of the fields.
// Errors: kInvalidArgument (another number of fields), kTypeMismatch, kNotNullViolation.
Result<std::string> EncodeSubject(const schema::Type& type, std::span<const Value> key);
// Error: kCorruption.
Result<std::vector<Value>> DecodeSubject(const schema::Type& type, Slice subject);

// The part that an element of a SET attribute takes behind the subject.
schema::KeyPart ElementPart(const schema::Attribute& attribute);

// One column of a row as it is read.
struct ColumnPlace {
  AttributeId attribute{};
  std::optional<std::size_t> key_place = {};  // which key field it is; nothing: a fact
  bool is_set = false;                        // many facts, read as a LIST in the order of elements
  bool is_conflicts = false;                  // of an MV fact all values, as a LIST, oldest first
  schema::KeyPart element = {};
};

// Where the columns of a relation are found. An attribute that the type does not name is a fact;
// schema::ConflictsOf(an MV attribute) is the list of its concurrent values.
std::vector<ColumnPlace> PlacesOf(const schema::Type& type, std::span<const AttributeId> columns);

// What a row shows of a plain fact. False when the cell does not read.
bool DecodeColumn(Slice cell, const ColumnPlace& place, Value* value);
// The key fields of a subject. False when it does not read.
bool DecodeParts(Slice subject, std::span<const schema::KeyPart> parts, std::vector<Value>* values);
// "table "x" has <what> that does not read".
Error UnreadableIn(const schema::Type& type, const char* what);

// An index entry: [I, id] | columns | subject -> included columns.
struct IndexLayout {
  IndexLayout(const schema::Type& type, const schema::Index& index);

  std::string prefix;                   // [I, id]
  std::vector<AttributeId> attributes;  // of the columns
  std::vector<schema::KeyPart> columns;
  std::vector<AttributeId> include_attributes;
  std::vector<schema::KeyPart> include;
};

// [I, id] and the encoded values of the leading columns.
std::string IndexEntryPrefix(const IndexLayout& layout, std::span<const Value> columns);
std::string IndexEntryValue(const IndexLayout& layout, std::span<const Value> include);

// "(1, 'x')": a key for a message.
std::string DescribeKey(std::span<const Value> key);

}  // namespace trefoil::db
