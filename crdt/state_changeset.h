// A state for a replica that lacks transactions which the sender no longer holds: every fact with
// its clocks, and what the sender has applied. Joining it to a state gives what applying the
// transactions would have given, so it serves a new replica and one that was away for long alike.
//
//   envelope (envelope.h) around: per site of the vector: time 8 of its newest transaction;
//   then per fact, ascending: key | cell, each its length first
//
// Sites in cells are their places in the vector. I1 A fact follows the row cell of its row, whose
// subject is the only one that its key can begin with, because no subject is a prefix of another.
// I2 No stamp is later than the newest transaction of its site.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crdt/envelope.h"
#include "crdt/log_frame.h"
#include "crdt/merge.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// Time of the newest transaction of each site.
using HeadTimes = std::map<SiteId, std::uint64_t>;

// One fact. `op` names it and holds what readers see; its kind and length are those of `state`.
struct StateFact {
  FrameOp op;
  FactState state;  // sites are places in the vector
};

struct StateChangeset {
  ChangesetHeader header;
  HeadTimes times = {};               // of the sites of the header's vector
  std::vector<StateFact> facts = {};  // ascending
};

// Writes a state fact by fact.
class StateWriter {
 public:
  // `sites`: what the ordinals of the facts mean; all of them have a head. `times` has the sites of
  // the vector.
  StateWriter(ChangesetHeader header, const HeadTimes& times, const SiteTable& sites);

  // Facts come in the order of their keys; those beyond the part of the body are passed over.
  void Add(Slice key, FactState state);
  // Error: kLimit when the state is larger than kChangesetBytesMax.
  Result<std::string> Finish();

 private:
  ChangesetHeader header_;
  std::vector<SiteOrdinal> place_of_;  // of each ordinal
  std::string body_;
  std::uint64_t count_ = 0;
};

// Errors: those of OpenEnvelope and OpenBody; kCorruption with the position.
Result<StateChangeset> DecodeStateChangeset(Slice bytes);

}  // namespace trefoil::crdt
