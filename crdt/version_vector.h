// A version vector says what a replica has applied: of each site the transactions 1..head. Those
// that arrive early wait until they join their head, so a vector never has holes.
//
//   vector  count varint | per site, ascending: site 18 | head varint
//   known   vector [| count varint | per transaction, ascending: site 18 | sequence varint
//           | bytes varint [| part]], the second part where transactions are arriving in pieces
//           (pieces.h), or where a part follows
//
// The vector of a replica of a part (schema/part.h) says what it has applied as far as it is of its
// part, so the part stands with it wherever it goes.
//
// I1 Sites ascend and heads are positive, so equal vectors have equal bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "crdt/site.h"
#include "schema/part.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// Heads by site; a site without a head is absent.
using Heads = std::map<SiteId, std::uint64_t>;

// How many bytes are there of transactions that arrive in pieces.
using Arriving = std::map<Dot, std::uint64_t>;

// What a replica has and need not be sent.
struct Known {
  Heads heads = {};
  Arriving arriving = {};  // of transactions beyond the heads
  schema::Part part = {};  // that it holds, and needs to be sent

  friend bool operator==(const Known&, const Known&) = default;
};

// No bytes for no heads.
std::string EncodeHeads(const Heads& heads);

// Error kCorruption names the position of the first bad byte.
Result<Heads> DecodeHeads(Slice bytes);

// No bytes for nothing.
std::string EncodeKnown(const Known& known);
// Error kCorruption names the position of the first bad byte.
Result<Known> DecodeKnown(Slice bytes);

std::uint64_t HeadOf(const Heads& heads, const SiteId& site);
// True when `heads` holds everything that `needed` names.
bool Covers(const Heads& heads, const Heads& needed);
// The entry-wise greater of both.
void JoinHeads(Heads& heads, const Heads& other);
// The greater of both, of the part of `known`; what the heads cover is arriving no more.
void JoinKnown(Known& known, const Known& other);

}  // namespace trefoil::crdt
