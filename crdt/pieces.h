// A transaction that is too large for one message travels in pieces of its frame, which the
// receiver puts aside until it has all of them; then it is a transaction like any other.
//
//   piece = 0 | site 18 | sequence varint | bytes of the frame varint | offset varint | bytes
//
// Pieces stand where frames stand in a changeset; no frame begins with 0. A receiver holds the
// first bytes of a frame without gaps, so one number says how far it has come (Arriving). The
// checksum of the frame is that of the pieces together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "crdt/site.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::crdt {

// Frames beyond this size are always cut.
inline constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

struct Piece {
  Dot dot;
  std::uint64_t frame_bytes = 0;
  std::uint64_t offset = 0;
  Slice bytes = {};  // borrows
};

bool IsPiece(Slice item);
std::string EncodePiece(const Piece& piece);
// Errors: kCorruption; kLimit when the frame is larger than kChangesetBytesMax.
Result<Piece> DecodePiece(Slice item);

}  // namespace trefoil::crdt
