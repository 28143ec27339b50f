#include "db/triple_store.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/merge.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Index;
using schema::KeyPart;
using schema::Type;

namespace {

constexpr std::size_t kLookupBatch = 1024;  // rows whose probes overlap
constexpr std::size_t kFirstFetch = 8;      // index entries gathered before the first fetch
constexpr int kStepsBeforeSeek = 8;         // of a cursor that is behind

Error BadBytes(const Type& type, const char* what) {
  return Corruption(StrCat("table \"", type.name, "\" has ", what, " that does not read"),
                    "run `trefoil check`");
}

// What a row shows of a plain fact. False when the cell does not read.
bool DecodeColumn(Slice cell, const ColumnPlace& place, Value* value) {
  if (place.is_conflicts) return crdt::DecodeConflicts(cell, value);
  bool retracted;
  return schema::DecodeCellValue(cell, value, &retracted);
}

// The facts of one attribute, walked beside the row cells in the same direction.
class AttributeCursor {
 public:
  AttributeCursor(const ReadView& view, const Type& type, const ColumnPlace& place, bool reverse)
      : place_(place), prefix_(schema::FactPrefix(type.id, place.attribute)), reverse_(reverse) {
    iterator_ = view.NewIterator({.start = prefix_, .limit = schema::PrefixLimit(prefix_)});
  }

  // The value of the column in the row `subject`, which lies behind the last one asked for. False
  // when a fact does not read.
  bool Read(Slice subject, Value* value) {
    *value = Value();
    MoveTo(subject);
    if (place_.is_set) return ReadElements(subject, value);
    if (!iterator_->Valid() || Subject() != subject) return true;
    return DecodeColumn(iterator_->value(), place_, value);
  }
  Status status() const { return iterator_->status(); }

 private:
  Slice Subject() const { return iterator_->key().Without(prefix_.size()); }

  // True when the cursor still lies before the row in the direction of the walk.
  bool IsBehind(Slice subject) const {
    if (!reverse_) return Subject() < subject;
    return Subject() > subject && !Subject().StartsWith(subject);
  }

  void MoveTo(Slice subject) {
    if (started_) {
      for (int i = 0; i < kStepsBeforeSeek; ++i) {
        if (!iterator_->Valid() || !IsBehind(subject)) return;
        Step();
      }
      if (!iterator_->Valid() || !IsBehind(subject)) return;
    }
    started_ = true;
    target_ = prefix_;
    target_.append(subject.view());
    if (!reverse_) return iterator_->Seek(Slice(target_));
    // Elements of a SET lie behind the subject itself.
    target_ = place_.is_set ? schema::PrefixLimit(target_) : target_;
    iterator_->SeekForPrev(Slice(target_));
    while (iterator_->Valid() && IsBehind(subject)) Step();
  }

  void Step() { reverse_ ? iterator_->Prev() : iterator_->Next(); }

  bool ReadElements(Slice subject, Value* value) {
    std::vector<Value> items;
    for (; iterator_->Valid() && Subject().StartsWith(subject); Step()) {
      if (schema::IsRetracted(iterator_->value())) continue;
      Slice element = Subject().Without(subject.size());
      if (!schema::TakeKeyPart(element, place_.element, &items.emplace_back())) return false;
    }
    if (items.empty()) return true;
    if (reverse_) std::ranges::reverse(items);
    *value = Value::List(std::move(items));
    return true;
  }

  const ColumnPlace& place_;
  std::string prefix_;
  bool reverse_;
  bool started_ = false;
  std::string target_;
  std::unique_ptr<lsm::Iterator> iterator_;
};

bool DecodeParts(Slice bytes, std::span<const KeyPart> parts, std::vector<Value>* values) {
  values->resize(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!schema::TakeKeyPart(bytes, parts[i], &(*values)[i])) return false;
  }
  return true;
}

bool HasKeyColumn(std::span<const ColumnPlace> places) {
  return std::ranges::any_of(places,
                             [](const ColumnPlace& place) { return place.key_place.has_value(); });
}

}  // namespace

Result<bool> TripleStore::Exists(TypeId type, Slice subject) const {
  const std::string key = schema::FactKey(type, schema::kRowCell, subject);
  Result<std::optional<std::string>> cell = view_.Get(Slice(key));
  if (!cell) return std::move(cell).error();
  return cell->has_value() && !schema::IsRetracted(Slice(**cell));
}

Status TripleStore::ReadSet(const Type& type, const ColumnPlace& place, Slice subject,
                            Value* value) const {
  const std::string prefix = schema::FactKey(type.id, place.attribute, subject);
  const std::unique_ptr<lsm::Iterator> iterator =
      view_.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  std::vector<Value> items;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (schema::IsRetracted(iterator->value())) continue;
    Slice element = iterator->key().Without(prefix.size());
    if (!schema::TakeKeyPart(element, place.element, &items.emplace_back())) {
      return BadBytes(type, "an element");
    }
  }
  *value = items.empty() ? Value() : Value::List(std::move(items));
  return iterator->status();
}

namespace {

// The places of subjects in the order of their bytes, so that neighbours in the store are asked for
// one after the other and share lines of its indexes.
std::vector<std::size_t> InOrder(std::span<const std::string> subjects) {
  std::vector<std::size_t> places(subjects.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (std::ranges::is_sorted(subjects)) return places;
  std::ranges::sort(places, {}, [&](std::size_t i) -> const std::string& { return subjects[i]; });
  return places;
}

// The probes of many rows, column by column, so that those that are close in the store follow one
// another.
class RowProbes {
 public:
  RowProbes(const ReadView& view, std::span<const std::string> subjects)
      : view_(view), subjects_(subjects) {}

  // Asks for the columns `prefixes` of the subjects in `places`: visits all of the first column,
  // then those of the next.
  Status Ask(std::span<const std::string> prefixes, std::span<const std::size_t> places,
             lsm::FoundVisitor visit) {
    std::size_t size_bytes = 0;
    for (const std::size_t place : places) size_bytes += subjects_[place].size();
    size_bytes *= prefixes.size();
    for (const std::string& prefix : prefixes) size_bytes += prefix.size() * places.size();
    keys_.clear();
    keys_.reserve(size_bytes);  // slices point into it
    slices_.clear();
    for (const std::string& prefix : prefixes) {
      for (const std::size_t place : places) {
        const std::size_t start = keys_.size();
        keys_.append(prefix).append(subjects_[place]);
        slices_.push_back({keys_.data() + start, keys_.size() - start});
      }
    }
    return view_.MultiGet(slices_, visit);
  }

 private:
  const ReadView& view_;
  std::span<const std::string> subjects_;
  std::string keys_;
  std::vector<Slice> slices_;
};

}  // namespace

Status TripleStore::Lookup(
    const Type& type, std::span<const AttributeId> columns, std::span<const std::string> subjects,
    FunctionRef<void(std::size_t i, std::span<const Value> row)> visit) const {
  for (std::size_t start = 0; start < subjects.size(); start += kLookupBatch) {
    const std::size_t count = std::min(kLookupBatch, subjects.size() - start);
    Status read =
        LookupBatch(type, columns, subjects.subspan(start, count),
                    [&](std::size_t i, std::span<const Value> row) { visit(start + i, row); });
    if (!read) return read;
  }
  return Ok();
}

// A fact that is there says that its row is (I1), so only rows without any are asked for their row
// cell, in a second turn.
Status TripleStore::LookupBatch(
    const Type& type, std::span<const AttributeId> columns, std::span<const std::string> subjects,
    FunctionRef<void(std::size_t i, std::span<const Value> row)> visit) const {
  const std::vector<ColumnPlace> places = PlacesOf(type, columns);
  std::vector<std::string> prefixes;
  std::vector<std::size_t> facts;  // the columns that are plain facts
  for (std::size_t c = 0; c < places.size(); ++c) {
    if (places[c].key_place || places[c].is_set) continue;
    prefixes.push_back(schema::FactPrefix(type.id, places[c].attribute));
    facts.push_back(c);
  }
  RowProbes probes(view_, subjects);
  const std::vector<std::size_t> in_order = InOrder(subjects);
  std::vector<Value> rows(subjects.size() * columns.size());
  std::vector<bool> exists(subjects.size());
  bool reads = true;
  Status asked = probes.Ask(prefixes, in_order, [&](std::size_t n, std::optional<Slice> cell) {
    if (!cell) return;
    const std::size_t i = in_order[n % subjects.size()];
    const std::size_t column = facts[n / subjects.size()];
    reads = reads && DecodeColumn(*cell, places[column], &rows[i * columns.size() + column]);
    if (!schema::IsRetracted(*cell)) exists[i] = true;
  });
  if (!asked) return asked;
  if (!reads) return BadBytes(type, "a cell");
  std::vector<std::size_t> unseen = in_order;
  std::erase_if(unseen, [&](std::size_t i) { return exists[i]; });
  if (!unseen.empty()) {
    const std::string row_cell = schema::FactPrefix(type.id, schema::kRowCell);
    Status found =
        probes.Ask(std::span(&row_cell, 1), unseen, [&](std::size_t n, std::optional<Slice> cell) {
          exists[unseen[n]] = cell && !schema::IsRetracted(*cell);
        });
    if (!found) return found;
  }
  const std::vector<KeyPart> parts = SubjectParts(type);
  const bool has_key = HasKeyColumn(places);
  std::vector<Value> key_values;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (!exists[i]) {
      visit(i, {});
      continue;
    }
    const std::span<Value> row = std::span(rows).subspan(i * columns.size(), columns.size());
    const Slice subject(subjects[i]);
    if (has_key && !DecodeParts(subject, parts, &key_values)) return BadBytes(type, "a subject");
    for (std::size_t c = 0; c < places.size(); ++c) {
      if (places[c].key_place) {
        row[c] = key_values[*places[c].key_place];
      } else if (places[c].is_set) {
        if (Status read = ReadSet(type, places[c], subject, &row[c]); !read) return read;
      }
    }
    visit(i, row);
  }
  return Ok();
}

Status TripleStore::ScanSubjects(const Type& type, std::span<const AttributeId> columns,
                                 const Walk& walk, RowSink sink) const {
  const std::vector<ColumnPlace> places = PlacesOf(type, columns);
  const std::vector<KeyPart> parts = SubjectParts(type);
  const bool has_key = HasKeyColumn(places);
  const std::string prefix = schema::FactPrefix(type.id, schema::kRowCell);
  lsm::KeyRange range = {
      .start = prefix + walk.start,
      .limit = walk.limit.empty() ? schema::PrefixLimit(prefix) : prefix + walk.limit};
  const std::unique_ptr<lsm::Iterator> rows = view_.NewIterator(std::move(range));
  std::vector<std::optional<AttributeCursor>> cursors(places.size());
  for (std::size_t c = 0; c < places.size(); ++c) {
    if (!places[c].key_place) cursors[c].emplace(view_, type, places[c], walk.reverse);
  }
  std::vector<Value> row(columns.size());
  std::vector<Value> key_values;
  const auto step = [&] { walk.reverse ? rows->Prev() : rows->Next(); };
  for (walk.reverse ? rows->SeekToLast() : rows->SeekToFirst(); rows->Valid(); step()) {
    if (schema::IsRetracted(rows->value())) continue;
    const Slice subject = rows->key().Without(prefix.size());
    if (has_key && !DecodeParts(subject, parts, &key_values)) return BadBytes(type, "a subject");
    for (std::size_t c = 0; c < places.size(); ++c) {
      if (places[c].key_place) {
        row[c] = key_values[*places[c].key_place];
      } else if (!cursors[c]->Read(subject, &row[c])) {
        return BadBytes(type, "a cell");
      }
    }
    if (!sink(subject, row)) return Ok();
  }
  for (const std::optional<AttributeCursor>& cursor : cursors) {
    if (!cursor) continue;
    if (Status status = cursor->status(); !status) return status;
  }
  return rows->status();
}

namespace {

// Index entries on their way to becoming rows: what is asked for and held by the entry is filled
// in, the rest is fetched for many rows at once.
class EntryBatch {
 public:
  EntryBatch(const Type& type, const Index& index, std::span<const AttributeId> columns)
      : type_(type), layout_(type, index) {
    columns_ = HeldOf(layout_.attributes, layout_.columns, columns);
    subject_ = HeldOf(type.key, SubjectParts(type), columns);
    include_ = HeldOf(layout_.include_attributes, layout_.include, columns);
    DropUnasked(include_);
    DropUnasked(subject_);
    width_ = columns.size();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto is_column = [&](const Held& held) { return held.column == c; };
      const auto holds = [&](const std::vector<Held>& parts) {
        return std::ranges::any_of(parts, is_column);
      };
      if (holds(columns_) || holds(subject_) || holds(include_)) continue;
      fetched_.push_back(columns[c]);
      fetched_places_.push_back(c);
    }
  }

  const IndexLayout& layout() const { return layout_; }
  bool covered() const { return fetched_.empty(); }
  std::size_t size() const { return subjects_.size(); }

  // Takes one entry, its key without the prefix. False when it does not read.
  bool Add(Slice entry, Slice value) {
    rows_.resize(rows_.size() + width_);
    const std::span<Value> row = std::span(rows_).last(width_);
    const auto take = [&](const Held& held, Slice& bytes) {
      return held.column ? schema::TakeKeyPart(bytes, held.part, &row[*held.column])
                         : schema::SkipKeyPart(bytes, held.part);
    };
    const auto from_entry = [&](const Held& held) { return take(held, entry); };
    if (!std::ranges::all_of(columns_, from_entry)) return false;
    subjects_.emplace_back(entry.view());
    return std::ranges::all_of(subject_, from_entry) &&
           std::ranges::all_of(include_, [&](const Held& held) { return take(held, value); });
  }

  // Gives the rows away in order; `*more` becomes false when the sink wants no more.
  Status Drain(const TripleStore& store, RowSink sink, bool* more) {
    if (!covered()) {
      Status fetched =
          store.Lookup(type_, fetched_, subjects_, [&](std::size_t i, std::span<const Value> row) {
            exists_.push_back(!row.empty());
            for (std::size_t c = 0; c < row.size(); ++c) {
              rows_[i * width_ + fetched_places_[c]] = row[c];
            }
          });
      if (!fetched) return fetched;
    }
    for (std::size_t i = 0; i < subjects_.size() && *more; ++i) {
      if (!covered() && !exists_[i]) {
        return Corruption(StrCat("an index of table \"", type_.name, "\" has an entry without row"),
                          "run `trefoil check`");
      }
      *more = sink(Slice(subjects_[i]), std::span(rows_).subspan(i * width_, width_));
    }
    subjects_.clear();
    rows_.clear();
    exists_.clear();
    return Ok();
  }

 private:
  // A part of an entry, and which column it is, if somebody asks for it.
  struct Held {
    KeyPart part;
    std::optional<std::size_t> column;
  };

  static std::vector<Held> HeldOf(std::span<const AttributeId> attributes,
                                  std::span<const KeyPart> parts,
                                  std::span<const AttributeId> columns) {
    std::vector<Held> all;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto found = std::ranges::find(columns, attributes[i]);
      Held& held = all.emplace_back(Held{.part = parts[i], .column = {}});
      if (found != columns.end()) held.column = static_cast<std::size_t>(found - columns.begin());
    }
    return all;
  }
  // What nobody asks for at the end need not even be skipped.
  static void DropUnasked(std::vector<Held>& parts) {
    while (!parts.empty() && !parts.back().column) parts.pop_back();
  }

  const Type& type_;
  IndexLayout layout_;
  std::vector<Held> columns_;
  std::vector<Held> subject_;
  std::vector<Held> include_;
  std::size_t width_ = 0;             // of a row
  std::vector<AttributeId> fetched_;  // columns that the entry does not hold
  std::vector<std::size_t> fetched_places_;
  std::vector<std::string> subjects_;
  std::vector<Value> rows_;
  std::vector<bool> exists_;
};

}  // namespace

Status TripleStore::ScanIndex(const Type& type, const Index& index,
                              std::span<const AttributeId> columns, const Walk& walk,
                              RowSink sink) const {
  EntryBatch batch(type, index, columns);
  const std::string& prefix = batch.layout().prefix;
  lsm::KeyRange range = {
      .start = prefix + walk.start,
      .limit = walk.limit.empty() ? schema::PrefixLimit(prefix) : prefix + walk.limit};
  const std::unique_ptr<lsm::Iterator> entries = view_.NewIterator(std::move(range));
  bool more = true;
  const std::size_t first_fetch =
      std::clamp<std::size_t>(walk.wanted.value_or(kFirstFetch), 1, kLookupBatch);
  std::size_t fetch = batch.covered() ? 1 : first_fetch;
  const auto step = [&] { walk.reverse ? entries->Prev() : entries->Next(); };
  for (walk.reverse ? entries->SeekToLast() : entries->SeekToFirst(); entries->Valid() && more;
       step()) {
    if (!batch.Add(entries->key().Without(prefix.size()), entries->value())) {
      return BadBytes(type, "an index entry");
    }
    if (batch.size() < fetch) continue;
    if (Status drained = batch.Drain(*this, sink, &more); !drained) return drained;
    if (!batch.covered()) fetch = std::min(fetch * 2, kLookupBatch);
  }
  if (Status status = entries->status(); !status) return status;
  return batch.Drain(*this, sink, &more);
}

}  // namespace trefoil::db
