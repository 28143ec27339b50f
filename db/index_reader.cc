#include "db/index_reader.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/walk_cursor.h"
#include "schema/key_codec.h"

namespace trefoil::db {

using schema::KeyPart;

namespace {

constexpr std::size_t kFirstFetch = 8;   // entries gathered before the first fetch
constexpr std::size_t kMaxFetch = 1024;  // and before any other

}  // namespace

IndexReader::IndexReader(const schema::Type& type, const schema::Index& index,
                         std::span<const AttributeId> columns)
    : type_(type),
      layout_(type, index),
      columns_(HeldOf(layout_.attributes, layout_.columns, columns)),
      subject_(HeldOf(type.key, SubjectParts(type), columns)),
      include_(HeldOf(layout_.include_attributes, layout_.include, columns)),
      width_(columns.size()) {
  DropUnasked(subject_);
  DropUnasked(include_);
  std::vector<AttributeId> fetched;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const auto holds = [&](const std::vector<Held>& parts) {
      return std::ranges::any_of(parts, [&](const Held& held) { return held.column == c; });
    };
    if (holds(columns_) || holds(subject_) || holds(include_)) continue;
    fetched.push_back(columns[c]);
    fetched_places_.push_back(c);
  }
  if (!fetched.empty()) fetch_.emplace(type, fetched);
}

std::vector<IndexReader::Held> IndexReader::HeldOf(std::span<const AttributeId> attributes,
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
void IndexReader::DropUnasked(std::vector<Held>& parts) {
  while (!parts.empty() && !parts.back().column) parts.pop_back();
}

Status IndexReader::Scan(const ReadView& view, std::span<const Walk> walks, ManyRowSink sink) {
  if (walks.empty()) return Ok();
  WalkCursor entries(view, layout_.prefix, walks);
  walks_.clear();  // of a scan that failed
  subjects_.clear();
  rows_.clear();
  exists_.clear();
  std::optional<std::size_t> left;  // the last walk of which no more is wanted
  std::size_t fetch =
      fetch_ ? std::clamp<std::size_t>(walks.front().wanted.value_or(kFirstFetch), 1, kMaxFetch)
             : 1;
  while (entries.Valid()) {
    walks_.push_back(entries.walk());
    if (!Take(entries.entry(), entries.value())) return UnreadableIn(type_, "an index entry");
    if (subjects_.size() >= fetch) {
      if (Status drained = Drain(view, sink, &left); !drained) return drained;
      if (fetch_) fetch = std::min(fetch * 2, kMaxFetch);
    }
    if (left != entries.walk()) {
      entries.Next();
    } else if (!entries.Leave()) {
      return Ok();
    }
  }
  if (Status status = entries.status(); !status) return status;
  return Drain(view, sink, &left);
}

// One entry, its key without the prefix. False when it does not read.
bool IndexReader::Take(Slice entry, Slice value) {
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

// Gives the rows of the batch away in order. `*left` becomes the last walk of which the sink wants
// no more.
Status IndexReader::Drain(const ReadView& view, ManyRowSink sink,
                          std::optional<std::size_t>* left) {
  if (fetch_) {
    Status fetched =
        fetch_->Lookup(view, subjects_, [&](std::size_t i, std::span<const Value> row) {
          exists_.push_back(!row.empty());
          for (std::size_t c = 0; c < row.size(); ++c) {
            rows_[i * width_ + fetched_places_[c]] = row[c];
          }
        });
    if (!fetched) return fetched;
  }
  for (std::size_t i = 0; i < subjects_.size(); ++i) {
    if (walks_[i] == *left) continue;
    if (fetch_ && !exists_[i]) {
      return Corruption(StrCat("an index of table \"", type_.name, "\" has an entry without row"),
                        "run `trefoil check`");
    }
    const std::span<const Value> row = std::span(rows_).subspan(i * width_, width_);
    if (!sink(walks_[i], Slice(subjects_[i]), row)) *left = walks_[i];
  }
  walks_.clear();
  subjects_.clear();
  rows_.clear();
  exists_.clear();
  return Ok();
}

}  // namespace trefoil::db
