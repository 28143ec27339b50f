#include "crdt/digest.h"

#include <sodium/crypto_hash_sha256.h>

#include <string>

#include "base/coding.h"
#include "crdt/cut.h"
#include "crdt/value_codec.h"

namespace trefoil::crdt {

namespace {

void AppendStamp(std::string& out, const Stamp& stamp, const SiteTable& sites) {
  AppendFixed64(out, stamp.time);
  AppendSite(out, sites.Of(stamp.site));
}

void AppendValue(std::string& out, const Value& value) {
  out.push_back(static_cast<char>(value.kind()));
  AppendPayload(out, value);
}

}  // namespace

struct StateHasher::Sha {
  crypto_hash_sha256_state state;
};

StateHasher::StateHasher(const SiteTable& sites, const schema::Part& part)
    : sites_(sites), part_(part), sha_(std::make_unique<Sha>()) {
  crypto_hash_sha256_init(&sha_->state);
  if (part_.is_whole()) return;
  std::string bytes(1, '\0');
  const std::string encoded = schema::EncodePart(part_);
  AppendLengthPrefixed(bytes, Slice(encoded));
  Update(bytes);
}

StateHasher::~StateHasher() = default;

void StateHasher::Update(const std::string& bytes) {
  crypto_hash_sha256_update(&sha_->state, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
}

void StateHasher::Add(Slice key, const FactState& state) {
  if (!part_.is_whole() && !HoldsFact(part_, key, state.kind)) return;
  std::string bytes;
  AppendLengthPrefixed(bytes, key);
  bytes.push_back(static_cast<char>(state.kind));
  bytes.push_back(state.retracted ? 1 : 0);
  AppendVarint(bytes, state.causal_length);
  AppendStamp(bytes, state.stamp, sites_);
  AppendValue(bytes, state.value);
  AppendVarint(bytes, state.shards.size());
  for (const Shard& shard : state.shards) {
    AppendStamp(bytes, shard.stamp, sites_);
    AppendInt128(bytes, shard.total);
  }
  AppendVarint(bytes, state.alternatives.size());
  for (const Alternative& alternative : state.alternatives) {
    AppendStamp(bytes, alternative.stamp, sites_);
    AppendValue(bytes, alternative.value);
  }
  if (state.kind == MergeKind::kTree) AppendVarint(bytes, state.moves.size());
  for (const Move& move : state.moves) {
    AppendStamp(bytes, move.stamp, sites_);
    AppendVarint(bytes, move.causal_length * 2 + (move.skipped ? 1 : 0));
    AppendValue(bytes, move.parent);
  }
  Update(bytes);
}

std::array<std::uint8_t, 32> StateHasher::Finish() {
  std::array<std::uint8_t, 32> digest;
  crypto_hash_sha256_final(&sha_->state, digest.data());
  return digest;
}

}  // namespace trefoil::crdt
