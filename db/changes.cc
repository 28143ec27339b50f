// What this replica tells others: its transactions, its digest, and a copy that writes beside it.
#include <algorithm>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/changeset.h"
#include "crdt/digest.h"
#include "crdt/state_changeset.h"
#include "db/engine.h"
#include "db/fact_walk.h"
#include "db/public_state.h"
#include "schema/keys.h"

namespace trefoil {

namespace db {

namespace {

// Of a store that takes one small write.
constexpr std::size_t kSmallMemtableBytes = std::size_t{64} << 10;

struct LoggedFrame {
  std::uint64_t time = 0;
  crdt::SiteId site;
  std::string bytes;
};

// The frames of one site behind `known`.
Status ReadLog(const ReadView& view, schema::SiteOrdinal ordinal, std::uint64_t known,
               std::vector<LoggedFrame>* frames) {
  const std::unique_ptr<lsm::Iterator> log =
      view.NewIterator({.start = schema::LogKey(ordinal, known + 1),
                        .limit = schema::PrefixLimit(schema::LogPrefix(ordinal))});
  for (log->SeekToFirst(); log->Valid(); log->Next()) {
    Result<crdt::FrameHead> head = crdt::DecodeFrameHead(log->value());
    if (!head) return std::move(head).error();
    frames->push_back({head->time, head->dot.site, log->value().ToString()});
  }
  return log->status();
}

}  // namespace

Result<std::string> Engine::Changes(const crdt::Heads& known) const {
  crdt::Changeset changeset;
  std::vector<LoggedFrame> frames;
  lsm::SequenceNumber sequence;
  {
    std::unique_lock lock(commit_mutex_);
    const SnapshotView view(*store_, store_->GetSnapshot());
    sequence = view.sequence();
    const crdt::SiteTable& sites = log_->sites();
    changeset.header = {.sender = sites.Of(log_->own()), .heads = log_->heads()};
    for (const auto& [site, head] : log_->heads()) {
      const std::uint64_t from = crdt::HeadOf(known, site);
      if (from >= head) continue;
      if (from < crdt::HeadOf(log_->floors(), site)) {
        lock.unlock();
        return StateChanges();
      }
      if (Status read = ReadLog(view, *sites.Find(site), from, &frames); !read) {
        return std::move(read).error();
      }
    }
  }
  if (Status synced = SyncBeforeTelling(sequence); !synced) return std::move(synced).error();
  // What happened before has the smaller stamp, so this order is causal.
  std::ranges::sort(frames, [](const LoggedFrame& a, const LoggedFrame& b) {
    return std::tie(a.time, a.site) < std::tie(b.time, b.site);
  });
  for (LoggedFrame& frame : frames) changeset.frames.push_back(std::move(frame.bytes));
  return crdt::EncodeChangeset(changeset);
}

// What leaves the process must not be taken back by a crash.
Status Engine::SyncBeforeTelling(lsm::SequenceNumber sequence) const {
  return read_only() ? Ok() : store_->SyncUpTo(sequence);
}

// The whole state, for a replica that lacks what the log no longer holds.
Result<std::string> Engine::StateChanges() const {
  crdt::SiteTable sites;
  PinnedRef pinned;
  std::optional<crdt::StateWriter> writer;
  {
    const std::lock_guard lock(commit_mutex_);
    sites = log_->sites();
    pinned = Pin();
    const crdt::ChangesetHeader header = {.sender = sites.Of(log_->own()), .heads = log_->heads()};
    writer.emplace(header, log_->times(), sites);
  }
  if (Status synced = SyncBeforeTelling(ToNumber(pinned->version())); !synced) {
    return std::move(synced).error();
  }
  Status walked = ForFacts(pinned->view(), sites, [&](Slice key, const crdt::FactState& state) {
    writer->Add(key, state);
  });
  if (!walked) return std::move(walked).error();
  return writer->Finish();
}

Result<Digest> Engine::StateDigest() const {
  crdt::SiteTable sites;
  PinnedRef pinned;
  {
    const std::lock_guard lock(commit_mutex_);
    sites = log_->sites();
    pinned = Pin();
  }
  crdt::StateHasher hasher(sites);
  Status walked = ForFacts(pinned->view(), sites, [&](Slice key, const crdt::FactState& state) {
    hasher.Add(key, state);
  });
  if (!walked) return std::move(walked).error();
  return Digest{hasher.Finish()};
}

Status Engine::Clone(const std::string& to) const {
  if (memory_env_) return Unsupported("a database in memory has no place for a clone");
  if (Status flushed = store_->SyncUpTo(store_->last_sequence()); !flushed) return flushed;
  return CopyWithoutSite(to);
}

// A copy that wrote under the same site would give the numbers of transactions that it lacks to
// others. So it has no site, and takes one when it is opened first; a copy of the copy, too.
Status Engine::CopyWithoutSite(const std::string& to) const {
  if (Status copied = store_->Checkpoint(to); !copied) return copied;
  lsm::StoreOptions options;
  options.create = false;
  options.background_work = false;
  options.memtable_bytes = kSmallMemtableBytes;
  Result<std::unique_ptr<lsm::Store>> copy = lsm::Store::Open(*env_, to, options);
  if (!copy) return std::move(copy).error();
  const std::string site = schema::MetaKey(kMetaSite);
  const std::string format = schema::MetaKey(kMetaFormat);  // which an empty database lacks
  const std::string this_format = EncodeFormat(kDatabaseFormat);
  lsm::WriteBatch batch;
  const std::string home = schema::MetaKey(kMetaHome);
  batch.Put(Slice(format), Slice(this_format));
  batch.Delete(Slice(site));
  batch.Delete(Slice(home));
  Result<lsm::SequenceNumber> written = (*copy)->Write(batch, lsm::Durability::kDurable);
  if (!written) return std::move(written).error();
  return Ok();
}

}  // namespace db

namespace {

crdt::Heads ToHeads(const VersionVector& vector) {
  Result<crdt::Heads> heads = crdt::DecodeHeads(Slice(vector.bytes()));
  Check(heads.has_value(), "a VersionVector holds a valid vector");
  return *std::move(heads);
}

}  // namespace

Result<VersionVector> VersionVector::Parse(std::string_view bytes) {
  Result<crdt::Heads> heads = crdt::DecodeHeads(Slice(bytes));
  if (!heads) return std::move(heads).error();
  return VersionVector(std::string(bytes));
}

Result<VersionVector> VersionVector::OfChangeset(std::string_view changeset) {
  Result<crdt::ChangesetHeader> header = crdt::DecodeChangesetHeader(Slice(changeset));
  if (!header) return std::move(header).error();
  return VersionVector(crdt::EncodeHeads(header->heads));
}

std::string Digest::ToHex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

VersionVector Database::version_vector() const {
  const std::string bytes = crdt::EncodeHeads(state_->engine->heads());
  Result<VersionVector> vector = VersionVector::Parse(bytes);
  trefoil::Check(vector.has_value(), "encoded heads are a version vector");
  return *std::move(vector);
}

Result<std::string> Database::Changes(const VersionVector& known) const {
  return state_->engine->Changes(ToHeads(known));
}
Result<MergeSummary> Database::Merge(std::string_view changeset) {
  return state_->engine->Merge(Slice(changeset));
}
Result<Digest> Database::StateDigest() const { return state_->engine->StateDigest(); }
Status Database::Clone(const std::string& to) const { return state_->engine->Clone(to); }

}  // namespace trefoil
