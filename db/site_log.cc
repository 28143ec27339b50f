#include "db/site_log.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/function_ref.h"
#include "base/str_cat.h"
#include "schema/key_codec.h"
#include "schema/keys.h"

namespace trefoil::db {

using crdt::SiteId;
using crdt::SiteOrdinal;

namespace {

Error BadEntry(const char* what) {
  return Corruption(StrCat("the log of the replicas has ", what, " that does not read"),
                    "run `trefoil check`");
}

std::string EncodeSiteEntry(const SiteId& site, std::uint64_t floor) {
  std::string value;
  crdt::AppendSite(value, site);
  AppendVarint(value, floor);
  return value;
}

void PutSite(WriteSet& writes, SiteOrdinal ordinal, const std::string& entry) {
  const std::string key = schema::SiteKey(ordinal);
  writes.Put(Slice(key), Slice(entry));
}

struct SiteEntry {
  SiteId site;
  std::uint64_t floor = 0;
};

// Calls `visit` for each site in the order of ordinals.
Status ForSites(const ReadView& view, FunctionRef<Status(SiteOrdinal, const SiteEntry&)> visit) {
  const std::string prefix(1, schema::kSiteSpace);
  const std::unique_ptr<lsm::Iterator> entries =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  SiteOrdinal ordinal = 0;
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    Slice value = entries->value();
    SiteEntry entry;
    if (!crdt::TakeSite(value, &entry.site)) return BadEntry("a site");
    const std::optional<std::uint64_t> floor = ReadVarint(value);
    const std::string key = schema::SiteKey(ordinal);
    if (!floor || entries->key() != Slice(key)) return BadEntry("a site");
    entry.floor = *floor;
    if (Status visited = visit(ordinal++, entry); !visited) return visited;
  }
  return entries->status();
}

// The sequence of the last frame of a site, or 0.
Result<std::uint64_t> LastFrame(const ReadView& view, SiteOrdinal ordinal) {
  const std::string prefix = schema::LogPrefix(ordinal);
  const std::unique_ptr<lsm::Iterator> frames =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  frames->SeekToLast();
  if (!frames->Valid()) {
    if (Status status = frames->status(); !status) return std::move(status).error();
    return std::uint64_t{0};
  }
  Slice rest = frames->key().Without(prefix.size());
  const std::optional<std::uint64_t> sequence = ReadBigEndian64(rest);
  if (!sequence || !rest.empty()) return BadEntry("a key");
  return *sequence;
}

}  // namespace

Result<SiteLog> SiteLog::Read(const ReadView& view, const SiteId& own) {
  SiteLog log;
  Status read = ForSites(view, [&](SiteOrdinal ordinal, const SiteEntry& entry) -> Status {
    log.sites_.Add(entry.site);
    if (entry.floor > 0) log.floors_[entry.site] = entry.floor;
    Result<std::uint64_t> last = LastFrame(view, ordinal);
    if (!last) return std::move(last).error();
    const std::uint64_t head = std::max(*last, entry.floor);
    if (head > 0) log.heads_[entry.site] = head;
    return Ok();
  });
  if (!read) return std::move(read).error();
  log.saved_sites_ = log.sites_.size();
  log.own_ = log.sites_.Add(own);
  // What was new before the last close is not remembered, so the next own transaction names all.
  log.new_deps_ = log.heads_;
  log.new_deps_.erase(own);
  return log;
}

Result<crdt::SiteTable> SiteLog::ReadSites(const ReadView& view) {
  crdt::SiteTable sites;
  Status read = ForSites(view, [&](SiteOrdinal, const SiteEntry& entry) {
    sites.Add(entry.site);
    return Ok();
  });
  if (!read) return std::move(read).error();
  return sites;
}

crdt::Dot SiteLog::NextDot() const {
  const SiteId& own = sites_.Of(own_);
  return {own, crdt::HeadOf(heads_, own) + 1};
}

void SiteLog::PutNewSites(WriteSet& writes) {
  for (std::size_t i = saved_sites_; i < sites_.size(); ++i) {
    const auto ordinal = static_cast<SiteOrdinal>(i);
    const SiteId& site = sites_.Of(ordinal);
    PutSite(writes, ordinal, EncodeSiteEntry(site, crdt::HeadOf(floors_, site)));
  }
}

void SiteLog::Put(WriteSet& writes, const crdt::Dot& dot, Slice frame) {
  const SiteOrdinal ordinal = sites_.Add(dot.site);
  const std::string key = schema::LogKey(ordinal, dot.sequence);
  writes.Put(Slice(key), frame);
  PutNewSites(writes);
}

void SiteLog::PutFloors(WriteSet& writes, const crdt::Heads& floors) {
  for (const auto& [site, floor] : floors) sites_.Add(site);
  PutNewSites(writes);
  for (const auto& [site, floor] : floors) {
    PutSite(writes, sites_.Add(site), EncodeSiteEntry(site, floor));
  }
}

void SiteLog::NoteOwn(const crdt::Dot& dot) {
  heads_[dot.site] = dot.sequence;
  new_deps_.clear();
  saved_sites_ = sites_.size();
}

void SiteLog::NoteRemote(const crdt::Dot& dot) {
  heads_[dot.site] = dot.sequence;
  if (dot.site != sites_.Of(own_)) new_deps_[dot.site] = dot.sequence;
  saved_sites_ = sites_.size();
}

void SiteLog::NoteState(const crdt::Heads& heads) {
  crdt::JoinHeads(heads_, heads);
  crdt::JoinHeads(floors_, heads);
  crdt::JoinHeads(new_deps_, heads);
  new_deps_.erase(sites_.Of(own_));
  saved_sites_ = sites_.size();
}

}  // namespace trefoil::db
