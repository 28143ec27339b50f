// The digest of a state: SHA-256 over every fact with its clocks, in the order of keys, with sites
// by their identity instead of their local ordinal. Replicas that applied the same transactions
// have the same digest.
//
//   of a part: 0, then the part (schema/part.h), length first
//   per fact: key, length first | merge kind 1 | retracted 1 | causal length varint | time 8 | site
//   | value kind 1, payload | COUNTER: shards | MV, SET: alternatives, counted
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "crdt/merge.h"
#include "crdt/site.h"
#include "schema/part.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// One thread at a time. The table and the part outlive it.
class StateHasher {
 public:
  StateHasher(const SiteTable& sites, const schema::Part& part);
  ~StateHasher();

  // Facts come in the order of their keys; those beyond the part are passed over.
  void Add(Slice key, const FactState& state);
  // Ends the hashing.
  std::array<std::uint8_t, 32> Finish();

 private:
  struct Sha;

  void Update(const std::string& bytes);

  const SiteTable& sites_;
  const schema::Part& part_;
  std::unique_ptr<Sha> sha_;
};

}  // namespace trefoil::crdt
