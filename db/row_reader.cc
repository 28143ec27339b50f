#include "db/row_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>

#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

constexpr std::size_t kRowsAtOnce = 1024;

// The first 8 bytes as a number in their order, zeros behind the end.
std::uint64_t HeadOf(const std::string& bytes) {
  std::uint64_t head = 0;
  std::memcpy(&head, bytes.data(), std::min(bytes.size(), sizeof head));
  return __builtin_bswap64(head);
}

}  // namespace

Status ReadElements(const ReadView& view, const schema::Type& type, const ColumnPlace& place,
                    Slice subject, Value* value) {
  const std::string prefix = schema::FactKey(type.id, place.attribute, subject);
  const std::unique_ptr<lsm::Iterator> iterator =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  std::vector<Value> items;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (schema::IsRetracted(iterator->value())) continue;
    Slice element = iterator->key().Without(prefix.size());
    if (!schema::TakeKeyPart(element, place.element, &items.emplace_back())) {
      return UnreadableIn(type, "an element");
    }
  }
  *value = items.empty() ? Value() : Value::List(std::move(items));
  return iterator->status();
}

RowReader::RowReader(const schema::Type& type, std::span<const AttributeId> columns)
    : type_(type), places_(PlacesOf(type, columns)), key_parts_(SubjectParts(type)) {
  prefixes_.reserve(places_.size());
  facts_.reserve(places_.size());
  for (std::size_t c = 0; c < places_.size(); ++c) {
    has_key_ = has_key_ || places_[c].key_place;
    if (places_[c].key_place || places_[c].is_set) continue;
    prefixes_.push_back(schema::FactPrefix(type.id, places_[c].attribute));
    facts_.push_back(c);
  }
}

Status RowReader::Lookup(const ReadView& view, std::span<const std::string> subjects, Visit visit) {
  for (std::size_t start = 0; start < subjects.size(); start += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, subjects.size() - start);
    Status read =
        LookupBatch(view, subjects.subspan(start, count),
                    [&](std::size_t i, std::span<const Value> row) { visit(start + i, row); });
    if (!read) return read;
  }
  return Ok();
}

// So that neighbours in the store are asked for one after the other and share lines of its indexes.
void RowReader::PutInOrder(std::span<const std::string> subjects) {
  order_.resize(subjects.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (std::ranges::is_sorted(subjects)) return;
  heads_.clear();
  for (const std::string& subject : subjects) heads_.push_back({HeadOf(subject), heads_.size()});
  std::ranges::sort(heads_, [&](const Head& a, const Head& b) {
    return a.head != b.head ? a.head < b.head : subjects[a.subject] < subjects[b.subject];
  });
  for (std::size_t i = 0; i < heads_.size(); ++i) order_[i] = heads_[i].subject;
}

// Asks for the columns `prefixes` of the subjects in order_: visits all of the first column, then
// those of the next.
Status RowReader::Ask(const ReadView& view, std::span<const std::string> subjects,
                      std::span<const std::string> prefixes, lsm::FoundVisitor visit) {
  std::size_t size_bytes = 0;
  for (const std::size_t i : order_) size_bytes += subjects[i].size();
  size_bytes *= prefixes.size();
  for (const std::string& prefix : prefixes) size_bytes += prefix.size() * order_.size();
  keys_.clear();
  keys_.reserve(size_bytes);  // slices point into it
  slices_.clear();
  slices_.reserve(prefixes.size() * order_.size());
  for (const std::string& prefix : prefixes) {
    for (const std::size_t i : order_) {
      const std::size_t start = keys_.size();
      keys_.append(prefix).append(subjects[i]);
      slices_.push_back({keys_.data() + start, keys_.size() - start});
    }
  }
  return view.MultiGet(slices_, visit);
}

// A fact that is there says that its row is (TripleStore I1), so only rows without any are asked
// for their row cell, in a second turn.
Status RowReader::LookupBatch(const ReadView& view, std::span<const std::string> subjects,
                              Visit visit) {
  const std::size_t width = places_.size();
  rows_.assign(subjects.size() * width, Value());
  exists_.assign(subjects.size(), false);
  PutInOrder(subjects);
  bool reads = true;
  std::size_t fact = 0;
  std::size_t place = 0;
  Status asked = Ask(view, subjects, prefixes_, [&](std::size_t, std::optional<Slice> cell) {
    const std::size_t i = order_[place];
    const std::size_t column = facts_[fact];
    if (++place == order_.size()) {
      place = 0;
      ++fact;
    }
    if (!cell) return;
    reads = reads && DecodeColumn(*cell, places_[column], &rows_[i * width + column]);
    if (!schema::IsRetracted(*cell)) exists_[i] = true;
  });
  if (!asked) return asked;
  if (!reads) return UnreadableIn(type_, "a cell");
  if (Status found = AskRowCells(view, subjects); !found) return found;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    if (!exists_[i]) {
      visit(i, {});
      continue;
    }
    const std::span<Value> row = std::span(rows_).subspan(i * width, width);
    if (Status completed = Complete(view, Slice(subjects[i]), row); !completed) return completed;
    visit(i, row);
  }
  rows_.clear();  // which may share much memory
  return Ok();
}

// Of the rows that are not known to exist.
Status RowReader::AskRowCells(const ReadView& view, std::span<const std::string> subjects) {
  std::erase_if(order_, [&](std::size_t i) { return exists_[i]; });
  if (order_.empty()) return Ok();
  const std::string row_cell = schema::FactPrefix(type_.id, schema::kRowCell);
  return Ask(view, subjects, std::span(&row_cell, 1),
             [&](std::size_t n, std::optional<Slice> cell) {
               exists_[order_[n]] = cell && !schema::IsRetracted(*cell);
             });
}

// Fills in what is no plain fact.
Status RowReader::Complete(const ReadView& view, Slice subject, std::span<Value> row) {
  if (has_key_ && !DecodeParts(subject, key_parts_, &key_values_)) {
    return UnreadableIn(type_, "a subject");
  }
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (places_[c].key_place) {
      row[c] = key_values_[*places_[c].key_place];
    } else if (places_[c].is_set) {
      if (Status read = ReadElements(view, type_, places_[c], subject, &row[c]); !read) return read;
    }
  }
  return Ok();
}

}  // namespace trefoil::db
