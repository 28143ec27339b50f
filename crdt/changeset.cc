#include "crdt/changeset.h"

#include <optional>

#include "base/coding.h"

namespace trefoil::crdt {

std::string EncodeChangeset(const Changeset& changeset) {
  std::string frames;
  for (const std::string& frame : changeset.frames) AppendLengthPrefixed(frames, Slice(frame));
  return SealEnvelope(BodyKind::kFrames, changeset.header, changeset.frames.size(), Slice(frames));
}

Result<Changeset> DecodeChangeset(Slice bytes) {
  Result<Envelope> envelope = OpenEnvelope(bytes);
  if (!envelope) return std::move(envelope).error();
  if (envelope->kind != BodyKind::kFrames) {
    return BadChangeset(0, "a state, where transactions are expected");
  }
  const Result<std::string> frames = OpenBody(*envelope);
  if (!frames) return frames.error();
  Changeset changeset = {.header = std::move(envelope->header)};
  Slice rest(*frames);
  for (std::uint64_t i = 0; i < envelope->count; ++i) {
    const std::optional<Slice> frame = ReadLengthPrefixed(rest);
    if (!frame) return BadChangeset(frames->size() - rest.size(), "a transaction is cut off");
    changeset.frames.push_back(frame->ToString());
  }
  if (!rest.empty()) {
    return BadChangeset(frames->size() - rest.size(), "bytes behind the last transaction");
  }
  return changeset;
}

Result<ChangesetHeader> DecodeChangesetHeader(Slice bytes) {
  Result<Envelope> envelope = OpenEnvelope(bytes);
  if (!envelope) return std::move(envelope).error();
  return std::move(envelope->header);
}

}  // namespace trefoil::crdt
