#include "db/staged_row.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "schema/cell.h"
#include "schema/key_codec.h"

namespace trefoil::db {

namespace {

char* Write(char* to, Slice bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

void StagedRow::Buffer::Grow(std::size_t bytes) {
  const std::size_t capacity = std::max(2 * capacity_, size_ + bytes);
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  Write(grown.get(), {bytes_.get(), size_});
  bytes_ = std::move(grown);
  capacity_ = capacity;
}

StagedRow::StagedRow(const TypeLayout& layout, Slice subject, const Rules& rules, Buffer& buffer)
    : layout_(layout), subject_(subject), rules_(rules), buffer_(buffer) {
  constexpr std::size_t kEntryBytes = 64;  // mostly enough
  buffer.size_ = 0;
  buffer.entries_.clear();
  buffer.entries_.reserve(1 + layout.attributes.size() + layout.indexes.size());
  buffer.Room(kEntryBytes * buffer.entries_.capacity());
}

char* StagedRow::WriteKey(char* to, const std::string& prefix, Slice suffix) const {
  return Write(Write(Write(to, Slice(prefix)), subject_), suffix);
}

void StagedRow::EndKey(WriteSet::Hint hint, const char* end) {
  buffer_.size_ = static_cast<std::size_t>(end - buffer_.bytes_.get());
  buffer_.entries_.push_back({.hint = hint, .key_end = buffer_.size_});
}

void StagedRow::EndEntry(const char* end, bool deletes) {
  buffer_.size_ = static_cast<std::size_t>(end - buffer_.bytes_.get());
  buffer_.entries_.back().end = buffer_.size_;
  buffer_.entries_.back().deletes = deletes;
}

void StagedRow::PutCell(WriteSet::Hint hint, const std::string& prefix, const Value& value,
                        Slice suffix) {
  char* to = buffer_.Room(prefix.size() + subject_.size() + suffix.size() +
                          schema::UnstampedCellBytesMax(value));
  to = WriteKey(to, prefix, suffix);
  EndKey(hint, to);
  EndEntry(schema::WriteUnstampedCell(to, rules_.causal_length, value), /*deletes=*/false);
}

void StagedRow::Retract(WriteSet::Hint hint, const std::string& prefix, Slice suffix) {
  if (!rules_.keep_retractions) return Remove(hint, prefix, suffix);
  const std::string cell =
      schema::EncodeCell({.retracted = true, .causal_length = rules_.causal_length});
  char* to = buffer_.Room(prefix.size() + subject_.size() + suffix.size() + cell.size());
  to = WriteKey(to, prefix, suffix);
  EndKey(hint, to);
  EndEntry(Write(to, Slice(cell)), /*deletes=*/false);
}

void StagedRow::Remove(WriteSet::Hint hint, const std::string& prefix, Slice suffix) {
  char* to = buffer_.Room(prefix.size() + subject_.size() + suffix.size());
  to = WriteKey(to, prefix, suffix);
  EndKey(hint, to);
  EndEntry(to, /*deletes=*/true);
}

void StagedRow::PutIndexEntry(std::size_t index, std::span<const Value> row) {
  const TypeLayout::IndexPlaces& places = layout_.indexes[index];
  std::string& part = buffer_.part_;
  part.assign(places.layout.prefix);
  for (std::size_t i = 0; i < places.columns.size(); ++i) {
    schema::AppendKeyPart(part, places.layout.columns[i], row[places.columns[i]]);
  }
  part.append(subject_.view());
  const std::size_t key_bytes = part.size();
  for (std::size_t i = 0; i < places.include.size(); ++i) {
    schema::AppendKeyPart(part, places.layout.include[i], row[places.include[i]]);
  }
  char* to = buffer_.Room(part.size());
  EndKey(HintOf(index), to + key_bytes);
  EndEntry(Write(to, Slice(part)), /*deletes=*/false);
}

void StagedRow::DeleteIndexEntry(std::size_t index, Slice key) {
  const char* end = Write(buffer_.Room(key.size()), key);
  EndKey(HintOf(index), end);
  EndEntry(end, /*deletes=*/true);
}

void StagedRow::Apply(OverlayView& view) const {
  const char* start = buffer_.bytes_.get();
  for (const Buffer::Entry& entry : buffer_.entries_) {
    const char* key_end = buffer_.bytes_.get() + entry.key_end;
    const char* end = buffer_.bytes_.get() + entry.end;
    if (entry.deletes) {
      view.Delete({start, key_end}, entry.hint);
    } else {
      view.Put({start, key_end}, {key_end, end}, entry.hint);
    }
    start = end;
  }
}

}  // namespace trefoil::db
