// What this replica tells others: its transactions, or its state, cut to what they hold; its
// digest.
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
#include "crdt/cut.h"
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
  bool is_cut() const { return head_.cut.is_cut(); }
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
  // Counts what comes up to there as covered.
  void PassOver(const crdt::Dot& dot) {
    crdt::JoinKnown(covered_, {.heads = {{dot.site, dot.sequence}}});
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

// What happened before has the smaller stamp, so the order of stamps is causal. Who holds more than
// this replica gets what is not cut here: of each site up to the first transaction that is.
Result<Engine::PartOfChanges> Engine::ChangesUpTo(const crdt::Known& known,
                                                  std::size_t bytes_max) const {
  const bool holds_all = part_.Covers(known.part);
  Gatherer gatherer(known, bytes_max);
  crdt::Changeset changeset;
  std::optional<SnapshotView> view;
  std::vector<SiteReader> readers;
  {
    std::unique_lock lock(commit_mutex_);
    view.emplace(*store_, store_->GetSnapshot());
    const crdt::SiteTable& sites = log_->sites();
    changeset.header = {.sender = sites.Of(log_->own()),
                        .heads = log_->heads(),
                        .arriving = arriving_.Progress(log_->heads()),
                        .part = part_,
                        .body = known.part};
    for (const auto& [site, head] : log_->heads()) {
      const std::uint64_t from = crdt::HeadOf(known.heads, site);
      if (from >= head) continue;
      if (from < crdt::HeadOf(log_->floors(), site)) {
        if (!holds_all) {
          gatherer.PassOver({site, head});
          continue;
        }
        lock.unlock();
        return StateChanges(known.part);
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
  const bool is_as_stored = known.part.Covers(part_);
  while (!readers.empty()) {
    const auto next = std::ranges::min_element(readers, {}, &SiteReader::stamp);
    if (next->is_cut() && !holds_all) {
      gatherer.PassOver({next->dot().site, crdt::HeadOf(changeset.header.heads, next->dot().site)});
      readers.erase(next);
      continue;
    }
    Slice frame = next->frame();
    Result<std::string> cut = std::string();
    if (!is_as_stored) {
      cut = crdt::CutFrame(known.part, frame);
      if (!cut) return std::move(cut).error();
      frame = Slice(*cut);
    }
    if (!gatherer.Add(next->dot(), frame)) break;
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

// The state as far as it is of `part`, for a replica that lacks what the log no longer holds.
Result<Engine::PartOfChanges> Engine::StateChanges(const schema::Part& part) const {
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
                                          .arriving = arriving_.Progress(log_->heads()),
                                          .part = part_,
                                          .body = part};
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
  return PartOfChanges{*std::move(state), {.heads = std::move(heads), .part = part}};
}

Result<Digest> Engine::StateDigest(const schema::Part& part) const {
  if (!part_.Covers(part)) {
    return MakeError(ErrorCode::kOutsidePart,
                     "the digest is asked of more than the part that this replica holds",
                     "compare what both replicas hold");
  }
  crdt::SiteTable sites;
  PinnedRef pinned;
  {
    const std::lock_guard lock(commit_mutex_);
    sites = log_->sites();
    pinned = Pin();
  }
  crdt::StateHasher hasher(sites, part);
  Status walked = ForFacts(pinned->view(), sites, [&](Slice key, const crdt::FactState& state) {
    hasher.Add(key, state);
  });
  if (!walked) return std::move(walked).error();
  return Digest{hasher.Finish()};
}

}  // namespace db

namespace {

crdt::Known ToKnown(const VersionVector& vector) {
  Result<crdt::Known> known = crdt::DecodeKnown(Slice(vector.bytes()));
  Check(known.has_value(), "a VersionVector holds a valid vector");
  return *std::move(known);
}

schema::Part ToSchemaPart(const Part& part) {
  Result<schema::Part> decoded = schema::DecodePart(Slice(part.bytes()));
  Check(decoded.has_value(), "a Part holds a valid part");
  return *std::move(decoded);
}

Part ToPart(const schema::Part& part) {
  Result<Part> parsed = Part::Parse(schema::EncodePart(part));
  Check(parsed.has_value(), "what is encoded is a part");
  return *std::move(parsed);
}

VersionVector ToVector(const crdt::Known& known) {
  Result<VersionVector> vector = VersionVector::Parse(crdt::EncodeKnown(known));
  Check(vector.has_value(), "what is encoded is a version vector");
  return *std::move(vector);
}

}  // namespace

Result<Part> Part::Parse(std::string_view bytes) {
  Result<schema::Part> part = schema::DecodePart(Slice(bytes));
  if (!part) return std::move(part).error();
  return Part(std::string(bytes));
}

Result<Part> Part::OfChangeset(std::string_view changeset) {
  Result<crdt::ChangesetHeader> header = crdt::DecodeChangesetHeader(Slice(changeset));
  if (!header) return std::move(header).error();
  return ToPart(header->body);
}

bool Part::Covers(const Part& other) const {
  return ToSchemaPart(*this).Covers(ToSchemaPart(other));
}

Part Part::Intersect(const Part& other) const {
  return ToPart(ToSchemaPart(*this).Intersect(ToSchemaPart(other)));
}

Result<VersionVector> VersionVector::Parse(std::string_view bytes) {
  Result<crdt::Known> known = crdt::DecodeKnown(Slice(bytes));
  if (!known) return std::move(known).error();
  return VersionVector(std::string(bytes));
}

Result<VersionVector> VersionVector::OfChangeset(std::string_view changeset) {
  Result<crdt::ChangesetHeader> header = crdt::DecodeChangesetHeader(Slice(changeset));
  if (!header) return std::move(header).error();
  return ToVector(header->known());
}

VersionVector::VersionVector(const Part& part)
    : bytes_(crdt::EncodeKnown({.part = ToSchemaPart(part)})) {}

Part VersionVector::part() const { return ToPart(ToKnown(*this).part); }

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
Result<Digest> Database::StateDigest() const { return StateDigest(part()); }
Result<Digest> Database::StateDigest(const Part& part) const {
  return state_->engine->StateDigest(ToSchemaPart(part));
}
Status Database::Clone(const std::string& to) const { return state_->engine->Clone(to); }
Status Database::Clone(const std::string& to, const Part& part) const {
  return state_->engine->Clone(to, ToSchemaPart(part));
}
Part Database::part() const { return ToPart(state_->engine->part()); }

}  // namespace trefoil
