#include "db/staged_row.h"

#include "schema/cell.h"
#include "schema/key_codec.h"

namespace trefoil::db {

StagedRow::StagedRow(const TypeLayout& layout, Slice subject, const Rules& rules, Buffer& buffer)
    : layout_(layout),
      subject_(subject),
      rules_(rules),
      bytes_(buffer.bytes_),
      entries_(buffer.entries_) {
  constexpr std::size_t kEntryBytes = 64;  // mostly enough
  bytes_.clear();
  entries_.clear();
  entries_.reserve(1 + layout.attributes.size() + layout.indexes.size());
  bytes_.reserve(kEntryBytes * entries_.capacity());
}

void StagedRow::AppendKey(WriteSet::Hint hint, const std::string& prefix, Slice suffix) {
  bytes_.append(prefix).append(subject_.view()).append(suffix.view());
  EndKey(hint);
}

void StagedRow::EndKey(WriteSet::Hint hint) {
  entries_.push_back({.hint = hint, .key_end = bytes_.size()});
}

void StagedRow::EndEntry(bool deletes) {
  entries_.back().end = bytes_.size();
  entries_.back().deletes = deletes;
}

void StagedRow::PutCell(WriteSet::Hint hint, const std::string& prefix, const Value& value,
                        Slice suffix) {
  AppendKey(hint, prefix, suffix);
  schema::AppendUnstampedCell(bytes_, rules_.causal_length, value);
  EndEntry(/*deletes=*/false);
}

void StagedRow::Retract(WriteSet::Hint hint, const std::string& prefix, Slice suffix) {
  if (!rules_.keep_retractions) return Remove(hint, prefix, suffix);
  AppendKey(hint, prefix, suffix);
  schema::AppendCell(bytes_, {.retracted = true, .causal_length = rules_.causal_length});
  EndEntry(/*deletes=*/false);
}

void StagedRow::Remove(WriteSet::Hint hint, const std::string& prefix, Slice suffix) {
  AppendKey(hint, prefix, suffix);
  EndEntry(/*deletes=*/true);
}

void StagedRow::PutIndexEntry(std::size_t index, std::span<const Value> row) {
  const TypeLayout::IndexPlaces& places = layout_.indexes[index];
  bytes_.append(places.layout.prefix);
  for (std::size_t i = 0; i < places.columns.size(); ++i) {
    schema::AppendKeyPart(bytes_, places.layout.columns[i], row[places.columns[i]]);
  }
  bytes_.append(subject_.view());
  EndKey(HintOf(index));
  for (std::size_t i = 0; i < places.include.size(); ++i) {
    schema::AppendKeyPart(bytes_, places.layout.include[i], row[places.include[i]]);
  }
  EndEntry(/*deletes=*/false);
}

void StagedRow::DeleteIndexEntry(std::size_t index, Slice key) {
  bytes_.append(key.view());
  EndKey(HintOf(index));
  EndEntry(/*deletes=*/true);
}

void StagedRow::Apply(OverlayView& view) const {
  std::size_t start = 0;
  for (const Buffer::Entry& entry : entries_) {
    const std::string_view key(bytes_.data() + start, entry.key_end - start);
    if (entry.deletes) {
      view.Delete(key, entry.hint);
    } else {
      view.Put(key, {bytes_.data() + entry.key_end, entry.end - entry.key_end}, entry.hint);
    }
    start = entry.end;
  }
}

}  // namespace trefoil::db
