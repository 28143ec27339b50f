#include "lsm/write_batch.h"

#include <algorithm>
#include <cstring>

#include "base/coding.h"
#include "base/str_cat.h"
#include "lsm/write_batch_reader.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kShortSizes = 128;  // below it a varint is one byte
static_assert(kShortSizes <= kKeyBytesMax);

std::optional<std::uint64_t> TakeSize(Slice& bytes) {
  if (bytes.empty() || bytes[0] >= kShortSizes) return ReadVarint(bytes);
  const std::uint64_t size = bytes[0];
  bytes.RemovePrefix(1);
  return size;
}

}  // namespace

void WriteBatch::Append(EntryKind kind, Slice key, Slice value) {
  if (key.size() < kShortSizes && value.size() < kShortSizes && kind == EntryKind::kPut) {
    const std::size_t start = encoded_.size();
    encoded_.resize(start + 3 + key.size() + value.size());
    char* edit = encoded_.data() + start;
    edit[0] = static_cast<char>(kind);
    edit[1] = static_cast<char>(key.size());
    edit[2] = static_cast<char>(value.size());
    if (!key.empty()) std::memcpy(edit + 3, key.data(), key.size());
    if (!value.empty()) std::memcpy(edit + 3 + key.size(), value.data(), value.size());
  } else {
    encoded_.push_back(static_cast<char>(kind));
    AppendVarint(encoded_, key.size());
    if (kind != EntryKind::kDelete) AppendVarint(encoded_, value.size());
    encoded_.append(key.view());
    encoded_.append(value.view());
  }
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
  if (kind == EntryKind::kPut && rest_.size() >= 3 && rest_[1] < kShortSizes &&
      rest_[2] < kShortSizes) [[likely]] {
    const std::size_t key_size = rest_[1];
    const std::size_t value_size = rest_[2];
    const char* bytes = rest_.data() + 3;
    if (rest_.size() - 3 < key_size + value_size) return Fail();
    rest_.RemovePrefix(3 + key_size + value_size);
    return Edit{.kind = kind, .key = {bytes, key_size}, .value = {bytes + key_size, value_size}};
  }
  rest_.RemovePrefix(1);
  const bool known =
      kind == EntryKind::kPut || kind == EntryKind::kDelete || kind == EntryKind::kDeleteRange;
  const std::optional<std::uint64_t> key_bytes = TakeSize(rest_);
  const std::optional<std::uint64_t> value_bytes =
      kind == EntryKind::kDelete ? std::optional<std::uint64_t>(0) : TakeSize(rest_);
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
