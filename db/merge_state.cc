// Merging the state of another replica: what it has applied and this one lacks comes without the
// transactions, which nobody needs to hold any more. One commit; then whatever waited for it.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "crdt/cut.h"
#include "db/apply_changeset.h"
#include "db/engine.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// How many transactions `missing` names beyond `heads`.
std::uint64_t CountMissing(const crdt::Heads& heads, const crdt::Heads& missing) {
  std::uint64_t count = 0;
  for (const auto& [site, head] : missing) count += head - crdt::HeadOf(heads, site);
  return count;
}

}  // namespace

// A single transaction that is stamped too far ahead can be held back; a state cannot.
Status Engine::CheckState(const crdt::StateChangeset& changeset) const {
  if (Status family = CheckFamily(changeset.header.heads); !family) return family;
  const std::uint64_t latest = crdt::HybridTimeOf(clock_->NowMicros()) + crdt::kDriftMax;
  for (const auto& [site, time] : changeset.times) {
    if (time <= latest) continue;
    const std::int64_t ahead = crdt::WallMicrosOf(time) - clock_->NowMicros();
    return MakeError(ErrorCode::kConflict,
                     StrCat("the state holds a transaction stamped ", ahead / 1'000'000,
                            " seconds ahead of this clock"),
                     "set the clocks of both replicas, or merge when that time has come");
  }
  return Ok();
}

Result<crdt::ChangesetHeader> Engine::MergeState(Slice bytes, MergeSummary* summary) {
  Result<crdt::StateChangeset> changeset = crdt::DecodeStateChangeset(bytes);
  if (!changeset) return std::move(changeset).error();
  if (Status checked = CheckState(*changeset); !checked) return std::move(checked).error();
  if (crdt::Covers(log_->heads(), changeset->header.heads)) {
    summary->transactions_known = CountMissing({}, changeset->header.heads);
  } else if (!changeset->header.body.Covers(part_)) {
    return MakeError(ErrorCode::kOutsidePart,
                     "the state holds a part of the database, and this replica holds more",
                     "take the changes of a replica that holds all of it");
  } else {
    crdt::CutState(part_, &*changeset);
    Result<Version> joined = JoinState(*changeset, summary);
    if (!joined) return std::move(joined).error();
  }
  return std::move(changeset->header);
}

Result<Version> Engine::JoinState(const crdt::StateChangeset& changeset, MergeSummary* summary) {
  const std::unique_ptr<WriteTransaction> transaction = Begin();
  FrameApplier applier(*transaction->base_, log_->times(), transaction->view_, log_->sites());
  Status applied =
      applier.ApplyState(changeset, [this](const ReadView& view) { return SchemaAt(view); });
  if (!applied) return std::move(applied).error();
  transaction->schema_ = applier.schema();
  transaction->dropped_ranges_ = applier.dropped_ranges();
  transaction->merged_ = applier.TakeTouched();
  crdt::Heads newer;
  for (const auto& [site, head] : changeset.header.heads) {
    if (head <= crdt::HeadOf(log_->heads(), site)) continue;
    newer[site] = head;
    // Behind the frames that are held there is a gap now, and nobody is served from them.
    const schema::SiteOrdinal ordinal = log_->sites().Add(site);
    transaction->dropped_ranges_.push_back(
        {.start = schema::LogKey(ordinal, 0), .limit = schema::LogKey(ordinal, head + 1)});
  }
  log_->PutFloors(transaction->view_.writes(), newer, changeset.times);
  for (const auto& [site, time] : changeset.times) hybrid_clock_->Observe(time);
  const lsm::WriteBatch& batch = MakeBatch(*transaction, hybrid_clock_->Next());
  Result<Version> version = Publish(*transaction, batch);
  if (!version) return version;
  summary->transactions_applied = CountMissing(log_->heads(), newer);
  summary->facts_changed = applier.facts_changed();
  log_->NoteState(newer, changeset.times);
  Work(batch);
  return version;
}

}  // namespace trefoil::db
