// What a memtable consists of (memtable.h), for its own two files: the tree and the cursor over it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "lsm/memtable.h"

namespace trefoil::lsm {

inline constexpr auto kAcquire = std::memory_order_acquire;
inline constexpr auto kRelease = std::memory_order_release;
inline constexpr auto kRelaxed = std::memory_order_relaxed;

struct Memtable::Record {
  const Record* older;  // the same key, written before; or null
  SequenceNumber sequence;
  std::uint32_t value_size_bytes;
  std::uint32_t key_size_and_kind;  // size << 8 | kind

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  std::size_t key_size_bytes() const { return key_size_and_kind >> 8; }
  Slice key() const { return {bytes(), key_size_bytes()}; }
  Slice value() const { return {bytes() + key_size_bytes(), value_size_bytes}; }
  EntryKind kind() const { return static_cast<EntryKind>(key_size_and_kind & 0xff); }
  Entry entry() const {
    return {.key = key(), .sequence = sequence, .kind = kind(), .value = value()};
  }
  // The newest of this and the older ones that a reader at `snapshot` sees, or null.
  const Record* VisibleAt(SequenceNumber snapshot) const {
    const Record* record = this;
    while (record != nullptr && record->sequence > snapshot) record = record->older;
    return record;
  }
};

struct Memtable::SearchKey {
  explicit SearchKey(Slice bytes) : key(bytes) {
    if (key.size() >= 16) {
      high = LoadBigEndian(key.data());
      low = LoadBigEndian(key.data() + 8);
      return;
    }
    char padded[16] = {};
    if (!key.empty()) std::memcpy(padded, key.data(), key.size());
    high = LoadBigEndian(padded);
    low = LoadBigEndian(padded + 8);
  }

  static std::uint64_t LoadBigEndian(const char* bytes) {
    std::uint64_t number;
    std::memcpy(&number, bytes, sizeof number);
    return __builtin_bswap64(number);
  }

  Slice key;
  std::uint64_t high;
  std::uint64_t low;
};

struct Memtable::Node {
  static constexpr int kSpinsBeforeWait = 64;

  explicit Node(bool is_leaf) : leaf(is_leaf) {}

  void Set(int slot, std::uint64_t new_high, std::uint64_t new_low, const Record* record) {
    high[slot].store(new_high, kRelease);
    low[slot].store(new_low, kRelease);
    records[slot].store(record, kRelease);
  }
  void CopySlot(int to, const Node& from_node, int from) {
    Set(to, from_node.high[from].load(kRelaxed), from_node.low[from].load(kRelaxed),
        from_node.records[from].load(kRelaxed));
  }
  void Lock() { version.store(version.load(kRelaxed) + 1, kRelease); }
  void Unlock() {
    version.store(version.load(kRelaxed) + 1, kRelease);
    version.notify_all();  // a load when nobody waits
  }
  std::uint32_t StableVersion() const {
    for (int spins = 0;; ++spins) {
      const std::uint32_t current = version.load(kAcquire);
      if (current % 2 == 0) return current;
      if (spins > kSpinsBeforeWait) version.wait(current, kAcquire);
    }
  }

  std::atomic<std::uint32_t> version{0};
  std::atomic<int> count{0};
  const bool leaf;
  Inner* parent = nullptr;  // the writer's
  std::atomic<SequenceNumber> newest{0};
  std::atomic<Node*> next{nullptr};  // the leaf to the right
  std::array<std::atomic<std::uint64_t>, kSlots> high{};
  std::array<std::atomic<std::uint64_t>, kSlots> low{};
  // A leaf's newest record of each key; an inner node's separators, which are records too.
  std::array<std::atomic<const Record*>, kSlots> records{};
};

// Child i answers for keys >= separator i-1 and < separator i.
struct Memtable::Inner : Memtable::Node {
  Inner() : Node(false) {}

  std::array<std::atomic<Node*>, kSlots + 1> children{};
};

// Walks down to a leaf; `child_index(inner)` chooses the way.
template <typename ChildIndex>
const Memtable::Node* Memtable::Descend(const ChildIndex& child_index,
                                        std::uint32_t* version) const {
  for (;;) {
    const Node* node = root_.load(kAcquire);
    std::uint32_t node_version = node->StableVersion();
    if (root_.load(kAcquire) != node) continue;
    bool changed = false;
    while (!node->leaf && !changed) {
      const auto* inner = static_cast<const Inner*>(node);
      const Node* child = inner->children[child_index(*inner)].load(kAcquire);
      changed = child == nullptr || node->version.load(kAcquire) != node_version;
      if (changed) break;
      const std::uint32_t child_version = child->StableVersion();
      changed = node->version.load(kAcquire) != node_version;
      node = child;
      node_version = child_version;
    }
    if (changed) continue;
    *version = node_version;
    return node;
  }
}

}  // namespace trefoil::lsm
