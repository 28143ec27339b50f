// IntervalTree: which of many intervals hold a value. A treap by lower end, each node with the
// highest upper end below it; priorities are a hash of the owner, so the shape depends on nothing
// but the content.
//
//              [3, 9] max 20               Stab(8): left subtrees whose max is below 8 are skipped,
//             /             \              right subtrees whose lower ends are above 8 too
//      [1, 20] max 20    [7, 8] max 9
//                              \           Source: Cormen et al., Introduction to Algorithms,
//                              [9, 9]      section 14.3; Seidel and Aragon, Randomized search trees
//
// Ends are compared as SQL compares (1 = 1.0). Insert, Erase: O(log n). Stab: O(answer * log n).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/function_ref.h"
#include "trefoil/value.h"

namespace trefoil::dataflow {

class IntervalTree {
 public:
  using Owner = std::uint32_t;

  // Both ends belong to the interval; no end = unbounded on that side.
  struct Interval {
    std::optional<Value> low;
    std::optional<Value> high;
  };

  // An owner has one interval at most.
  void Insert(const Interval& interval, Owner owner);
  // The interval must be the one inserted for the owner.
  void Erase(const Interval& interval, Owner owner);
  // Visits the owners whose interval holds `value`, which is not NULL.
  void Stab(const Value& value, FunctionRef<void(Owner)> visit) const;

  bool empty() const { return root_ == nullptr; }

 private:
  struct Node {
    Interval interval;
    Owner owner;
    std::uint64_t priority;
    std::optional<Value> max_high;  // nothing: unbounded
    std::unique_ptr<Node> left;
    std::unique_ptr<Node> right;
  };
  using Link = std::unique_ptr<Node>;

  static bool ComesBefore(const Interval& a, Owner a_owner, const Node& b);
  static void Refresh(Node& node);
  static void InsertBelow(Link& link, Link node);
  static void Split(Link link, const Node& at, Link& left, Link& right);
  static Link Merge(Link left, Link right);
  static void EraseBelow(Link& link, const Interval& interval, Owner owner);
  static void StabBelow(const Node* node, const Value& value, FunctionRef<void(Owner)> visit);

  Link root_;
};

}  // namespace trefoil::dataflow
