// Transaction: rows by the names of their columns.
#include "trefoil/transaction.h"

#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/execute.h"
#include "db/public_state.h"
#include "db/system_tables.h"
#include "db/triple_store.h"

namespace trefoil {

namespace {

Error Ended() {
  return InvalidArgument("the transaction has ended", "begin a new one with Database::Begin");
}

std::vector<AttributeId> DeclaredColumns(const schema::Type& type) {
  std::vector<AttributeId> columns;
  columns.reserve(type.attributes.size());
  for (const schema::Attribute& attribute : type.attributes) columns.push_back(attribute.id);
  return columns;
}

Result<std::vector<db::FieldEdit>> EditsByName(db::WriteTransaction& write, TypeId type,
                                               const Fields& fields) {
  std::vector<db::FieldEdit> edits;
  for (const auto& [name, value] : fields) {
    Result<AttributeId> attribute = write.AttributeNamed(type, name);
    if (!attribute) return std::move(attribute).error();
    edits.push_back({.attribute = *attribute, .value = value});
  }
  return edits;
}

Result<std::vector<db::FieldEdit>> EditsOf(db::WriteTransaction& write, TypeId type,
                                           const Fields& fields) {
  std::vector<db::FieldEdit> edits;
  edits.reserve(fields.size());
  // Fields mostly come in the order of their declaration and spelled as there.
  const std::vector<schema::Attribute>& declared = write.schema()->FindType(type)->attributes;
  std::size_t expected = 0;
  for (const auto& [name, value] : fields) {
    while (expected < declared.size() && declared[expected].name != name) ++expected;
    if (expected < declared.size()) {
      edits.push_back({.attribute = declared[expected++].id, .value = value});
      continue;
    }
    return EditsByName(write, type, fields);
  }
  return edits;
}

// The one row with this key, declared columns.
Result<std::optional<std::vector<Value>>> ReadOne(const db::ReadView& view,
                                                  const schema::Type& type,
                                                  std::span<const Value> key) {
  Result<std::string> subject = db::EncodeSubject(type, key);
  if (!subject) return std::move(subject).error();
  const std::vector<AttributeId> columns = DeclaredColumns(type);
  std::optional<std::vector<Value>> row;
  Status read = db::TripleStore(view).Lookup(type, columns, std::span(&*subject, 1),
                                             [&](std::size_t, std::span<const Value> found) {
                                               if (found.empty()) return;
                                               row.emplace(found.begin(), found.end());
                                             });
  if (!read) return std::move(read).error();
  return row;
}

Result<const schema::Type*> TypeNamed(const schema::Schema& schema, std::string_view name) {
  const schema::Type* type = schema.FindType(name);
  if (type != nullptr) {
    if (Status held = schema::CheckHeld(schema, *type); !held) return std::move(held).error();
    return type;
  }
  return MakeError(ErrorCode::kUnknownTable, StrCat("there is no table \"", name, "\""));
}

}  // namespace

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Version Transaction::version() const { return state_->version; }

Result<std::vector<Value>> Transaction::Insert(std::string_view type_name, const Fields& fields) {
  if (state_->write == nullptr) return Ended();
  db::WriteTransaction& write = *state_->write;
  Result<const schema::Type*> type = write.FindType(type_name);
  if (!type) return std::move(type).error();
  const TypeId id = (*type)->id;
  Result<std::vector<db::FieldEdit>> edits = EditsOf(write, id, fields);
  if (!edits) return std::move(edits).error();
  return write.Insert(id, *edits);
}

Result<std::vector<Value>> Transaction::Put(std::string_view type_name, const Fields& fields) {
  if (state_->write == nullptr) return Ended();
  db::WriteTransaction& write = *state_->write;
  Result<const schema::Type*> type = write.FindType(type_name);
  if (!type) return std::move(type).error();
  const TypeId id = (*type)->id;
  Result<std::vector<db::FieldEdit>> edits = EditsOf(write, id, fields);
  if (!edits) return std::move(edits).error();
  return write.Put(id, *edits);
}

Status Transaction::Update(std::string_view type_name, std::span<const Value> key,
                           const Fields& fields) {
  if (state_->write == nullptr) return Ended();
  db::WriteTransaction& write = *state_->write;
  Result<const schema::Type*> type = write.FindType(type_name);
  if (!type) return std::move(type).error();
  const TypeId id = (*type)->id;
  Result<std::vector<db::FieldEdit>> edits = EditsOf(write, id, fields);
  if (!edits) return std::move(edits).error();
  Result<bool> updated = write.Update(id, key, *edits);
  if (!updated) return std::move(updated).error();
  if (*updated) return Ok();
  return NotFound(StrCat("table \"", type_name, "\" has no row with key ", db::DescribeKey(key)));
}

Result<bool> Transaction::Delete(std::string_view type_name, std::span<const Value> key) {
  if (state_->write == nullptr) return Ended();
  Result<const schema::Type*> type = state_->write->FindType(type_name);
  if (!type) return std::move(type).error();
  return state_->write->Delete((*type)->id, key);
}

Result<std::optional<std::vector<Value>>> Transaction::Get(std::string_view type_name,
                                                           std::span<const Value> key) {
  if (state_->write == nullptr) return Ended();
  Result<const schema::Type*> type = state_->write->FindType(type_name);
  if (!type) return std::move(type).error();
  return ReadOne(state_->write->view(), **type, key);
}

Result<CommitInfo> Transaction::Commit(Durability durability) {
  if (state_->write == nullptr) return Ended();
  const std::unique_ptr<db::WriteTransaction> write = std::move(state_->write);
  return state_->engine.Commit(*write, durability);
}

Result<ExecuteSummary> Transaction::Execute(std::string_view script, const Params& params,
                                            const RunOptions& options) {
  if (state_->write == nullptr) return Ended();
  return db::ExecuteIn(state_->engine, *state_->write, *state_->statements.Find(script), params,
                       options);
}

Result<Rows> Transaction::Run(const Query& query, const Params& params, const RunOptions& options) {
  if (state_->write == nullptr) return Ended();
  const db::WriteTransaction& write = *state_->write;
  return db::RunAt(*query.plan(), params, state_->engine,
                   {.view = write.view(), .schema = write.schema()}, options);
}

void Transaction::Rollback() { state_->write = nullptr; }

Version Snapshot::version() const { return state_->pinned->version(); }

Result<Rows> Snapshot::Run(const Query& query, const Params& params,
                           const RunOptions& options) const {
  const db::Pinned& pinned = *state_->pinned;
  return db::RunAt(*query.plan(), params, state_->engine,
                   {.view = pinned.view(), .schema = pinned.schema()}, options);
}

Result<std::optional<std::vector<Value>>> Snapshot::Get(std::string_view type_name,
                                                        std::span<const Value> key) const {
  Result<const schema::Type*> type = TypeNamed(*state_->pinned->schema(), type_name);
  if (!type) return std::move(type).error();
  return ReadOne(state_->pinned->view(), **type, key);
}

Status Snapshot::GetMany(
    std::string_view type_name, std::span<const std::vector<Value>> keys,
    const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const {
  Result<const schema::Type*> type = TypeNamed(*state_->pinned->schema(), type_name);
  if (!type) return std::move(type).error();
  std::vector<std::string> subjects;
  subjects.reserve(keys.size());
  for (const std::vector<Value>& key : keys) {
    Result<std::string> subject = db::EncodeSubject(**type, key);
    if (!subject) return std::move(subject).error();
    subjects.push_back(*std::move(subject));
  }
  return db::TripleStore(state_->pinned->view())
      .Lookup(**type, DeclaredColumns(**type), subjects, visit);
}

Status Snapshot::Scan(std::string_view type_name,
                      const std::function<bool(std::span<const Value> row)>& visit) const {
  Result<const schema::Type*> type = TypeNamed(*state_->pinned->schema(), type_name);
  if (!type) return std::move(type).error();
  if (schema::IsComputed((*type)->id)) {
    return db::ScanComputed({&state_->engine, state_->pinned->view(), *state_->pinned->schema()},
                            (*type)->id, visit);
  }
  return db::TripleStore(state_->pinned->view())
      .ScanSubjects(**type, DeclaredColumns(**type), {},
                    [&](Slice, std::span<const Value> row) { return visit(row); });
}

}  // namespace trefoil
