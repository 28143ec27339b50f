#include "crdt/stability.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/coding.h"

namespace trefoil::crdt {

Heads StableHeads(const Heads& own, const ReplicaId& self, const Peers& peers, const Lease& lease) {
  Heads stable = own;
  bool alone = true;
  for (const auto& [id, peer] : peers) {
    if (id == self) continue;
    alone = false;
    if (lease.now_micros - peer.heard_micros > lease.duration.count()) continue;
    for (auto& [site, head] : stable) head = std::min(head, HeadOf(peer.applied, site));
  }
  if (alone) return {};
  std::erase_if(stable, [](const auto& entry) { return entry.second == 0; });
  return stable;
}

std::string EncodePeer(const Peer& peer) {
  std::string bytes;
  AppendFixed64(bytes, static_cast<std::uint64_t>(peer.heard_micros));
  return bytes + EncodeHeads(peer.applied);
}

bool DecodePeer(Slice bytes, Peer* peer) {
  const std::optional<std::uint64_t> heard = ReadFixed64(bytes);
  if (!heard) return false;
  Result<Heads> applied = DecodeHeads(bytes);
  if (!applied) return false;
  *peer = {.heard_micros = static_cast<std::int64_t>(*heard), .applied = *std::move(applied)};
  return true;
}

}  // namespace trefoil::crdt
