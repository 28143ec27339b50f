// IntervalTree: a treap with the maximum of the upper ends.
#include "dataflow/interval_tree.h"

#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace trefoil::dataflow {

bool IntervalTree::ComesBefore(const Interval& a, Owner a_owner, const Node& b) {
  const Interval& other = b.interval;
  if (a.low.has_value() != other.low.has_value()) return !a.low;
  if (a.low) {
    const std::weak_ordering order = CompareAsSql(*a.low, *other.low);
    if (order != 0) return order < 0;
  }
  return a_owner < b.owner;
}

void IntervalTree::Refresh(Node& node) {
  node.max_high = node.interval.high;
  for (const Node* child : {node.left.get(), node.right.get()}) {
    if (child == nullptr || !node.max_high) continue;
    if (!child->max_high || CompareAsSql(*child->max_high, *node.max_high) > 0) {
      node.max_high = child->max_high;
    }
  }
}

void IntervalTree::Insert(const Interval& interval, Owner owner) {
  auto node = std::make_unique<Node>();
  node->interval = interval;
  node->owner = owner;
  node->priority = Hash64(Slice(reinterpret_cast<const char*>(&owner), sizeof owner));
  Refresh(*node);
  InsertBelow(root_, std::move(node));
}

void IntervalTree::InsertBelow(Link& link, Link node) {
  if (link == nullptr || link->priority < node->priority) {
    Split(std::move(link), *node, node->left, node->right);
    link = std::move(node);
  } else {
    const bool goes_left = ComesBefore(node->interval, node->owner, *link);
    InsertBelow(goes_left ? link->left : link->right, std::move(node));
  }
  Refresh(*link);
}

void IntervalTree::Split(Link link, const Node& at, Link& left, Link& right) {
  if (link == nullptr) {
    left = nullptr;
    right = nullptr;
  } else if (ComesBefore(link->interval, link->owner, at)) {
    Link below = std::move(link->right);
    Split(std::move(below), at, link->right, right);
    Refresh(*link);
    left = std::move(link);
  } else {
    Link below = std::move(link->left);
    Split(std::move(below), at, left, link->left);
    Refresh(*link);
    right = std::move(link);
  }
}

IntervalTree::Link IntervalTree::Merge(Link left, Link right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  if (left->priority >= right->priority) {
    left->right = Merge(std::move(left->right), std::move(right));
    Refresh(*left);
    return left;
  }
  right->left = Merge(std::move(left), std::move(right->left));
  Refresh(*right);
  return right;
}

void IntervalTree::Erase(const Interval& interval, Owner owner) {
  EraseBelow(root_, interval, owner);
}

void IntervalTree::EraseBelow(Link& link, const Interval& interval, Owner owner) {
  Check(link != nullptr, "an interval that is erased was inserted");
  if (link->owner == owner) {
    link = Merge(std::move(link->left), std::move(link->right));
    return;
  }
  const bool is_left = ComesBefore(interval, owner, *link);
  EraseBelow(is_left ? link->left : link->right, interval, owner);
  Refresh(*link);
}

void IntervalTree::Stab(const Value& value, FunctionRef<void(Owner)> visit) const {
  StabBelow(root_.get(), value, visit);
}

void IntervalTree::StabBelow(const Node* node, const Value& value, FunctionRef<void(Owner)> visit) {
  if (node == nullptr) return;
  if (node->max_high && CompareAsSql(*node->max_high, value) < 0) return;
  StabBelow(node->left.get(), value, visit);
  const Interval& interval = node->interval;
  if (interval.low && CompareAsSql(*interval.low, value) > 0) return;
  if (!interval.high || CompareAsSql(*interval.high, value) >= 0) visit(node->owner);
  StabBelow(node->right.get(), value, visit);
}

}  // namespace trefoil::dataflow
