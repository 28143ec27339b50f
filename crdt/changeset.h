// A changeset carries whole transactions from one replica to another, in an order in which each
// follows what it depends on. Any transport will do, a file included.
//
//   envelope (envelope.h) around: each frame, or piece of one (pieces.h), length first
//
// A frame of a known transaction costs its head only: Merge looks at the head before the body.
#pragma once

#include <string>
#include <vector>

#include "crdt/envelope.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

struct Changeset {
  ChangesetHeader header;
  std::vector<std::string> frames = {};  // or pieces; encoded, not yet looked into
};

std::string EncodeChangeset(const Changeset& changeset);

// Errors: those of OpenEnvelope and OpenBody; kCorruption with the position.
Result<Changeset> DecodeChangeset(Slice bytes);
// The header alone, of a state, too; the checksum is verified, the body is not looked at.
Result<ChangesetHeader> DecodeChangesetHeader(Slice bytes);

}  // namespace trefoil::crdt
