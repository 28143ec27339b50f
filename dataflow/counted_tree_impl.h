// The bodies of CountedTree; include counted_tree.h.
#pragma once

#include <iterator>
#include <utility>

#include "dataflow/counted_tree.h"

namespace trefoil::dataflow {

template <typename Key, typename Compare>
template <typename IsBefore>
auto CountedTree<Key, Compare>::Seek(const IsBefore& is_before) const -> Cursor {
  Cursor cursor;
  if (root_ == nullptr) return cursor;
  const Node* node = root_.get();
  while (!node->is_leaf) {
    const Inner* inner = AsInner(node);
    const std::size_t at = inner->ChildFor(is_before);
    cursor.path_[cursor.depth_++] = {inner, at};
    node = inner->children[at].node.get();
  }
  cursor.leaf_ = AsLeaf(node);
  const auto& entries = cursor.leaf_->entries;
  const auto place = std::partition_point(entries.begin(), entries.end(),
                                          [&](const Entry& entry) { return is_before(entry.key); });
  cursor.at_ = static_cast<std::size_t>(place - entries.begin());
  return cursor;
}

template <typename Key, typename Compare>
template <typename IsBefore>
auto CountedTree<Key, Compare>::RankOf(const IsBefore& is_before) const -> Weight {
  if (root_ == nullptr) return 0;
  Weight rank = 0;
  const Node* node = root_.get();
  while (!node->is_leaf) {
    const Inner* inner = AsInner(node);
    const std::size_t at = inner->ChildFor(is_before);
    for (std::size_t i = 0; i < at; ++i) rank += inner->children[i].total;
    node = inner->children[at].node.get();
  }
  for (const Entry& entry : AsLeaf(node)->entries) {
    if (!is_before(entry.key)) break;
    rank += entry.weight;
  }
  return rank;
}

template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::Rank(const Cursor& place) const -> Weight {
  if (!place) return total_;
  Weight rank = 0;
  for (std::size_t depth = 0; depth < place.depth_; ++depth) {
    const auto& [inner, at] = place.path_[depth];
    for (std::size_t i = 0; i < at; ++i) rank += inner->children[i].total;
  }
  for (std::size_t i = 0; i < place.at_; ++i) rank += place.leaf_->entries[i].weight;
  return rank;
}

template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::Nth(Weight n, Weight* before) const -> Cursor {
  Cursor cursor;
  if (n < 0 || n >= total_) return cursor;
  Weight left = n;
  const Node* node = root_.get();
  while (!node->is_leaf) {
    const Inner* inner = AsInner(node);
    std::size_t at = 0;
    while (left >= inner->children[at].total) left -= inner->children[at++].total;
    cursor.path_[cursor.depth_++] = {inner, at};
    node = inner->children[at].node.get();
  }
  cursor.leaf_ = AsLeaf(node);
  const auto& entries = cursor.leaf_->entries;
  while (left >= entries[cursor.at_].weight) left -= entries[cursor.at_++].weight;
  if (before != nullptr) *before = n - left;
  return cursor;
}

template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::Add(Key key, Weight delta) -> Weight {
  if (delta == 0) {
    const Cursor found = Find(key);
    return found ? found.weight() : 0;
  }
  return Change<false>(std::move(key), delta);
}

template <typename Key, typename Compare>
void CountedTree<Key, Compare>::Put(Key key, Weight weight) {
  Check(weight != 0, "an entry has a weight");
  Change<true>(std::move(key), weight);
}

template <typename Key, typename Compare>
bool CountedTree<Key, Compare>::Replace(const Cursor& place, const Key& key) {
  const auto is_shared = [](const Node* node) {
    return node->owners.load(std::memory_order_acquire) != 1;
  };
  for (std::size_t depth = 0; depth < place.depth_; ++depth) {
    if (is_shared(place.path_[depth].inner)) return false;
  }
  if (is_shared(place.leaf_)) return false;
  const_cast<Leaf*>(place.leaf_)->entries[place.at_].key = key;  // ours: nobody else has the node
  return true;
}

template <typename Key, typename Compare>
template <bool kReplace>
auto CountedTree<Key, Compare>::Change(Key&& key, Weight amount) -> Weight {
  if (root_ == nullptr) {
    root_ = new Leaf;
    ++leaves_;
  }
  Edit edit;
  ChangeNode<kReplace>(root_, key, amount, edit);
  total_ += edit.after - edit.before;
  distinct_ += edit.after != 0 ? 1 : 0;
  distinct_ -= edit.before != 0 ? 1 : 0;
  if (edit.split) {
    auto* inner = new Inner;
    ++inners_;
    const Key low = edit.split->low;  // any key: the low of a first child is not used
    inner->children.push_back(Child{low, total_ - edit.split->total, std::move(root_)});
    inner->children.push_back(*std::move(edit.split));
    root_ = inner;
  } else if (!root_->is_leaf && SizeOf(root_.get()) == 1) {
    NodePtr only = AsInner(root_.get())->children.front().node;
    root_ = std::move(only);
    --inners_;
  } else if (distinct_ == 0) {
    Clear();
  }
  Verify([&] { return distinct_ > 2000 || IsConsistent(); }, "a counted tree keeps I1 to I4");
  return edit.after;
}

template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::Own(NodePtr& slot) -> Node* {
  if (slot->owners.load(std::memory_order_acquire) != 1) {
    if (slot->is_leaf) {
      slot = new Leaf(*AsLeaf(slot.get()));
    } else {
      slot = new Inner(*AsInner(slot.get()));
    }
  }
  return slot.get();
}

template <typename Key, typename Compare>
template <bool kReplace>
void CountedTree<Key, Compare>::ChangeNode(NodePtr& slot, Key& key, Weight amount, Edit& edit) {
  Node* node = Own(slot);
  if (node->is_leaf) {
    ChangeLeaf<kReplace>(*AsLeaf(node), key, amount, edit);
    return;
  }
  Inner& inner = *AsInner(node);
  const std::size_t at = inner.ChildFor([&](const Key& low) { return compare_(low, key) <= 0; });
  ChangeNode<kReplace>(inner.children[at].node, key, amount, edit);
  ChangeChild(inner, at, edit);
}

template <typename Key, typename Compare>
template <bool kReplace>
void CountedTree<Key, Compare>::ChangeLeaf(Leaf& leaf, Key& key, Weight amount, Edit& edit) {
  auto& entries = leaf.entries;
  const auto place = std::partition_point(entries.begin(), entries.end(), [&](const Entry& entry) {
    return compare_(entry.key, key) < 0;
  });
  if (place != entries.end() && compare_(place->key, key) == 0) {
    edit.before = place->weight;
    edit.after = kReplace ? amount : place->weight + amount;
    if (edit.after == 0) {
      entries.erase(place);
      return;
    }
    if constexpr (kReplace) place->key = std::move(key);
    place->weight = edit.after;
    return;
  }
  edit.after = amount;
  const bool at_end = place == entries.end();
  entries.insert(place, Entry{std::move(key), amount});
  if (entries.size() <= kFanout) return;
  // Keys that arrive in order leave full leaves behind.
  auto* right = new Leaf;
  ++leaves_;
  MoveTail(entries, at_end ? kFanout : kFanout / 2, right->entries);
  edit.split = Child{right->entries.front().key, TotalOf(right), NodePtr(right)};
}

// After a change below child `at`: its total, its split, its size.
template <typename Key, typename Compare>
void CountedTree<Key, Compare>::ChangeChild(Inner& inner, std::size_t at, Edit& edit) {
  auto& children = inner.children;
  children[at].total += edit.after - edit.before;
  if (!edit.split) {
    if (edit.after == 0 && SizeOf(children[at].node.get()) < kMinFill) Refill(inner, at);
    return;
  }
  children[at].total -= edit.split->total;
  const auto place = children.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  const bool at_end = place == children.end();
  children.insert(place, *std::move(edit.split));
  edit.split.reset();
  if (children.size() <= kFanout) return;
  auto* right = new Inner;
  ++inners_;
  MoveTail(children, at_end ? children.size() - kMinFill : kFanout / 2, right->children);
  edit.split = Child{right->children.front().low, TotalOf(right), NodePtr(right)};
}

// Joins child `at` with a neighbour, or levels the two when one node cannot hold both.
template <typename Key, typename Compare>
void CountedTree<Key, Compare>::Refill(Inner& inner, std::size_t at) {
  auto& children = inner.children;
  if (children.size() == 1) return;
  Child& left = children[at == 0 ? 0 : at - 1];
  Child& right = *(&left + 1);
  Node* left_node = Own(left.node);
  Node* right_node = Own(right.node);
  const bool is_leaf = left_node->is_leaf;
  const bool join = SizeOf(left_node) + SizeOf(right_node) <= kFanout;
  if (is_leaf) {
    auto& entries = AsLeaf(right_node)->entries;
    if (join) {
      MoveTail(entries, 0, AsLeaf(left_node)->entries);
    } else {
      Level(AsLeaf(left_node)->entries, entries);
      right.low = entries.front().key;
    }
  } else {
    auto& grandchildren = AsInner(right_node)->children;
    grandchildren.front().low = right.low;
    if (join) {
      MoveTail(grandchildren, 0, AsInner(left_node)->children);
    } else {
      Level(AsInner(left_node)->children, grandchildren);
      right.low = grandchildren.front().low;
    }
  }
  left.total = TotalOf(left_node);
  right.total = TotalOf(right_node);
  if (!join) return;
  children.erase(children.begin() + (&right - children.data()));
  --(is_leaf ? leaves_ : inners_);
}

template <typename Key, typename Compare>
template <typename Items>
void CountedTree<Key, Compare>::MoveTail(Items& from, std::size_t first, Items& to) {
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  to.insert(to.end(), std::make_move_iterator(begin), std::make_move_iterator(from.end()));
  from.erase(begin, from.end());
}

// Moves items between two neighbours until their sizes differ by at most one.
template <typename Key, typename Compare>
template <typename Items>
void CountedTree<Key, Compare>::Level(Items& left, Items& right) {
  const std::size_t half = (left.size() + right.size()) / 2;
  if (left.size() > half) {
    const auto begin = left.begin() + static_cast<std::ptrdiff_t>(half);
    right.insert(right.begin(), std::make_move_iterator(begin),
                 std::make_move_iterator(left.end()));
    left.erase(begin, left.end());
  } else {
    const auto end = right.begin() + static_cast<std::ptrdiff_t>(half - left.size());
    left.insert(left.end(), std::make_move_iterator(right.begin()), std::make_move_iterator(end));
    right.erase(right.begin(), end);
  }
}

template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::TotalOf(const Node* node) -> Weight {
  Weight total = 0;
  if (node->is_leaf) {
    for (const Entry& entry : AsLeaf(node)->entries) total += entry.weight;
  } else {
    for (const Child& child : AsInner(node)->children) total += child.total;
  }
  return total;
}

template <typename Key, typename Compare>
bool CountedTree<Key, Compare>::IsConsistent() const {
  if (root_ == nullptr) return total_ == 0 && distinct_ == 0 && leaves_ == 0 && inners_ == 0;
  const Checked checked = CheckNode(root_.get(), nullptr, nullptr);
  return checked.good && checked.total == total_ && checked.distinct == distinct_;
}

// `low` and `limit` bound the keys below `node`; null: no bound.
template <typename Key, typename Compare>
auto CountedTree<Key, Compare>::CheckNode(const Node* node, const Key* low, const Key* limit) const
    -> Checked {
  Checked all;
  if (node->is_leaf) {
    const Key* previous = nullptr;
    for (const Entry& entry : AsLeaf(node)->entries) {
      all.good = all.good && entry.weight != 0 &&
                 (previous == nullptr ? low == nullptr || compare_(*low, entry.key) <= 0
                                      : compare_(*previous, entry.key) < 0);
      all.total += entry.weight;
      previous = &entry.key;
    }
    all.distinct = AsLeaf(node)->entries.size();
    all.good =
        all.good && previous != nullptr && (limit == nullptr || compare_(*previous, *limit) < 0);
    return all;
  }
  const auto& children = AsInner(node)->children;
  for (std::size_t i = 0; i < children.size(); ++i) {
    const Key* child_low = i == 0 ? low : &children[i].low;
    const Key* child_limit = i + 1 == children.size() ? limit : &children[i + 1].low;
    const Checked child = CheckNode(children[i].node.get(), child_low, child_limit);
    all.good = all.good && child.good && child.total == children[i].total &&
               (i == 0 || child.depth + 1 == all.depth);
    all.depth = child.depth + 1;
    all.distinct += child.distinct;
    all.total += child.total;
  }
  all.good = all.good && children.size() >= 2;
  return all;
}

}  // namespace trefoil::dataflow
