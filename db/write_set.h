// WriteSet: the entries that a transaction is about to write, in the order of their keys: a list of
// small sorted chunks, and a tree that finds the chunk of a key.
//
//   chunk   lower | count | 32 entries | next, before        entry   head 16 | key | value
//
// Chunks, keys and values lie in one arena that goes with the transaction, so an entry costs no
// allocation of its own; a key carries its first 16 bytes as two numbers, so that few comparisons
// touch bytes. Rows mostly come in the order of their keys, and then each kind of entry (the facts
// of one attribute, the entries of one index) goes behind the one before it: a hint says which
// kind, and a full chunk is split where its kind goes on, so that chunks stay full.
//
// I1: a chunk's keys ascend, and are >= its lower bound and < that of the next chunk.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory_resource>
#include <optional>
#include <vector>

#include "trefoil/slice.h"

namespace trefoil::db {

class PendingKey {
 public:
  PendingKey() = default;
  // Borrows the bytes.
  explicit PendingKey(Slice bytes);

  Slice slice() const { return bytes_; }
  // The same key in other memory.
  PendingKey At(const char* bytes) const {
    PendingKey moved = *this;
    moved.bytes_ = Slice(bytes, bytes_.size());
    return moved;
  }

  friend bool operator==(const PendingKey& a, const PendingKey& b) {
    return a.high_ == b.high_ && a.low_ == b.low_ && a.bytes_ == b.bytes_;
  }
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
  std::uint32_t size_bytes_ = 0;
  bool deletes_ = true;
};

// One thread at a time.
class WriteSet {
  struct Chunk;

 public:
  struct Entry {
    PendingKey first;
    PendingValue second;
  };

  // Valid until an entry is added or taken back.
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = const Entry&;

    Iterator() = default;
    reference operator*() const;
    pointer operator->() const { return &**this; }
    Iterator& operator++();
    Iterator& operator--();
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class WriteSet;
    // The place, or that of the first entry behind it.
    Iterator(Chunk* chunk, std::size_t slot) : chunk_(chunk), slot_(slot) { SkipEnds(); }
    void SkipEnds();

    Chunk* chunk_ = nullptr;
    std::size_t slot_ = 0;
  };
  // Which kind of entry a key is, for speed alone.
  using Hint = std::size_t;

  WriteSet();
  WriteSet(const WriteSet&) = delete;
  WriteSet& operator=(const WriteSet&) = delete;

  void Put(Slice key, Slice value, Hint hint = 0) { Set(key, value, hint); }
  void Delete(Slice key, Hint hint = 0) { Set(key, std::nullopt, hint); }
  void DeleteUnlessWritten(Slice key);
  // Entries in [start, limit) that were put are deletions now.
  void DeleteRange(Slice start, Slice limit);

  // Null when the key is not written.
  const PendingValue* Find(Slice key, Hint hint = 0) const;
  Iterator LowerBound(Slice key) const;
  Iterator UpperBound(Slice key) const;
  Iterator begin() const { return {first_, 0}; }
  Iterator end() const;
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // The bytes of a put, to be changed in place; their number stays.
  char* MutableBytes(Iterator at) { return Mutable(at).data_; }
  void Replace(Iterator at, Slice value) { Assign(Mutable(at), value); }

  // From Remember on every write notes what it replaced; Undo takes all of them back, Forget lets
  // them stand.
  void Remember();
  void Undo();
  void Forget();

 private:
  static constexpr std::size_t kFirstBytes = 4096;  // a small transaction fits
  static constexpr std::size_t kHints = 16;

  struct Place {
    Chunk* chunk = nullptr;
    std::size_t slot = 0;
  };
  struct Replaced {
    PendingKey key;
    bool is_new = false;
    PendingValue before = {};
  };

  void Set(Slice key, std::optional<Slice> value, Hint hint);
  void Assign(PendingValue& to, std::optional<Slice> value);
  char* Allocate(std::size_t size_bytes);
  Entry NewEntry(const PendingKey& key, std::optional<Slice> value);
  Chunk* NewChunk();
  // Where the key stands or would stand.
  Place PlaceOf(const PendingKey& key) const;
  Place PlaceOf(const PendingKey& key, Hint hint) const;
  static bool Holds(const Place& at, const PendingKey& key);
  Place Split(Place at, const PendingKey& key, bool follows);
  Place Add(Place at, const Entry& entry, Hint hint);
  void Remove(Place at);
  static PendingValue& Mutable(Iterator at);

  alignas(std::max_align_t) std::array<std::byte, kFirstBytes> first_bytes_;
  std::pmr::monotonic_buffer_resource arena_;
  Chunk* first_;
  std::pmr::map<PendingKey, Chunk*> chunks_;  // all but the first, by lower bound
  std::size_t size_ = 0;
  std::array<Place, kHints> hints_ = {};  // last written of each kind; null = none
  Place last_;                            // last written of all
  bool remembers_ = false;
  std::vector<Replaced> replaced_;  // oldest first
};

}  // namespace trefoil::db
