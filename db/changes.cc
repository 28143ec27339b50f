// What this replica tells others: its transactions, its digest, and a copy that writes beside it.
#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/changeset.h"
#include "crdt/digest.h"
#include "crdt/pieces.h"
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

// The frames of one site behind what is known, in their order.
class SiteReader {
 public:
  SiteReader(const ReadView& view, schema::SiteOrdinal ordinal, std::uint64_t known)
      : frames_(view.NewIterator({.start = schema::LogKey(ordinal, known + 1),
                                  .limit = schema::PrefixLimit(schema::LogPrefix(ordinal))})) {
    frames_->SeekToFirst();
  }

  // Looks at the frame; false when there is none any more.
  Result<bool> Load() {
    if (!frames_->Valid()) {
      if (Status status = frames_->status(); !status) return std::move(status).error();
      return false;
    }
    Result<crdt::FrameHead> head = crdt::DecodeFrameHead(frames_->value());
    if (!head) return std::move(head).error();
    head_ = *std::move(head);
    return true;
  }
  Result<bool> Advance() {
    frames_->Next();
    return Load();
  }

  const crdt::Dot& dot() const { return head_.dot; }
  Slice frame() const { return frames_->value(); }
  crdt::SiteStamp stamp() const { return {head_.time, head_.dot.site}; }

 private:
  std::unique_ptr<lsm::Iterator> frames_;
  crdt::FrameHead head_;
};

// Gathers frames, and pieces of those that are too large, up to a number of bytes.
class Gatherer {
 public:
  Gatherer(crdt::Known covered, std::size_t bytes_max)
      : covered_(std::move(covered)),
        bytes_max_(bytes_max),
        piece_bytes_(std::clamp<std::size_t>(bytes_max, 1, crdt::kPieceBytes)) {}

  // False when there is no more room, even if a part of the frame was taken.
  bool Add(const crdt::Dot& dot, Slice frame) {
    if (frame.size() <= piece_bytes_) {
      if (!Take(frame.size())) return false;
      items_.push_back(frame.ToString());
    } else if (!AddPieces(dot, frame)) {
      return false;
    }
    covered_.arriving.erase(dot);
    covered_.heads[dot.site] = dot.sequence;
    return true;
  }

  std::vector<std::string> TakeItems() { return std::move(items_); }
  const crdt::Known& covered() const { return covered_; }

 private:
  bool Take(std::size_t bytes) {
    if (!items_.empty() && bytes > bytes_max_ - std::min(bytes_, bytes_max_)) return false;
    bytes_ += bytes;
    return true;
  }
  bool AddPieces(const crdt::Dot& dot, Slice frame) {
    const auto found = covered_.arriving.find(dot);
    std::uint64_t offset = found == covered_.arriving.end() ? 0 : found->second;
    if (offset >= frame.size()) offset = 0;  // of no frame that is known here
    while (offset < frame.size()) {
      const Slice bytes =
          frame.Without(offset).Prefix(std::min(piece_bytes_, frame.size() - offset));
      if (!Take(bytes.size())) return false;
      items_.push_back(crdt::EncodePiece({dot, frame.size(), offset, bytes}));
      offset += bytes.size();
      covered_.arriving[dot] = offset;
    }
    return true;
  }

  crdt::Known covered_;
  std::size_t bytes_max_;
  std::size_t piece_bytes_;
  std::size_t bytes_ = 0;
  std::vector<std::string> items_;
};

}  // namespace

Result<std::string> Engine::Changes(const crdt::Known& known) const {
  Result<PartOfChanges> all = ChangesUpTo(known, std::numeric_limits<std::size_t>::max());
  if (!all) return std::move(all).error();
  return std::move(all->changeset);
}

// What happened before has the smaller stamp, so the order of stamps is causal.
Result<Engine::PartOfChanges> Engine::ChangesUpTo(const crdt::Known& known,
                                                  std::size_t bytes_max) const {
  crdt::Changeset changeset;
  std::optional<SnapshotView> view;
  std::vector<SiteReader> readers;
  {
    std::unique_lock lock(commit_mutex_);
    view.emplace(*store_, store_->GetSnapshot());
    const crdt::SiteTable& sites = log_->sites();
    changeset.header = {.sender = sites.Of(log_->own()),
                        .heads = log_->heads(),
                        .arriving = arriving_.Progress(log_->heads())};
    for (const auto& [site, head] : log_->heads()) {
      const std::uint64_t from = crdt::HeadOf(known.heads, site);
      if (from >= head) continue;
      if (from < crdt::HeadOf(log_->floors(), site)) {
        lock.unlock();
        return StateChanges();
      }
      readers.emplace_back(*view, *sites.Find(site), from);
    }
  }
  if (Status synced = SyncBeforeTelling(view->sequence()); !synced) {
    return std::move(synced).error();
  }
  for (SiteReader& reader : readers) {
    Result<bool> any = reader.Load();
    if (!any) return std::move(any).error();
    Check(*any, "the log holds what its heads say");
  }
  Gatherer gatherer(known, bytes_max);
  while (!readers.empty()) {
    const auto next = std::ranges::min_element(readers, {}, &SiteReader::stamp);
    if (!gatherer.Add(next->dot(), next->frame())) break;
    Result<bool> more = next->Advance();
    if (!more) return std::move(more).error();
    if (!*more) readers.erase(next);
  }
  changeset.frames = gatherer.TakeItems();
  return PartOfChanges{crdt::EncodeChangeset(changeset), gatherer.covered()};
}

// What leaves the process must not be taken back by a crash.
Status Engine::SyncBeforeTelling(lsm::SequenceNumber sequence) const {
  return read_only() ? Ok() : store_->SyncUpTo(sequence);
}

// The whole state, for a replica that lacks what the log no longer holds.
Result<Engine::PartOfChanges> Engine::StateChanges() const {
  crdt::SiteTable sites;
  PinnedRef pinned;
  crdt::Heads heads;
  std::optional<crdt::StateWriter> writer;
  {
    const std::lock_guard lock(commit_mutex_);
    sites = log_->sites();
    pinned = Pin();
    heads = log_->heads();
    const crdt::ChangesetHeader header = {.sender = sites.Of(log_->own()),
                                          .heads = heads,
                                          .arriving = arriving_.Progress(log_->heads())};
    writer.emplace(header, log_->times(), sites);
  }
  if (Status synced = SyncBeforeTelling(ToNumber(pinned->version())); !synced) {
    return std::move(synced).error();
  }
  Status walked = ForFacts(pinned->view(), sites, [&](Slice key, const crdt::FactState& state) {
    writer->Add(key, state);
  });
  if (!walked) return std::move(walked).error();
  Result<std::string> state = writer->Finish();
  if (!state) return std::move(state).error();
  return PartOfChanges{*std::move(state), {.heads = std::move(heads), .arriving = {}}};
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

crdt::Known ToKnown(const VersionVector& vector) {
  Result<crdt::Known> known = crdt::DecodeKnown(Slice(vector.bytes()));
  Check(known.has_value(), "a VersionVector holds a valid vector");
  return *std::move(known);
}

VersionVector ToVector(const crdt::Known& known) {
  Result<VersionVector> vector = VersionVector::Parse(crdt::EncodeKnown(known));
  Check(vector.has_value(), "what is encoded is a version vector");
  return *std::move(vector);
}

}  // namespace

Result<VersionVector> VersionVector::Parse(std::string_view bytes) {
  Result<crdt::Known> known = crdt::DecodeKnown(Slice(bytes));
  if (!known) return std::move(known).error();
  return VersionVector(std::string(bytes));
}

Result<VersionVector> VersionVector::OfChangeset(std::string_view changeset) {
  Result<crdt::ChangesetHeader> header = crdt::DecodeChangesetHeader(Slice(changeset));
  if (!header) return std::move(header).error();
  return ToVector({.heads = std::move(header->heads), .arriving = std::move(header->arriving)});
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

VersionVector Database::version_vector() const { return ToVector(state_->engine->known()); }

Result<std::string> Database::Changes(const VersionVector& known) const {
  return state_->engine->Changes(ToKnown(known));
}
Result<ChangesPart> Database::Changes(const VersionVector& known, std::size_t bytes_max) const {
  Result<db::Engine::PartOfChanges> part = state_->engine->ChangesUpTo(ToKnown(known), bytes_max);
  if (!part) return std::move(part).error();
  return ChangesPart{std::move(part->changeset), ToVector(part->covered)};
}
Result<MergeSummary> Database::Merge(std::string_view changeset) {
  return state_->engine->Merge(Slice(changeset));
}
Result<Digest> Database::StateDigest() const { return state_->engine->StateDigest(); }
Status Database::Clone(const std::string& to) const { return state_->engine->Clone(to); }

}  // namespace trefoil
