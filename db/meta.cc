#include "db/meta.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/env.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// The entry's bytes, or empty bytes when there is none; anything but `size_bytes` is corrupt.
Result<std::string> ReadEntry(const ReadView& view, const char* name, std::size_t size_bytes) {
  const std::string key = schema::MetaKey(name);
  Result<std::optional<std::string>> value = view.Get(Slice(key));
  if (!value) return std::move(value).error();
  if (!*value) return std::string();
  if ((*value)->size() == size_bytes) return **std::move(value);
  return Corruption(StrCat("the database's own entry \"", name, "\" has ", (*value)->size(),
                           " bytes, not ", size_bytes),
                    "run `trefoil check`");
}

}  // namespace

std::string EncodeFormat(std::uint32_t format) {
  std::string bytes;
  AppendFixed32(bytes, format);
  return bytes;
}

std::string EncodeSite(const SiteIdentity& site) {
  std::string bytes(site.id.data(), site.id.size());
  AppendFixed16(bytes, site.incarnation);
  return bytes;
}

std::string EncodeTime(std::uint64_t time) {
  std::string bytes;
  AppendFixed64(bytes, time);
  return bytes;
}

Result<Meta> ReadMetaFrom(const ReadView& view) {
  Meta meta;
  Result<std::string> format = ReadEntry(view, kMetaFormat, 4);
  if (!format) return std::move(format).error();
  if (!format->empty()) meta.format = LoadFixed32(format->data());
  const std::string part_key = schema::MetaKey(kMetaPart);
  Result<std::optional<std::string>> part_bytes = view.Get(Slice(part_key));
  if (!part_bytes) return std::move(part_bytes).error();
  const std::string encoded_part = part_bytes->value_or("");
  Result<schema::Part> part = schema::DecodePart(Slice(encoded_part));
  if (!part) return std::move(part).error();
  meta.part = *std::move(part);
  Result<std::string> site = ReadEntry(view, kMetaSite, meta.site.id.size() + 2);
  if (!site) return std::move(site).error();
  if (!site->empty()) {
    site->copy(meta.site.id.data(), meta.site.id.size());
    meta.site.incarnation = LoadFixed16(site->data() + meta.site.id.size());
  }
  Result<std::string> home = ReadEntry(view, kMetaHome, Env::kIdentityBytes);
  if (!home) return std::move(home).error();
  meta.home = *std::move(home);
  Result<std::string> clock = ReadEntry(view, kMetaClock, 8);
  if (!clock) return std::move(clock).error();
  if (!clock->empty()) meta.reserved_time = LoadFixed64(clock->data());
  return meta;
}

Result<crdt::Peers> ReadPeers(const ReadView& view) {
  const std::string prefix = schema::MetaKey(kMetaPeer);
  const std::unique_ptr<lsm::Iterator> entries =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  crdt::Peers peers;
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    const Slice id = entries->key().Without(prefix.size());
    crdt::ReplicaId replica;
    crdt::Peer peer;
    if (id.size() != replica.size() || !crdt::DecodePeer(entries->value(), &peer)) {
      return Corruption("what is known of another replica does not read", "run `trefoil check`");
    }
    std::ranges::copy(id.view(), replica.begin());
    peers[replica] = std::move(peer);
  }
  if (Status status = entries->status(); !status) return std::move(status).error();
  return peers;
}

}  // namespace trefoil::db
