#include "db/triple_store.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/index_reader.h"
#include "db/row_reader.h"
#include "db/walk_cursor.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

using schema::Index;
using schema::KeyPart;
using schema::Type;

namespace {

constexpr int kStepsBeforeSeek = 8;  // of a cursor that is behind

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

}  // namespace

Result<bool> TripleStore::Exists(TypeId type, Slice subject) const {
  const std::string key = schema::FactKey(type, schema::kRowCell, subject);
  Result<std::optional<std::string>> cell = view_.Get(Slice(key));
  if (!cell) return std::move(cell).error();
  return cell->has_value() && !schema::IsRetracted(Slice(**cell));
}

Status TripleStore::Lookup(
    const Type& type, std::span<const AttributeId> columns, std::span<const std::string> subjects,
    FunctionRef<void(std::size_t i, std::span<const Value> row)> visit) const {
  return RowReader(type, columns).Lookup(view_, subjects, visit);
}

Status TripleStore::ScanSubjects(const Type& type, std::span<const AttributeId> columns,
                                 const Walk& walk, RowSink sink) const {
  return ScanSubjects(
      type, columns, std::span(&walk, 1),
      [&](std::size_t, Slice subject, std::span<const Value> row) { return sink(subject, row); });
}

Status TripleStore::ScanSubjects(const Type& type, std::span<const AttributeId> columns,
                                 std::span<const Walk> walks, ManyRowSink sink) const {
  if (walks.empty()) return Ok();
  const std::vector<ColumnPlace> places = PlacesOf(type, columns);
  const std::vector<KeyPart> parts = SubjectParts(type);
  const bool has_key = std::ranges::any_of(
      places, [](const ColumnPlace& place) { return place.key_place.has_value(); });
  WalkCursor rows(view_, schema::FactPrefix(type.id, schema::kRowCell), walks);
  std::vector<std::optional<AttributeCursor>> cursors(places.size());
  for (std::size_t c = 0; c < places.size(); ++c) {
    if (!places[c].key_place) cursors[c].emplace(view_, type, places[c], walks.front().reverse);
  }
  std::vector<Value> row(columns.size());
  std::vector<Value> key_values;
  while (rows.Valid()) {
    if (schema::IsRetracted(rows.value())) {
      rows.Next();
      continue;
    }
    const Slice subject = rows.entry();
    if (has_key && !DecodeParts(subject, parts, &key_values))
      return UnreadableIn(type, "a subject");
    for (std::size_t c = 0; c < places.size(); ++c) {
      if (places[c].key_place) {
        row[c] = key_values[*places[c].key_place];
      } else if (!cursors[c]->Read(subject, &row[c])) {
        return UnreadableIn(type, "a cell");
      }
    }
    if (sink(rows.walk(), subject, row)) {
      rows.Next();
    } else if (!rows.Leave()) {
      return Ok();
    }
  }
  for (const std::optional<AttributeCursor>& cursor : cursors) {
    if (!cursor) continue;
    if (Status status = cursor->status(); !status) return status;
  }
  return rows.status();
}

Status TripleStore::ScanIndex(const Type& type, const Index& index,
                              std::span<const AttributeId> columns, const Walk& walk,
                              RowSink sink) const {
  return IndexReader(type, index, columns)
      .Scan(view_, std::span(&walk, 1),
            [&](std::size_t, Slice subject, std::span<const Value> row) {
              return sink(subject, row);
            });
}

}  // namespace trefoil::db
