// Memtable: the newest entries, in a B+ tree in memory with one writer and any number of readers
// that take no lock.
//
//   inner   | version | count | newest | 32 heads | 32 separators | 33 children |
//   leaf    | version | count | newest | next | 32 heads | 32 records |
//   record  older 8 | sequence 8 | value size 4 | key size 3, kind 1 | key | value
//
// A head is the first 16 bytes of a key as two big-endian numbers, so that a search inside a node
// touches no key unless heads tie. All versions of one key hang on its slot, newest first; an
// overwrite is one store. Nothing is removed and nothing moves in memory before the whole memtable
// goes, so a reader that holds a record may keep it.
//
// Readers are optimistic: a node's version is odd while the writer changes it; a reader remembers
// the version, reads, and starts again when the version is another. A full node is split while its
// parent is held odd too, so a reader that finds the parent's version unchanged after reading the
// child's knows that the child still answers for the key (optimistic lock coupling: Leis et al.,
// "The ART of practical synchronization", DaMoN 2016). Every shared word is atomic.
//
// I1: a leaf's keys ascend, and are >= the separator left of it and < the separator right of it.
// I2: along `older` the sequences of a slot descend.
// I3: `newest` is at least the sequence of every entry below its node.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "lsm/range_deletes.h"
#include "lsm/run.h"

namespace trefoil::lsm {

class Memtable final : public Run {
 public:
  static constexpr std::size_t kChunkBytesMax = std::size_t{256} << 10;

  // Memory is taken in chunks of this size.
  explicit Memtable(std::size_t chunk_bytes = kChunkBytesMax);
  ~Memtable() override;
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // One writer at a time; sequences never go down. A second insert of a key under the same
  // sequence replaces the first.
  void Insert(const Entry& entry);
  // O(number of range deletes so far): the set is rebuilt so that readers see one that never moves.
  void InsertRangeDelete(RangeDelete range);

  std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }
  std::size_t range_delete_count() const;
  bool empty() const { return entries() == 0 && range_delete_count() == 0; }
  // At least the newest sequence among the entries with keys in [start, limit); 0 if there are
  // none. Sees every entry that was inserted before the call. O(log n).
  SequenceNumber NewestSequenceIn(Slice start, Slice limit) const;
  // What is deleted by ranges as of now; lives as long as the memtable.
  const RangeDeleteSet& range_delete_set() const;

  std::unique_ptr<RunCursor> NewCursor(const CursorOptions& options) const override;
  Status Get(PointLookup& lookup) const override;
  Status MultiGet(std::span<PointLookup* const> lookups) const override;
  bool MayContainPrefix(Slice equality_prefix) const override;
  std::span<const RangeDelete> range_deletes() const override;
  std::uint64_t ApproximateCount(Slice start, Slice limit) const override;
  std::uint64_t ApproximateBytes(Slice start, Slice limit) const override;

 private:
  friend class MemtableCursor;

  static constexpr int kSlots = 32;
  static constexpr int kLeavesCounted = 4;  // by ApproximateCount, before it estimates

  struct Record;
  struct Node;
  struct Inner;
  struct RangeDeletes;
  struct SearchKey;
  // Where an insert went. A key behind it and below the separator right of the leaf belongs into
  // the same leaf, as long as that is not split, which ends the finger.
  struct Finger {
    Node* leaf = nullptr;  // null = points nowhere
    int slot = 0;
    const Record* bound = nullptr;  // the separator; null = the leaf is the last
    std::uint64_t bound_high = 0;
    std::uint64_t bound_low = 0;
  };
  // A leaf's content read at one moment.
  struct LeafView {
    int count = 0;
    std::array<const Record*, kSlots> records{};
    const Node* next = nullptr;
  };

  char* Allocate(std::size_t size_bytes);
  template <typename T>
  T* New();
  const Record* NewRecord(const Entry& entry, const Record* older);
  Node* SplitChild(Inner* parent, int child_index, Node* child, const SearchKey& key);
  Finger DescendForInsert(const SearchKey& key);
  static bool Holds(const Finger& finger, const SearchKey& key);
  // Notes an insert below a leaf.
  static void NoteSequence(Node* leaf, SequenceNumber sequence);
  // The leaf for `key`, with room for one more, and the place of the first key >= it there.
  const Finger& PlaceForInsert(const SearchKey& key, SequenceNumber sequence);

  static int LowerBound(const Node& node, const SearchKey& key);
  static int UpperBound(const Node& node, const SearchKey& key);
  // The leaf that answers for `key`, and the version at which it did; never fails, may retry.
  const Node* FindLeaf(const SearchKey& key, std::uint32_t* version) const;
  // The leaf left of the one that starts at `key`: the one that answers for the key before.
  const Node* FindLeafBefore(const SearchKey& key, std::uint32_t* version) const;
  template <typename ChildIndex>
  const Node* Descend(const ChildIndex& child_index, std::uint32_t* version) const;
  static bool ReadLeaf(const Node& leaf, std::uint32_t version, LeafView* view);
  const Record* Find(const SearchKey& key) const;
  // Of the part of a subtree between the keys; null = from its start, to its end. Nothing if the
  // writer changed it meanwhile.
  static std::optional<SequenceNumber> NewestIn(const Node& node, std::uint32_t version,
                                                const SearchKey* start, const SearchKey* limit);
  // Position of `key` in the tree as a fraction in [0, 1], from the path to it.
  double FractionBefore(Slice key) const;

  const std::size_t chunk_bytes_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* chunk_next_ = nullptr;
  std::size_t chunk_left_ = 0;
  std::atomic<std::size_t> memory_bytes_{0};
  std::atomic<std::uint64_t> entries_{0};
  std::atomic<Node*> root_{nullptr};
  // The writer's. Batches are much alike: the n-th entry mostly goes behind the n-th of the batch
  // before (the same column of the next row), and all those of a long batch behind one another.
  static constexpr std::size_t kFingers = 16;
  std::array<Finger, kFingers> fingers_;  // by the place in the batch; the last for all from there
  SequenceNumber batch_ = 0;
  std::size_t batch_inserts_ = 0;
  std::atomic<const RangeDeletes*> range_deletes_{nullptr};
  std::vector<std::unique_ptr<const RangeDeletes>> range_delete_history_;
};

}  // namespace trefoil::lsm
