// A log frame is one transaction as canonical bytes: who wrote it, when, after what, and its writes
// by column. It is what the log keeps, what travels, and what is relayed unchanged, so the same
// transaction is the same bytes everywhere.
//
//   version 1 | site 18 | sequence varint | time 8 | deps | [cut |] sites | extra | groups |
//   XXH3-64 version 1: the whole transaction; 2: what a part of the database holds of it (cut.h)
//   cut     of version 2: how many writes are left out varint, checksum of the whole 8
//   deps    count, then (site 18, head varint), as a version vector: what of other sites is new
//           since this site's transaction before
//   sites   count, then 18 bytes each, ascending: those that `observed` stamps name
//   extra   varint length and bytes that this version skips
//   groups  count, then each: type, attribute varint | merge kind 1 | flags 1 | value kind 1
//           | number of writes varint, if the subjects are not those of the group before
//           | subjects: shared with the one before, varint, and the rest with its length
//           | elements of a SET, causal lengths, retraction bits, each if flagged
//           | values, or totals of a COUNTER, of the writes that retract nothing
//           | observed stamps: count, then (place in sites varint, time 8)
//   flags   1 same subjects | 2 elements | 4 causal lengths | 8 retractions | 16 each value with
//   its
//           kind before it | 32 observed
//
// I1 Writes ascend by (type, attribute, subject, element), each once. I2 A frame of n bytes holds
// at most 8 n writes, so memory for a decoded frame is bounded by its size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crdt/merge.h"
#include "crdt/site.h"
#include "crdt/version_vector.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::crdt {

inline constexpr unsigned char kFrameVersion = 1;
inline constexpr unsigned char kCutFrameVersion = 2;

// What a group says of its writes.
enum GroupFlag : unsigned char {
  kSameSubjects = 1,
  kElements = 2,
  kLengths = 4,
  kRetractions = 8,
  kMixedKinds = 16,
  kObserved = 32,
  kKnownFlags = 63,
};

// One write: of which fact, and what.
struct FrameOp {
  TypeId type{};
  AttributeId attribute{};
  std::string subject;
  std::string element;  // encoded element of a SET; else empty
  FactOp op = {};       // sites of observed stamps are places in Frame::sites

  friend bool operator==(const FrameOp&, const FrameOp&) = default;
};

// What a frame lacks of its transaction.
struct Cut {
  std::uint64_t left_out = 0;   // writes
  std::uint64_t whole_sum = 0;  // checksum of the whole frame, if any are left out

  bool is_cut() const { return left_out != 0; }
  friend bool operator==(const Cut&, const Cut&) = default;
};

struct Frame {
  Dot dot;
  std::uint64_t time = 0;
  Heads deps = {};
  Cut cut = {};
  std::vector<SiteId> sites = {};  // ascending
  std::vector<FrameOp> ops = {};   // ascending

  friend bool operator==(const Frame&, const Frame&) = default;
};

// The inverse of DecodeFrame. Who has no Frame at hand writes one with a FrameWriter.
std::string EncodeFrame(const Frame& frame);

// Takes one whole frame, checksum included. Errors: kCorruption with the position, kNewerFormat.
Result<Frame> DecodeFrame(Slice bytes);

// The head of a frame alone, from bytes that were verified before.
struct FrameHead {
  Dot dot;
  std::uint64_t time = 0;
  Heads deps = {};
  Cut cut = {};
};
Result<FrameHead> DecodeFrameHead(Slice bytes);
// Of the bytes of a frame, or of its first ones, as far as they say so.
bool IsCutFrame(Slice bytes);
// The checksum that ends a frame.
std::uint64_t ChecksumOf(Slice frame);

}  // namespace trefoil::crdt
