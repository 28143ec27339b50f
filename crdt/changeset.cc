#include "crdt/changeset.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"

namespace trefoil::crdt {

namespace {

constexpr std::string_view kMagic = "TRFLCHG";
constexpr std::size_t kChecksumBytes = 8;
constexpr int kCompressionLevel = 1;
constexpr std::size_t kStepBytes = std::size_t{1} << 20;

Error Bad(std::size_t position, const char* what) {
  return Corruption(StrCat("changeset: byte ", position, ": ", what), "fetch the changes again");
}

struct Envelope {
  ChangesetHeader header;
  std::uint64_t count = 0;
  std::uint64_t frame_bytes = 0;
  Slice compressed;
};

Result<Envelope> OpenEnvelope(Slice all) {
  if (!all.StartsWith(kMagic)) return Bad(0, "these bytes are no changeset");
  if (all.size() < kMagic.size() + 1 + kChecksumBytes) return Bad(all.size(), "cut off");
  const unsigned char version = all[kMagic.size()];
  if (version != kChangesetVersion) {
    return MakeError(
        ErrorCode::kNewerFormat,
        StrCat("changeset: format ", int{version}, ", this release reads ", int{kChangesetVersion}),
        "update this replica");
  }
  const std::size_t body = all.size() - kChecksumBytes;
  if (Hash64(all.Prefix(body)) != LoadFixed64(all.data() + body)) {
    return Bad(body, "checksum mismatch: the bytes were cut off or damaged");
  }
  Slice rest = all.Prefix(body).Without(kMagic.size() + 1);
  const auto position = [&] { return body - rest.size(); };
  Envelope envelope;
  if (!TakeSite(rest, &envelope.header.sender)) return Bad(position(), "no sender");
  const std::optional<Slice> vector = ReadLengthPrefixed(rest);
  if (!vector) return Bad(position(), "no version vector");
  Result<Heads> heads = DecodeHeads(*vector);
  if (!heads) return std::move(heads).error();
  envelope.header.heads = *std::move(heads);
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  const std::optional<std::uint64_t> size = count ? ReadVarint(rest) : std::nullopt;
  if (!size) return Bad(position(), "no sizes");
  if (*size > kChangesetBytesMax) {
    return LimitError(StrCat("changeset: declares ", *size, " bytes, at most ", kChangesetBytesMax,
                             " are taken at once"),
                      "ask for fewer changes at a time");
  }
  if (*count > *size) return Bad(position(), "more transactions than bytes");
  envelope.count = *count;
  envelope.frame_bytes = *size;
  envelope.compressed = rest;
  return envelope;
}

// Decompresses in steps, so that memory grows with the bytes that really come.
bool Decompress(Slice from, std::uint64_t size_bytes, std::string* to) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  ZSTD_inBuffer input = {from.data(), from.size(), 0};
  std::size_t done = 0;
  std::size_t left = 1;
  while (left != 0) {
    to->resize(std::min<std::size_t>(done + kStepBytes, size_bytes + 1));
    if (to->size() == done) return false;
    ZSTD_outBuffer output = {to->data() + done, to->size() - done, 0};
    const std::size_t consumed = input.pos;
    left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) || (output.pos == 0 && input.pos == consumed && left != 0)) return false;
    done += output.pos;
  }
  to->resize(done);
  return done == size_bytes && input.pos == input.size;
}

}  // namespace

std::string EncodeChangeset(const Changeset& changeset) {
  std::string out(kMagic);
  out.push_back(static_cast<char>(kChangesetVersion));
  AppendSite(out, changeset.header.sender);
  const std::string vector = EncodeHeads(changeset.header.heads);
  AppendLengthPrefixed(out, Slice(vector));
  std::string frames;
  for (const std::string& frame : changeset.frames) AppendLengthPrefixed(frames, Slice(frame));
  AppendVarint(out, changeset.frames.size());
  AppendVarint(out, frames.size());
  const std::size_t start = out.size();
  out.resize(start + ZSTD_compressBound(frames.size()));
  const std::size_t size = ZSTD_compress(out.data() + start, out.size() - start, frames.data(),
                                         frames.size(), kCompressionLevel);
  Check(!ZSTD_isError(size), "zstd compresses into a buffer of its own bound");
  out.resize(start + size);
  AppendFixed64(out, Hash64(Slice(out)));
  return out;
}

Result<Changeset> DecodeChangeset(Slice bytes) {
  Result<Envelope> envelope = OpenEnvelope(bytes);
  if (!envelope) return std::move(envelope).error();
  std::string frames;
  if (!Decompress(envelope->compressed, envelope->frame_bytes, &frames)) {
    return Bad(bytes.size() - kChecksumBytes - envelope->compressed.size(),
               "the transactions do not decompress to their size");
  }
  Changeset changeset = {.header = std::move(envelope->header)};
  Slice rest(frames);
  for (std::uint64_t i = 0; i < envelope->count; ++i) {
    const std::optional<Slice> frame = ReadLengthPrefixed(rest);
    if (!frame) return Bad(frames.size() - rest.size(), "a transaction is cut off");
    changeset.frames.push_back(frame->ToString());
  }
  if (!rest.empty()) return Bad(frames.size() - rest.size(), "bytes behind the last transaction");
  return changeset;
}

Result<ChangesetHeader> DecodeChangesetHeader(Slice bytes) {
  Result<Envelope> envelope = OpenEnvelope(bytes);
  if (!envelope) return std::move(envelope).error();
  return std::move(envelope->header);
}

}  // namespace trefoil::crdt
