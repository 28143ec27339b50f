// Which transactions this replica still keeps as frames: those that some other member may yet ask
// for (crdt/stability.h). What the others have applied is learnt from what they send, by the way:
// a changeset names the vector of its sender, a transaction what its writer had applied.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/log_frame.h"
#include "db/engine.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

std::string PeerKey(const crdt::ReplicaId& id) {
  return schema::MetaKey(kMetaPeer).append(reinterpret_cast<const char*>(id.data()), id.size());
}

}  // namespace

void Engine::NotePeer(const crdt::SiteId& site, const crdt::Heads& applied,
                      const schema::Part* part) {
  if (site.uuid == OwnId()) return;
  const auto [at, is_new] = peers_.try_emplace(site.uuid);
  crdt::Peer& peer = at->second;
  peer.heard_micros = clock_->NowMicros();
  crdt::JoinHeads(peer.applied, applied);
  if (part != nullptr) {
    peer.part = *part;
  } else if (is_new && !part_.is_whole()) {
    peer.part = schema::Part(schema::Part::Tables());  // until it says that it holds more
  }
  // Carried by the next commit; a crash forgets it, and it is learnt again.
  pending_meta_[PeerKey(site.uuid)] = crdt::EncodePeer(peer);
}

crdt::ReplicaId Engine::OwnId() const {
  crdt::ReplicaId id;
  std::ranges::copy(site_.id, id.begin());
  return id;
}

// Up to where no frame is needed any more, where that is further than now.
crdt::Heads Engine::StableFloors(std::chrono::microseconds lease) {
  const crdt::Heads& own = log_->heads();
  const std::int64_t now = clock_->NowMicros();
  for (const auto& [site, head] : own) {
    // Its lease begins when it is heard of first.
    if (!peers_.contains(site.uuid) && site.uuid != OwnId()) NotePeer(site, {}, nullptr);
  }
  crdt::Heads floors =
      crdt::StableHeads(own, OwnId(), peers_, {.now_micros = now, .duration = lease});
  if (!part_.is_whole()) {
    const crdt::Heads held = crdt::HeldByWholePeers(peers_);
    for (auto& [site, floor] : floors) floor = std::min(floor, crdt::HeadOf(held, site));
  }
  std::erase_if(floors, [&](const auto& entry) {
    return entry.second <= crdt::HeadOf(log_->floors(), entry.first);
  });
  return floors;
}

Result<std::uint64_t> Engine::TimeOfFrame(const crdt::SiteId& site, std::uint64_t sequence) const {
  const SnapshotView view(*store_, store_->GetSnapshot());
  const std::string key = schema::LogKey(*log_->sites().Find(site), sequence);
  Result<std::optional<std::string>> frame = view.Get(Slice(key));
  if (!frame) return std::move(frame).error();
  if (!*frame) {
    return Corruption(StrCat("the log lacks transaction ", sequence, " of a replica"),
                      "run `trefoil check`");
  }
  Result<crdt::FrameHead> head = crdt::DecodeFrameHead(Slice(**frame));
  if (!head) return std::move(head).error();
  return head->time;
}

Result<Version> Engine::DropFrames(const crdt::Heads& floors) {
  crdt::HeadTimes times;
  const std::unique_ptr<WriteTransaction> transaction = Begin();
  for (const auto& [site, floor] : floors) {
    Result<std::uint64_t> time = TimeOfFrame(site, floor);
    if (!time) return std::move(time).error();
    times[site] = *time;
    const schema::SiteOrdinal ordinal = *log_->sites().Find(site);
    transaction->dropped_ranges_.push_back(
        {.start = schema::LogKey(ordinal, 0), .limit = schema::LogKey(ordinal, floor + 1)});
  }
  log_->PutFloors(transaction->view_.writes(), floors, times);
  transaction->merged_.emplace();  // no row looks any different
  const lsm::WriteBatch& batch = MakeBatch(*transaction, hybrid_clock_->Next());
  Result<Version> version = Publish(*transaction, batch);
  if (!version) return version;
  log_->NoteFloors(floors);
  Work(batch);
  return version;
}

Status Engine::CollectLog(std::chrono::microseconds lease) {
  Version version;
  {
    const std::lock_guard lock(commit_mutex_);
    const crdt::Heads floors = StableFloors(lease);
    if (floors.empty()) return Ok();
    Result<Version> dropped = DropFrames(floors);
    if (!dropped) return std::move(dropped).error();
    version = *dropped;
  }
  Deliver(version);
  return Ok();
}

}  // namespace trefoil::db
