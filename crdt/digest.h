// The digest of a state: SHA-256 over every fact with its clocks, in the order of keys, with sites
// by their identity instead of their local ordinal. Replicas that applied the same transactions
// have the same digest.
//
//   per fact: key, length first | merge kind 1 | retracted 1 | causal length varint | time 8 | site
//   | value kind 1, payload | COUNTER: shards | MV, SET: alternatives, counted
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "crdt/merge.h"
#include "crdt/site.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// One thread at a time. The table outlives it.
class StateHasher {
 public:
  explicit StateHasher(const SiteTable& sites);
  ~StateHasher();

  // Facts come in the order of their keys.
  void Add(Slice key, const FactState& state);
  // Ends the hashing.
  std::array<std::uint8_t, 32> Finish();

 private:
  struct Sha;

  const SiteTable& sites_;
  std::unique_ptr<Sha> sha_;
};

}  // namespace trefoil::crdt
