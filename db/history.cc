// AS OF: while history is retained, every commit leaves a record of its wall time, which never goes
// back from one version to the next, [V, version] -> 8 bytes of microseconds, and the store keeps
// the versions behind the horizon. The horizon follows the clock: it is the newest commit that is
// older than the retention.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/engine.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// Commits closer together than this share a moment, which bounds the number of moments.
constexpr std::int64_t kMomentMicros = 100'000;
// Records behind the horizon are removed in runs of at least so many.
constexpr std::uint64_t kForgottenRun = 200;

bool KeepsHistory(const Options& options) { return options.history.retention.count() > 0; }

// A record that does not read counts as later than everything.
std::int64_t WallMicrosOf(Slice record) {
  if (record.size() != 8) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(LoadFixed64(record.data()));
}

Error TooOld(lsm::SequenceNumber oldest) {
  return MakeError(ErrorCode::kTooOld,
                   StrCat("that state is no longer held; the oldest is version ", oldest),
                   "Options::history says how long states are held");
}

}  // namespace

void Engine::StartHistory() {
  if (!KeepsHistory(options_) || read_only()) return;
  if (store_->history_horizon() == 0) {
    store_->SetHistoryHorizon(std::max<lsm::SequenceNumber>(1, store_->last_sequence()));
  }
  const SnapshotView view(*store_, store_->GetSnapshot());
  const std::string prefix(1, schema::kCommitSpace);
  const std::unique_ptr<lsm::Iterator> records =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  for (records->SeekToFirst(); records->Valid(); records->Next()) {
    Version version;
    if (!schema::ParseCommitKey(records->key(), &version)) continue;
    const std::int64_t wall = WallMicrosOf(records->value());
    if (moments_.empty() || wall - moments_.back().wall_micros >= kMomentMicros) {
      moments_.push_back({.wall_micros = wall, .version = version});
    }
    last_wall_micros_ = wall;
  }
}

// Adds the record of the commit that is being made, and lets go of states that are old enough.
void Engine::AddHistory(lsm::WriteBatch& batch) {
  if (!KeepsHistory(options_)) return;
  const Version version{store_->last_sequence() + 1};
  const std::string key = schema::CommitKey(version);
  last_wall_micros_ = std::max(last_wall_micros_, clock_->NowMicros());
  const std::int64_t wall = last_wall_micros_;
  std::string value;
  AppendFixed64(value, static_cast<std::uint64_t>(wall));
  batch.Put(Slice(key), Slice(value));
  if (moments_.empty() || wall - moments_.back().wall_micros >= kMomentMicros) {
    moments_.push_back({.wall_micros = wall, .version = version});
  }
  if (options_.history.retention == History::kAll) return;
  const std::int64_t oldest = wall - options_.history.retention.count();
  // The newest state that is too old was in force until the first that is not.
  while (moments_.size() > 1 && moments_[1].wall_micros < oldest) moments_.pop_front();
  const Version horizon = moments_.front().version;
  const lsm::SequenceNumber before = store_->history_horizon();
  if (ToNumber(horizon) < before + kForgottenRun) return;
  const std::string first = schema::CommitKey(Version{0});
  const std::string limit = schema::CommitKey(horizon);
  batch.DeleteRange(Slice(first), Slice(limit));
  store_->SetHistoryHorizon(ToNumber(horizon));
}

Result<PinnedRef> Engine::MakePinned(lsm::Snapshot snapshot) const {
  schema::SchemaRef schema;
  {
    const std::lock_guard lock(state_mutex_);
    if (snapshot.sequence() >= ToNumber(schema_since_)) schema = schema_;
  }
  if (schema == nullptr) {
    const SnapshotView view(*store_, snapshot);
    Result<schema::SchemaRef> read = SchemaAt(view);
    if (!read) return std::move(read).error();
    schema = *std::move(read);
  }
  return PinnedRef(std::make_shared<const Pinned>(*store_, std::move(snapshot), std::move(schema)));
}

Result<PinnedRef> Engine::PinAt(Version version) const {
  const lsm::SequenceNumber last = store_->last_sequence();
  if (ToNumber(version) > last) {
    return NotFound(StrCat("there is no version ", ToNumber(version), " yet; the last is ", last));
  }
  Result<lsm::Snapshot> snapshot = store_->SnapshotAt(ToNumber(version));
  if (!snapshot) {
    if (snapshot.error().code != ErrorCode::kTooOld) return std::move(snapshot).error();
    const lsm::SequenceNumber horizon = store_->history_horizon();
    return TooOld(horizon == 0 ? last : horizon);
  }
  return MakePinned(*std::move(snapshot));
}

// Commit times only grow, so the records are searched by halving the versions.
Result<PinnedRef> Engine::PinAt(std::chrono::system_clock::time_point time) const {
  const std::int64_t micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const SnapshotView view(*store_, store_->GetSnapshot());
  const std::string prefix(1, schema::kCommitSpace);
  const std::unique_ptr<lsm::Iterator> records =
      view.NewIterator({.start = prefix, .limit = schema::PrefixLimit(prefix)});
  const auto is_later = [&] { return WallMicrosOf(records->value()) > micros; };
  const auto seek = [&](std::uint64_t version) {
    const std::string key = schema::CommitKey(Version{version});
    records->Seek(Slice(key));
  };
  std::uint64_t low = 1;                     // every version below is not later
  std::uint64_t high = view.sequence() + 1;  // and this one and all above are
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    seek(middle);
    if (!records->Valid()) {
      high = middle;
      continue;
    }
    Version found;
    if (!schema::ParseCommitKey(records->key(), &found)) break;
    if (is_later()) {
      high = middle;
    } else {
      low = ToNumber(found) + 1;
    }
  }
  if (Status status = records->status(); !status) return std::move(status).error();
  seek(low);
  if (!records->Valid())
    records->SeekToLast();
  else
    records->Prev();
  Version version;
  if (!records->Valid() || !schema::ParseCommitKey(records->key(), &version)) {
    const lsm::SequenceNumber horizon = store_->history_horizon();
    return TooOld(horizon == 0 ? store_->last_sequence() : horizon);
  }
  return PinAt(version);
}

}  // namespace trefoil::db
