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

Heads HeldByWholePeers(const Peers& peers) {
  Heads held;
  for (const auto& [id, peer] : peers) {
    if (peer.part.is_whole()) JoinHeads(held, peer.applied);
  }
  return held;
}

std::string EncodePeer(const Peer& peer) {
  std::string bytes;
  AppendFixed64(bytes, static_cast<std::uint64_t>(peer.heard_micros));
  return bytes + EncodeKnown({.heads = peer.applied, .part = peer.part});
}

bool DecodePeer(Slice bytes, Peer* peer) {
  const std::optional<std::uint64_t> heard = ReadFixed64(bytes);
  if (!heard) return false;
  Result<Known> known = DecodeKnown(bytes);
  if (!known || !known->arriving.empty()) return false;
  *peer = {.heard_micros = static_cast<std::int64_t>(*heard),
           .applied = std::move(known->heads),
           .part = std::move(known->part)};
  return true;
}

}  // namespace trefoil::crdt
