// Stability: a transaction is stable when every other member is known to have applied it; then
// nobody will ask for it again, and its frame can leave the log. A member is whoever has written or
// was heard. One that is silent for longer than its lease is a member no more: it holds nothing
// back, and when it returns it is given the state (state_changeset.h) instead of transactions.
//
// Nothing depends on this knowledge but who is served in which way, so it may lag behind or be
// lost.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "crdt/site.h"
#include "crdt/version_vector.h"
#include "schema/part.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// A replica across its incarnations.
using ReplicaId = std::array<unsigned char, 16>;

// What is known of another replica.
struct Peer {
  std::int64_t heard_micros = 0;  // wall time here when it was last heard or first heard of
  Heads applied = {};
  schema::Part part = {};  // that it holds, as far as that is known to be more than nothing

  friend bool operator==(const Peer&, const Peer&) = default;
};
using Peers = std::map<ReplicaId, Peer>;

struct Lease {
  std::int64_t now_micros = 0;
  std::chrono::microseconds duration;
};

// What every member but `self` is known to have applied of `own`; nothing when there is no other
// replica at all. `peers` has an entry for each replica that `own` names.
Heads StableHeads(const Heads& own, const ReplicaId& self, const Peers& peers, const Lease& lease);

// What some peer is known to have applied that holds all rows. Beyond it a replica of a part
// forgets nothing, because a state of it serves nobody who needs more.
Heads HeldByWholePeers(const Peers& peers);

//   heard 8 | vector and part, as what is known (version_vector.h)
std::string EncodePeer(const Peer& peer);
bool DecodePeer(Slice bytes, Peer* peer);

}  // namespace trefoil::crdt
