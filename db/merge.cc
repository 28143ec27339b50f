// Merging a changeset: transactions of other replicas become one commit.
//
//   1 verify     every byte of every new transaction, before anything is written; what is known
//                already costs a look at its head
//                a transaction that came in pieces is looked at when it is whole; until then they
//                are put aside (db/arriving_frames.h)
//                a replica of a part cuts what comes; what is cut already is taken only if it was
//                cut to no less
//   2 choose     ready is what is the next of its site and depends on nothing missing; what does
//                not follow yet, or is stamped too far ahead, waits in the P keyspace
//   3 apply      all that is ready, as one commit (db/apply_changeset.h)
//   4 tell       one version, one delta of visible differences
//
// A replica belongs to a family once it has applied transactions of two sites. Families that share
// no site are different databases; a replica that stands alone may join any.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/changeset.h"
#include "crdt/cut.h"
#include "db/apply_changeset.h"
#include "db/engine.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// Transactions that wait for others, in bytes; beyond it the rest is forgotten and comes again.
constexpr std::size_t kPendingBytesMax = std::size_t{64} << 20;

struct RemoteFrame {
  crdt::Frame frame;
  std::string bytes;
  bool stored = false;  // waits in the store already
};

std::string PendingKeyOf(const crdt::Dot& dot) {
  std::string site;
  crdt::AppendSite(site, dot.site);
  return schema::PendingKey(Slice(site), dot.sequence);
}

std::string HexOf(const crdt::SiteId& site) {
  std::string hex;
  for (std::size_t i = 0; i < 4; ++i) {
    for (const int digit : {site.uuid[i] >> 4, site.uuid[i] & 15}) {
      hex.push_back("0123456789abcdef"[digit]);
    }
  }
  return hex;
}

using Uuids = std::set<std::array<unsigned char, 16>>;

Uuids UuidsOf(const crdt::Heads& heads) {
  Uuids uuids;
  for (const auto& [site, head] : heads) uuids.insert(site.uuid);
  return uuids;
}

}  // namespace

struct Engine::Incoming {
  crdt::ChangesetHeader header;
  std::map<crdt::Dot, RemoteFrame> frames;  // new and verified, those that wait included
  std::vector<const RemoteFrame*> ready;    // in causal order
  std::vector<std::string> stale = {};      // keys of what waited and came by another way
  NewPiecesByDot pieces = {};
  std::uint64_t known = 0;
  std::uint64_t held = 0;
  std::uint64_t cut_off = 0;
};

crdt::Heads Engine::heads() const {
  const std::lock_guard lock(commit_mutex_);
  return log_->heads();
}

crdt::Known Engine::known() const {
  const std::lock_guard lock(commit_mutex_);
  return {.heads = log_->heads(), .arriving = arriving_.Progress(log_->heads()), .part = part_};
}

Status Engine::CheckFamily(const crdt::Heads& sender) const {
  const Uuids own = UuidsOf(log_->heads());
  const Uuids other = UuidsOf(sender);
  if (own.size() < 2 || other.size() < 2) return Ok();
  if (std::ranges::any_of(other, [&](const auto& uuid) { return own.contains(uuid); })) return Ok();
  return MakeError(
      ErrorCode::kForeignDatabase,
      StrCat("the changes come from another database: that of site ", HexOf(sender.begin()->first),
             ", this one is that of site ", HexOf(log_->heads().begin()->first)),
      "only replicas of one database are merged");
}

Status Engine::CollectIncoming(Slice changeset, Incoming* incoming) {
  Result<crdt::Changeset> decoded = crdt::DecodeChangeset(changeset);
  if (!decoded) return std::move(decoded).error();
  if (Status family = CheckFamily(decoded->header.heads); !family) return family;
  // Else what is cut has perhaps lost what this replica holds.
  const bool takes_cut = decoded->header.body.Covers(part_);
  const SnapshotView view(*store_, store_->GetSnapshot());
  for (std::size_t i = 0; i < decoded->frames.size(); ++i) {
    std::string& bytes = decoded->frames[i];
    const auto bad = [&](Error error) {
      error.message = StrCat("changeset: transaction ", i + 1, ": ", error.message);
      return error;
    };
    if (crdt::IsPiece(Slice(bytes))) {
      Result<crdt::Piece> piece = crdt::DecodePiece(Slice(bytes));
      if (!piece) return bad(std::move(piece).error());
      if (piece->dot.sequence <= crdt::HeadOf(log_->heads(), piece->dot.site)) {
        incoming->known += piece->offset == 0 ? 1 : 0;
      } else if (piece->offset == 0 && crdt::IsCutFrame(piece->bytes) && !takes_cut) {
        ++incoming->cut_off;  // the other pieces find no beginning
      } else if (Status added = arriving_.Add(*piece, &incoming->pieces); !added) {
        return bad(std::move(added).error());
      }
      continue;
    }
    Result<crdt::FrameHead> head = crdt::DecodeFrameHead(Slice(bytes));
    if (!head) return bad(std::move(head).error());
    const crdt::Dot& dot = head->dot;
    if (dot.sequence <= crdt::HeadOf(log_->heads(), dot.site)) {
      ++incoming->known;
      if (dot.sequence <= crdt::HeadOf(log_->floors(), dot.site)) continue;
      const std::string key = schema::LogKey(*log_->sites().Find(dot.site), dot.sequence);
      Result<std::optional<std::string>> applied = view.Get(Slice(key));
      if (!applied) return std::move(applied).error();
      if (*applied && crdt::AreOneTransaction(Slice(**applied), Slice(bytes))) continue;
      return bad(Corruption(
          StrCat("site ", HexOf(dot.site), " gave number ", dot.sequence, " to two transactions"),
          "one of its copies was opened for writing: make copies with Clone"));
    }
    Result<crdt::Frame> frame = crdt::DecodeFrame(Slice(bytes));
    if (!frame) return bad(std::move(frame).error());
    if (frame->cut.is_cut() && !takes_cut) {
      ++incoming->cut_off;
      continue;
    }
    crdt::CutFrame(part_, &*frame, &bytes);
    incoming->frames.try_emplace(dot, RemoteFrame{*std::move(frame), std::move(bytes)});
  }
  incoming->header = std::move(decoded->header);
  if (Status joined = JoinPieces(incoming, view); !joined) return joined;
  return AddPending(incoming);
}

// The transactions of which the last piece has come.
Status Engine::JoinPieces(Incoming* incoming, const ReadView& view) {
  for (const auto& [dot, pieces] : incoming->pieces) {
    if (!pieces.is_whole()) continue;
    Result<std::string> bytes = ArrivingFrames::Join(view, dot, pieces);
    if (!bytes) return std::move(bytes).error();
    Result<crdt::Frame> frame = crdt::DecodeFrame(Slice(*bytes));
    if (!frame || frame->dot != dot) {
      arriving_.Forget(dot);
      return Corruption(StrCat("changeset: the pieces of transaction ", dot.sequence, " of site ",
                               HexOf(dot.site), " make none"),
                        "fetch the changes again");
    }
    crdt::CutFrame(part_, &*frame, &*bytes);
    incoming->frames.try_emplace(dot, RemoteFrame{*std::move(frame), *std::move(bytes)});
  }
  return Ok();
}

// What waits since earlier merges.
Status Engine::AddPending(Incoming* incoming) const {
  const SnapshotView view(*store_, store_->GetSnapshot());
  const std::string prefix(1, schema::kPendingSpace);
  const std::unique_ptr<lsm::Iterator> waiting =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (waiting->SeekToFirst(); waiting->Valid(); waiting->Next()) {
    Result<crdt::Frame> frame = crdt::DecodeFrame(waiting->value());
    if (!frame) return std::move(frame).error();
    const crdt::Dot dot = frame->dot;
    if (dot.sequence <= crdt::HeadOf(log_->heads(), dot.site)) {
      incoming->stale.push_back(waiting->key().ToString());
      continue;
    }
    RemoteFrame& pending = incoming->frames[dot];
    pending = {*std::move(frame), waiting->value().ToString(), true};
  }
  return waiting->status();
}

void Engine::ChooseReady(Incoming* incoming) const {
  const std::uint64_t latest = crdt::HybridTimeOf(clock_->NowMicros()) + crdt::kDriftMax;
  crdt::Heads heads = log_->heads();
  for (bool more = true; more;) {
    more = false;
    for (const auto& [dot, remote] : incoming->frames) {
      if (dot.sequence != crdt::HeadOf(heads, dot.site) + 1) continue;
      if (remote.frame.time > latest || !crdt::Covers(heads, remote.frame.deps)) continue;
      heads[dot.site] = dot.sequence;
      incoming->ready.push_back(&remote);
      more = true;
    }
  }
  incoming->held = static_cast<std::uint64_t>(std::ranges::count_if(
      incoming->frames, [&](const auto& entry) { return entry.second.frame.time > latest; }));
}

// A transaction says what its writer had applied.
void Engine::NoteWriters(const Incoming& incoming) {
  std::map<crdt::SiteId, crdt::Heads> applied;
  for (const RemoteFrame* remote : incoming.ready) {
    const crdt::Frame& frame = remote->frame;
    crdt::Heads& of_writer = applied[frame.dot.site];
    crdt::JoinHeads(of_writer, frame.deps);
    of_writer[frame.dot.site] = frame.dot.sequence;
  }
  for (const auto& [site, heads] : applied) NotePeer(site, heads, nullptr);
}

Result<Version> Engine::MergeHeld(Incoming& incoming, MergeSummary* summary) {
  const std::unique_ptr<WriteTransaction> transaction = Begin();
  WriteSet& writes = transaction->view_.writes();
  FrameApplier applier(*transaction->base_, log_->times(), transaction->view_, log_->sites());
  std::vector<const crdt::Frame*> frames;
  for (const RemoteFrame* remote : incoming.ready) frames.push_back(&remote->frame);
  const auto read_schema = [this](const ReadView& view) { return SchemaAt(view); };
  if (Status applied = applier.Apply(frames, read_schema); !applied) {
    return std::move(applied).error();
  }
  transaction->schema_ = applier.schema();
  transaction->dropped_ranges_ = applier.dropped_ranges();
  transaction->merged_ = applier.TakeTouched();
  for (const RemoteFrame* remote : incoming.ready) {
    log_->Put(writes, remote->frame.dot, Slice(remote->bytes));
    hybrid_clock_->Observe(remote->frame.time);
    if (remote->stored) {
      const std::string key = PendingKeyOf(remote->frame.dot);
      writes.Delete(Slice(key));
    }
  }
  const std::set<const RemoteFrame*> ready(incoming.ready.begin(), incoming.ready.end());
  std::size_t waiting_bytes = 0;
  for (const auto& [dot, remote] : incoming.frames) {
    if (ready.contains(&remote)) continue;
    waiting_bytes += remote.bytes.size();
    if (waiting_bytes > kPendingBytesMax) break;
    ++summary->transactions_pending;
    if (remote.stored) continue;
    const std::string key = PendingKeyOf(dot);
    writes.Put(Slice(key), Slice(remote.bytes));
  }
  for (const std::string& key : incoming.stale) writes.Delete(Slice(key));
  crdt::Heads heads = log_->heads();
  for (const RemoteFrame* remote : incoming.ready) {
    heads[remote->frame.dot.site] = remote->frame.dot.sequence;
  }
  ArrivingFrames arriving = arriving_;
  arriving.Put(incoming.pieces, heads, writes, &transaction->dropped_ranges_);
  summary->transactions_pending += arriving.Progress(heads).size();
  if (!transaction->changed()) return Version{store_->last_sequence()};
  const lsm::WriteBatch& batch = MakeBatch(*transaction, hybrid_clock_->Next());
  Result<Version> version = Publish(*transaction, batch);
  if (!version) return version;
  arriving_ = std::move(arriving);
  for (const RemoteFrame* remote : incoming.ready) {
    log_->NoteRemote(remote->frame.dot, remote->frame.time);
  }
  NoteWriters(incoming);
  summary->transactions_applied += incoming.ready.size();
  summary->facts_changed += applier.facts_changed();
  Work(batch);
  return version;
}

Status Engine::MergeAny(Slice changeset, MergeSummary* summary) {
  Incoming incoming;
  if (crdt::HoldsState(changeset)) {
    Result<crdt::ChangesetHeader> header = MergeState(changeset, summary);
    if (!header) return std::move(header).error();
    incoming.header = *std::move(header);
    // What waited may follow what came.
    if (Status added = AddPending(&incoming); !added) return added;
  } else if (Status collected = CollectIncoming(changeset, &incoming); !collected) {
    return collected;
  }
  ChooseReady(&incoming);
  summary->transactions_known += incoming.known;
  summary->transactions_held = incoming.held;
  summary->transactions_cut_off = incoming.cut_off;
  Result<Version> version = MergeHeld(incoming, summary);
  if (!version) return std::move(version).error();
  summary->version = *version;
  const crdt::ChangesetHeader& header = incoming.header;
  NotePeer(header.sender, header.heads, &header.part);
  return Ok();
}

Result<MergeSummary> Engine::Merge(Slice changeset) {
  if (read_only()) {
    return MakeError(ErrorCode::kReadOnly, "the database is open for reading only");
  }
  MergeSummary summary;
  {
    const std::lock_guard lock(commit_mutex_);
    if (Status merged = MergeAny(changeset, &summary); !merged) return std::move(merged).error();
  }
  Deliver(summary.version);
  return summary;
}

}  // namespace trefoil::db
