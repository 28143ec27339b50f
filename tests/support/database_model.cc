#include "tests/support/database_model.h"

#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "db/public_state.h"
#include "schema/convert.h"
#include "tests/support/declare.h"

namespace trefoil::testing {

namespace {

constexpr std::uint64_t kKeys = 12;

Value OptionalInt(const std::optional<std::int64_t>& number) {
  return number ? Value::Int(*number) : Value();
}
Value OptionalText(const std::optional<std::string>& text) {
  return text ? Value::Text(*text) : Value();
}
Value ListOf(const std::set<std::string>& tags) {
  std::vector<Value> items;
  for (const std::string& tag : tags) items.push_back(Value::Text(tag));
  return items.empty() ? Value() : Value::List(std::move(items));
}

std::vector<std::vector<Value>> RowsOf(const DatabaseModel::State& state) {
  std::vector<std::vector<Value>> rows;
  for (const auto& [id, row] : state.rows) {
    std::vector<Value>& values = rows.emplace_back();
    values = {Value::Int(id), OptionalInt(row.a)};
    if (state.has_b) values.push_back(OptionalText(row.b));
    values.push_back(ListOf(row.tags));
  }
  return rows;
}

std::string Describe(const std::vector<std::vector<Value>>& rows) {
  std::string text;
  for (const std::vector<Value>& row : rows) {
    for (const Value& value : row) text += ToJson(value) + " ";
    text += "| ";
  }
  return text;
}

}  // namespace

bool DatabaseModel::Fail(const Error& error) {
  failure_ = ToString(error);
  return false;
}

bool DatabaseModel::Declare(Database& database) {
  State next = now_;
  next.declared = true;
  next.has_b = Below(random_, 3) != 0;
  schema::TypeDeclaration item =
      Table("item", {Key("id", ValueKind::kInt), Indexed("a", ValueKind::kInt)});
  if (Below(random_, 4) == 0) item.fields.back().indexed = false;
  if (next.has_b) {
    item.fields.push_back(Field("b", ValueKind::kText));
    item.fields.back().indexed = Below(random_, 2) == 0;
  }
  item.fields.push_back(Merged("tags", ValueKind::kText, schema::MergeKind::kSet));
  item.fields[1].attribute.id = AttributeId{2};
  item.fields.back().attribute.id = AttributeId{4};
  if (next.has_b) item.fields[2].attribute.id = AttributeId{3};
  pending_ = next;
  const std::vector<schema::Declaration> declarations = {item};
  Result<CommitInfo> declared = database.state().engine->Declare(declarations);
  if (!declared) return Fail(declared.error());
  now_ = std::move(next);
  states_[declared->version] = now_;
  states_[database.version()] = now_;
  return true;
}

void DatabaseModel::RandomEdit(Transaction& transaction, State& state) {
  const auto id = static_cast<std::int64_t>(Below(random_, kKeys));
  const std::vector<Value> key = {Value::Int(id)};
  const auto found = state.rows.find(id);
  if (Below(random_, 4) == 0) {
    Result<bool> deleted = transaction.Delete("item", key);
    if (!deleted) failure_ = ToString(deleted.error());
    state.rows.erase(id);
    return;
  }
  Row row = found == state.rows.end() ? Row() : found->second;
  Fields fields = {{"id", Value::Int(id)}};
  if (Below(random_, 2) == 0) {
    row.a = Below(random_, 4) == 0 ? std::nullopt
                                   : std::optional(static_cast<std::int64_t>(Below(random_, 5)));
    fields.emplace_back("a", OptionalInt(row.a));
  }
  if (state.has_b && Below(random_, 2) == 0) {
    row.b = Below(random_, 4) == 0
                ? std::nullopt
                : std::optional(
                      std::string(Below(random_, 40), static_cast<char>('a' + Below(random_, 26))));
    fields.emplace_back("b", OptionalText(row.b));
  }
  if (Below(random_, 3) == 0) {
    row.tags.clear();
    for (std::uint64_t n = Below(random_, 3); n > 0; --n) {
      row.tags.insert(std::string(1, static_cast<char>('p' + Below(random_, 4))));
    }
    fields.emplace_back("tags", ListOf(row.tags));
  }
  Result<std::vector<Value>> put = transaction.Put("item", fields);
  if (!put) failure_ = ToString(put.error());
  state.rows[id] = std::move(row);
}

bool DatabaseModel::Transact(Database& database) {
  State next = now_;
  Transaction transaction = database.Begin();
  for (std::uint64_t n = 1 + Below(random_, 6); n > 0; --n) RandomEdit(transaction, next);
  if (!failure_.empty()) return false;
  if (Below(random_, 8) == 0) {
    transaction.Rollback();
    return true;
  }
  pending_ = next;
  Result<CommitInfo> committed =
      transaction.Commit(Below(random_, 4) == 0 ? Durability::kDurable : Durability::kRelaxed);
  if (!committed) return Fail(committed.error());
  if (committed->changed) now_ = states_[committed->version] = std::move(next);
  return true;
}

bool DatabaseModel::Step(Database& database) {
  pending_.reset();
  const bool declares = !now_.declared || Below(random_, 20) == 0;
  const bool done = declares ? Declare(database) : Transact(database);
  if (done) pending_.reset();
  return done;
}

std::string DatabaseModel::Compare(const Snapshot& snapshot) const {
  State expected;
  const auto after = states_.upper_bound(snapshot.version());
  if (after == states_.end() && pending_ && snapshot.version() > last_version()) {
    expected = *pending_;
  } else if (after != states_.begin()) {
    expected = std::prev(after)->second;
  }
  std::vector<std::vector<Value>> rows;
  const Status scanned = snapshot.Scan("item", [&](std::span<const Value> row) {
    rows.emplace_back(row.begin(), row.end());
    return true;
  });
  if (!scanned && expected.declared) return ToString(scanned.error());
  if (scanned && !expected.declared) return "a table that was not declared yet";
  if (rows == RowsOf(expected)) return "";
  return StrCat("version ", ToNumber(snapshot.version()), " holds ", Describe(rows),
                " but should hold ", Describe(RowsOf(expected)));
}

}  // namespace trefoil::testing
