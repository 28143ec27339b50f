#include "db/write_set.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace trefoil::db {

namespace {

// The number that the 8 bytes from `start` on are, in the order of bytes; zeros behind the end.
std::uint64_t BigEndianFrom(Slice bytes, std::size_t start) {
  std::uint64_t number = 0;
  if (bytes.size() > start) {
    std::memcpy(&number, bytes.data() + start, std::min<std::size_t>(8, bytes.size() - start));
  }
  return __builtin_bswap64(number);
}

}  // namespace

PendingKey::PendingKey(Slice bytes)
    : high_(BigEndianFrom(bytes, 0)), low_(BigEndianFrom(bytes, 8)), bytes_(bytes) {}

char* WriteSet::Copy(Slice bytes) {
  if (bytes.empty()) return nullptr;
  auto* copy = static_cast<char*>(arena_.allocate(bytes.size(), 1));
  std::memcpy(copy, bytes.data(), bytes.size());
  return copy;
}

void WriteSet::Assign(PendingValue& to, std::optional<Slice> value) {
  if (!value) {
    to = PendingValue();
    return;
  }
  // A counter that is written again and again must not fill the arena; what may have to come back
  // stays as it is.
  if (value->size() <= to.size_bytes_ && !value->empty() && !remembers_) {
    std::memmove(to.data_, value->data(), value->size());
  } else {
    to.data_ = Copy(*value);
  }
  to.size_bytes_ = value->size();
  to.deletes_ = false;
}

void WriteSet::Set(Slice key, std::optional<Slice> value, Hint hint) {
  const PendingKey borrowed(key);
  Map::iterator& last = hints_[hint % kHints];
  auto at = map_.end();
  bool is_new = true;
  if (last != map_.end() && last->first < borrowed) {
    const auto next = std::next(last);
    if (next == map_.end() || borrowed < next->first) {
      at = map_.emplace_hint(next, PendingKey({Copy(key), key.size()}), PendingValue());
    }
  }
  if (at == map_.end()) {
    at = map_.lower_bound(borrowed);
    is_new = at == map_.end() || borrowed < at->first;
    if (is_new) at = map_.emplace_hint(at, PendingKey({Copy(key), key.size()}), PendingValue());
  }
  if (remembers_) replaced_.push_back({.at = at, .is_new = is_new, .before = at->second});
  Assign(at->second, value);
  last = at;
}

void WriteSet::DeleteUnlessWritten(Slice key) {
  if (Find(key) == nullptr) Delete(key);
}

void WriteSet::DeleteRange(Slice start, Slice limit) {
  Check(!remembers_, "an index is not dropped inside a statement that can be taken back");
  const auto end = map_.lower_bound(PendingKey(limit));
  for (auto at = map_.lower_bound(PendingKey(start)); at != end; ++at) at->second = {};
}

const PendingValue* WriteSet::Find(Slice key, Hint hint) const {
  const PendingKey borrowed(key);
  const Map::const_iterator last = hints_[hint % kHints];
  if (last != map_.end() && last->first < borrowed) {
    const auto next = std::next(last);
    if (next == map_.end() || borrowed < next->first) return nullptr;
  }
  const auto at = map_.find(borrowed);
  return at == map_.end() ? nullptr : &at->second;
}

void WriteSet::Replace(Iterator at, Slice value) {
  Assign(map_.erase(at, at)->second, value);  // erases nothing: the iterator, no longer const
}

void WriteSet::Remember() {
  replaced_.clear();
  remembers_ = true;
}

void WriteSet::Undo() {
  for (; !replaced_.empty(); replaced_.pop_back()) {
    const Replaced& last = replaced_.back();
    if (last.is_new) {
      map_.erase(last.at);
    } else {
      last.at->second = last.before;
    }
  }
  DropHints();
  remembers_ = false;
}

void WriteSet::Forget() {
  replaced_.clear();
  remembers_ = false;
}

}  // namespace trefoil::db
