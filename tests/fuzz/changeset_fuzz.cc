// Any bytes: as a version vector, what a replica knows, a part, or a piece of a transaction they
// decode canonically or not at all; as a changeset or a state, given its magic and a right
// checksum, they decode within bounds or not at all.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"
#include "crdt/changeset.h"
#include "crdt/pieces.h"
#include "crdt/state_changeset.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  const Slice input(reinterpret_cast<const char*>(data), size);
  const Result<crdt::Heads> heads = crdt::DecodeHeads(input);
  if (heads && !input.empty()) {
    const std::string encoded = crdt::EncodeHeads(*heads);
    Check(Slice(encoded) == input, "a vector decodes canonically");
  }
  const Result<crdt::Known> known = crdt::DecodeKnown(input);
  if (known) {
    const std::string encoded = crdt::EncodeKnown(*known);
    Check(Slice(encoded) == input, "what is known decodes canonically");
  }
  const Result<schema::Part> part = schema::DecodePart(input);
  if (part) {
    const std::string encoded = schema::EncodePart(*part);
    Check(Slice(encoded) == input, "a part decodes canonically");
    Check(part->Covers(*part) && schema::Part().Covers(*part), "a part holds itself");
  }
  const Result<crdt::Piece> piece = crdt::DecodePiece(input);
  if (piece) {
    const std::string encoded = crdt::EncodePiece(*piece);
    Check(Slice(encoded) == input, "a piece decodes canonically");
    Check(piece->offset + piece->bytes.size() <= piece->frame_bytes, "a piece lies within");
  }
  for (const char version : {'\x01', '\x02'}) {
    std::string bytes = "TRFLCHG" + (version + input.ToString());
    AppendFixed64(bytes, Hash64(Slice(bytes)));
    const Result<crdt::Changeset> changeset = crdt::DecodeChangeset(Slice(bytes));
    if (changeset) Check(crdt::DecodeChangesetHeader(Slice(bytes)).has_value(), "it has a header");
  }
  // The rest of the input is the body of a state of two sites.
  crdt::ChangesetHeader header;
  header.heads[{.uuid = {1}, .incarnation = 0}] = 1;
  header.heads[{.uuid = {2}, .incarnation = 0}] = 1;
  for (std::uint64_t count = 0; count < 4; ++count) {
    const std::string state = crdt::SealEnvelope(crdt::BodyKind::kState, header, count, input);
    const Result<crdt::StateChangeset> decoded = crdt::DecodeStateChangeset(Slice(state));
    if (decoded) Check(decoded->facts.size() == count, "a state has the facts that it declares");
  }
  return 0;
}
