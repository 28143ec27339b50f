#include "db/row_writer.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/cell.h"
#include "schema/convert.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Cell;
using schema::Index;
using schema::MergeKind;
using schema::Type;

namespace {

std::string ColumnName(const Type& type, const Attribute& attribute) {
  return StrCat("\"", type.name, ".", attribute.name, "\"");
}

// Every attribute under which a row of the type may have facts.
std::vector<const Attribute*> AllAttributes(const Type& type) {
  std::vector<const Attribute*> all;
  for (const std::vector<Attribute>* list : {&type.attributes, &type.undeclared, &type.retired}) {
    for (const Attribute& attribute : *list) all.push_back(&attribute);
  }
  return all;
}

// Those that can be read by name and stand in indexes.
std::vector<const Attribute*> NamedAttributes(const Type& type) {
  std::vector<const Attribute*> named = AllAttributes(type);
  named.resize(named.size() - type.retired.size());
  return named;
}

std::size_t PlaceOf(std::span<const Attribute* const> attributes, AttributeId id) {
  const auto found = std::ranges::find(attributes, id, &Attribute::id);
  Check(found != attributes.end(), "an attribute of the type is named");
  return static_cast<std::size_t>(found - attributes.begin());
}

std::vector<Value> Pick(std::span<const Attribute* const> attributes, std::span<const Value> row,
                        std::span<const AttributeId> ids) {
  std::vector<Value> picked;
  picked.reserve(ids.size());
  for (const AttributeId id : ids) picked.push_back(row[PlaceOf(attributes, id)]);
  return picked;
}

bool Holds(const Index& index, AttributeId id) {
  return std::ranges::find(index.columns, id, &schema::IndexColumn::attribute) !=
             index.columns.end() ||
         std::ranges::find(index.include, id) != index.include.end();
}

bool HasChecks(const Type& type) {
  return std::ranges::any_of(type.attributes,
                             [](const Attribute& a) { return !a.check_expression.empty(); });
}

Status NotNull(const Type& type, const Attribute& attribute) {
  return MakeError(ErrorCode::kNotNullViolation,
                   StrCat("column ", ColumnName(type, attribute), " cannot be NULL"),
                   "give it a value, or declare the column without NOT NULL");
}

// The elements that an edit of a SET names, in order, each once.
std::vector<Value> ElementsOf(const Value& value) {
  if (value.is_null()) return {};
  if (value.kind() != ValueKind::kList) return {value};
  std::vector<Value> elements(value.items().begin(), value.items().end());
  std::ranges::sort(elements);
  const auto repeated = std::ranges::unique(elements);
  elements.erase(repeated.begin(), repeated.end());
  return elements;
}

}  // namespace

// The entries that one call is going to write, held back until nothing can fail any more.
class RowWriter::Staged {
 public:
  Staged(const Type& type, std::string subject, std::uint64_t causal_length, bool keep_retractions)
      : type_(type),
        subject_(std::move(subject)),
        causal_length_(causal_length),
        keep_retractions_(keep_retractions) {}

  const Type& type() const { return type_; }
  const std::string& subject() const { return subject_; }

  void PutEntry(std::string key, std::optional<std::string> value) {
    entries_.emplace_back(std::move(key), std::move(value));
  }
  // `suffix`: the encoded element of a SET.
  void PutFact(AttributeId attribute, const Value& value, Slice suffix = {}) {
    PutEntry(Key(attribute, suffix),
             schema::EncodeCell({.causal_length = causal_length_, .value = value}));
  }
  void RetractFact(AttributeId attribute, Slice suffix = {}) {
    if (!keep_retractions_) return PutEntry(Key(attribute, suffix), std::nullopt);
    PutEntry(Key(attribute, suffix),
             schema::EncodeCell({.retracted = true, .causal_length = causal_length_}));
  }
  void RemoveFact(AttributeId attribute, Slice suffix = {}) {
    PutEntry(Key(attribute, suffix), std::nullopt);
  }
  std::string Key(AttributeId attribute, Slice suffix = {}) const {
    std::string key = schema::FactKey(type_.id, attribute, Slice(subject_));
    key.append(suffix.view());
    return key;
  }

  void Apply(OverlayView& view) {
    for (auto& [key, value] : entries_) {
      if (value) {
        view.Put(std::move(key), *std::move(value));
      } else {
        view.Delete(std::move(key));
      }
    }
  }

 private:
  const Type& type_;
  std::string subject_;
  std::uint64_t causal_length_;
  bool keep_retractions_;
  std::vector<std::pair<std::string, std::optional<std::string>>> entries_;
};

Result<RowWriter::RowCell> RowWriter::ReadRowCell(const Type& type, Slice subject) const {
  const std::string key = schema::FactKey(type.id, schema::kRowCell, subject);
  Result<std::optional<std::string>> bytes = view_.Get(Slice(key));
  if (!bytes) return std::move(bytes).error();
  if (!*bytes) return RowCell{};
  Cell cell;
  if (!schema::DecodeCell(Slice(**bytes), &cell)) {
    return Corruption(StrCat("table \"", type.name, "\" has a row cell that does not read"),
                      "run `trefoil check`");
  }
  return RowCell{.exists = !cell.retracted, .causal_length = cell.causal_length};
}

Result<std::vector<Value>> RowWriter::ReadRow(const Type& type,
                                              std::span<const Attribute* const> attributes,
                                              const std::string& subject) const {
  std::vector<AttributeId> columns;
  for (const Attribute* attribute : attributes) columns.push_back(attribute->id);
  std::vector<Value> row;
  Status read = store_.Lookup(
      type, columns, std::span(&subject, 1),
      [&](std::size_t, std::span<const Value> found) { row.assign(found.begin(), found.end()); });
  if (!read) return std::move(read).error();
  return row;
}

Result<std::vector<Value>> RowWriter::FillRow(const Type& type, std::span<const FieldEdit> fields) {
  std::vector<std::optional<Value>> given(type.attributes.size());
  for (const FieldEdit& edit : fields) {
    const auto found = std::ranges::find(type.attributes, edit.attribute, &Attribute::id);
    if (found == type.attributes.end()) continue;  // undeclared: has no default and no constraint
    given[static_cast<std::size_t>(found - type.attributes.begin())] = edit.value;
  }
  std::vector<Value> row(type.attributes.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Attribute& attribute = type.attributes[i];
    Value value;
    if (given[i]) {
      value = *std::move(given[i]);
    } else if (!attribute.default_expression.empty()) {
      if (rules_.evaluator == nullptr || !*rules_.evaluator) {
        return Unsupported(StrCat("column ", ColumnName(type, attribute),
                                  " has a DEFAULT, which only TreeSQL evaluates"));
      }
      Result<Value> made =
          (*rules_.evaluator)(*rules_.schema, type, attribute.default_expression, {});
      if (!made) return std::move(made).error();
      value = *std::move(made);
    } else if (type.generated_key && type.IsKey(attribute.id)) {
      value = rules_.keys->Next();
    }
    if (attribute.merge != MergeKind::kSet) {
      Result<Value> converted = schema::Convert(type, attribute, value);
      if (!converted) return std::move(converted).error();
      value = *std::move(converted);
    }
    if (value.is_null() && attribute.not_null) return std::move(NotNull(type, attribute)).error();
    row[i] = std::move(value);
  }
  return row;
}

// `row` begins with the declared attributes.
Status RowWriter::CheckRow(const Type& type, std::span<const Value> row) const {
  for (const Attribute& attribute : type.attributes) {
    if (attribute.check_expression.empty()) continue;
    if (rules_.evaluator == nullptr || !*rules_.evaluator) {
      return Unsupported(StrCat("column ", ColumnName(type, attribute),
                                " has a CHECK, which only TreeSQL evaluates"));
    }
    Result<Value> holds = (*rules_.evaluator)(*rules_.schema, type, attribute.check_expression,
                                              row.first(type.attributes.size()));
    if (!holds) return std::move(holds).error();
    if (holds->kind() != ValueKind::kBool || holds->AsBool()) continue;  // NULL passes
    const std::size_t place = static_cast<std::size_t>(&attribute - type.attributes.data());
    return MakeError(
        ErrorCode::kCheckViolation,
        StrCat("column ", ColumnName(type, attribute), " with ", schema::Shortened(row[place]),
               " fails its CHECK (", attribute.check_expression, ")"));
  }
  return Ok();
}

void RowWriter::NoteReference(const Staged& staged, const Attribute& attribute,
                              const Value& value) {
  if (!attribute.type.target || value.is_null()) return;
  references_.push_back({.from = staged.type().id,
                         .attribute = attribute.id,
                         .subject = staged.subject(),
                         .target = *attribute.type.target,
                         .value = value});
}

// Stages one field of a row that exists or is being made; `*visible` is its value so far and
// becomes the one that readers will see.
Status RowWriter::StageFact(Staged& staged, const Attribute& attribute, const FieldEdit& edit,
                            Value* visible) {
  const Type& type = staged.type();
  if (attribute.merge == MergeKind::kSet) return StageSet(staged, attribute, edit, visible);
  Result<Value> converted = schema::Convert(type, attribute, edit.value);
  if (!converted) return std::move(converted).error();
  Value value = *std::move(converted);
  if (edit.kind != EditKind::kAssign && attribute.merge != MergeKind::kCounter) {
    return Unsupported(StrCat("column ", ColumnName(type, attribute),
                              " is neither a COUNTER nor a SET: assign the new value"));
  }
  const bool extreme = attribute.merge == MergeKind::kMax || attribute.merge == MergeKind::kMin;
  if (value.is_null() && extreme) {
    if (visible->is_null()) return Ok();
    return Unsupported(StrCat("column ", ColumnName(type, attribute), " only ever ",
                              attribute.merge == MergeKind::kMax ? "grows" : "falls",
                              ": it cannot become NULL"));
  }
  // A count of nothing is 0.
  if (attribute.merge == MergeKind::kCounter && value.is_null()) value = Value::Int(0);
  if (attribute.merge == MergeKind::kCounter) {
    const std::int64_t before = visible->is_null() ? 0 : visible->AsInt();
    std::int64_t after = value.AsInt();
    const bool over =
        edit.kind == EditKind::kAdd      ? __builtin_add_overflow(before, value.AsInt(), &after)
        : edit.kind == EditKind::kRemove ? __builtin_sub_overflow(before, value.AsInt(), &after)
                                         : false;
    if (over) {
      return LimitError(StrCat("column ", ColumnName(type, attribute), ": the count of ", before,
                               " leaves 64 bits"));
    }
    value = Value::Int(after);
  } else if (!value.is_null() && !visible->is_null()) {
    if (attribute.merge == MergeKind::kMax) value = std::max(value, *visible);
    if (attribute.merge == MergeKind::kMin) value = std::min(value, *visible);
  }
  if (value.is_null() && attribute.not_null) return NotNull(type, attribute);
  NoteReference(staged, attribute, value);
  if (value.is_null()) {
    staged.RetractFact(attribute.id);
  } else {
    staged.PutFact(attribute.id, value);
  }
  *visible = std::move(value);
  return Ok();
}

Status RowWriter::StageSet(Staged& staged, const Attribute& attribute, const FieldEdit& edit,
                           Value* visible) {
  std::vector<Value> elements;
  for (const Value& element : ElementsOf(edit.value)) {
    Result<Value> converted = schema::Convert(staged.type(), attribute, element);
    if (!converted) return std::move(converted).error();
    if (converted->is_null()) return NotNull(staged.type(), attribute);
    elements.push_back(*std::move(converted));
  }
  std::ranges::sort(elements);
  const std::vector<Value> before = ElementsOf(*visible);
  const auto was_in = [&](const Value& e) { return std::ranges::binary_search(before, e); };
  const auto is_named = [&](const Value& e) { return std::ranges::binary_search(elements, e); };
  const auto suffix = [&](const Value& element) {
    std::string bytes;
    schema::AppendKeyPart(bytes, ElementPart(attribute), element);
    return bytes;
  };
  std::vector<Value> after;
  for (const Value& element : before) {
    const bool leaves = edit.kind == EditKind::kRemove
                            ? is_named(element)
                            : edit.kind == EditKind::kAssign && !is_named(element);
    if (leaves) {
      const std::string bytes = suffix(element);
      staged.RetractFact(attribute.id, Slice(bytes));
    } else {
      after.push_back(element);
    }
  }
  if (edit.kind != EditKind::kRemove) {
    for (const Value& element : elements) {
      // Added again even if it is there: the new stamp wins over a concurrent removal.
      const std::string bytes = suffix(element);
      staged.PutFact(attribute.id, Value(), Slice(bytes));
      NoteReference(staged, attribute, element);
      if (!was_in(element)) after.push_back(element);
    }
    std::ranges::sort(after);
  }
  *visible = after.empty() ? Value() : Value::List(std::move(after));
  return Ok();
}

Status RowWriter::CheckUnique(const Staged& staged, const Index& index, const IndexLayout& layout,
                              std::span<const Value> columns) const {
  if (!index.unique || std::ranges::any_of(columns, &Value::is_null)) return Ok();
  const std::string prefix = IndexEntryPrefix(layout, columns);
  const std::unique_ptr<lsm::Iterator> entries =
      view_.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (entries->key().Without(prefix.size()) == Slice(staged.subject())) continue;
    return MakeError(ErrorCode::kUniqueViolation,
                     StrCat("table \"", staged.type().name, "\" has another row with ",
                            DescribeKey(columns), " in \"", index.name, "\", which is unique"));
  }
  return entries->status();
}

// Moves the index entries of a row from its state `before` to `after`; empty = the row is not
// there. Both hold the values of `attributes`.
Status RowWriter::StageIndexes(Staged& staged, std::span<const Attribute* const> attributes,
                               std::span<const Value> before, std::span<const Value> after) {
  for (const Index* index : rules_.schema->IndexesOf(staged.type().id)) {
    const IndexLayout layout(staged.type(), *index);
    std::string old_key;
    std::string old_value;
    if (!before.empty()) {
      old_key =
          IndexEntryPrefix(layout, Pick(attributes, before, layout.attributes)) + staged.subject();
      old_value = IndexEntryValue(layout, Pick(attributes, before, layout.include_attributes));
    }
    std::string new_key;
    if (!after.empty()) {
      const std::vector<Value> columns = Pick(attributes, after, layout.attributes);
      new_key = IndexEntryPrefix(layout, columns) + staged.subject();
      std::string new_value =
          IndexEntryValue(layout, Pick(attributes, after, layout.include_attributes));
      if (new_key == old_key && new_value == old_value) continue;
      if (new_key != old_key) {
        if (Status unique = CheckUnique(staged, *index, layout, columns); !unique) return unique;
      }
      staged.PutEntry(new_key, std::move(new_value));
    }
    if (!old_key.empty() && old_key != new_key) staged.PutEntry(std::move(old_key), std::nullopt);
  }
  return Ok();
}

Result<std::vector<Value>> RowWriter::Insert(const Type& type, std::span<const FieldEdit> fields) {
  Result<std::vector<Value>> filled = FillRow(type, fields);
  if (!filled) return filled;
  std::vector<Value> row = *std::move(filled);
  const std::vector<const Attribute*> attributes = NamedAttributes(type);
  const std::vector<Value> key = Pick(attributes, row, type.key);
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  Result<RowCell> cell = ReadRowCell(type, Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (cell->exists) {
    return MakeError(
        ErrorCode::kDuplicateKey,
        StrCat("table \"", type.name, "\" already has a row with key ", DescribeKey(key)),
        "UPSERT writes over it");
  }
  // Rows are there at odd lengths: 1 at first, the next odd one after a deletion.
  const std::uint64_t length = cell->causal_length + 1 + cell->causal_length % 2;
  Staged staged(type, *std::move(subject), length, rules_.keep_retractions);
  staged.PutFact(schema::kRowCell, Value());
  row.resize(attributes.size());
  for (std::size_t i = 0; i < type.attributes.size(); ++i) {
    const Attribute& attribute = type.attributes[i];
    if (type.IsKey(attribute.id)) {
      NoteReference(staged, attribute, row[i]);
      continue;
    }
    if (row[i].is_null()) continue;
    const FieldEdit edit = {.attribute = attribute.id, .value = std::move(row[i])};
    row[i] = Value();
    if (Status fact = StageFact(staged, attribute, edit, &row[i]); !fact) {
      return std::move(fact).error();
    }
  }
  for (const FieldEdit& edit : fields) {
    const auto found = std::ranges::find(type.undeclared, edit.attribute, &Attribute::id);
    if (found == type.undeclared.end() || edit.value.is_null()) continue;
    Value& visible = row[PlaceOf(attributes, edit.attribute)];
    if (Status fact = StageFact(staged, *found, edit, &visible); !fact) {
      return std::move(fact).error();
    }
  }
  if (Status checked = CheckRow(type, row); !checked) return std::move(checked).error();
  if (Status indexes = StageIndexes(staged, attributes, {}, row); !indexes) {
    return std::move(indexes).error();
  }
  staged.Apply(view_);
  return key;
}

Result<bool> RowWriter::Update(const Type& type, std::span<const Value> key,
                               std::span<const FieldEdit> fields) {
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  Result<RowCell> cell = ReadRowCell(type, Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;

  const std::vector<const Attribute*> attributes = NamedAttributes(type);
  const std::vector<const Index*> indexes = rules_.schema->IndexesOf(type.id);
  // The old row is read only if something depends on it.
  bool needs_row = HasChecks(type);
  for (const FieldEdit& edit : fields) {
    const Attribute& attribute = *attributes[PlaceOf(attributes, edit.attribute)];
    needs_row = needs_row ||
                (attribute.merge != MergeKind::kRegister && attribute.merge != MergeKind::kMv) ||
                std::ranges::any_of(
                    indexes, [&](const Index* index) { return Holds(*index, attribute.id); });
  }
  std::vector<Value> before;
  if (needs_row) {
    Result<std::vector<Value>> read = ReadRow(type, attributes, *subject);
    if (!read) return std::move(read).error();
    before = *std::move(read);
  }
  std::vector<Value> after = needs_row ? before : std::vector<Value>(attributes.size());
  Staged staged(type, *subject, cell->causal_length, rules_.keep_retractions);
  for (const FieldEdit& edit : fields) {
    const std::size_t place = PlaceOf(attributes, edit.attribute);
    const Attribute& attribute = *attributes[place];
    const auto key_field = std::ranges::find(type.key, attribute.id);
    if (key_field != type.key.end()) {
      Result<Value> value = schema::Convert(type, attribute, edit.value);
      if (!value) return std::move(value).error();
      Result<std::vector<Value>> now = DecodeSubject(type, Slice(*subject));
      if (!now) return std::move(now).error();
      if (*value == (*now)[static_cast<std::size_t>(key_field - type.key.begin())]) continue;
      return InvalidArgument(
          StrCat("column ", ColumnName(type, attribute), " is a key, and a key never changes"),
          "delete the row and insert it under the new key");
    }
    if (Status fact = StageFact(staged, attribute, edit, &after[place]); !fact) {
      return std::move(fact).error();
    }
  }
  if (needs_row) {
    if (Status checked = CheckRow(type, after); !checked) return std::move(checked).error();
    if (Status moved = StageIndexes(staged, attributes, before, after); !moved) {
      return std::move(moved).error();
    }
  }
  staged.Apply(view_);
  return true;
}

Result<bool> RowWriter::Delete(const Type& type, std::span<const Value> key) {
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  Result<RowCell> cell = ReadRowCell(type, Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;
  const std::vector<const Attribute*> attributes = AllAttributes(type);
  Result<std::vector<Value>> row = ReadRow(type, attributes, *subject);
  if (!row) return std::move(row).error();
  // The row is gone at even lengths.
  Staged staged(type, *std::move(subject), cell->causal_length + 1, rules_.keep_retractions);
  staged.RetractFact(schema::kRowCell);
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const Attribute& attribute = *attributes[i];
    if ((*row)[i].is_null() || type.IsKey(attribute.id)) continue;
    if (attribute.merge != MergeKind::kSet) {
      staged.RemoveFact(attribute.id);
      continue;
    }
    for (const Value& element : ElementsOf((*row)[i])) {
      std::string suffix;
      schema::AppendKeyPart(suffix, ElementPart(attribute), element);
      staged.RemoveFact(attribute.id, Slice(suffix));
    }
  }
  if (Status moved = StageIndexes(staged, attributes, *row, {}); !moved) {
    return std::move(moved).error();
  }
  staged.Apply(view_);
  return true;
}

Status RowWriter::WriteIndexEntry(const Type& type, const Index& index, Slice subject) {
  const std::vector<const Attribute*> attributes = NamedAttributes(type);
  Result<std::vector<Value>> row = ReadRow(type, attributes, subject.ToString());
  if (!row) return std::move(row).error();
  if (row->empty()) return Ok();  // deleted meanwhile
  const IndexLayout layout(type, index);
  view_.Put(
      IndexEntryPrefix(layout, Pick(attributes, *row, layout.attributes)) + subject.ToString(),
      IndexEntryValue(layout, Pick(attributes, *row, layout.include_attributes)));
  return Ok();
}

}  // namespace trefoil::db
