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

struct SiteEntry {
  SiteId site;
  std::uint64_t floor = 0;
  std::uint64_t time = 0;  // of the transaction with the number of the floor
};

std::string EncodeSiteEntry(const SiteEntry& entry) {
  std::string value;
  crdt::AppendSite(value, entry.site);
  AppendVarint(value, entry.floor);
  if (entry.floor != 0) AppendFixed64(value, entry.time);
  return value;
}

bool DecodeSiteEntry(Slice value, SiteEntry* entry) {
  if (!crdt::TakeSite(value, &entry->site)) return false;
  const std::optional<std::uint64_t> floor = ReadVarint(value);
  if (!floor) return false;
  entry->floor = *floor;
  if (entry->floor == 0) return value.empty();
  const std::optional<std::uint64_t> time = ReadFixed64(value);
  entry->time = time.value_or(0);
  return time && value.empty();
}

void PutSite(WriteSet& writes, SiteOrdinal ordinal, const std::string& entry) {
  const std::string key = schema::SiteKey(ordinal);
  writes.Put(Slice(key), Slice(entry));
}

// Calls `visit` for each site in the order of ordinals.
Status ForSites(const ReadView& view, FunctionRef<Status(SiteOrdinal, const SiteEntry&)> visit) {
  const std::string prefix(1, schema::kSiteSpace);
  const std::unique_ptr<lsm::Iterator> entries =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  SiteOrdinal ordinal = 0;
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    SiteEntry entry;
    if (!DecodeSiteEntry(entries->value(), &entry)) return BadEntry("a site");
    const std::string key = schema::SiteKey(ordinal);
    if (entries->key() != Slice(key)) return BadEntry("a site");
    if (Status visited = visit(ordinal++, entry); !visited) return visited;
  }
  return entries->status();
}

struct Head {
  std::uint64_t sequence = 0;
  std::uint64_t time = 0;
};

// The last frame of a site, or 0.
Result<Head> LastFrame(const ReadView& view, SiteOrdinal ordinal) {
  const std::string prefix = schema::LogPrefix(ordinal);
  const std::unique_ptr<lsm::Iterator> frames =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  frames->SeekToLast();
  if (!frames->Valid()) {
    if (Status status = frames->status(); !status) return std::move(status).error();
    return Head();
  }
  Slice rest = frames->key().Without(prefix.size());
  const std::optional<std::uint64_t> sequence = ReadBigEndian64(rest);
  if (!sequence || !rest.empty()) return BadEntry("a key");
  const Result<crdt::FrameHead> head = crdt::DecodeFrameHead(frames->value());
  if (!head) return head.error();
  return Head{.sequence = *sequence, .time = head->time};
}

}  // namespace

Result<SiteLog> SiteLog::Read(const ReadView& view, const SiteId& own) {
  SiteLog log;
  Status read = ForSites(view, [&](SiteOrdinal ordinal, const SiteEntry& entry) -> Status {
    log.sites_.Add(entry.site);
    if (entry.floor > 0) log.floors_[entry.site] = entry.floor;
    Result<Head> last = LastFrame(view, ordinal);
    if (!last) return std::move(last).error();
    if (last->sequence <= entry.floor) *last = {.sequence = entry.floor, .time = entry.time};
    if (last->sequence == 0) return Ok();
    log.heads_[entry.site] = last->sequence;
    log.times_[entry.site] = last->time;
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
    PutSite(writes, ordinal, EncodeSiteEntry({.site = site}));
  }
}

void SiteLog::Put(WriteSet& writes, const crdt::Dot& dot, Slice frame) {
  const SiteOrdinal ordinal = sites_.Add(dot.site);
  const std::string key = schema::LogKey(ordinal, dot.sequence);
  writes.Put(Slice(key), frame);
  PutNewSites(writes);
}

void SiteLog::PutFloors(WriteSet& writes, const crdt::Heads& floors, const crdt::HeadTimes& times) {
  for (const auto& [site, floor] : floors) sites_.Add(site);
  PutNewSites(writes);
  for (const auto& [site, floor] : floors) {
    const SiteEntry entry = {.site = site, .floor = floor, .time = times.at(site)};
    PutSite(writes, sites_.Add(site), EncodeSiteEntry(entry));
  }
}

void SiteLog::NoteOwn(const crdt::Dot& dot, std::uint64_t time) {
  heads_[dot.site] = dot.sequence;
  times_[dot.site] = time;
  new_deps_.clear();
  saved_sites_ = sites_.size();
}

void SiteLog::NoteRemote(const crdt::Dot& dot, std::uint64_t time) {
  heads_[dot.site] = dot.sequence;
  times_[dot.site] = time;
  if (dot.site != sites_.Of(own_)) new_deps_[dot.site] = dot.sequence;
  saved_sites_ = sites_.size();
}

void SiteLog::NoteState(const crdt::Heads& heads, const crdt::HeadTimes& times) {
  for (const auto& [site, head] : heads) {
    if (head <= crdt::HeadOf(heads_, site)) continue;
    heads_[site] = floors_[site] = head;
    times_[site] = times.at(site);
    if (site != sites_.Of(own_)) new_deps_[site] = head;
  }
  saved_sites_ = sites_.size();
}

}  // namespace trefoil::db
