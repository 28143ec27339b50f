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

Result<Heads> DecodeHeads(Slice bytes) {
  Heads heads;
  Slice rest = bytes;
  if (rest.empty()) return heads;
  const std::optional<std::uint64_t> count = ReadVarint(rest);
  if (!count) return BadByte(bytes, rest, "no count");
  if (*count == 0) return BadByte(bytes, bytes, "an empty vector has no bytes");
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
  if (!rest.empty()) return BadByte(bytes, rest, "bytes behind the end");
  return heads;
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

}  // namespace trefoil::crdt
