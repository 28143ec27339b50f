#include "db/write_transaction.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/declared_constraints.h"
#include "db/engine.h"
#include "db/triple_store.h"
#include "schema/catalogue.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::CatalogueRow;
using schema::Schema;
using schema::Type;

namespace {

// The system type that a catalogue row belongs to.
const Type& TypeOf(const CatalogueRow& row) {
  return *std::ranges::find(schema::SystemTypes(), row.type, &Type::id);
}

std::vector<Value> KeyOf(const CatalogueRow& row) {
  const auto fields = static_cast<std::ptrdiff_t>(TypeOf(row).key.size());
  return {row.values.begin(), row.values.begin() + fields};
}

}  // namespace

WriteTransaction::WriteTransaction(Engine& engine, PinnedRef base, LayoutsRef layouts,
                                   WatchedTypes watched, WriteRules rules)
    : engine_(engine),
      base_(std::move(base)),
      schema_(base_->schema()),
      rules_(rules),
      view_(base_->view()),
      images_(std::move(watched)),
      writer_(view_, rules_) {
  rules_.images = &images_;
  UseSchema(schema_, std::move(layouts));
}

void WriteTransaction::UseSchema(schema::SchemaRef schema, LayoutsRef layouts) {
  Check(layouts->schema() == schema, "rows are laid out by the schema in force");
  schema_ = std::move(schema);
  layouts_ = std::move(layouts);
  rules_.layouts = layouts_.get();
}

WriteTransaction::~WriteTransaction() { engine_.End(*this); }

Result<const Type*> WriteTransaction::FindType(std::string_view name) const {
  const Type* type = schema_->FindType(name);
  if (type != nullptr) {
    if (Status held = schema::CheckHeld(*schema_, *type); !held) return std::move(held).error();
    return type;
  }
  return MakeError(ErrorCode::kUnknownTable, StrCat("there is no table \"", name, "\""));
}

Result<const Type*> WriteTransaction::WritableType(TypeId id) const {
  if (engine_.read_only()) {
    return MakeError(ErrorCode::kReadOnly, "the database is open for reading only");
  }
  const Type* type = schema_->FindType(id);
  if (type == nullptr) {
    return MakeError(ErrorCode::kUnknownTable, StrCat("there is no table number ", ToNumber(id)));
  }
  if (schema::IsSystemType(id)) {
    return MakeError(ErrorCode::kReadOnly,
                     StrCat("table \"", type->name, "\" belongs to the system"),
                     "declare tables and indexes with TABLE and INDEX");
  }
  if (Status held = schema::CheckHeld(*schema_, *type); !held) return std::move(held).error();
  return type;
}

Result<AttributeId> WriteTransaction::AttributeNamed(TypeId type_id, std::string_view name) {
  const Type* type = schema_->FindType(type_id);
  Check(type != nullptr, "a transaction asks for attributes of types that it found");
  if (const Attribute* attribute = type->Find(name)) return attribute->id;
  if (type->strict || name.empty()) {
    return MakeError(ErrorCode::kUnknownColumn,
                     StrCat("table \"", type->name, "\" has no column \"", name, "\""),
                     type->strict ? "the table is STRICT: declare the column first" : "");
  }
  const AttributeId id = schema::UndeclaredAttributeId(name);
  const Attribute* taken = type->Find(id);
  if (taken != nullptr) {
    return MakeError(ErrorCode::kSchemaConflict,
                     StrCat("table \"", type->name, "\": the number that the name \"", name,
                            "\" stands for is taken by \"", taken->name, "\""),
                     "declare the column with a number of its own");
  }
  Schema changed = schema::WithUndeclared(*schema_, type_id, {.id = id, .name = std::string(name)});
  if (Status status = SetSchema(std::move(changed)); !status) return std::move(status).error();
  return id;
}

Result<std::vector<Value>> WriteTransaction::Insert(TypeId type,
                                                    std::span<const FieldEdit> fields) {
  Result<const Type*> found = WritableType(type);
  if (!found) return std::move(found).error();
  return writer_.Insert(**found, fields);
}

Result<bool> WriteTransaction::Update(TypeId type, std::span<const Value> key,
                                      std::span<const FieldEdit> fields) {
  Result<const Type*> found = WritableType(type);
  if (!found) return std::move(found).error();
  return writer_.Update(**found, key, fields);
}

Result<bool> WriteTransaction::Delete(TypeId type, std::span<const Value> key) {
  Result<const Type*> found = WritableType(type);
  if (!found) return std::move(found).error();
  return writer_.Delete(**found, key);
}

Result<std::vector<Value>> WriteTransaction::Put(TypeId type_id,
                                                 std::span<const FieldEdit> fields) {
  const Result<const Type*> type = WritableType(type_id);
  if (!type) return type.error();
  std::vector<Value> key;
  for (const AttributeId field : (*type)->key) {
    const auto edit = std::ranges::find(fields, field, &FieldEdit::attribute);
    if (edit != fields.end()) key.push_back(edit->value);
  }
  if (key.size() == (*type)->key.size()) {
    const Result<bool> updated = Update(type_id, key, fields);
    if (!updated) return updated.error();
    if (*updated) return key;
  }
  return Insert(type_id, fields);
}

Status WriteTransaction::AllOrNothing(const std::function<Status()>& body) {
  const schema::SchemaRef schema = schema_;
  const LayoutsRef layouts = layouts_;
  const std::size_t references = writer_.references().size();
  const std::size_t edits = images_.edits();
  view_.writes().Remember();
  Status done = body();
  if (done) {
    view_.writes().Forget();
    return done;
  }
  view_.writes().Undo();
  writer_.TruncateReferences(references);
  images_.Truncate(edits);
  UseSchema(schema, layouts);
  return done;
}

Status WriteTransaction::Declare(std::span<const schema::Declaration> declarations) {
  if (engine_.read_only()) {
    return MakeError(ErrorCode::kReadOnly, "the database is open for reading only");
  }
  Result<schema::Migration> migration = schema::Migrate(*schema_, declarations);
  if (!migration) return std::move(migration).error();
  const auto changed = std::make_shared<const Schema>(migration->schema);
  const Layouts layouts(changed, engine_.compiler_);
  if (Status held = CheckDeclaredConstraints(view_, *schema_, layouts); !held) return held;
  for (const IndexId index : migration->drop) DropEntries(index);
  Schema schema = std::move(migration->schema);
  std::vector<IndexId> unbuilt;
  for (const IndexId id : migration->build) {
    bool has_rows = false;
    const schema::Index& index = *schema.FindIndex(id);
    Status scanned = TripleStore(view_).ScanSubjects(*schema.FindType(index.type), {}, {},
                                                     [&](Slice, std::span<const Value>) {
                                                       has_rows = true;
                                                       return false;
                                                     });
    if (!scanned) return scanned;
    if (has_rows) {
      unbuilt.push_back(id);
    } else {
      schema = schema::WithIndexReady(schema, id);
    }
  }
  if (Status set = SetSchema(std::move(schema)); !set) return set;
  unbuilt_.insert(unbuilt_.end(), unbuilt.begin(), unbuilt.end());
  return Ok();
}

void WriteTransaction::DropEntries(IndexId index) {
  const std::string prefix = schema::IndexPrefix(index);
  const std::string limit = schema::PrefixLimit(prefix);
  view_.writes().DeleteRange(Slice(prefix), Slice(limit));
  dropped_ranges_.push_back({.start = prefix, .limit = limit});
}

Status WriteTransaction::DropIndex(IndexId index) {
  DropEntries(index);
  return SetSchema(schema::WithoutIndex(*schema_, index));
}

Status WriteTransaction::PutIndexEntries(IndexId id, std::span<const std::string> subjects) {
  const schema::Index& index = *schema_->FindIndex(id);
  const Type& type = *schema_->FindType(index.type);
  for (const std::string& subject : subjects) {
    if (Status put = writer_.WriteIndexEntry(type, index, Slice(subject)); !put) return put;
  }
  return Ok();
}

Status WriteTransaction::SetSchema(Schema declared) {
  Schema schema = std::move(declared).OfPart(schema_->part());
  const std::vector<CatalogueRow> before = schema::EncodeCatalogue(*schema_);
  const std::vector<CatalogueRow> after = schema::EncodeCatalogue(schema);
  const auto find = [&](const std::vector<CatalogueRow>& rows, const CatalogueRow& row) {
    return std::ranges::find_if(rows, [&](const CatalogueRow& other) {
      return other.type == row.type && KeyOf(other) == KeyOf(row);
    });
  };
  for (const CatalogueRow& row : before) {
    if (find(after, row) != after.end()) continue;
    Result<bool> deleted = writer_.Delete(TypeOf(row), KeyOf(row));
    if (!deleted) return std::move(deleted).error();
  }
  for (const CatalogueRow& row : after) {
    const auto old = find(before, row);
    if (old != before.end() && *old == row) continue;
    std::vector<FieldEdit> fields;
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      if (old != before.end() && old->values[i] == row.values[i]) continue;
      fields.push_back({.attribute = TypeOf(row).attributes[i].id, .value = row.values[i]});
    }
    if (old != before.end()) {
      Result<bool> updated = writer_.Update(TypeOf(row), KeyOf(row), fields);
      if (!updated) return std::move(updated).error();
    } else {
      Result<std::vector<Value>> inserted = writer_.Insert(TypeOf(row), fields);
      if (!inserted) return std::move(inserted).error();
    }
  }
  if (!(schema == *schema_)) {
    auto changed = std::make_shared<const Schema>(std::move(schema));
    UseSchema(changed, std::make_shared<const Layouts>(changed, engine_.compiler_));
  }
  return Ok();
}

}  // namespace trefoil::db
