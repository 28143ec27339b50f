#include "crdt/version_vector.h"

#include <algorithm>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::crdt {

namespace {

Error BadByte(Slice all, Slice rest, const char* what) {
  return Corruption(
      StrCat("version vector: byte ", all.size() - rest.size(), ": ", what),
      "take the vector from Database::version_vector, or the changeset from `trefoil changes`");
}

}  // namespace

std::string EncodeHeads(const Heads& heads) {
  std::string out;
  if (heads.empty()) return out;
  AppendVarint(out, heads.size());
  for (const auto& [site, head] : heads) {
    Check(head > 0, "a site in a version vector has a transaction");
    AppendSite(out, site);
    AppendVarint(out, head);
  }
  return out;
}

namespace {

// Takes the vector from the front of `rest`, which ends `bytes`.
Result<Heads> TakeHeads(Slice bytes, Slice& rest) {
  Heads heads;
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  if (!count) return BadByte(bytes, rest, "no count");
  for (std::uint64_t i = 0; i < *count; ++i) {
    const Slice entry = rest;
    SiteId site;
    if (!TakeSite(rest, &site)) return BadByte(bytes, entry, "a site is cut off");
    if (!heads.empty() && site <= heads.rbegin()->first) {
      return BadByte(bytes, entry, "sites do not ascend");
    }
    const std::optional<std::uint64_t> head = ReadVarint(rest);
    if (!head || *head == 0) return BadByte(bytes, rest, "no head");
    heads.emplace_hint(heads.end(), site, *head);
  }
  return heads;
}

Result<Arriving> TakeArriving(Slice bytes, const Heads& heads, Slice& rest) {
  Arriving arriving;
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  if (!count) return BadByte(bytes, rest, "no count of what is arriving");
  for (std::uint64_t i = 0; i < *count; ++i) {
    const Slice entry = rest;
    Dot dot;
    if (!TakeSite(rest, &dot.site)) return BadByte(bytes, entry, "a site is cut off");
    const std::optional<std::uint64_t> sequence = ReadVarint(rest);
    dot.sequence = sequence.value_or(0);
    if (dot.sequence <= HeadOf(heads, dot.site)) return BadByte(bytes, entry, "it has arrived");
    if (!arriving.empty() && dot <= arriving.rbegin()->first) {
      return BadByte(bytes, entry, "transactions do not ascend");
    }
    const std::optional<std::uint64_t> size = ReadVarint(rest);
    if (!size || *size == 0) return BadByte(bytes, rest, "nothing has arrived");
    arriving.emplace_hint(arriving.end(), dot, *size);
  }
  return arriving;
}

}  // namespace

Result<Heads> DecodeHeads(Slice bytes) {
  Slice rest = bytes;
  if (rest.empty()) return Heads();
  Result<Heads> heads = TakeHeads(bytes, rest);
  if (heads && heads->empty()) return BadByte(bytes, bytes, "an empty vector has no bytes");
  if (heads && !rest.empty()) return BadByte(bytes, rest, "bytes behind the end");
  return heads;
}

std::string EncodeKnown(const Known& known) {
  std::string out = EncodeHeads(known.heads);
  if (known.arriving.empty() && known.part.is_whole()) return out;
  if (known.heads.empty()) AppendVarint(out, 0);
  AppendVarint(out, known.arriving.size());
  for (const auto& [dot, bytes] : known.arriving) {
    AppendSite(out, dot.site);
    AppendVarint(out, dot.sequence);
    AppendVarint(out, bytes);
  }
  return out + schema::EncodePart(known.part);
}

Result<Known> DecodeKnown(Slice bytes) {
  Known known;
  Slice rest = bytes;
  if (rest.empty()) return known;
  Result<Heads> heads = TakeHeads(bytes, rest);
  if (!heads) return std::move(heads).error();
  known.heads = *std::move(heads);
  if (rest.empty()) {
    if (known.heads.empty()) return BadByte(bytes, bytes, "an empty vector has no bytes");
    return known;
  }
  Result<Arriving> arriving = TakeArriving(bytes, known.heads, rest);
  if (!arriving) return std::move(arriving).error();
  known.arriving = *std::move(arriving);
  if (rest.empty() && known.arriving.empty()) return BadByte(bytes, rest, "nothing is arriving");
  Result<schema::Part> part = schema::DecodePart(rest);
  if (!part) return std::move(part).error();
  known.part = *std::move(part);
  return known;
}

std::uint64_t HeadOf(const Heads& heads, const SiteId& site) {
  const auto found = heads.find(site);
  return found == heads.end() ? 0 : found->second;
}

bool Covers(const Heads& heads, const Heads& needed) {
  return std::ranges::all_of(
      needed, [&](const auto& entry) { return HeadOf(heads, entry.first) >= entry.second; });
}

void JoinHeads(Heads& heads, const Heads& other) {
  for (const auto& [site, head] : other) {
    std::uint64_t& own = heads[site];
    own = std::max(own, head);
  }
}

void JoinKnown(Known& known, const Known& other) {
  JoinHeads(known.heads, other.heads);
  for (const auto& [dot, bytes] : other.arriving) {
    std::uint64_t& own = known.arriving[dot];
    own = std::max(own, bytes);
  }
  std::erase_if(known.arriving, [&](const auto& entry) {
    return entry.first.sequence <= HeadOf(known.heads, entry.first.site);
  });
}

}  // namespace trefoil::crdt
