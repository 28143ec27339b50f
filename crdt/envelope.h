// The outside of everything that replicas exchange: who sends it, what the sender has applied, and
// a compressed body under one checksum.
//
//   magic 7 | version 1 | sender 18 | what the sender knows (version_vector.h), length first |
//   [the part that the body holds (schema/part.h), length first |] count of things in the body
//   varint | bytes of the body varint | zstd of the body | XXH3-64 of all that is before version 1:
//   sender and body are of whole databases; 2: the part of the body stands there
//
// I1 No memory is taken for a declared size before bytes have come that fill it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/site.h"
#include "crdt/version_vector.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// Of one body, decompressed.
inline constexpr std::uint64_t kChangesetBytesMax = std::uint64_t{1} << 30;

struct ChangesetHeader {
  SiteId sender;
  Heads heads = {};        // what the sender has applied
  Arriving arriving = {};  // and what it has of transactions that come in pieces
  schema::Part part = {};  // the part that the sender holds
  schema::Part body = {};  // what cut transactions and facts in the body are cut to

  Known known() const { return {.heads = heads, .arriving = arriving, .part = part}; }
};

// What the body holds: transactions (changeset.h), or a state (state_changeset.h).
enum class BodyKind : std::uint8_t { kFrames, kState };

struct Envelope {
  BodyKind kind = BodyKind::kFrames;
  ChangesetHeader header;
  std::uint64_t count = 0;
  std::uint64_t body_bytes = 0;
  Slice compressed = {};          // borrows
  std::size_t compressed_at = 0;  // its position
};

// Whether the bytes begin as those of a state.
bool HoldsState(Slice bytes);
// Verifies the checksum; does not look at the body. Errors: kCorruption with the position,
// kNewerFormat, kLimit when it declares more than kChangesetBytesMax.
Result<Envelope> OpenEnvelope(Slice bytes);
// The body. Error: kCorruption with the position.
Result<std::string> OpenBody(const Envelope& envelope);

std::string SealEnvelope(BodyKind kind, const ChangesetHeader& header, std::uint64_t count,
                         Slice body);

// The error for a byte that does not read.
Error BadChangeset(std::size_t position, std::string_view what);

}  // namespace trefoil::crdt
