#include "db/violations.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/merge.h"
#include "db/site_log.h"
#include "db/triple_store.h"
#include "query/binder.h"
#include "query/parser.h"
#include "query/plan.h"
#include "query/to_expression.h"
#include "schema/cell.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Attribute;
using schema::Index;
using schema::Type;

namespace {

using Row = std::vector<Value>;

struct CheckRule {
  const Attribute* attribute = nullptr;
  query::BoundExpr condition;
};

// The constraints of one type that a row decides together with the rows that it refers to.
struct RowRules {
  std::vector<const Attribute*> not_null;
  std::vector<const Attribute*> references;
  std::vector<CheckRule> checks;

  bool empty() const { return not_null.empty() && references.empty() && checks.empty(); }
};

bool AsksForTheTime(const query::BoundExpr& expr) {
  bool asks = false;
  query::CopyExpr(expr, [&](const query::BoundExpr& part) -> std::optional<query::BoundExpr> {
    asks = asks || std::holds_alternative<query::ParameterRef>(part.node);
    return std::nullopt;
  });
  return asks;
}

Result<RowRules> RulesOf(const schema::Schema& schema, const Type& type) {
  RowRules rules;
  for (const Attribute& attribute : type.attributes) {
    if (attribute.not_null && !type.IsKey(attribute.id)) rules.not_null.push_back(&attribute);
    if (attribute.type.target && schema.FindType(*attribute.type.target) != nullptr) {
      rules.references.push_back(&attribute);
    }
    if (attribute.check_expression.empty()) continue;
    const std::string& text = attribute.check_expression;
    const Result<query::Expr> parsed = query::ParseExpression(text);
    if (!parsed) return parsed.error();
    Result<query::BoundExpr> bound =
        query::BindRowExpression({.text = text, .schema = schema}, *parsed, &type);
    if (!bound) return std::move(bound).error();
    if (!AsksForTheTime(*bound)) rules.checks.push_back({&attribute, *std::move(bound)});
  }
  return rules;
}

std::vector<AttributeId> DeclaredColumns(const Type& type) {
  std::vector<AttributeId> columns;
  for (const Attribute& attribute : type.attributes) columns.push_back(attribute.id);
  return columns;
}

const Value& ValueOf(const Type& type, std::span<const Value> row, const Attribute& attribute) {
  return row[static_cast<std::size_t>(&attribute - type.attributes.data())];
}

// The references that a column holds: itself, or the elements of a SET.
std::span<const Value> ReferencesIn(const Value& value) {
  if (value.is_null()) return {};
  return value.kind() == ValueKind::kList ? value.items() : std::span(&value, 1);
}

std::span<const Value> KeyOf(const Value& reference) {
  return reference.kind() == ValueKind::kRef ? reference.items() : std::span(&reference, 1);
}

Result<std::string> KeyText(const Type& type, Slice subject) {
  Result<std::vector<Value>> key = DecodeSubject(type, subject);
  if (!key) return std::move(key).error();
  return key->size() == 1 ? ToText(key->front()) : DescribeKey(*key);
}

std::string ColumnNames(const Type& type, const IndexLayout& layout) {
  std::string names;
  for (const AttributeId id : layout.attributes) {
    if (!names.empty()) names += ", ";
    names += type.Find(id)->name;
  }
  return names;
}

// Collects violations of one state.
class Finder {
 public:
  Finder(const ReadView& view, const schema::Schema& schema)
      : view_(view), schema_(schema), store_(view) {}

  // The constraints of rows, of all rows of the type or of those that exist among `subjects`.
  Status FindInRows(const Type& type, const std::vector<std::string>* subjects) {
    Result<RowRules> rules = RulesOf(schema_, type);
    if (!rules) return std::move(rules).error();
    if (rules->empty()) return Ok();
    const std::vector<AttributeId> columns = DeclaredColumns(type);
    Status failed;
    const auto look = [&](Slice subject, std::span<const Value> row) {
      if (failed && !row.empty()) failed = FindInRow(type, *rules, subject, row);
      return failed.has_value();
    };
    Status read = subjects == nullptr
                      ? store_.ScanSubjects(type, columns, {}, look)
                      : store_.Lookup(type, columns, *subjects,
                                      [&](std::size_t i, std::span<const Value> row) {
                                        look(Slice((*subjects)[i]), row);
                                      });
    return failed ? std::move(read) : std::move(failed);
  }

  // Rows with equal columns in a UNIQUE index, below `prefix`: [I, id] and perhaps the columns.
  Status FindInIndex(const Type& type, const Index& index, const std::string& prefix) {
    const IndexLayout layout(type, index);
    const std::unique_ptr<lsm::Iterator> entries =
        view_.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
    std::string group;
    std::vector<std::string> claimants;
    const auto end_group = [&] {
      Status listed = claimants.size() < 2 ? Ok() : List(type, index, layout, group, claimants);
      claimants.clear();
      return listed;
    };
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
      Slice subject = entries->key().Without(layout.prefix.size());
      for (const schema::KeyPart& part : layout.columns) {
        if (!schema::SkipKeyPart(subject, part)) {
          return Corruption(StrCat("index \"", index.name, "\" has an entry that does not read"),
                            "run `trefoil check`");
        }
      }
      const Slice columns = entries->key().Prefix(entries->key().size() - subject.size());
      if (columns != Slice(group)) {
        if (Status ended = end_group(); !ended) return ended;
        group = columns.ToString();
      }
      claimants.push_back(subject.ToString());
    }
    if (Status status = entries->status(); !status) return status;
    return end_group();
  }

  // By key, each once.
  std::vector<Row> Take() {
    std::ranges::sort(rows_);
    const auto repeated = std::ranges::unique(rows_);
    rows_.erase(repeated.begin(), repeated.end());
    return std::move(rows_);
  }

 private:
  struct Fault {
    const char* constraint = "";
    std::uint32_t number = 0;
    std::string subject;  // with the element of a SET behind it
    std::string column;
    std::string key;
    Value value = {};
    Value owner = {};
  };
  void Add(const Type& type, Fault fault) {
    rows_.push_back({Value::Int(ToNumber(type.id)), Value::Text(fault.constraint),
                     Value::Int(fault.number), Value::Bytes(fault.subject), Value::Text(type.name),
                     Value::Text(fault.column), Value::Text(fault.key), std::move(fault.value),
                     std::move(fault.owner)});
  }

  Status FindInRow(const Type& type, const RowRules& rules, Slice subject,
                   std::span<const Value> row) {
    const auto add = [&](const char* constraint, const Attribute& attribute, const Value& value,
                         const std::string& element = {}) -> Status {
      Result<std::string> key = KeyText(type, subject);
      if (!key) return std::move(key).error();
      Add(type, {.constraint = constraint,
                 .number = ToNumber(attribute.id),
                 .subject = subject.ToString() + element,
                 .column = attribute.name,
                 .key = *std::move(key),
                 .value = value});
      return Ok();
    };
    for (const Attribute* attribute : rules.not_null) {
      if (!ValueOf(type, row, *attribute).is_null()) continue;
      if (Status added = add("not null", *attribute, Value()); !added) return added;
    }
    for (const CheckRule& check : rules.checks) {
      const Value holds = query::EvaluateOver(check.condition, row);
      if (holds.kind() != ValueKind::kBool || holds.AsBool()) continue;  // NULL passes
      const Value& value = ValueOf(type, row, *check.attribute);
      if (Status added = add("check", *check.attribute, value); !added) return added;
    }
    for (const Attribute* attribute : rules.references) {
      const Value& value = ValueOf(type, row, *attribute);
      for (const Value& reference : ReferencesIn(value)) {
        const Type& target = *schema_.FindType(*attribute->type.target);
        Result<std::string> named = EncodeSubject(target, KeyOf(reference));
        if (named && !schema_.part().Holds(target.id, Slice(*named))) continue;
        Result<bool> exists = named ? store_.Exists(target.id, Slice(*named)) : Result<bool>(false);
        if (!exists) return std::move(exists).error();
        if (*exists) continue;
        std::string element;
        if (attribute->merge == schema::MergeKind::kSet) {
          schema::AppendKeyPart(element, ElementPart(*attribute), reference);
        }
        if (Status added = add("reference", *attribute, reference, element); !added) return added;
      }
    }
    return Ok();
  }

  Status ReadSites() {
    if (sites_) return Ok();
    Result<crdt::SiteTable> sites = SiteLog::ReadSites(view_);
    if (!sites) return std::move(sites).error();
    sites_ = *std::move(sites);
    return Ok();
  }

  // Since when the row has had the columns of the index: the stamp of the newest of their facts,
  // or nothing while the claim is part of a transaction that has not been committed.
  Result<std::optional<schema::Stamp>> ClaimStamp(const Type& type, const IndexLayout& layout,
                                                  const std::string& subject) const {
    std::optional<schema::Stamp> newest;
    for (const AttributeId id : layout.attributes) {
      const AttributeId fact = type.IsKey(id) ? schema::kRowCell : id;
      const std::string key = schema::FactKey(type.id, fact, Slice(subject));
      Result<std::optional<std::string>> bytes = view_.Get(Slice(key));
      if (!bytes) return std::move(bytes).error();
      schema::Cell cell;
      if (!*bytes || !schema::DecodeCell(Slice(**bytes), &cell)) {
        return Corruption("an index has an entry without its facts", "run `trefoil check`");
      }
      if (cell.stamp.time == 0) return std::optional<schema::Stamp>();
      if (!newest || crdt::CompareStamps(cell.stamp, *newest, *sites_) > 0) newest = cell.stamp;
    }
    return newest;
  }

  // Lists all claimants of one value but its owner.
  Status List(const Type& type, const Index& index, const IndexLayout& layout,
              const std::string& group, const std::vector<std::string>& claimants) {
    std::vector<Value> values;
    Slice rest = Slice(group).Without(layout.prefix.size());
    for (const schema::KeyPart& part : layout.columns) {
      const bool taken = schema::TakeKeyPart(rest, part, &values.emplace_back());
      Check(taken, "columns that were skipped over can be read");
    }
    if (std::ranges::any_of(values, &Value::is_null)) return Ok();
    if (Status read = ReadSites(); !read) return read;
    std::size_t owner = 0;
    std::optional<schema::Stamp> since;
    for (std::size_t i = 0; i < claimants.size(); ++i) {
      Result<std::optional<schema::Stamp>> stamp = ClaimStamp(type, layout, claimants[i]);
      if (!stamp) return std::move(stamp).error();
      if (!*stamp || (since && crdt::CompareStamps(**stamp, *since, *sites_) >= 0)) continue;
      since = *stamp;
      owner = i;
    }
    Result<std::string> owner_key = KeyText(type, Slice(claimants[owner]));
    if (!owner_key) return std::move(owner_key).error();
    for (std::size_t i = 0; i < claimants.size(); ++i) {
      if (i == owner) continue;
      Result<std::string> key = KeyText(type, Slice(claimants[i]));
      if (!key) return std::move(key).error();
      Add(type, {.constraint = "unique",
                 .number = ToNumber(index.id),
                 .subject = claimants[i],
                 .column = ColumnNames(type, layout),
                 .key = *std::move(key),
                 .value = values.size() == 1 ? values.front() : Value::List(values),
                 .owner = Value::Text(*owner_key)});
    }
    return Ok();
  }

  const ReadView& view_;
  const schema::Schema& schema_;
  TripleStore store_;
  std::optional<crdt::SiteTable> sites_;
  std::vector<Row> rows_;
};

bool IsListed(const Index& index) { return index.unique && index.ready; }

// What a commit may have changed the violations of.
class Affected {
 public:
  explicit Affected(const CommitDelta& delta) : delta_(delta), schema_(*delta.after->schema()) {}

  Status Gather() {
    for (const TouchedRow& row : delta_.touched) {
      const Type* type = schema_.FindType(row.type);
      if (type != nullptr && !schema::IsSystemType(row.type)) rows_[type->id].insert(row.subject);
    }
    const std::map<TypeId, std::set<std::string>> touched = rows_;
    for (const auto& [id, subjects] : touched) {
      const std::vector<std::string> list(subjects.begin(), subjects.end());
      const Type& type = *schema_.FindType(id);
      if (Status groups = AddGroups(type, list); !groups) return groups;
      if (Status referrers = AddReferrers(type, list); !referrers) return referrers;
    }
    return Ok();
  }

  Result<std::vector<Row>> FindIn(const Pinned& state) const {
    Finder finder(state.view(), schema_);
    for (const auto& [id, subjects] : rows_) {
      const std::vector<std::string> list(subjects.begin(), subjects.end());
      Status found = finder.FindInRows(*schema_.FindType(id), &list);
      if (!found) return std::move(found).error();
    }
    for (const auto& [id, prefix] : groups_) {
      const Index& index = *schema_.FindIndex(id);
      Status found = finder.FindInIndex(*schema_.FindType(index.type), index, prefix);
      if (!found) return std::move(found).error();
    }
    return finder.Take();
  }

 private:
  // The UNIQUE values that the rows had and have.
  Status AddGroups(const Type& type, const std::vector<std::string>& subjects) {
    for (const Index* index : schema_.IndexesOf(type.id)) {
      if (!IsListed(*index)) continue;
      const IndexLayout layout(type, *index);
      for (const Pinned* state : {delta_.before.get(), delta_.after.get()}) {
        Status read = TripleStore(state->view())
                          .Lookup(type, layout.attributes, subjects,
                                  [&](std::size_t, std::span<const Value> row) {
                                    if (row.empty() || std::ranges::any_of(row, &Value::is_null))
                                      return;
                                    groups_.emplace(index->id, IndexEntryPrefix(layout, row));
                                  });
        if (!read) return read;
      }
    }
    return Ok();
  }

  // The rows that refer to one of `subjects` that came or went. One that was not touched itself is
  // the same before and after, so it is looked for in one state.
  Status AddReferrers(const Type& target, const std::vector<std::string>& subjects) {
    std::set<std::string> changed;
    bool known = false;
    for (const Type& type : schema_.types()) {
      for (const Attribute& attribute : type.attributes) {
        if (attribute.type.target != target.id || schema::IsSystemType(type.id)) continue;
        if (!std::exchange(known, true)) {
          if (Status read = FindChanged(target, subjects, &changed); !read) return read;
        }
        if (changed.empty()) return Ok();
        if (Status added = AddReferrersIn(type, attribute, target, changed); !added) return added;
      }
    }
    return Ok();
  }

  Status FindChanged(const Type& type, const std::vector<std::string>& subjects,
                     std::set<std::string>* changed) const {
    const TripleStore old_rows(delta_.before->view());
    const TripleStore new_rows(delta_.after->view());
    for (const std::string& subject : subjects) {
      Result<bool> was = old_rows.Exists(type.id, Slice(subject));
      if (!was) return std::move(was).error();
      Result<bool> is = new_rows.Exists(type.id, Slice(subject));
      if (!is) return std::move(is).error();
      if (*was != *is) changed->insert(subject);
    }
    return Ok();
  }

  Status AddReferrersIn(const Type& type, const Attribute& attribute, const Type& target,
                        const std::set<std::string>& changed) {
    const TripleStore store(delta_.after->view());
    const auto look = [&](Slice subject, std::span<const Value> row) {
      for (const Value& reference : ReferencesIn(row.front())) {
        const Result<std::string> named = EncodeSubject(target, KeyOf(reference));
        if (!named || changed.contains(*named)) rows_[type.id].insert(subject.ToString());
      }
      return true;
    };
    const std::span<const AttributeId> column(&attribute.id, 1);
    for (const Index* index : schema_.IndexesOf(type.id)) {
      if (!index->ready || index->columns.front().attribute != attribute.id) continue;
      const IndexLayout layout(type, *index);
      for (const std::string& subject : changed) {
        Result<std::vector<Value>> key = DecodeSubject(target, Slice(subject));
        if (!key) return std::move(key).error();
        const Value reference = key->size() == 1 ? key->front() : Value::Ref(*std::move(key));
        const std::string columns =
            IndexEntryPrefix(layout, std::span(&reference, 1)).substr(layout.prefix.size());
        const Walk walk = {.start = columns, .limit = schema::PrefixLimit(columns)};
        if (Status read = store.ScanIndex(type, *index, column, walk, look); !read) return read;
      }
      return Ok();
    }
    return store.ScanSubjects(type, column, {}, look);
  }

  const CommitDelta& delta_;
  const schema::Schema& schema_;
  std::map<TypeId, std::set<std::string>> rows_;
  std::set<std::pair<IndexId, std::string>> groups_;  // [I, id] and the columns
};

}  // namespace

Status ScanViolations(const ReadView& view, const schema::Schema& schema,
                      const std::function<bool(std::span<const Value> row)>& visit) {
  Finder finder(view, schema);
  for (const Type& type : schema.types()) {
    if (schema::IsSystemType(type.id)) continue;
    if (Status rows = finder.FindInRows(type, nullptr); !rows) return rows;
    for (const Index* index : schema.IndexesOf(type.id)) {
      if (!IsListed(*index)) continue;
      Status claims = finder.FindInIndex(type, *index, schema::IndexPrefix(index->id));
      if (!claims) return claims;
    }
  }
  for (const Row& row : finder.Take()) {
    if (!visit(row)) break;
  }
  return Ok();
}

Status AppendViolationChanges(const CommitDelta& delta, std::span<const AttributeId> columns,
                              dataflow::Batch& batch) {
  Affected affected(delta);
  if (Status gathered = affected.Gather(); !gathered) return gathered;
  Row cut(columns.size());
  const auto append = [&](const Pinned& state, dataflow::Weight weight) -> Status {
    const Result<std::vector<Row>> rows = affected.FindIn(state);
    if (!rows) return rows.error();
    for (const Row& row : *rows) {
      for (std::size_t c = 0; c < columns.size(); ++c) cut[c] = row[ToNumber(columns[c]) - 1];
      batch.Add(cut, weight);
    }
    return Ok();
  };
  if (Status old = append(*delta.before, -1); !old) return old;
  return append(*delta.after, 1);
}

}  // namespace trefoil::db
