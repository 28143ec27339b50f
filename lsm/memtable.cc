#include "lsm/memtable.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "lsm/memtable_node.h"

namespace trefoil::lsm {

struct Memtable::RangeDeletes {
  std::vector<RangeDelete> list;  // sorted by start
  RangeDeleteSet set;
};

Memtable::Memtable(std::size_t chunk_bytes) : chunk_bytes_(chunk_bytes) {
  void* memory = Allocate(sizeof(Node));
  root_.store(new (memory) Node(true), kRelease);
  range_delete_history_.push_back(std::make_unique<const RangeDeletes>());
  range_deletes_.store(range_delete_history_.back().get(), kRelease);
}

Memtable::~Memtable() = default;

char* Memtable::Allocate(std::size_t size_bytes) {
  size_bytes = (size_bytes + 7) & ~std::size_t{7};
  if (size_bytes > chunk_left_) {
    // A large record gets memory of its own, so that the chunk in use is not wasted.
    const bool large = size_bytes > chunk_bytes_ / 2;
    const std::size_t new_bytes = large ? size_bytes : chunk_bytes_;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(new_bytes));
    memory_bytes_.fetch_add(new_bytes, kRelaxed);
    if (large) return chunks_.back().get();
    chunk_next_ = chunks_.back().get();
    chunk_left_ = chunk_bytes_;
  }
  chunk_left_ -= size_bytes;
  return std::exchange(chunk_next_, chunk_next_ + size_bytes);
}

const Memtable::Record* Memtable::NewRecord(const Entry& entry, const Record* older) {
  const std::size_t size_bytes = entry.key.size() + entry.value.size();
  char* memory = Allocate(sizeof(Record) + size_bytes);
  auto* record =
      new (memory) Record{.older = older,
                          .sequence = entry.sequence,
                          .value_size_bytes = static_cast<std::uint32_t>(entry.value.size()),
                          .key_size_and_kind = static_cast<std::uint32_t>(entry.key.size() << 8) |
                                               static_cast<std::uint32_t>(entry.kind)};
  char* bytes = memory + sizeof(Record);
  if (!entry.key.empty()) std::memcpy(bytes, entry.key.data(), entry.key.size());
  if (!entry.value.empty()) {
    std::memcpy(bytes + entry.key.size(), entry.value.data(), entry.value.size());
  }
  return record;
}

namespace {

// Whether the key of a slot is below (`strictly`) or not above the key searched for.
template <bool kOrEqual, typename Node, typename Key>
bool SlotBefore(const Node& node, int slot, const Key& key) {
  const std::uint64_t high = node.high[slot].load(kAcquire);
  if (high != key.high) return high < key.high;
  const std::uint64_t low = node.low[slot].load(kAcquire);
  if (low != key.low) return low < key.low;
  // A torn read may meet an empty slot; the version check will repeat the search.
  const auto* record = node.records[slot].load(kAcquire);
  if (record == nullptr) return false;
  return kOrEqual ? record->key() <= key.key : record->key() < key.key;
}

template <bool kOrEqual, typename Node, typename Key>
int CountBefore(const Node& node, const Key& key) {
  int first = 0;
  int last = node.count.load(kAcquire);
  while (first < last) {
    const int middle = (first + last) / 2;
    if (SlotBefore<kOrEqual>(node, middle, key)) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

}  // namespace

int Memtable::LowerBound(const Node& node, const SearchKey& key) {
  return CountBefore<false>(node, key);
}

int Memtable::UpperBound(const Node& node, const SearchKey& key) {
  return CountBefore<true>(node, key);
}

// Splits a full child of `parent`, which has room, and returns the half that answers for `key`.
Memtable::Node* Memtable::SplitChild(Inner* parent, int child_index, Node* child,
                                     const SearchKey& key) {
  // Keys that arrive in order leave full leaves behind: a leaf splits where they go on.
  const int position = child->leaf ? UpperBound(*child, key) : 0;
  bool in_order = false;
  for (Finger& finger : fingers_) {
    if (finger.leaf != child) continue;
    in_order = in_order || finger.slot + 1 == position;
    finger.leaf = nullptr;
  }
  const bool at_end = child->next.load(kRelaxed) == nullptr && position == kSlots;
  const int keep = in_order || at_end ? std::min(position, kSlots - 1) : kSlots / 2;
  // An inner node gives its separator `keep` to the parent; a leaf keeps all keys in leaves.
  const int move_from = child->leaf ? keep : keep + 1;
  Node* right = nullptr;
  if (child->leaf) {
    right = new (Allocate(sizeof(Node))) Node(true);
    right->next.store(child->next.load(kRelaxed), kRelaxed);
  } else {
    auto* right_inner = new (Allocate(sizeof(Inner))) Inner();
    const auto* child_inner = static_cast<const Inner*>(child);
    for (int i = move_from; i <= kSlots; ++i) {
      Node* moved = child_inner->children[i].load(kRelaxed);
      moved->parent = right_inner;
      right_inner->children[i - move_from].store(moved, kRelaxed);
    }
    right = right_inner;
  }
  for (int i = move_from; i < kSlots; ++i) right->CopySlot(i - move_from, *child, i);
  right->count.store(kSlots - move_from, kRelease);
  right->newest.store(child->newest.load(kRelaxed), kRelease);
  right->parent = parent;

  parent->Lock();
  child->Lock();
  const int parent_count = parent->count.load(kRelaxed);
  for (int i = parent_count; i > child_index; --i) {
    parent->CopySlot(i, *parent, i - 1);
    parent->children[i + 1].store(parent->children[i].load(kRelaxed), kRelease);
  }
  parent->CopySlot(child_index, *child, keep);
  parent->children[child_index + 1].store(right, kRelease);
  parent->count.store(parent_count + 1, kRelease);
  if (child->leaf) child->next.store(right, kRelease);
  child->count.store(keep, kRelease);
  child->Unlock();
  parent->Unlock();
  return SlotBefore<true>(*parent, child_index, key) ? right : child;
}

// To the leaf for `key`, with room for one more; full nodes on the way are split.
Memtable::Finger Memtable::DescendForInsert(const SearchKey& key) {
  Node* node = root_.load(kRelaxed);
  Finger finger;
  const auto enter = [&](const Inner& inner, int index) {
    if (inner.children[index].load(kRelaxed) != node) ++index;  // the right half of a split
    if (index == inner.count.load(kRelaxed)) return;
    finger.bound = inner.records[index].load(kRelaxed);
    finger.bound_high = inner.high[index].load(kRelaxed);
    finger.bound_low = inner.low[index].load(kRelaxed);
  };
  if (node->count.load(kRelaxed) == kSlots) {
    auto* root = new (Allocate(sizeof(Inner))) Inner();
    root->children[0].store(node, kRelaxed);
    root->newest.store(node->newest.load(kRelaxed), kRelaxed);
    node->parent = root;
    // A reader that read the old root's version before its split sees the new root, or the split.
    root_.store(root, kRelease);
    node = SplitChild(root, 0, node, key);
    enter(*root, 0);
  }
  while (!node->leaf) {
    auto* inner = static_cast<Inner*>(node);
    const int index = UpperBound(*inner, key);
    Node* child = inner->children[index].load(kRelaxed);
    node = child->count.load(kRelaxed) == kSlots ? SplitChild(inner, index, child, key) : child;
    enter(*inner, index);
  }
  finger.leaf = node;
  return finger;
}

bool Memtable::Holds(const Finger& finger, const SearchKey& key) {
  if (finger.leaf == nullptr || finger.leaf->count.load(kRelaxed) == kSlots) return false;
  if (!SlotBefore<false>(*finger.leaf, finger.slot, key)) return false;
  if (finger.bound == nullptr) return true;
  if (key.high != finger.bound_high) return key.high < finger.bound_high;
  if (key.low != finger.bound_low) return key.low < finger.bound_low;
  return key.key < finger.bound->key();
}

// Upwards to what has noted it already.
void Memtable::NoteSequence(Node* leaf, SequenceNumber sequence) {
  for (Node* node = leaf; node != nullptr && node->newest.load(kRelaxed) != sequence;
       node = node->parent) {
    node->newest.store(sequence, kRelease);
  }
}

const Memtable::Finger& Memtable::PlaceForInsert(const SearchKey& key, SequenceNumber sequence) {
  if (std::exchange(batch_, sequence) != sequence) batch_inserts_ = 0;
  const std::size_t place = std::min(batch_inserts_++, kFingers - 1);
  Finger& finger = fingers_[place];
  bool holds = Holds(finger, key);
  if (!holds && place > 0 && Holds(fingers_[place - 1], key)) {
    finger = fingers_[place - 1];
    holds = true;
  }
  if (!holds) {
    finger = DescendForInsert(key);
    finger.slot = LowerBound(*finger.leaf, key);
  } else {
    const int next = finger.slot + 1;
    const bool between =
        next == finger.leaf->count.load(kRelaxed) || !SlotBefore<false>(*finger.leaf, next, key);
    finger.slot = between ? next : LowerBound(*finger.leaf, key);
  }
  NoteSequence(finger.leaf, sequence);
  return finger;
}

void Memtable::Insert(const Entry& entry) {
  Check(entry.key.size() <= kKeyBytesMax, "keys are limited before they reach the memtable");
  const SearchKey key(entry.key);
  const Finger& place = PlaceForInsert(key, entry.sequence);
  Node* leaf = place.leaf;
  const int slot = place.slot;
  const int count = leaf->count.load(kRelaxed);
  if (slot < count) {
    const Record* newest = leaf->records[slot].load(kRelaxed);
    if (newest->key() == entry.key) {
      Check(newest->sequence <= entry.sequence, "sequences never go down");
      const Record* older = newest->sequence == entry.sequence ? newest->older : newest;
      leaf->records[slot].store(NewRecord(entry, older), kRelease);
      entries_.fetch_add(older == newest ? 1 : 0, kRelaxed);
      return;
    }
  }
  const Record* record = NewRecord(entry, nullptr);
  entries_.fetch_add(1, kRelaxed);
  leaf->Lock();
  for (int i = count; i > slot; --i) leaf->CopySlot(i, *leaf, i - 1);
  leaf->Set(slot, key.high, key.low, record);
  leaf->count.store(count + 1, kRelease);
  leaf->Unlock();
}

void Memtable::InsertRangeDelete(RangeDelete range) {
  auto next = std::make_unique<RangeDeletes>(*range_deletes_.load(kRelaxed));
  memory_bytes_.fetch_add(sizeof(RangeDelete) + range.start.size() + range.limit.size(), kRelaxed);
  const auto place = std::ranges::upper_bound(next->list, range.start, {}, &RangeDelete::start);
  next->list.insert(place, std::move(range));
  next->set = RangeDeleteSet(next->list);
  range_deletes_.store(next.get(), kRelease);
  range_delete_history_.push_back(std::move(next));
}

std::size_t Memtable::range_delete_count() const { return range_deletes().size(); }

const RangeDeleteSet& Memtable::range_delete_set() const {
  return range_deletes_.load(kAcquire)->set;
}

std::span<const RangeDelete> Memtable::range_deletes() const {
  return range_deletes_.load(kAcquire)->list;
}

const Memtable::Node* Memtable::FindLeaf(const SearchKey& key, std::uint32_t* version) const {
  return Descend([&](const Inner& inner) { return UpperBound(inner, key); }, version);
}

const Memtable::Node* Memtable::FindLeafBefore(const SearchKey& key, std::uint32_t* version) const {
  return Descend([&](const Inner& inner) { return LowerBound(inner, key); }, version);
}

bool Memtable::ReadLeaf(const Node& leaf, std::uint32_t version, LeafView* view) {
  view->count = leaf.count.load(kAcquire);
  for (int i = 0; i < view->count; ++i) view->records[i] = leaf.records[i].load(kAcquire);
  view->next = leaf.next.load(kAcquire);
  return leaf.version.load(kAcquire) == version;
}

const Memtable::Record* Memtable::Find(const SearchKey& key) const {
  for (;;) {
    std::uint32_t version = 0;
    const Node* leaf = FindLeaf(key, &version);
    const int slot = LowerBound(*leaf, key);
    const Record* record =
        slot < leaf->count.load(kAcquire) ? leaf->records[slot].load(kAcquire) : nullptr;
    if (leaf->version.load(kAcquire) != version) continue;
    return record != nullptr && record->key() == key.key ? record : nullptr;
  }
}

std::optional<SequenceNumber> Memtable::NewestIn(const Node& node, std::uint32_t version,
                                                 const SearchKey* start, const SearchKey* limit) {
  if (start == nullptr && limit == nullptr) return node.newest.load(kAcquire);
  SequenceNumber newest = 0;
  const int count = node.count.load(kAcquire);
  const int last = limit == nullptr ? count : LowerBound(node, *limit);
  if (node.leaf) {
    for (int i = start == nullptr ? 0 : LowerBound(node, *start); i < last; ++i) {
      const Record* record = node.records[i].load(kAcquire);
      if (record != nullptr) newest = std::max(newest, record->sequence);
    }
  } else {
    const int first = start == nullptr ? 0 : UpperBound(node, *start);
    for (int i = first; i <= last; ++i) {
      const Node* child = static_cast<const Inner&>(node).children[i].load(kAcquire);
      if (child == nullptr) return std::nullopt;
      const std::uint32_t child_version = child->StableVersion();
      if (node.version.load(kAcquire) != version) return std::nullopt;
      const std::optional<SequenceNumber> below = NewestIn(
          *child, child_version, i == first ? start : nullptr, i == last ? limit : nullptr);
      if (!below) return std::nullopt;
      newest = std::max(newest, *below);
    }
  }
  if (node.version.load(kAcquire) != version) return std::nullopt;
  return newest;
}

SequenceNumber Memtable::NewestSequenceIn(Slice start, Slice limit) const {
  const SearchKey first(start);
  const SearchKey last(limit);
  for (;;) {
    const Node* root = root_.load(kAcquire);
    const std::uint32_t version = root->StableVersion();
    if (root_.load(kAcquire) != root) continue;
    if (const auto newest = NewestIn(*root, version, &first, &last)) return *newest;
  }
}

Status Memtable::Get(PointLookup& lookup) const {
  // What a snapshot sees was counted before the snapshot was taken.
  if (entries() == 0) return Ok();
  const Record* record = Find(SearchKey(lookup.key));
  if (record == nullptr) return Ok();
  record = record->VisibleAt(lookup.snapshot);
  if (record == nullptr) return Ok();
  lookup.found = true;
  lookup.sequence = record->sequence;
  lookup.kind = record->kind();
  lookup.value.Borrow(record->value());
  return Ok();
}

Status Memtable::MultiGet(std::span<PointLookup* const> lookups) const {
  if (entries() == 0) return Ok();
  for (PointLookup* lookup : lookups) {
    if (lookup->found) continue;
    if (Status status = Get(*lookup); !status) return status;
  }
  return Ok();
}

bool Memtable::MayContainPrefix(Slice) const { return true; }

double Memtable::FractionBefore(Slice key) const {
  // Optimistic and unchecked: a split in the middle makes the estimate worse, not wrong.
  const SearchKey search(key);
  const Node* node = root_.load(kAcquire);
  double start = 0;
  double width = 1;
  while (node != nullptr) {
    const int index = node->leaf ? LowerBound(*node, search) : UpperBound(*node, search);
    const int parts = std::max(1, node->count.load(kAcquire) + (node->leaf ? 0 : 1));
    start += width * std::min(index, parts) / parts;
    width /= parts;
    node = node->leaf ? nullptr : static_cast<const Inner*>(node)->children[index].load(kAcquire);
  }
  return start;
}

std::uint64_t Memtable::ApproximateCount(Slice start, Slice limit) const {
  const SearchKey from(start);
  const SearchKey to(limit);
  std::uint32_t version = 0;
  const Node* leaf = Descend([&](const Inner& inner) { return UpperBound(inner, from); }, &version);
  int slot = LowerBound(*leaf, from);
  std::uint64_t keys = 0;
  for (int leaves = 0; leaves < kLeavesCounted; ++leaves) {
    const int count = leaf->count.load(kAcquire);
    const int end = limit.empty() ? count : LowerBound(*leaf, to);
    keys += static_cast<std::uint64_t>(std::max(0, end - slot));
    leaf = leaf->next.load(kAcquire);
    if (end < count || leaf == nullptr) return keys;
    slot = 0;
  }
  const double end = limit.empty() ? 1 : FractionBefore(limit);
  const double fraction = std::max(0.0, end - FractionBefore(start));
  return static_cast<std::uint64_t>(fraction * static_cast<double>(entries()));
}

std::uint64_t Memtable::ApproximateBytes(Slice start, Slice limit) const {
  const std::uint64_t count = ApproximateCount(start, limit);
  return entries() == 0 ? 0 : memory_bytes() * count / entries();
}

}  // namespace trefoil::lsm
