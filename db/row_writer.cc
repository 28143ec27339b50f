#include "db/row_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/held.h"
#include "schema/convert.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Index;
using schema::MergeKind;
using schema::Type;

namespace {

std::string ColumnName(const Type& type, const Attribute& attribute) {
  return StrCat("\"", type.name, ".", attribute.name, "\"");
}

std::vector<Value> Pick(std::span<const Value> row, std::span<const std::size_t> places) {
  std::vector<Value> picked;
  picked.reserve(places.size());
  for (const std::size_t place : places) picked.push_back(row[place]);
  return picked;
}

// Whether two states of a row have the same values in these places.
bool SameIn(std::span<const Value> a, std::span<const Value> b,
            std::span<const std::size_t> places) {
  return std::ranges::all_of(places, [&](std::size_t place) { return a[place] == b[place]; });
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

// What a new row has in a declared attribute that no field names.
Result<Value> RowWriter::ValueFor(const TypeLayout& layout, std::size_t place) {
  const auto& default_value = layout.defaults[place];
  if (default_value) {
    if (!*default_value) return default_value->error();
    return (**default_value)({});
  }
  if (layout.type.generated_key && layout.is_key[place]) return rules_.keys->Next();
  return Value();
}

// Of a row in the order of the layout's attributes that have names; empty: it is not there.
void RowWriter::NoteImage(const StagedRow& staged, std::span<const Value> before,
                          std::span<const Value> after) {
  rules_.images->Add(
      {.type = staged.type().id, .subject = staged.subject(), .before = before, .after = after});
}

// The declared attributes of a new row, converted.
Status RowWriter::FillRow(const TypeLayout& layout, std::span<const FieldEdit> fields) {
  const Type& type = layout.type;
  const std::span<const AttributeId> ids = std::span(layout.ids).first(type.attributes.size());
  row_.assign(ids.size(), Value());
  given_.assign(ids.size(), 0);
  std::size_t place = 0;  // fields mostly come in the order of their declaration
  for (const FieldEdit& edit : fields) {
    if (place >= ids.size() || ids[place] != edit.attribute) {
      place = static_cast<std::size_t>(std::ranges::find(ids, edit.attribute) - ids.begin());
    }
    if (place == ids.size()) continue;  // undeclared: has no default and no constraint
    row_[place] = edit.value;
    given_[place++] = 1;
  }
  for (std::size_t i = 0; i < row_.size(); ++i) {
    const Attribute& attribute = *layout.attributes[i];
    if (given_[i] == 0) {
      Result<Value> value = ValueFor(layout, i);
      if (!value) return std::move(value).error();
      row_[i] = *std::move(value);
    }
    if (attribute.merge != MergeKind::kSet && !schema::FitsAsIs(attribute.type, row_[i])) {
      Result<Value> converted = schema::Convert(type, attribute, row_[i]);
      if (!converted) return std::move(converted).error();
      row_[i] = *std::move(converted);
    }
    if (row_[i].is_null() && attribute.not_null) return NotNull(type, attribute);
  }
  return Ok();
}

// `row` begins with the declared attributes.
Status RowWriter::CheckRow(const TypeLayout& layout, std::span<const Value> row) const {
  if (!layout.has_checks) return Ok();
  const Type& type = layout.type;
  for (std::size_t i = 0; i < type.attributes.size(); ++i) {
    const auto& check = layout.checks[i];
    if (!check) continue;
    if (!*check) return Status(Error(check->error()));
    const Result<Value> holds = (**check)(row.first(type.attributes.size()));
    if (!holds) return Status(Error(holds.error()));
    if (holds->kind() != ValueKind::kBool || holds->AsBool()) continue;  // NULL passes
    return MakeError(
        ErrorCode::kCheckViolation,
        StrCat("column ", ColumnName(type, type.attributes[i]), " with ", schema::Shortened(row[i]),
               " fails its CHECK (", type.attributes[i].check_expression, ")"));
  }
  return Ok();
}

void RowWriter::NoteReference(const StagedRow& staged, const Attribute& attribute,
                              const Value& value) {
  if (!attribute.type.target || value.is_null()) return;
  const bool acyclic = attribute.merge == MergeKind::kTree;
  constexpr std::size_t kFewReferences = 4;
  if (references_.empty()) references_.reserve(kFewReferences);
  references_.push_back({.from = staged.type().id,
                         .attribute = attribute.id,
                         .target = *attribute.type.target,
                         .value = value,
                         .acyclic = acyclic,
                         .subject = acyclic ? staged.subject().ToString() : std::string()});
}

// Stages one field of a row that exists or is being made; `*visible` is its value so far and
// becomes the one that readers will see.
Status RowWriter::StageFact(StagedRow& staged, std::size_t place, const FieldEdit& edit,
                            Value* visible) {
  const Attribute& attribute = *staged.layout().attributes[place];
  if (attribute.merge == MergeKind::kSet) return StageSet(staged, place, edit, visible);
  Result<Value> converted = schema::Convert(staged.type(), attribute, edit.value);
  if (!converted) return std::move(converted).error();
  return StageValue(staged, place, edit.kind, *std::move(converted), visible);
}

// As StageFact, of a value that has the kind of its column, which is no SET.
Status RowWriter::StageValue(StagedRow& staged, std::size_t place, EditKind edit, Value value,
                             Value* visible) {
  const Type& type = staged.type();
  const Attribute& attribute = *staged.layout().attributes[place];
  if (Status held = CheckColumnHeld(part(), type, attribute); !held) return held;
  if (edit != EditKind::kAssign && attribute.merge != MergeKind::kCounter) {
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
    const bool over = edit == EditKind::kAdd ? __builtin_add_overflow(before, value.AsInt(), &after)
                      : edit == EditKind::kRemove
                          ? __builtin_sub_overflow(before, value.AsInt(), &after)
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
    staged.RetractFact(place);
  } else {
    staged.PutFact(place, value);
  }
  *visible = std::move(value);
  return Ok();
}

Status RowWriter::StageSet(StagedRow& staged, std::size_t place, const FieldEdit& edit,
                           Value* visible) {
  const Attribute& attribute = *staged.layout().attributes[place];
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
      staged.RetractFact(place, Slice(bytes));
    } else {
      after.push_back(element);
    }
  }
  if (edit.kind != EditKind::kRemove) {
    for (const Value& element : elements) {
      // Added again even if it is there: the new stamp wins over a concurrent removal.
      const std::string bytes = suffix(element);
      staged.PutFact(place, Value(), Slice(bytes));
      NoteReference(staged, attribute, element);
      if (!was_in(element)) after.push_back(element);
    }
    std::ranges::sort(after);
  }
  *visible = after.empty() ? Value() : Value::List(std::move(after));
  return Ok();
}

Status RowWriter::CheckUnique(const StagedRow& staged, const TypeLayout::IndexPlaces& index,
                              std::span<const Value> row) const {
  if (!index.index->unique) return Ok();
  const std::vector<Value> columns = Pick(row, index.columns);
  if (std::ranges::any_of(columns, &Value::is_null)) return Ok();
  const std::string prefix = IndexEntryPrefix(index.layout, columns);
  const std::unique_ptr<lsm::Iterator> entries =
      view_.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (entries->key().Without(prefix.size()) == staged.subject()) continue;
    return MakeError(
        ErrorCode::kUniqueViolation,
        StrCat("table \"", staged.type().name, "\" has another row with ", DescribeKey(columns),
               " in \"", index.index->name, "\", which is unique"));
  }
  return entries->status();
}

// Moves the index entries of a row from its state `before` to `after`; empty = the row is not
// there. Both begin with the attributes that have names.
Status RowWriter::StageIndexes(StagedRow& staged, std::span<const Value> before,
                               std::span<const Value> after) {
  for (std::size_t i = 0; i < staged.layout().indexes.size(); ++i) {
    const TypeLayout::IndexPlaces& index = staged.layout().indexes[i];
    const bool moves = before.empty() || after.empty() || !SameIn(before, after, index.columns);
    if (!moves && SameIn(before, after, index.include)) continue;
    if (!after.empty()) {
      if (moves) {
        if (Status unique = CheckUnique(staged, index, after); !unique) return unique;
      }
      staged.PutIndexEntry(i, after);
    }
    if (before.empty() || !moves) continue;
    std::string old_key = IndexEntryPrefix(index.layout, Pick(before, index.columns));
    old_key.append(staged.subject().view());
    staged.DeleteIndexEntry(i, Slice(old_key));
  }
  return Ok();
}

// row_ holds the declared attributes and becomes what readers will see, with the undeclared ones.
Status RowWriter::StageNewRow(StagedRow& staged, std::span<const FieldEdit> fields) {
  const TypeLayout& layout = staged.layout();
  staged.PutRowCell();
  row_.resize(layout.named);
  for (std::size_t i = 0; i < layout.type.attributes.size(); ++i) {
    const Attribute& attribute = *layout.attributes[i];
    if (row_[i].is_null()) {
      // What a former life of the row has left behind in the tree ends here.
      const bool is_tree = attribute.merge == MergeKind::kTree;
      if (is_tree && staged.causal_length() > 1) staged.RetractFact(i);
      continue;
    }
    if (!layout.is_key[i] && attribute.merge == MergeKind::kSet) {
      const FieldEdit elements = {.attribute = attribute.id,
                                  .value = std::exchange(row_[i], Value())};
      if (Status fact = StageSet(staged, i, elements, &row_[i]); !fact) return fact;
      continue;
    }
    if (Status held = CheckColumnHeld(part(), layout.type, attribute); !held) return held;
    NoteReference(staged, attribute, row_[i]);
    if (!layout.is_key[i]) staged.PutFact(i, row_[i]);
  }
  if (layout.type.undeclared.empty()) return Ok();
  for (const FieldEdit& edit : fields) {
    const std::size_t place = layout.PlaceOf(edit.attribute);
    if (place < layout.type.attributes.size() || edit.value.is_null()) continue;
    if (Status fact = StageFact(staged, place, edit, &row_[place]); !fact) return fact;
  }
  return Ok();
}

// Rows are mostly added behind those that are there. Where those end is found out by the first
// edits of a transaction; one that does not find it, because others have added rows meanwhile, does
// not try again with each row.
Result<RowCell> RowWriter::ReadNewCell(const TypeLayout& layout) {
  constexpr std::size_t kFewWrites = 64;
  const TypeId type = layout.type.id;
  const std::string& prefix = layout.row_cell_prefix;
  key_.assign(prefix).append(subject_);
  std::optional<bool> is_behind = rules_.known_rows->IsBehindEnd(type, Slice(key_));
  if (!is_behind && view_.writes().size() < kFewWrites) {
    const Result<std::string> last =
        view_.LastInBase({.start = prefix, .limit = schema::PrefixLimit(prefix)});
    if (!last) return last.error();
    rules_.known_rows->LearnEnd(type, Slice(*last), rules_.base);
    is_behind = *last < key_;
  }
  if (is_behind.value_or(false) && part().Holds(type, Slice(subject_)) &&
      view_.NoteReadOfBase(Slice(key_))) {
    return RowCell{};
  }
  return before_.ReadCell(layout, part(), Slice(subject_));
}

Result<std::vector<Value>> RowWriter::Insert(const Type& type, std::span<const FieldEdit> fields) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  if (Status filled = FillRow(layout, fields); !filled) return std::move(filled).error();
  std::vector<Value> key = Pick(row_, layout.key_places);
  subject_.clear();
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i].is_null()) return EncodeSubject(type, key).error();
    schema::AppendKeyPart(subject_, layout.subject[i], key[i]);
  }
  Result<RowCell> cell = ReadNewCell(layout);
  if (!cell) return std::move(cell).error();
  if (cell->exists) {
    return MakeError(
        ErrorCode::kDuplicateKey,
        StrCat("table \"", type.name, "\" already has a row with key ", DescribeKey(key)),
        "UPSERT writes over it");
  }
  // Rows are there at odd lengths: 1 at first, the next odd one after a deletion.
  const std::uint64_t length = cell->causal_length + 1 + cell->causal_length % 2;
  StagedRow staged(layout, Slice(subject_), RulesOf(length), buffer_);
  if (Status made = StageNewRow(staged, fields); !made) return std::move(made).error();
  if (Status checked = CheckRow(layout, row_); !checked) return std::move(checked).error();
  if (Status indexes = StageIndexes(staged, {}, row_); !indexes) {
    return std::move(indexes).error();
  }
  staged.Apply(view_);
  NoteImage(staged, {}, row_);
  return key;
}

// `row` is the row before, or empty if nothing depends on it, and becomes the row after.
Status RowWriter::StageEdits(StagedRow& staged, std::span<const Value> key,
                             std::span<const FieldEdit> fields, std::vector<Value>& row) {
  const TypeLayout& layout = staged.layout();
  row.resize(layout.named);
  for (const FieldEdit& edit : fields) {
    const std::size_t place = layout.PlaceOf(edit.attribute);
    const Attribute& attribute = *layout.attributes[place];
    if (!layout.is_key[place]) {
      if (Status fact = StageFact(staged, place, edit, &row[place]); !fact) return fact;
      continue;
    }
    const Result<Value> value = schema::Convert(layout.type, attribute, edit.value);
    if (!value) return Status(Error(value.error()));
    const auto field = static_cast<std::size_t>(std::ranges::find(layout.key_places, place) -
                                                layout.key_places.begin());
    const Result<Value> now = schema::Convert(layout.type, attribute, key[field]);
    if (!now) return Status(Error(now.error()));
    if (*value == *now) continue;
    return InvalidArgument(
        StrCat("column ", ColumnName(layout.type, attribute), " is a key, and a key never changes"),
        "delete the row and insert it under the new key");
  }
  return Ok();
}

Result<bool> RowWriter::Update(const Type& type, std::span<const Value> key,
                               std::span<const FieldEdit> fields) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  before_.WantForUpdate(layout, fields);
  const bool has_image = before_.WantForImage(layout, *rules_.images);
  Result<RowCell> cell = before_.Read(layout, part(), Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;
  const bool needs_row = !before_.values().empty();
  row_ = before_.values();
  StagedRow staged(layout, Slice(*subject), RulesOf(cell->causal_length), buffer_);
  if (Status edited = StageEdits(staged, key, fields, row_); !edited) {
    return std::move(edited).error();
  }
  if (needs_row) {
    if (Status checked = CheckRow(layout, row_); !checked) return std::move(checked).error();
    if (Status moved = StageIndexes(staged, before_.values(), row_); !moved) {
      return std::move(moved).error();
    }
  }
  staged.Apply(view_);
  if (has_image) {
    NoteImage(staged, before_.values(), row_);
  } else {
    rules_.images->AddUnknown(type.id, staged.subject());
  }
  return true;
}

Result<bool> RowWriter::Delete(const Type& type, std::span<const Value> key) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  before_.WantAll(layout.ids.size());
  Result<RowCell> cell = before_.Read(layout, part(), Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;
  // The row is gone at even lengths.
  StagedRow staged(layout, Slice(*subject), RulesOf(cell->causal_length + 1), buffer_);
  staged.RetractRowCell();
  for (std::size_t i = 0; i < layout.attributes.size(); ++i) {
    const Attribute& attribute = *layout.attributes[i];
    if (attribute.merge == MergeKind::kTree) {
      // Where the row lies in the tree is not known in a part of the table.
      if (!before_.values()[i].is_null() || !part().HoldsAll(type.id)) staged.RetractFact(i);
      continue;
    }
    if (attribute.merge != MergeKind::kSet) {
      if (before_.has_cell(i)) staged.RemoveFact(i);
      continue;
    }
    for (const Value& element : ElementsOf(before_.values()[i])) {
      std::string suffix;
      schema::AppendKeyPart(suffix, ElementPart(attribute), element);
      staged.RemoveFact(i, Slice(suffix));
    }
  }
  if (Status moved = StageIndexes(staged, before_.values(), {}); !moved)
    return std::move(moved).error();
  staged.Apply(view_);
  NoteImage(staged, std::span(before_.values()).first(layout.named), {});
  return true;
}

Status RowWriter::WriteIndexEntry(const Type& type, const Index& index, Slice subject) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  const auto found = std::ranges::find_if(
      layout.indexes, [&](const auto& places) { return places.index->id == index.id; });
  Check(found != layout.indexes.end(), "an index of the schema is built");
  before_.WantAll(layout.named);
  const Result<RowCell> cell = before_.Read(layout, part(), subject);
  if (!cell) return Status(Error(cell.error()));
  if (!cell->exists) return Ok();  // deleted meanwhile
  const std::string key =
      IndexEntryPrefix(found->layout, Pick(before_.values(), found->columns)) + subject.ToString();
  const std::string value = IndexEntryValue(found->layout, Pick(before_.values(), found->include));
  view_.Put(key, value);
  return Ok();
}

}  // namespace trefoil::db
