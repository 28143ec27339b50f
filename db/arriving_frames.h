// ArrivingFrames: transactions of other replicas that come in pieces (crdt/pieces.h) and are not
// whole yet. Of each the first bytes are stored, without gaps; what else comes is passed over and
// asked for again. A value: the commit that stores pieces replaces it.
//
//   Q site, sequence, offset -> bytes of the frame varint | bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crdt/pieces.h"
#include "crdt/version_vector.h"
#include "db/overlay_view.h"
#include "db/read_view.h"
#include "lsm/store.h"
#include "trefoil/result.h"

namespace trefoil::db {

// What one changeset brings of a frame, behind the bytes that are stored.
struct NewPieces {
  std::uint64_t frame_bytes = 0;
  std::uint64_t start = 0;  // as many are stored
  std::string bytes = {};

  bool is_whole() const { return start + bytes.size() == frame_bytes; }
};
using NewPiecesByDot = std::map<crdt::Dot, NewPieces>;

class ArrivingFrames {
 public:
  // Of all transactions together; pieces beyond it are not stored.
  static constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 30;

  // What `view` holds. Error: kCorruption.
  static Result<ArrivingFrames> Read(const ReadView& view);

  // Of transactions beyond `heads`; what came another way is dropped by the next Put.
  crdt::Arriving Progress(const crdt::Heads& heads) const;

  // Notes a piece in `news`. Error kCorruption: another piece gave the transaction another size.
  Status Add(const crdt::Piece& piece, NewPiecesByDot* news) const;
  // The frame that is whole with `news`. Its bytes are not looked at. Error: kCorruption.
  static Result<std::string> Join(const ReadView& view, const crdt::Dot& dot,
                                  const NewPieces& news);

  // Stores `news`, and drops what is whole, within `heads`, or of another size than what came last.
  void Put(const NewPiecesByDot& news, const crdt::Heads& heads, WriteSet& writes,
           std::vector<lsm::KeyRange>* dropped);
  // What is stored of a transaction makes no frame: begin anew.
  void Forget(const crdt::Dot& dot) { frames_.erase(dot); }

 private:
  struct Stored {
    std::uint64_t frame_bytes = 0;
    std::uint64_t bytes = 0;
  };

  std::map<crdt::Dot, Stored> frames_;
};

}  // namespace trefoil::db
