// Forest: what lies below, or above, some nodes of a tree that is stored as parent pointers. It
// answers what a fixpoint over (child, parent) answers, without tuples, levels or counts of its
// own: a row has one parent, so there is one way up, and a moved row takes its subtree along.
//
//        r                       start r, kDescendants: (r, r, 0) (r, a, 1) (r, b, 1) (r, c, 2)
//       / \                      start c, kAncestors:   (c, c, 0) (c, a, 1) (c, r, 2)
//      a   b
//      |                         c moves below b: only the ways through c change. The part below c
//      c                         is common to before and after; what differs is what stands above
//
// A node belongs to the first changed row on its way up. So the changed rows share out the changed
// nodes, and for each one three things are known: the starts above it before, those after, and the
// nodes below it that no other changed row takes. Their product is the delta. If no start stands
// above a changed row, nothing below it is read.
//
// Pointers that run in a circle are walked once: each node of the circle lies below each other.
// A parent that is not in the tree is a node all the same; NULL is no parent and no child.
//
// State: kDescendants: none, both ways go through ports of the inputs. kAncestors: the answer, by
// the node above, to find who stands below a changed row.
// Cost of a step: O(rows of the delta + ways up from changed rows, each node of them once).
//
// I1: a child has one row at most in each state of the input. Who builds the plan answers for it:
// the child is the key of the table. More is a bug and ends the program.
#pragma once

#include <memory>
#include <string>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

enum class ForestDirection : std::uint8_t {
  kDescendants,
  kAncestors,
};

struct Forest {
  ForestDirection direction = ForestDirection::kDescendants;
  // Columns of the first input.
  Column child = 0;
  Column parent = 1;
  // The output has the number of steps from the start as its last column.
  bool with_depth = false;

  std::string Describe() const;
  // Inputs: rows of the tree, and starts, a set or multiset of one column. Output: (start, node) or
  // (start, node, depth), once each; the start itself has depth 0.
  // Errors: kInvalidArgument, kTypeMismatch for columns that do not fit; kUnsupported over an input
  // that shows negative weights.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
