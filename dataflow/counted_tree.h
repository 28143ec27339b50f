// CountedTree: an ordered multiset of keys with integer weights, that knows how much weight lies
// left of any place: seek, rank and n-th are O(log n), in both directions. It is the ordered
// arrangement (top-k windows, min and max, percentiles) and, because a copy of it is a snapshot,
// the body of every output view.
//
//            [ low | total | child ] [ low | total | child ] ...        inner: <= 32 children
//                   /                        |
//      [ key, weight ] ...             [ key, weight ] ...              leaf: <= 32 entries
//
// Copying a tree copies a pointer. Nodes are counted; a change writes in place where a node has one
// owner and copies the path where it has more, so a tree without snapshots never copies.
//
// I1: keys strictly ascend over all leaves; no weight is 0.
// I2: all keys below a child are >= its low and < the next child's low; the low of the first child
//     is not used.
// I3: total = the sum of all weights below a child.
// I4: all leaves have equal depth; only the root may be empty.
// Source: B+tree with counts (Knuth, volume 3, 6.2.4, exercise on positions); copy on write as in
// Rodeh, "B-trees, shadowing, and clones" (2008).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/container/static_vector.hpp>
#include <boost/intrusive_ptr.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

// `Compare` is called as compare(a, b) and gives an ordering; it may also order a Key against other
// types (a prefix, say), which can then be sought. Reading is safe on any thread as long as nobody
// changes this tree object; changing a copy does not count.
template <typename Key, typename Compare = std::compare_three_way>
class CountedTree {
  struct Node;
  struct Leaf;
  struct Inner;

 public:
  using Weight = std::int64_t;
  struct Entry {
    Key key;
    Weight weight;
  };
  class Cursor;

  explicit CountedTree(Compare compare = {}) : compare_(std::move(compare)) {}

  bool empty() const { return distinct_ == 0; }
  // Number of different keys.
  std::size_t size() const { return distinct_; }
  // Sum of all weights.
  Weight total() const { return total_; }
  // Bytes of the nodes that this tree reaches, shared or not.
  std::size_t bytes() const {
    return sizeof *this + leaves_ * sizeof(Leaf) + inners_ * sizeof(Inner);
  }

  // Adds `delta` to the weight of `key`; a weight that becomes 0 removes the entry. Returns the new
  // weight. Ends the validity of cursors, as do Put and Clear.
  Weight Add(Key key, Weight delta);
  // Makes `key` an entry of `weight`, in place of an equal key if there is one.
  void Put(Key key, Weight weight = 1);
  // Puts `key` where an equal one stands, without a search. False, and nothing is done, if a copy
  // of the tree shares a node on the way there. Cursors stay valid.
  bool Replace(const Cursor& place, const Key& key);
  void Clear() {
    root_.reset();
    leaves_ = inners_ = distinct_ = 0;
    total_ = 0;
  }

  Cursor First() const {
    return Seek([](const Key&) { return false; }).Forward();
  }
  Cursor Last() const {
    return Seek([](const Key&) { return true; }).Back();
  }
  // The first entry that is not below `probe`.
  template <typename Probe>
  Cursor LowerBound(const Probe& probe) const {
    return Seek([&](const Key& key) { return compare_(key, probe) < 0; }).Forward();
  }
  // The first entry above `probe`.
  template <typename Probe>
  Cursor UpperBound(const Probe& probe) const {
    return Seek([&](const Key& key) { return compare_(key, probe) <= 0; }).Forward();
  }
  // The last entry below `probe`.
  template <typename Probe>
  Cursor Below(const Probe& probe) const {
    return Seek([&](const Key& key) { return compare_(key, probe) < 0; }).Back();
  }
  // The entry equal to `probe`, or none.
  template <typename Probe>
  Cursor Find(const Probe& probe) const {
    Cursor cursor = LowerBound(probe);
    return cursor && compare_(cursor.key(), probe) == 0 ? cursor : Cursor();
  }
  // Weight of all entries below `probe`.
  template <typename Probe>
  Weight Rank(const Probe& probe) const {
    return RankOf([&](const Key& key) { return compare_(key, probe) < 0; });
  }
  // Weight of all entries ahead of the place; behind the last: of all.
  Weight Rank(const Cursor& place) const;
  // Weight of all entries up to and including `probe`.
  template <typename Probe>
  Weight RankAfter(const Probe& probe) const {
    return RankOf([&](const Key& key) { return compare_(key, probe) <= 0; });
  }
  // The entry that holds copy `n`, counted from 0 in order; none when n is outside [0, total()).
  // `before`, if not null, receives the weight of all entries below it. Needs positive weights.
  Cursor Nth(Weight n, Weight* before = nullptr) const;

  // I1 to I4; O(n).
  bool IsConsistent() const;

 private:
  static constexpr std::size_t kFanout = 32;
  static constexpr std::size_t kMinFill = kFanout / 4;
  static constexpr std::size_t kMaxDepth = 16;

  using NodePtr = boost::intrusive_ptr<Node>;
  struct Child {
    Key low;
    Weight total;
    NodePtr node;
  };
  // What a change did to the weight of its entry, and to the node that holds it.
  struct Edit {
    Weight before = 0;
    Weight after = 0;
    std::optional<Child> split;  // a new right neighbour of the node just changed
  };
  struct Checked {
    bool good = true;
    std::size_t depth = 0;
    std::size_t distinct = 0;
    Weight total = 0;
  };

  static Leaf* AsLeaf(Node* node) { return static_cast<Leaf*>(node); }
  static Inner* AsInner(Node* node) { return static_cast<Inner*>(node); }
  static const Leaf* AsLeaf(const Node* node) { return static_cast<const Leaf*>(node); }
  static const Inner* AsInner(const Node* node) { return static_cast<const Inner*>(node); }
  static std::size_t SizeOf(const Node* node) {
    return node->is_leaf ? AsLeaf(node)->entries.size() : AsInner(node)->children.size();
  }

  // The node behind `slot`, ours alone to change.
  static Node* Own(NodePtr& slot);
  template <typename IsBefore>
  Cursor Seek(const IsBefore& is_before) const;
  template <typename IsBefore>
  Weight RankOf(const IsBefore& is_before) const;

  // kReplace: Put, else Add.
  template <bool kReplace>
  Weight Change(Key&& key, Weight amount);
  template <bool kReplace>
  void ChangeNode(NodePtr& slot, Key& key, Weight amount, Edit& edit);
  template <bool kReplace>
  void ChangeLeaf(Leaf& leaf, Key& key, Weight amount, Edit& edit);
  void ChangeChild(Inner& inner, std::size_t at, Edit& edit);
  void Refill(Inner& inner, std::size_t at);
  template <typename Items>
  static void Level(Items& left, Items& right);
  template <typename Items>
  static void MoveTail(Items& from, std::size_t first, Items& to);
  static Weight TotalOf(const Node* node);
  Checked CheckNode(const Node* node, const Key* low, const Key* limit) const;

  [[no_unique_address]] Compare compare_;
  NodePtr root_;  // null: never had an entry
  std::size_t leaves_ = 0;
  std::size_t inners_ = 0;
  std::size_t distinct_ = 0;
  Weight total_ = 0;
};

template <typename Key, typename Compare>
struct CountedTree<Key, Compare>::Node {
  explicit Node(bool leaf) : is_leaf(leaf) {}
  Node(const Node& other) : is_leaf(other.is_leaf) {}

  friend void intrusive_ptr_add_ref(Node* node) {
    node->owners.fetch_add(1, std::memory_order_relaxed);
  }
  friend void intrusive_ptr_release(Node* node) {
    if (node->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) Delete(node);
  }
  static void Delete(Node* node) {
    if (node->is_leaf) {
      delete AsLeaf(node);
    } else {
      delete AsInner(node);
    }
  }

  std::atomic<std::uint32_t> owners{0};
  const bool is_leaf;
};

template <typename Key, typename Compare>
struct CountedTree<Key, Compare>::Leaf : Node {
  Leaf() : Node(true) {}
  boost::container::static_vector<Entry, kFanout + 1> entries;  // one more until the split
};

template <typename Key, typename Compare>
struct CountedTree<Key, Compare>::Inner : Node {
  Inner() : Node(false) {}

  // The last child whose low satisfies is_before, else the first.
  template <typename IsBefore>
  std::size_t ChildFor(const IsBefore& is_before) const {
    const auto past =
        std::partition_point(children.begin() + 1, children.end(),
                             [&](const Child& child) { return is_before(child.low); });
    return static_cast<std::size_t>(past - children.begin()) - 1;
  }

  boost::container::static_vector<Child, kFanout + 1> children;
};

// A place in a tree: an entry, or none (false). Valid until the tree changes.
template <typename Key, typename Compare>
class CountedTree<Key, Compare>::Cursor {
 public:
  Cursor() = default;

  explicit operator bool() const { return leaf_ != nullptr; }
  const Key& key() const { return leaf_->entries[at_].key; }
  Weight weight() const { return leaf_->entries[at_].weight; }

  // To the next entry, or to none.
  void Next() {
    if (++at_ == leaf_->entries.size()) *this = std::move(*this).Forward();
  }
  // To the previous entry, or to none.
  void Previous() { *this = std::move(*this).Back(); }

 private:
  friend class CountedTree;
  struct Step {
    const Inner* inner;
    std::size_t at;
  };

  void Descend(const Node* node, bool to_end) {
    while (!node->is_leaf) {
      const Inner* inner = AsInner(node);
      const std::size_t at = to_end ? inner->children.size() - 1 : 0;
      path_[depth_++] = {inner, at};
      node = inner->children[at].node.get();
    }
    leaf_ = AsLeaf(node);
    at_ = to_end ? leaf_->entries.size() : 0;
  }

  // The entry at this place; from behind the end of a leaf, the first of the next leaf.
  Cursor Forward() && {
    if (leaf_ == nullptr || at_ < leaf_->entries.size()) return *this;
    while (depth_ > 0) {
      Step& step = path_[--depth_];
      if (step.at + 1 == step.inner->children.size()) continue;
      ++step.at;
      ++depth_;
      Descend(step.inner->children[step.at].node.get(), false);
      return *this;
    }
    return {};
  }

  // The entry before this place; the place may be behind the end of a leaf.
  Cursor Back() && {
    if (leaf_ == nullptr) return {};
    if (at_ > 0) {
      --at_;
      return *this;
    }
    while (depth_ > 0) {
      Step& step = path_[--depth_];
      if (step.at == 0) continue;
      --step.at;
      ++depth_;
      Descend(step.inner->children[step.at].node.get(), true);
      --at_;
      return *this;
    }
    return {};
  }

  std::array<Step, kMaxDepth> path_;
  std::size_t depth_ = 0;
  const Leaf* leaf_ = nullptr;
  std::size_t at_ = 0;
};

}  // namespace trefoil::dataflow

#include "dataflow/counted_tree_impl.h"
