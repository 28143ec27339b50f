#include "crdt/envelope.h"

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

constexpr std::string_view kFramesMagic = "TRFLCHG";
constexpr std::string_view kStateMagic = "TRFLSTA";
constexpr unsigned char kWholeVersion = 1;
constexpr unsigned char kPartVersion = 2;
constexpr std::size_t kChecksumBytes = 8;
constexpr int kCompressionLevel = 1;
constexpr std::size_t kStepBytes = std::size_t{1} << 20;

std::string_view MagicOf(BodyKind kind) {
  return kind == BodyKind::kState ? kStateMagic : kFramesMagic;
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

Error BadChangeset(std::size_t position, std::string_view what) {
  return Corruption(StrCat("changeset: byte ", position, ": ", what), "fetch the changes again");
}

bool HoldsState(Slice bytes) { return bytes.StartsWith(kStateMagic); }

Result<Envelope> OpenEnvelope(Slice bytes) {
  Envelope envelope;
  if (HoldsState(bytes)) {
    envelope.kind = BodyKind::kState;
  } else if (!bytes.StartsWith(kFramesMagic)) {
    return BadChangeset(0, "these bytes are no changeset");
  }
  const std::size_t magic_bytes = MagicOf(envelope.kind).size();
  if (bytes.size() < magic_bytes + 1 + kChecksumBytes) return BadChangeset(bytes.size(), "cut off");
  const unsigned char version = bytes[magic_bytes];
  if (version != kWholeVersion && version != kPartVersion) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat("changeset: format ", int{version}, ", this release reads ",
                            int{kWholeVersion}, " and ", int{kPartVersion}),
                     "update this replica");
  }
  const std::size_t body = bytes.size() - kChecksumBytes;
  if (Hash64(bytes.Prefix(body)) != LoadFixed64(bytes.data() + body)) {
    return BadChangeset(body, "checksum mismatch: the bytes were cut off or damaged");
  }
  Slice rest = bytes.Prefix(body).Without(magic_bytes + 1);
  const auto position = [&] { return body - rest.size(); };
  if (!TakeSite(rest, &envelope.header.sender)) return BadChangeset(position(), "no sender");
  const std::optional<Slice> vector = ReadLengthPrefixed(rest);
  if (!vector) return BadChangeset(position(), "no version vector");
  Result<Known> known = DecodeKnown(*vector);
  if (!known) return std::move(known).error();
  envelope.header.heads = std::move(known->heads);
  envelope.header.arriving = std::move(known->arriving);
  envelope.header.part = std::move(known->part);
  if (version == kPartVersion) {
    const std::optional<Slice> part = ReadLengthPrefixed(rest);
    if (!part) return BadChangeset(position(), "no part");
    Result<schema::Part> decoded = schema::DecodePart(*part);
    if (!decoded) return std::move(decoded).error();
    envelope.header.body = *std::move(decoded);
  }
  const bool is_whole = envelope.header.part.is_whole() && envelope.header.body.is_whole();
  if (is_whole != (version == kWholeVersion)) {
    return BadChangeset(magic_bytes, "the version does not say whether it is of a part");
  }
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  const std::optional<std::uint64_t> size = count ? ReadVarint(rest) : std::nullopt;
  if (!size) return BadChangeset(position(), "no sizes");
  if (*size > kChangesetBytesMax) {
    return LimitError(StrCat("changeset: declares ", *size, " bytes, at most ", kChangesetBytesMax,
                             " are taken at once"),
                      "ask for fewer changes at a time");
  }
  if (*count > *size) return BadChangeset(position(), "more transactions than bytes");
  envelope.count = *count;
  envelope.body_bytes = *size;
  envelope.compressed = rest;
  envelope.compressed_at = position();
  return envelope;
}

Result<std::string> OpenBody(const Envelope& envelope) {
  std::string body;
  if (!Decompress(envelope.compressed, envelope.body_bytes, &body)) {
    return BadChangeset(envelope.compressed_at, "the body does not decompress to its size");
  }
  return body;
}

std::string SealEnvelope(BodyKind kind, const ChangesetHeader& header, std::uint64_t count,
                         Slice body) {
  std::string out(MagicOf(kind));
  const bool is_whole = header.part.is_whole() && header.body.is_whole();
  out.push_back(static_cast<char>(is_whole ? kWholeVersion : kPartVersion));
  AppendSite(out, header.sender);
  const std::string vector = EncodeKnown(header.known());
  AppendLengthPrefixed(out, Slice(vector));
  if (!is_whole) {
    const std::string body_part = schema::EncodePart(header.body);
    AppendLengthPrefixed(out, Slice(body_part));
  }
  AppendVarint(out, count);
  AppendVarint(out, body.size());
  const std::size_t start = out.size();
  out.resize(start + ZSTD_compressBound(body.size()));
  const std::size_t size = ZSTD_compress(out.data() + start, out.size() - start, body.data(),
                                         body.size(), kCompressionLevel);
  Check(!ZSTD_isError(size), "zstd compresses into a buffer of its own bound");
  out.resize(start + size);
  AppendFixed64(out, Hash64(Slice(out)));
  return out;
}

}  // namespace trefoil::crdt
