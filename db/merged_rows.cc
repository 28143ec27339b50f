// How FrameApplier goes on from merged facts: which rows live, what the catalogue then declares,
// and the index entries that follow from both.
#include <algorithm>
#include <iterator>
#include <map>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/apply_changeset.h"
#include "db/row_facts.h"
#include "db/row_layout.h"
#include "db/triple_store.h"
#include "schema/cell.h"
#include "schema/ids.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::FactState;
using crdt::FrameOp;
using schema::Attribute;
using schema::Index;
using schema::MergeKind;
using schema::Type;

namespace {

Error BadCell() { return Corruption("a cell does not read", "run `trefoil check`"); }

bool IsVisible(const FactState& state) { return state.causal_length % 2 == 1 && !state.retracted; }

bool LooksTheSame(const FactState& a, const FactState& b) {
  if (IsVisible(a) != IsVisible(b)) return false;
  if (!IsVisible(a)) return true;
  const auto same = [](const crdt::Alternative& x, const crdt::Alternative& y) {
    return x.value == y.value;
  };
  if (a.kind != MergeKind::kMv) return a.value == b.value;
  return a.value == b.value && std::ranges::equal(a.alternatives, b.alternatives, same);
}

const Attribute* FindAny(const Type& type, AttributeId id) {
  for (const auto* list : {&type.attributes, &type.undeclared, &type.retired}) {
    const auto found = std::ranges::find(*list, id, &Attribute::id);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

Error SchemaConflict(const Type& type, const std::string& what) {
  return MakeError(ErrorCode::kSchemaConflict,
                   StrCat("the replicas declare table \"", type.name, "\" differently: ", what),
                   "give the columns of one of them other numbers");
}

bool Fits(const Attribute& attribute, const Value& value) {
  if (attribute.type.is_any() || value.is_null()) return true;
  if (value.kind() != attribute.type.kind) return false;
  return value.kind() != ValueKind::kDecimal || value.AsDecimal().scale == attribute.type.scale;
}

// True when `bytes` are exactly one encoding of the parts.
bool Reads(Slice bytes, std::span<const schema::KeyPart> parts) {
  Value value;
  return std::ranges::all_of(parts,
                             [&](const schema::KeyPart& part) {
                               return schema::TakeKeyPart(bytes, part, &value);
                             }) &&
         bytes.empty();
}

// `attribute` of `type` is the one that `op` writes.
Status CheckOp(const Type& type, const Attribute& attribute, const FrameOp& op) {
  const auto conflict = [&](const char* what) {
    return SchemaConflict(type, StrCat("column \"", attribute.name, "\" ", what));
  };
  if (attribute.merge != op.op.kind) return conflict("merges in two ways");
  if (op.op.kind == MergeKind::kSet) {
    const schema::KeyPart part = ElementPart(attribute);
    if (!Reads(Slice(op.element), {&part, 1})) {
      return conflict("has elements of two kinds");
    }
  } else if (!Fits(attribute, op.op.value) || !op.element.empty()) {
    return conflict("has values of two kinds");
  }
  return Ok();
}

// What two declarations of one type must have in common for their facts to be read.
Status CheckSameForm(const Type& before, const Type& after) {
  if (before.key != after.key) return SchemaConflict(before, "their keys differ");
  for (const auto* list : {&before.attributes, &before.undeclared, &before.retired}) {
    for (const Attribute& attribute : *list) {
      const Attribute* other = FindAny(after, attribute.id);
      if (other == nullptr) continue;
      if (other->type.kind != attribute.type.kind || other->type.scale != attribute.type.scale ||
          other->merge != attribute.merge) {
        return SchemaConflict(
            before, StrCat("column number ", ToNumber(attribute.id), " is \"", attribute.name,
                           "\" in one and \"", other->name, "\" of another kind in the other"));
      }
    }
  }
  return Ok();
}

Status CheckComplete(const Type& type) {
  for (const AttributeId id : type.key) {
    if (type.Find(id) != nullptr && type.Find(id)->merge == MergeKind::kRegister) continue;
    return Corruption(StrCat("table \"", type.name, "\" of another replica has a key field ",
                             ToNumber(id), " that it does not declare"));
  }
  return Ok();
}

bool SameEntries(const Index& a, const Index& b) {
  return a.type == b.type && a.columns == b.columns && a.include == b.include;
}

}  // namespace

Status PutAllIndexEntries(OverlayView& view, const schema::Schema& schema, const Index& index) {
  const Type& type = *schema.FindType(index.type);
  const IndexLayout layout(type, index);
  std::vector<AttributeId> columns = layout.attributes;
  columns.insert(columns.end(), index.include.begin(), index.include.end());
  const std::size_t key_columns = layout.attributes.size();
  std::vector<std::pair<std::string, std::string>> entries;
  Status scanned = TripleStore(view).ScanSubjects(
      type, columns, {}, [&](Slice subject, std::span<const Value> row) {
        entries.emplace_back(IndexEntryPrefix(layout, row.first(key_columns)) + subject.ToString(),
                             IndexEntryValue(layout, row.subspan(key_columns)));
        return true;
      });
  if (!scanned) return scanned;
  for (auto& [key, value] : entries) view.Put(std::move(key), std::move(value));
  return Ok();
}

// The rows whose facts came, and to which each fact belongs.
void FrameApplier::FindRows() {
  const std::span<MergedFact> facts(facts_);
  for (std::size_t first = 0; first < facts.size();) {
    std::size_t end = first + 1;
    while (end < facts.size() && facts[end].op->type == facts[first].op->type) ++end;
    FindRowsOf(facts.subspan(first, end - first));
    first = end;
  }
}

// `facts` are those of one type: by attribute, and of each mostly by subject.
void FrameApplier::FindRowsOf(std::span<MergedFact> facts) {
  const auto by_subject = [](const std::string* a, const std::string* b) { return *a < *b; };
  const auto same = [](const std::string* a, const std::string* b) { return *a == *b; };
  std::vector<const std::string*> subjects;
  std::vector<const std::string*> run;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    run.push_back(&facts[i].op->subject);
    if (i + 1 < facts.size() && facts[i + 1].op->attribute == facts[i].op->attribute) continue;
    if (!std::ranges::equal(subjects, run, same)) {
      if (!std::ranges::is_sorted(run, by_subject)) std::ranges::sort(run, by_subject);
      std::vector<const std::string*> joined;
      std::ranges::set_union(subjects, run, std::back_inserter(joined), by_subject);
      joined.erase(std::unique(joined.begin(), joined.end(), same), joined.end());
      subjects = std::move(joined);
    }
    run.clear();
  }
  const auto base = static_cast<std::ptrdiff_t>(rows_.size());
  for (const std::string* subject : subjects) {
    rows_.push_back({.type = facts.front().op->type, .subject = subject});
  }
  auto next = rows_.begin() + base;  // mostly the row of the fact at hand
  for (MergedFact& fact : facts) {
    const std::string& subject = fact.op->subject;
    auto row = next;
    if (row == rows_.end() || *row->subject != subject) {
      row =
          std::lower_bound(rows_.begin() + base, rows_.end(), subject,
                           [](const MergedRow& a, const std::string& b) { return *a.subject < b; });
    }
    next = row + 1;
    fact.row = static_cast<std::size_t>(row - rows_.begin());
    if (fact.op->attribute != schema::kRowCell) continue;
    row->length =
        fact.joined == nullptr ? fact.op->op.causal_length : fact.joined->state.causal_length;
    row->is_written = true;
  }
}

// Of the rows whose row cells did not come.
Status FrameApplier::ReadLengths() {
  std::vector<std::string> keys;
  std::vector<MergedRow*> asked;
  for (MergedRow& row : rows_) {
    if (row.is_written) continue;
    keys.push_back(schema::FactKey(row.type, schema::kRowCell, Slice(*row.subject)));
    asked.push_back(&row);
  }
  const std::vector<Slice> slices(keys.begin(), keys.end());
  Result<std::vector<std::optional<std::string>>> cells = base_.view().MultiGet(slices);
  if (!cells) return std::move(cells).error();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!(*cells)[i]) continue;
    schema::Cell cell;
    if (!schema::DecodeCell(Slice(*(*cells)[i]), &cell)) return BadCell();
    asked[i]->length = cell.causal_length;
  }
  return Ok();
}

Status FrameApplier::PutFacts() {
  const FrameOp* before = nullptr;
  bool is_claim = false;
  for (MergedFact& fact : facts_) {
    if (before == nullptr || before->type != fact.op->type ||
        before->attribute != fact.op->attribute) {
      is_claim = IsClaim(fact.op->type, fact.op->attribute);
    }
    before = fact.op;
    if (fact.joined == nullptr) {
      PutNew(fact, is_claim);
    } else if (Status put = PutJoined(fact, is_claim); !put) {
      return put;
    }
  }
  return Ok();
}

// What merging one write of a register into nothing comes to, and PutJoined would do with it.
void FrameApplier::PutNew(const MergedFact& fact, bool is_claim) {
  MergedRow& row = rows_[fact.row];
  const crdt::FactOp& op = fact.op->op;
  const bool is_alive = row.length % 2 == 1;
  const bool is_row = fact.op->attribute == schema::kRowCell;
  if (!is_row && (op.causal_length != row.length || !is_alive)) return;
  if (is_alive && !op.retracted) {
    ++facts_changed_;
    row.is_touched = true;
  }
  row.is_touched = row.is_touched || is_claim;
  cell_.clear();
  schema::AppendCell(cell_, {.stamp = fact.writes.front().stamp,
                             .retracted = op.retracted,
                             .causal_length = op.causal_length,
                             .value = op.value});
  view_.Put(fact.key.view(), cell_);
}

Status FrameApplier::PutJoined(MergedFact& fact, bool is_claim) {
  MergedRow& row = rows_[fact.row];
  const std::optional<std::string>& before = fact.joined->before;
  const FactState& old_state = fact.joined->old_state;
  FactState& state = fact.joined->state;
  const bool is_row = fact.op->attribute == schema::kRowCell;
  if (state.kind == MergeKind::kTree && row.length != 0) {
    crdt::ShowParent(state, row.length);
  } else if (!is_row && (state.causal_length != row.length || row.length % 2 == 0)) {
    state = {};  // a fact of another life of its row is not stored
  }
  if (!LooksTheSame(old_state, state)) {
    ++facts_changed_;
    row.is_touched = true;
  }
  if (state.causal_length == 0) {
    if (before) view_.Delete(fact.key.view());
    return Ok();
  }
  cell_.clear();
  schema::AppendCell(cell_, crdt::ToCell(state));
  if (before && *before == cell_) return Ok();
  view_.Put(fact.key.view(), cell_);
  row.is_touched = row.is_touched || is_claim;
  const bool reborn =
      is_row && old_state.causal_length != 0 && old_state.causal_length != state.causal_length;
  if (!reborn) return Ok();
  row.is_touched = true;
  return PutFormerFacts(row);
}

// What the store holds of a row before it came to this length goes; the place in a tree stays.
// Facts of the new life come later in the order of keys and are put again.
Status FrameApplier::PutFormerFacts(const MergedRow& row) {
  bool reads = true;
  Status walked =
      ForRowFacts(base_.view(), row.type, Slice(*row.subject), [&](Slice key, Slice bytes) {
        schema::Cell cell;
        FactState state;
        reads = reads && schema::DecodeCell(bytes, &cell) && crdt::FromCell(cell, sites_, &state);
        if (!reads || state.kind != MergeKind::kTree) return view_.Delete(key.ToString());
        crdt::ShowParent(state, row.length);
        view_.Put(key.ToString(), schema::EncodeCell(crdt::ToCell(state)));
      });
  return walked && !reads ? Status(BadCell()) : std::move(walked);
}

// Whether the fact decides which row owns a UNIQUE value, even when its value stays the same.
bool FrameApplier::IsClaim(TypeId type, AttributeId attribute) const {
  const auto holds = [&](const schema::IndexColumn& column) {
    return column.attribute == attribute || attribute == schema::kRowCell;
  };
  return std::ranges::any_of(schema_->IndexesOf(type), [&](const Index* index) {
    return index->unique && std::ranges::any_of(index->columns, holds);
  });
}

Status FrameApplier::FollowSchema(const SchemaReader& read_schema) {
  const bool declares = std::ranges::any_of(
      rows_, [](const MergedRow& row) { return row.is_touched && schema::IsSystemType(row.type); });
  if (!declares) return Ok();
  Result<schema::SchemaRef> read = read_schema(view_);
  if (!read) return std::move(read).error();
  schema_ = *std::move(read);
  const schema::Schema& before = *base_.schema();
  for (const Type& type : schema_->types()) {
    if (Status complete = CheckComplete(type); !complete) return complete;
    const Type* old = before.FindType(type.id);
    if (old == nullptr) continue;
    if (Status same = CheckSameForm(*old, type); !same) return same;
  }
  for (const Index& index : before.indexes()) {
    const Index* now = schema_->FindIndex(index.id);
    if (now != nullptr && SameEntries(*now, index)) continue;
    const std::string prefix = schema::IndexPrefix(index.id);
    dropped_ranges_.push_back({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  }
  return Ok();
}

Status FrameApplier::CheckAgainstSchema() const {
  const Type* type = nullptr;
  std::vector<schema::KeyPart> key;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (i == 0 || rows_[i - 1].type != rows_[i].type) {
      type = schema_->FindType(rows_[i].type);
      if (type != nullptr) key = SubjectParts(*type);
    }
    if (type == nullptr) continue;
    if (!Reads(Slice(*rows_[i].subject), key)) return SchemaConflict(*type, "their keys differ");
  }
  const FrameOp* before = nullptr;
  const Attribute* attribute = nullptr;  // null: kept, to be seen once it is declared
  for (const IncomingOp& incoming : incoming_) {
    const FrameOp& op = *incoming.op;
    if (before == nullptr || before->type != op.type || before->attribute != op.attribute) {
      type = schema_->FindType(op.type);
      attribute = type == nullptr ? nullptr : FindAny(*type, op.attribute);
    }
    before = &op;
    if (attribute == nullptr) continue;
    if (Status fits = CheckOp(*type, *attribute, op); !fits) return fits;
  }
  return Ok();
}

Status FrameApplier::MoveIndexEntries() {
  std::map<TypeId, std::vector<std::string>> subjects;
  for (const MergedRow& row : rows_) {
    if (row.is_touched) subjects[row.type].push_back(*row.subject);
  }
  const TripleStore old_rows(base_.view());
  const TripleStore new_rows(view_);
  for (const Index& index : schema_->indexes()) {
    const Type& type = *schema_->FindType(index.type);
    const Index* old = base_.schema()->FindIndex(index.id);
    if (old == nullptr || !SameEntries(*old, index)) {
      if (Status built = PutAllIndexEntries(view_, *schema_, index); !built) return built;
      continue;
    }
    const auto rows = subjects.find(index.type);
    if (rows == subjects.end()) continue;
    const IndexLayout layout(type, index);
    std::vector<AttributeId> columns = layout.attributes;
    columns.insert(columns.end(), index.include.begin(), index.include.end());
    const std::size_t key_columns = layout.attributes.size();
    Status left = old_rows.Lookup(
        type, columns, rows->second, [&](std::size_t i, std::span<const Value> row) {
          if (row.empty()) return;
          view_.Delete(IndexEntryPrefix(layout, row.first(key_columns)) + rows->second[i]);
        });
    if (!left) return left;
    Status entered = new_rows.Lookup(
        type, columns, rows->second, [&](std::size_t i, std::span<const Value> row) {
          if (row.empty()) return;
          view_.Put(IndexEntryPrefix(layout, row.first(key_columns)) + rows->second[i],
                    IndexEntryValue(layout, row.subspan(key_columns)));
        });
    if (!entered) return entered;
  }
  return Ok();
}

std::vector<TouchedRow> FrameApplier::TakeTouched() {
  std::vector<TouchedRow> rows;
  rows.reserve(rows_.size());
  for (const MergedRow& row : rows_) {
    if (row.is_touched) rows.push_back({.type = row.type, .subject = *row.subject});
  }
  return rows;
}

}  // namespace trefoil::db
