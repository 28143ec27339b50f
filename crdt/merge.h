// The merge rules: what a fact becomes when a write of some transaction joins it. Pure: (state, op,
// stamp) -> state, and total. Whatever the order in which concurrent writes come, the state is the
// same; a write that another one has seen comes first (the commit path delivers causally).
//
//   all kinds   the greater causal length wins; a row is there at odd lengths
//   register    the greatest stamp
//   MV          a write takes the place of the alternatives that its site saw; the rest stay beside
//               it; readers see the alternative with the greatest stamp
//   COUNTER     each site's total, newest first-hand figure; readers see the sum
//   SET         an element is there while an addition is not removed; a removal takes away the
//               additions that its site saw, so a concurrent addition wins
//   MAX, MIN    the greatest, the least value
//   ACYCLIC     every move of the row to another parent; which of them hold is decided over all
//   rows
//               together (move_tree.h). A move outlives its row, because later ones rest on it.
//
// Two writes of different kinds under one length (replicas that declared the attribute differently)
// are decided by the kind: the one that stands later in MergeKind wins as a whole; ACYCLIC wins
// under any length. Sources: Shapiro et al., Conflict-free Replicated Data Types (2011); causal
// lengths: Yu and Rostad, A Low-Cost Set CRDT Based on Causal Lengths (2020).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crdt/site.h"
#include "schema/cell.h"
#include "schema/schema.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::crdt {

using schema::MergeKind;
using schema::Stamp;
__extension__ using Int128 = __int128;

// One of the concurrent values of an MV register; the addition of a SET element (value NULL).
struct Alternative {
  Stamp stamp = {};
  Value value = {};

  friend bool operator==(const Alternative&, const Alternative&) = default;
};

// What one site has added to a COUNTER, as of its transaction at `time`.
struct Shard {
  Stamp stamp = {};
  Int128 total = 0;

  friend bool operator==(const Shard&, const Shard&) = default;
};

// One write of an ACYCLIC fact: the row was put below another one, or below none.
struct Move {
  Stamp stamp = {};
  std::uint64_t causal_length = 1;
  bool skipped = false;  // does not hold: it would have closed a cycle, or its row had gone
  Value parent = {};     // NULL = none

  friend bool operator==(const Move&, const Move&) = default;
};

// A fact as merges see it. Which fields count depends on the kind; causal length 0 = never written.
struct FactState {
  MergeKind kind = MergeKind::kRegister;
  std::uint64_t causal_length = 0;
  Stamp stamp = {};                // of the winner; of the newest write for MV, COUNTER, SET
  bool retracted = false;          // nothing to be seen
  Value value = {};                // what readers see
  std::vector<Shard> shards = {};  // COUNTER: by site
  std::vector<Alternative> alternatives = {};  // MV, SET: by stamp
  std::vector<Move> moves = {};                // ACYCLIC: by stamp

  friend bool operator==(const FactState&, const FactState&) = default;
};

// One write of one fact; its stamp is the transaction's.
struct FactOp {
  MergeKind kind = MergeKind::kRegister;
  std::uint64_t causal_length = 1;
  bool retracted = false;
  Value value = {};                  // register, MV, MAX, MIN; NULL when retracted
  Int128 total = 0;                  // COUNTER: of the writing site, after the transaction
  std::vector<Stamp> observed = {};  // MV, SET: what the write takes the place of

  friend bool operator==(const FactOp&, const FactOp&) = default;
};

// Joins `op`, written at `stamp`, to `state`. Returns whether the state is another now. A new move
// is taken to hold until ReplayMoves says otherwise, and shown once ShowParent was called.
bool MergeOp(FactState& state, const FactOp& op, const Stamp& stamp, const SiteTable& sites);

// What two replicas have applied, as needed to join their states: by ordinal the time of the newest
// transaction of each site, 0 = none.
struct AppliedTimes {
  std::vector<std::uint64_t> here = {};
  std::vector<std::uint64_t> there = {};
};

// Makes of `state` what it is when everything that `other`, the same fact on another replica, has
// seen is applied, too. An alternative that only one side has and the other has seen was removed
// there. Returns whether the state is another now.
bool JoinStates(FactState& state, const FactState& other, const AppliedTimes& applied,
                const SiteTable& sites);

// Where an ACYCLIC fact lies in its tree: the last move that holds, or null.
const Move* LastMove(const FactState& state);
// Makes of an ACYCLIC state what readers of a row of this length see. A parent is seen while it was
// set in the row's present life.
void ShowParent(FactState& state, std::uint64_t row_length);

// Calls `visit` with every stamp of a state: ordinals of one replica are made those of another.
template <typename Visit>
void ForStamps(FactState& state, Visit visit) {
  visit(state.stamp);
  for (Shard& shard : state.shards) visit(shard.stamp);
  for (Alternative& alternative : state.alternatives) visit(alternative.stamp);
  for (Move& move : state.moves) visit(move.stamp);
}

// Orders stamps of this replica as every replica orders them.
std::strong_ordering CompareStamps(const Stamp& a, const Stamp& b, const SiteTable& sites);

// The stored form: what readers see is the cell's value, what merges need beyond it its state.
//   state: kind 1 | COUNTER: per site: ordinal, time 8, total
//                 | MV: per alternative: ordinal, time 8, value as in dynamic keys, its length
//                 first | SET: per addition: ordinal, time 8
//                 | ACYCLIC: per move: ordinal, time 8, causal length * 2 + skipped varint, parent
//                 as in MV
//   registers have no state; the only alternative or move with the cell's own stamp and value is
//   left out
schema::Cell ToCell(const FactState& state);
// False when the state of the cell does not read.
bool FromCell(const schema::Cell& cell, const SiteTable& sites, FactState* state);

// The concurrent values of a stored MV fact as a LIST, in the order of their stamps; one value when
// there is no conflict, NULL when there is none. False when the cell does not read.
bool DecodeConflicts(Slice cell_bytes, Value* value);

// The parent of a row in its tree, whatever readers see: of a stored ACYCLIC fact, or of one that a
// transaction is about to write. False when the cell does not read.
bool DecodeParent(Slice cell_bytes, Value* parent);
// Whether the cell is that of an ACYCLIC fact.
bool HoldsMoves(const schema::Cell& cell);

// The count that readers see: the sum, held within 64 bits.
std::int64_t CountOf(const FactState& state);

// A number of up to 128 bits and either sign, as varints of its two halves.
void AppendInt128(std::string& out, Int128 number);
bool TakeInt128(Slice& bytes, Int128* number);

}  // namespace trefoil::crdt
