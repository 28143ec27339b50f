// What of transactions and states belongs to a part (schema/part.h). A cut frame says how many
// writes are left out and the checksum of the whole transaction; so it is never taken for the
// whole, and is known as the same transaction.
//
// I1 Cutting to one part and then to another is cutting to both; whoever cuts, the bytes are the
// same. I2 A frame of which nothing is left out keeps its bytes.
//
// Moves of an ACYCLIC column belong to parts that hold the whole table only, because moves of other
// rows decide what is seen of them.
#pragma once

#include <string>

#include "crdt/log_frame.h"
#include "crdt/state_changeset.h"
#include "schema/part.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

using schema::Part;

// `key` is the key of a fact.
bool HoldsFact(const Part& part, Slice key, MergeKind kind);

// Leaves in a frame, whose encoding is `bytes`, what the part holds.
void CutFrame(const Part& part, Frame* frame, std::string* bytes);
// Of encoded bytes. Errors: as DecodeFrame.
Result<std::string> CutFrame(const Part& part, Slice bytes);
void CutState(const Part& part, StateChangeset* changeset);

// Whether two frames are one transaction, each perhaps cut. `a` and `b` are decodable.
bool AreOneTransaction(Slice a, Slice b);

}  // namespace trefoil::crdt
