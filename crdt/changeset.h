// A changeset carries whole transactions from one replica to another, in an order in which each
// follows what it depends on. Any transport will do, a file included.
//
//   "TRFLCHG" 7 | version 1 | sender 18 | vector of the sender, length first | count of frames
//   varint | bytes of the frames varint | zstd of: each frame, length first | XXH3-64 of all that
//   is before
//
// A frame of a known transaction costs its head only: Merge looks at the head before the body.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crdt/log_frame.h"
#include "crdt/site.h"
#include "crdt/version_vector.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

inline constexpr unsigned char kChangesetVersion = 1;
// Frames of one changeset, decompressed.
inline constexpr std::uint64_t kChangesetBytesMax = std::uint64_t{1} << 30;

struct ChangesetHeader {
  SiteId sender;
  Heads heads = {};  // what the sender has applied
};

struct Changeset {
  ChangesetHeader header;
  std::vector<std::string> frames = {};  // encoded, not yet looked into
};

std::string EncodeChangeset(const Changeset& changeset);

// Errors: kCorruption with the position, kNewerFormat, kLimit when it declares more than
// kChangesetBytesMax.
Result<Changeset> DecodeChangeset(Slice bytes);
// The header alone; the checksum is verified, the frames are not looked at.
Result<ChangesetHeader> DecodeChangesetHeader(Slice bytes);

}  // namespace trefoil::crdt
