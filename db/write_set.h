// WriteSet: the entries that a transaction is about to write, in the order of their keys. Nodes,
// keys and values lie in one arena that goes with the transaction, so an entry costs no allocation
// of its own; a key carries its first 16 bytes as two numbers, so that few comparisons touch bytes.
// Rows mostly come in the order of their keys, and then each kind of entry (the facts of one
// attribute, the entries of one index) goes behind the one before it: a hint says which kind.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <optional>
#include <vector>

#include "trefoil/slice.h"

namespace trefoil::db {

class PendingKey {
 public:
  // Borrows the bytes.
  explicit PendingKey(Slice bytes);

  Slice slice() const { return bytes_; }

  friend bool operator==(const PendingKey& a, const PendingKey& b) { return a.bytes_ == b.bytes_; }
  friend std::strong_ordering operator<=>(const PendingKey& a, const PendingKey& b) {
    if (a.high_ != b.high_) return a.high_ <=> b.high_;
    if (a.low_ != b.low_) return a.low_ <=> b.low_;
    return a.bytes_ <=> b.bytes_;
  }

 private:
  std::uint64_t high_ = 0;  // bytes 0 to 7, big-endian, zeros behind the end
  std::uint64_t low_ = 0;   // bytes 8 to 15
  Slice bytes_;
};

// What becomes of a key: a value, or nothing, which deletes.
class PendingValue {
 public:
  bool deletes() const { return deletes_; }
  Slice slice() const { return {data_, size_bytes_}; }  // empty when it deletes

 private:
  friend class WriteSet;

  char* data_ = nullptr;
  std::size_t size_bytes_ = 0;
  bool deletes_ = true;
};

// One thread at a time.
class WriteSet {
 public:
  using Map = std::pmr::map<PendingKey, PendingValue>;
  using Iterator = Map::const_iterator;
  // Which kind of entry a key is, for speed alone.
  using Hint = std::size_t;

  WriteSet() : arena_(first_.data(), first_.size()), map_(&arena_) { DropHints(); }
  WriteSet(const WriteSet&) = delete;
  WriteSet& operator=(const WriteSet&) = delete;

  void Put(Slice key, Slice value, Hint hint = 0) { Set(key, value, hint); }
  void Delete(Slice key, Hint hint = 0) { Set(key, std::nullopt, hint); }
  void DeleteUnlessWritten(Slice key);
  // Entries in [start, limit) that were put are deletions now.
  void DeleteRange(Slice start, Slice limit);

  // Null when the key is not written.
  const PendingValue* Find(Slice key, Hint hint = 0) const;
  Iterator LowerBound(Slice key) const { return map_.lower_bound(PendingKey(key)); }
  Iterator UpperBound(Slice key) const { return map_.upper_bound(PendingKey(key)); }
  Iterator begin() const { return map_.begin(); }
  Iterator end() const { return map_.end(); }
  bool empty() const { return map_.empty(); }
  std::size_t size() const { return map_.size(); }

  // The bytes of a put, to be changed in place; their number stays.
  char* MutableBytes(Iterator at) { return at->second.data_; }
  void Replace(Iterator at, Slice value);

  // From Remember on every write notes what it replaced; Undo takes all of them back, Forget lets
  // them stand.
  void Remember();
  void Undo();
  void Forget();

 private:
  static constexpr std::size_t kFirstBytes = 3072;  // a small transaction fits
  static constexpr std::size_t kHints = 16;

  struct Replaced {
    Map::iterator at;
    bool is_new = false;
    PendingValue before = {};
  };

  void Set(Slice key, std::optional<Slice> value, Hint hint);
  void Assign(PendingValue& to, std::optional<Slice> value);
  char* Copy(Slice bytes);
  void DropHints() { hints_.fill(map_.end()); }

  alignas(std::max_align_t) std::array<std::byte, kFirstBytes> first_;
  std::pmr::monotonic_buffer_resource arena_;
  Map map_;
  std::array<Map::iterator, kHints> hints_ = {};  // last written of each kind; end() = none
  bool remembers_ = false;
  std::vector<Replaced> replaced_;  // oldest first
};

}  // namespace trefoil::db
