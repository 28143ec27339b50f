// A database as text: what its replicas have applied, and every fact with its clocks, sorted, one
// line each, so that equal states are equal texts and a difference is a few lines. Loading it gives
// a database with the same digest. Indexes follow from the catalogue, whose rows are facts.
//
//   trefoil dump 1
//   [part <its bytes in hex>]                                of a replica of a part (schema/part.h)
//   site <18 bytes in hex> <head> <time of its transaction>  ascending; numbered from 0
//   fact <key in hex> <time>.<site> <causal length> <mark> <state in hex> <KIND> <text>
//
// mark: "r" retracted, "-" not; "-" for no state. The state is that of a stored cell, with sites by
// their number here. The text is what CAST AS TEXT gives, with \\, \n and \r escaped; a value whose
// text does not read back stands as "payload" and hex.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crdt/merge.h"
#include "crdt/site.h"
#include "crdt/state_changeset.h"
#include "crdt/version_vector.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::db {

struct DumpedFact {
  std::string key;
  crdt::FactState state;
};

// What a dump holds; ordinals in states are those of `sites`.
struct DumpedState {
  schema::Part part;
  crdt::Heads heads;
  crdt::HeadTimes times;  // of the heads
  crdt::SiteTable sites;
  std::vector<DumpedFact> facts;  // by key
};

// Writes a dump fact by fact.
class DumpWriter {
 public:
  // `known`: the heads and the part. `times`: of the heads; one that is missing is 0. `sites`: what
  // the ordinals of the facts mean.
  DumpWriter(const crdt::Known& known, const crdt::HeadTimes& times, const crdt::SiteTable& sites);

  void Add(Slice key, crdt::FactState state);
  std::string Finish() { return std::move(text_); }

 private:
  crdt::SiteTable numbers_;                     // the sites as the dump numbers them
  std::vector<schema::SiteOrdinal> number_of_;  // of each ordinal
  std::string text_;
};

// Error: kCorruption with the line.
Result<DumpedState> ParseDump(std::string_view text);

}  // namespace trefoil::db
