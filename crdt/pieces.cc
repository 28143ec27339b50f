#include "crdt/pieces.h"

#include <optional>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/envelope.h"

namespace trefoil::crdt {

namespace {

constexpr char kPieceMark = 0;

Error BadPiece(const char* what) {
  return Corruption(StrCat("piece of a transaction: ", what), "fetch the changes again");
}

}  // namespace

bool IsPiece(Slice item) { return !item.empty() && item[0] == kPieceMark; }

std::string EncodePiece(const Piece& piece) {
  std::string out(1, kPieceMark);
  AppendSite(out, piece.dot.site);
  AppendVarint(out, piece.dot.sequence);
  AppendVarint(out, piece.frame_bytes);
  AppendVarint(out, piece.offset);
  out.append(piece.bytes.view());
  return out;
}

Result<Piece> DecodePiece(Slice item) {
  Piece piece;
  if (!IsPiece(item)) return BadPiece("these bytes are none");
  item.RemovePrefix(1);
  if (!TakeSite(item, &piece.dot.site)) return BadPiece("no site");
  const auto number = [&](std::uint64_t* to) {
    const std::optional<std::uint64_t> read = ReadVarint(item);
    *to = read.value_or(0);
    return read.has_value();
  };
  if (!number(&piece.dot.sequence) || piece.dot.sequence == 0) return BadPiece("no sequence");
  if (!number(&piece.frame_bytes) || !number(&piece.offset)) return BadPiece("no place");
  if (piece.frame_bytes > kChangesetBytesMax) {
    return LimitError(StrCat("piece of a transaction: declares ", piece.frame_bytes,
                             " bytes, at most ", kChangesetBytesMax, " are taken"));
  }
  if (item.empty() || item.size() > piece.frame_bytes ||
      piece.offset > piece.frame_bytes - item.size()) {
    return BadPiece("it does not lie within its transaction");
  }
  piece.bytes = item;
  return piece;
}

}  // namespace trefoil::crdt
