// The tree of an ACYCLIC column: all moves are replayed in the order of their stamps, and one that
// would close a cycle is skipped, so its row stays where it was. What is shown follows from the set
// of moves alone. When a move arrives that is earlier than others, the later ones are taken back
// and done again; those before it are not looked at.
//
//   moves of one transaction take place together; those that then lie on a cycle are skipped, and
//   again, until there is none
//   a move of a row whose log holds a greater causal length before it is skipped: a deletion, which
//   is a move to nowhere, beats a concurrent move
//
// I1 What holds up to any stamp is a forest. Source: Kleppmann, Mulligan, Gomes, Beresford, A
// Highly-Available Move Operation for Replicated Trees (2021).
#pragma once

#include <span>
#include <string>

#include "base/function_ref.h"
#include "crdt/merge.h"
#include "crdt/site.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::crdt {

// The subject that a parent names; empty for NULL. The key of the table has fields of declared
// kinds, and not a single one that is a REF of many.
std::string SubjectOfParent(const Value& parent);

// A row with moves that are not before the start of a replay, and all its other moves.
struct MovedRow {
  std::string subject;
  FactState* fact = nullptr;
};

// The parent of a row that does not take part in a replay, which no move in it changes.
using ParentOf = FunctionRef<Result<Value>(Slice subject)>;

// Decides of all moves of `rows` from `start` on whether they hold. Each row is given once; every
// row with a move from `start` on is among them. Errors: those of `parent_of`. O(moves * depth).
Status ReplayMoves(std::span<const MovedRow> rows, const Stamp& start, ParentOf parent_of,
                   const SiteTable& sites);

}  // namespace trefoil::crdt
