// Fixpoint: relations defined by recursion, exact under insertion and deletion, cycles included.
// The least sets that contain their bases and what the bodies derive from them.
//
//   inputs ----> base rows ----\                          level 0
//      \                        v
//       \------> body <---- loop relation (tuple, level)  level = 1 + the levels it was derived
//       from
//                  \____________^
//
// A tuple's level is the first iteration at which it appears in an evaluation from scratch. For
// each tuple the state counts its derivations by iteration; the level is the first with a count.
// A change runs through the iterations in order: at iteration i all counts of i are final, so a
// tuple is decided to have level i or not, once; what that changes further on is scheduled. Two
// tuples that only derive each other have no count at the iterations where they would begin, so
// they vanish together: no proof by circle survives.
//
// Bodies are plans of operators without memory of their loop rows (filter, map, project, join,
// union all, anti-joins against inputs): each derivation must follow its rows. An aggregate of loop
// rows is refused. A body carries the level column of every loop row that it uses to its output,
// where the largest counts.
//
// The one aggregate that loops are written for is the least sum: the distance along weighted edges.
// It is the level itself when a step counts by its length (`weighted`): tuples are then decided in
// the order of their distance, as in Dijkstra's algorithm, and a way out that closes lets go of
// what it carried as above.
//
// State: per tuple its values, a level and about one count; arrangements of the loop relations that
// the bodies ask for. Cost of a step: O(derivations that begin, end or change their iteration).
//
// I1: between steps, count(t, i) = derivations of t from tuples whose largest level is i - 1
// (bases:
//     i = 0); level(t) = the least i with count(t, i) > 0.
// Source: the iteration coordinate is that of McSherry et al., "Differential dataflow" (CIDR 2013);
// keeping one level per tuple follows Ramalingam and Reps, "An incremental algorithm for a
// generalization of the shortest-path problem" (1996), whose distance it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct Fixpoint {
  struct Relation {
    std::string name;
    std::vector<ValueKind> kinds;
    // Inputs of the fixpoint whose rows belong to the relation, numbered from 0.
    std::vector<std::uint32_t> bases = {};
    // Nodes of the body whose rows belong to it: its columns, then one or more levels, then, in a
    // weighted fixpoint, the length of the step: an INT of 1 or more.
    std::vector<NodeNumber> bodies = {};
  };

  std::vector<Relation> relations;
  // Number of inputs. In `body`, the numbers from 0 on mean the inputs, then the loop relations in
  // the order of `relations`, each with an INT column for the level behind its own; then come these
  // nodes.
  std::uint32_t inputs = 0;
  std::vector<Plan::Node> body = {};
  // The output has the level as its last column: for steps along edges, the shortest distance.
  bool with_level = false;
  // A level grows by the length of the step instead of 1. A length that is none ends the step with
  // kInvalidArgument.
  bool weighted = false;
  // A level beyond it ends the step with kLimit.
  std::uint32_t iterations_max = 10'000;

  std::string Describe() const;
  // Output: the columns of the one relation. With several relations: the number of the relation,
  // then its columns, padded with NULLs to the widest.
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
