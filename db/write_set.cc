#include "db/write_set.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "base/check.h"

namespace trefoil::db {

namespace {

constexpr std::size_t kSlots = 32;
constexpr std::size_t kValueBytesMax = std::size_t{1} << 32;

// The number that the 8 bytes from `start` on are, in the order of bytes; zeros behind the end.
std::uint64_t BigEndianFrom(Slice bytes, std::size_t start) {
  std::uint64_t number = 0;
  if (bytes.size() >= start + 8) {
    std::memcpy(&number, bytes.data() + start, 8);
  } else if (bytes.size() > start) {
    std::memcpy(&number, bytes.data() + start, bytes.size() - start);
  }
  return __builtin_bswap64(number);
}

}  // namespace

PendingKey::PendingKey(Slice bytes)
    : high_(BigEndianFrom(bytes, 0)), low_(BigEndianFrom(bytes, 8)), bytes_(bytes) {}

struct WriteSet::Chunk {
  PendingKey lower;
  Chunk* before = nullptr;
  Chunk* next = nullptr;
  std::size_t count = 0;
  std::array<Entry, kSlots> entries;
};

WriteSet::Iterator::reference WriteSet::Iterator::operator*() const {
  return chunk_->entries[slot_];
}

WriteSet::Iterator& WriteSet::Iterator::operator++() {
  ++slot_;
  SkipEnds();
  return *this;
}

WriteSet::Iterator& WriteSet::Iterator::operator--() {
  while (slot_ == 0) {
    chunk_ = chunk_->before;
    slot_ = chunk_->count;
  }
  --slot_;
  return *this;
}

void WriteSet::Iterator::SkipEnds() {
  while (slot_ == chunk_->count && chunk_->next != nullptr) {
    chunk_ = chunk_->next;
    slot_ = 0;
  }
}

WriteSet::WriteSet()
    : arena_(first_bytes_.data(), first_bytes_.size()), first_(NewChunk()), chunks_(&arena_) {}

WriteSet::Chunk* WriteSet::NewChunk() {
  return new (arena_.allocate(sizeof(Chunk), alignof(Chunk))) Chunk();
}

char* WriteSet::Allocate(std::size_t size_bytes) {
  return static_cast<char*>(arena_.allocate(size_bytes, 1));
}

WriteSet::Place WriteSet::PlaceOf(const PendingKey& key) const {
  const auto behind = chunks_.upper_bound(key);
  Chunk* chunk = behind == chunks_.begin() ? first_ : std::prev(behind)->second;
  const auto entries = std::span(chunk->entries).first(chunk->count);
  const auto at = std::ranges::lower_bound(entries, key, {}, &Entry::first);
  return {chunk, static_cast<std::size_t>(at - entries.begin())};
}

WriteSet::Place WriteSet::PlaceOf(const PendingKey& key, Hint hint) const {
  const Place& of_kind = hints_[hint % kHints];
  const auto [chunk, last] = of_kind.chunk != nullptr ? of_kind : last_;
  if (chunk == nullptr || last >= chunk->count || !(chunk->entries[last].first < key)) {
    return PlaceOf(key);
  }
  const std::size_t slot = last + 1;
  const bool follows = slot < chunk->count ? !(chunk->entries[slot].first < key)
                                           : chunk->next == nullptr || key < chunk->next->lower;
  return follows ? Place{chunk, slot} : PlaceOf(key);
}

bool WriteSet::Holds(const Place& at, const PendingKey& key) {
  return at.slot < at.chunk->count && at.chunk->entries[at.slot].first == key;
}

// Splits a full chunk, and returns where an entry at `at` belongs now. `follows`: the entry goes
// behind the last one of its kind, as others of the kind will.
WriteSet::Place WriteSet::Split(Place at, const PendingKey& key, bool follows) {
  Chunk* left = at.chunk;
  Chunk* right = NewChunk();
  const std::size_t keep = follows || at.slot == kSlots ? at.slot : kSlots / 2;
  right->count = kSlots - keep;
  std::copy_n(left->entries.begin() + keep, right->count, right->entries.begin());
  left->count = keep;
  right->lower = right->count == 0 ? key : right->entries[0].first;
  right->before = left;
  right->next = std::exchange(left->next, right);
  if (right->next != nullptr) right->next->before = right;
  chunks_.emplace(right->lower, right);
  if (at.slot < keep || (at.slot == keep && keep < kSlots)) return at;
  return {right, at.slot - keep};
}

WriteSet::Place WriteSet::Add(Place at, const Entry& entry, Hint hint) {
  if (at.chunk->count == kSlots) {
    const Place last = hints_[hint % kHints];
    at = Split(at, entry.first, at.chunk == last.chunk && at.slot == last.slot + 1);
  }
  Chunk& chunk = *at.chunk;
  const auto place = chunk.entries.begin() + at.slot;
  std::copy_backward(place, chunk.entries.begin() + chunk.count,
                     chunk.entries.begin() + chunk.count + 1);
  *place = entry;
  ++chunk.count;
  ++size_;
  return at;
}

void WriteSet::Remove(Place at) {
  Chunk& chunk = *at.chunk;
  std::copy(chunk.entries.begin() + at.slot + 1, chunk.entries.begin() + chunk.count,
            chunk.entries.begin() + at.slot);
  --chunk.count;
  --size_;
}

void WriteSet::Assign(PendingValue& to, std::optional<Slice> value) {
  if (!value) {
    to = PendingValue();
    return;
  }
  Check(value->size() < kValueBytesMax, "a value is below the size of a batch");
  // A counter that is written again and again must not fill the arena; what may have to come back
  // stays as it is.
  const bool fits = value->size() <= to.size_bytes_ && !remembers_;
  if (!fits) to.data_ = Allocate(value->size());
  if (!value->empty()) std::memmove(to.data_, value->data(), value->size());
  to.size_bytes_ = static_cast<std::uint32_t>(value->size());
  to.deletes_ = false;
}

// Copies key and value together.
WriteSet::Entry WriteSet::NewEntry(const PendingKey& key, std::optional<Slice> value) {
  const Slice bytes = key.slice();
  const std::size_t value_bytes = value ? value->size() : 0;
  Check(value_bytes < kValueBytesMax, "a value is below the size of a batch");
  char* copy = Allocate(bytes.size() + value_bytes);
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  if (value_bytes > 0) std::memcpy(copy + bytes.size(), value->data(), value_bytes);
  Entry entry = {.first = key.At(copy), .second = {}};
  if (!value) return entry;
  entry.second.data_ = copy + bytes.size();
  entry.second.size_bytes_ = static_cast<std::uint32_t>(value_bytes);
  entry.second.deletes_ = false;
  return entry;
}

void WriteSet::Set(Slice key, std::optional<Slice> value, Hint hint) {
  const PendingKey borrowed(key);
  Place at = PlaceOf(borrowed, hint);
  const bool is_new = !Holds(at, borrowed);
  if (is_new) at = Add(at, NewEntry(borrowed, value), hint);
  Entry& entry = at.chunk->entries[at.slot];
  if (remembers_) {
    replaced_.push_back({.key = entry.first, .is_new = is_new, .before = entry.second});
  }
  if (!is_new) Assign(entry.second, value);
  hints_[hint % kHints] = at;
  last_ = at;
}

void WriteSet::DeleteUnlessWritten(Slice key) {
  if (Find(key) == nullptr) Delete(key);
}

void WriteSet::DeleteRange(Slice start, Slice limit) {
  Check(!remembers_, "an index is not dropped inside a statement that can be taken back");
  const Iterator end = LowerBound(limit);
  for (Iterator at = LowerBound(start); at != end; ++at) Mutable(at) = {};
}

const PendingValue* WriteSet::Find(Slice key, Hint hint) const {
  const PendingKey borrowed(key);
  const Place at = PlaceOf(borrowed, hint);
  return Holds(at, borrowed) ? &at.chunk->entries[at.slot].second : nullptr;
}

WriteSet::Iterator WriteSet::LowerBound(Slice key) const {
  const Place at = PlaceOf(PendingKey(key));
  return {at.chunk, at.slot};
}

WriteSet::Iterator WriteSet::UpperBound(Slice key) const {
  const PendingKey borrowed(key);
  const Place at = PlaceOf(borrowed);
  return {at.chunk, at.slot + (Holds(at, borrowed) ? 1 : 0)};
}

WriteSet::Iterator WriteSet::end() const {
  Chunk* last = chunks_.empty() ? first_ : chunks_.rbegin()->second;
  return {last, last->count};
}

PendingValue& WriteSet::Mutable(Iterator at) { return at.chunk_->entries[at.slot_].second; }

void WriteSet::Remember() {
  replaced_.clear();
  remembers_ = true;
}

void WriteSet::Undo() {
  for (; !replaced_.empty(); replaced_.pop_back()) {
    const Replaced& last = replaced_.back();
    const Place at = PlaceOf(last.key);
    Check(Holds(at, last.key), "what was written is there until it is taken back");
    if (last.is_new) {
      Remove(at);
    } else {
      at.chunk->entries[at.slot].second = last.before;
    }
  }
  remembers_ = false;
}

void WriteSet::Forget() {
  replaced_.clear();
  remembers_ = false;
}

}  // namespace trefoil::db
