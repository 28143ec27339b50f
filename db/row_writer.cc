#include "db/row_writer.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/held.h"
#include "db/row_reader.h"
#include "schema/cell.h"
#include "schema/convert.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::CellParts;
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

bool Holds(const TypeLayout::IndexPlaces& index, std::size_t place) {
  return std::ranges::find(index.columns, place) != index.columns.end() ||
         std::ranges::find(index.include, place) != index.include.end();
}

// Whether what a write of the kind leaves depends on what was there.
bool NeedsOldValue(MergeKind merge) {
  return merge != MergeKind::kRegister && merge != MergeKind::kMv && merge != MergeKind::kTree;
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

Result<RowWriter::RowCell> RowWriter::ReadRowCell(const TypeLayout& layout, Slice subject) const {
  if (Status held = CheckRowHeld(part(), layout.type, subject); !held) {
    return std::move(held).error();
  }
  key_.assign(layout.row_cell_prefix).append(subject.view());
  Result<std::optional<std::string>> bytes = view_.Get(Slice(key_));
  if (!bytes) return std::move(bytes).error();
  if (!*bytes) return RowCell{};
  CellParts cell;
  if (!schema::SplitCell(Slice(**bytes), &cell)) {
    return Corruption(StrCat("table \"", layout.type.name, "\" has a row cell that does not read"),
                      "run `trefoil check`");
  }
  return RowCell{.exists = !cell.retracted, .causal_length = cell.causal_length};
}

// What an update depends on: where a CHECK may look at everything, the whole row; else the values
// that edits are relative to, and the columns of the indexes that hold an edited field. What is not
// read is no part of the read set, so others may change it meanwhile.
void RowWriter::WantForUpdate(const TypeLayout& layout, std::span<const FieldEdit> fields) {
  wanted_.assign(layout.named, layout.has_checks ? Want::kRead : Want::kNot);
  if (layout.has_checks) return;
  for (const FieldEdit& edit : fields) {
    const std::size_t place = layout.PlaceOf(edit.attribute);
    if (NeedsOldValue(layout.attributes[place]->merge)) wanted_[place] = Want::kRead;
    for (const TypeLayout::IndexPlaces& index : layout.indexes) {
      if (!Holds(index, place)) continue;
      for (const std::size_t column : index.columns) wanted_[column] = Want::kRead;
      for (const std::size_t column : index.include) wanted_[column] = Want::kRead;
    }
  }
}

// Wants the rest of the row too if an observer asks for images; false if there will be none, as of
// a row with a SET that the edit does not look at, whose elements cannot be read unnoted.
bool RowWriter::WantForImage(const TypeLayout& layout) {
  if (!rules_.images->Wants(layout.type.id)) return false;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] == Want::kNot && layout.column_places[i].is_set) return false;
  }
  std::ranges::replace(wanted_, Want::kNot, Want::kShown);
  return true;
}

// Reads the row cell and, into before_, what is wanted; NULL stands in all other places. before_ is
// empty when nothing is wanted or there is no row.
Result<RowWriter::RowCell> RowWriter::ReadRow(const TypeLayout& layout, Slice subject) {
  if (Status held = CheckRowHeld(part(), layout.type, subject); !held) {
    return std::move(held).error();
  }
  constexpr std::size_t kUsualColumns = 16;
  boost::container::small_vector<std::size_t, kUsualColumns> facts;
  boost::container::small_vector<Slice, kUsualColumns> keys;
  before_.clear();
  std::size_t size_bytes = layout.row_cell_prefix.size() + subject.size();
  std::size_t noted = 1;
  for (const Want want : {Want::kRead, Want::kShown}) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i] != want || layout.is_key[i] || layout.column_places[i].is_set) continue;
      facts.push_back(i);
      size_bytes += layout.fact_prefixes[i].size() + subject.size();
    }
    if (want == Want::kRead) noted += facts.size();
  }
  if (std::ranges::count(wanted_, Want::kNot) == std::ssize(wanted_)) {
    return ReadRowCell(layout, subject);
  }
  key_.clear();
  key_.reserve(size_bytes);  // slices point into it
  const auto ask = [&](const std::string& prefix) {
    const std::size_t start = key_.size();
    key_.append(prefix).append(subject.view());
    keys.emplace_back(key_.data() + start, key_.size() - start);
  };
  ask(layout.row_cell_prefix);
  for (const std::size_t place : facts) ask(layout.fact_prefixes[place]);
  before_.resize(wanted_.size());
  has_cell_.assign(wanted_.size(), 0);
  RowCell row;
  bool reads = true;
  Status asked = view_.MultiGet(
      {keys.data(), keys.size()}, noted, [&](std::size_t i, std::optional<Slice> bytes) {
        if (!bytes) return;
        if (i > 0) {
          const std::size_t place = facts[i - 1];
          has_cell_[place] = 1;
          reads = reads && DecodeColumn(*bytes, layout.column_places[place], &before_[place]);
          return;
        }
        CellParts cell;
        reads = schema::SplitCell(*bytes, &cell);
        row = {.exists = !cell.retracted, .causal_length = cell.causal_length};
      });
  if (!asked) return std::move(asked).error();
  if (!reads) return UnreadableIn(layout.type, "a cell");
  if (!row.exists) {
    before_.clear();
    return row;
  }
  if (Status completed = CompleteRow(layout, subject); !completed) {
    return std::move(completed).error();
  }
  return row;
}

// Fills in what is wanted and no plain fact.
Status RowWriter::CompleteRow(const TypeLayout& layout, Slice subject) {
  std::vector<Value> key;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] == Want::kNot) continue;
    if (layout.is_key[i]) {
      if (key.empty() && !DecodeParts(subject, layout.subject, &key)) {
        return UnreadableIn(layout.type, "a subject");
      }
      before_[i] = key[*layout.column_places[i].key_place];
    } else if (layout.column_places[i].is_set) {
      Status read = ReadElements(view_, layout.type, layout.column_places[i], subject, &before_[i]);
      if (!read) return read;
    }
  }
  return Ok();
}

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

// Rows that are added in great numbers mostly go behind those that are there.
Status RowWriter::NoteInsert(const TypeLayout& layout) {
  constexpr std::size_t kGreatNumber = 16;
  if (std::exchange(inserting_, layout.type.id) != layout.type.id) inserted_ = 0;
  if (++inserted_ != kGreatNumber) return Ok();
  return view_.LearnEnd(
      {.start = layout.row_cell_prefix, .limit = schema::PrefixLimit(layout.row_cell_prefix)});
}

Result<std::vector<Value>> RowWriter::Insert(const Type& type, std::span<const FieldEdit> fields) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  if (Status noted = NoteInsert(layout); !noted) return std::move(noted).error();
  if (Status filled = FillRow(layout, fields); !filled) return std::move(filled).error();
  std::vector<Value> key = Pick(row_, layout.key_places);
  subject_.clear();
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i].is_null()) return EncodeSubject(type, key).error();
    schema::AppendKeyPart(subject_, layout.subject[i], key[i]);
  }
  Result<RowCell> cell = ReadRowCell(layout, Slice(subject_));
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
  WantForUpdate(layout, fields);
  const bool has_image = WantForImage(layout);
  Result<RowCell> cell = ReadRow(layout, Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;
  const bool needs_row = !before_.empty();
  row_ = before_;
  StagedRow staged(layout, Slice(*subject), RulesOf(cell->causal_length), buffer_);
  if (Status edited = StageEdits(staged, key, fields, row_); !edited) {
    return std::move(edited).error();
  }
  if (needs_row) {
    if (Status checked = CheckRow(layout, row_); !checked) return std::move(checked).error();
    if (Status moved = StageIndexes(staged, before_, row_); !moved) {
      return std::move(moved).error();
    }
  }
  staged.Apply(view_);
  if (has_image) {
    NoteImage(staged, before_, row_);
  } else {
    rules_.images->AddUnknown(type.id, staged.subject());
  }
  return true;
}

Result<bool> RowWriter::Delete(const Type& type, std::span<const Value> key) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  Result<std::string> subject = EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  WantAll(layout.ids.size());
  Result<RowCell> cell = ReadRow(layout, Slice(*subject));
  if (!cell) return std::move(cell).error();
  if (!cell->exists) return false;
  // The row is gone at even lengths.
  StagedRow staged(layout, Slice(*subject), RulesOf(cell->causal_length + 1), buffer_);
  staged.RetractRowCell();
  for (std::size_t i = 0; i < layout.attributes.size(); ++i) {
    const Attribute& attribute = *layout.attributes[i];
    if (attribute.merge == MergeKind::kTree) {
      // Where the row lies in the tree is not known in a part of the table.
      if (!before_[i].is_null() || !part().HoldsAll(type.id)) staged.RetractFact(i);
      continue;
    }
    if (attribute.merge != MergeKind::kSet) {
      if (has_cell_[i] != 0) staged.RemoveFact(i);
      continue;
    }
    for (const Value& element : ElementsOf(before_[i])) {
      std::string suffix;
      schema::AppendKeyPart(suffix, ElementPart(attribute), element);
      staged.RemoveFact(i, Slice(suffix));
    }
  }
  if (Status moved = StageIndexes(staged, before_, {}); !moved) return std::move(moved).error();
  staged.Apply(view_);
  NoteImage(staged, std::span(before_).first(layout.named), {});
  return true;
}

Status RowWriter::WriteIndexEntry(const Type& type, const Index& index, Slice subject) {
  const TypeLayout& layout = rules_.layouts->Of(type);
  const auto found = std::ranges::find_if(
      layout.indexes, [&](const auto& places) { return places.index->id == index.id; });
  Check(found != layout.indexes.end(), "an index of the schema is built");
  WantAll(layout.named);
  const Result<RowCell> cell = ReadRow(layout, subject);
  if (!cell) return Status(Error(cell.error()));
  if (!cell->exists) return Ok();  // deleted meanwhile
  const std::string key =
      IndexEntryPrefix(found->layout, Pick(before_, found->columns)) + subject.ToString();
  const std::string value = IndexEntryValue(found->layout, Pick(before_, found->include));
  view_.Put(key, value);
  return Ok();
}

}  // namespace trefoil::db
