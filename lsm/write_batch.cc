#include "lsm/write_batch.h"

#include <algorithm>

#include "base/coding.h"
#include "base/str_cat.h"
#include "lsm/write_batch_reader.h"

namespace trefoil::lsm {

void WriteBatch::Append(EntryKind kind, Slice key, Slice value) {
  encoded_.push_back(static_cast<char>(kind));
  AppendVarint(encoded_, key.size());
  if (kind != EntryKind::kDelete) AppendVarint(encoded_, value.size());
  encoded_.append(key.view());
  encoded_.append(value.view());
  longest_key_bytes_ = std::max(longest_key_bytes_, key.size());
  ++count_;
}

void WriteBatch::Put(Slice key, Slice value) { Append(EntryKind::kPut, key, value); }

void WriteBatch::Delete(Slice key) { Append(EntryKind::kDelete, key, Slice()); }

void WriteBatch::DeleteRange(Slice start, Slice limit) {
  if (limit <= start) return;
  Append(EntryKind::kDeleteRange, start, limit);
  longest_key_bytes_ = std::max(longest_key_bytes_, limit.size());
}

void WriteBatch::Clear() {
  encoded_.clear();
  count_ = 0;
  longest_key_bytes_ = 0;
}

std::optional<Edit> WriteBatchReader::Next() {
  if (rest_.empty()) return std::nullopt;
  const auto kind = static_cast<EntryKind>(rest_[0]);
  rest_.RemovePrefix(1);
  const bool known =
      kind == EntryKind::kPut || kind == EntryKind::kDelete || kind == EntryKind::kDeleteRange;
  const std::optional<std::uint64_t> key_bytes = ReadVarint(rest_);
  const std::optional<std::uint64_t> value_bytes =
      kind == EntryKind::kDelete ? std::optional<std::uint64_t>(0) : ReadVarint(rest_);
  if (!known || !key_bytes || *key_bytes > kKeyBytesMax || !value_bytes) return Fail();
  const std::optional<Slice> key = ReadBytes(rest_, *key_bytes);
  if (!key) return Fail();
  const std::optional<Slice> value = ReadBytes(rest_, *value_bytes);
  if (!value) return Fail();
  if (kind == EntryKind::kDeleteRange && (*value <= *key || value->size() > kKeyBytesMax)) {
    return Fail();
  }
  return Edit{.kind = kind, .key = *key, .value = *value};
}

std::optional<Edit> WriteBatchReader::Fail() {
  damaged_ = true;
  rest_ = Slice();
  return std::nullopt;
}

}  // namespace trefoil::lsm
