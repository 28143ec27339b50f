// The one path by which facts change:
//
//   1 check      references have rows (check_references.cc); nothing that the transaction read
//                has changed since
//   2 stamp      hybrid time, greater than every one before
//   3 expand     the writes (cells, row cells, index entries), stamped; the log frame that tells
//                other replicas; what the database has to say of itself; the commit record when
//                history is kept. One WriteBatch.
//   4 apply      log and memtable; the version is published; RELAXED returns after step 6
//   5 tell       observers get what was touched, with the states before and after
//   6 work       where nobody works in the background, flushes and merges the commit has made due
//   7 sync       DURABLE waits until the log is on the device
//
// Steps 1 to 4 run under commit_mutex_. I1: observers hear of versions in order, each once.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/engine.h"
#include "db/local_frame.h"
#include "db/meta.h"
#include "db/triple_store.h"
#include "schema/cell.h"
#include "schema/keys.h"

namespace trefoil::db {

namespace {

// Stamps are reserved this far ahead of the last one, so that one commit in so many milliseconds
// carries the reservation.
constexpr std::uint64_t kReservedAhead = std::uint64_t{2000} << crdt::kCounterBits;
// Keys of recent commits that are kept for open transactions; beyond it the oldest go and
// transactions that old conflict.
constexpr std::size_t kRecentKeysMax = 1'000'000;

bool Overlaps(const std::vector<std::string>& keys, const lsm::KeyRange& range) {
  const auto first = std::ranges::lower_bound(keys, range.start);
  return first != keys.end() && (range.limit.empty() || *first < range.limit);
}

bool Contains(const lsm::KeyRange& range, std::string_view key) {
  return range.start <= key && (range.limit.empty() || key < range.limit);
}

bool Intersect(const lsm::KeyRange& a, const lsm::KeyRange& b) {
  return (b.limit.empty() || a.start < b.limit) && (a.limit.empty() || b.start < a.limit);
}

Error ConflictError(const char* what) {
  return MakeError(ErrorCode::kConflict, StrCat("a concurrent commit ", what),
                   "run the transaction again; Database::Write does");
}

// The rows whose facts are among the writes.
std::vector<TouchedRow> TouchedRows(const WriteSet& writes, const schema::Schema& schema) {
  std::vector<TouchedFact> touched;
  const schema::Type* type = nullptr;
  std::vector<schema::KeyPart> parts;
  for (const auto& [key, value] : writes) {
    schema::FactName name;
    if (!schema::ParseFactKey(key.slice(), &name)) continue;
    if (type == nullptr || type->id != name.type) {
      type = schema.FindType(name.type);
      if (type == nullptr) continue;
      parts = SubjectParts(*type);
    }
    Slice rest = name.subject;
    for (const schema::KeyPart& part : parts) {
      const bool skipped = schema::SkipKeyPart(rest, part);
      Check(skipped, "a fact that was just written has a subject");
    }
    const Slice subject = name.subject.Prefix(name.subject.size() - rest.size());
    touched.push_back({.type = name.type, .subject = subject, .attribute = name.attribute});
  }
  return RowsOf(std::move(touched));
}

}  // namespace

// Serialisable: what was read is as it would be read now.
Status Engine::CheckConflicts(const WriteTransaction& transaction) const {
  const Version base = transaction.base_->version();
  const std::lock_guard lock(state_mutex_);
  if (schema_ != transaction.base_->schema()) return ConflictError("changed the schema");
  if (ToNumber(base) == store_->last_sequence()) return Ok();
  const ReadSet& reads = transaction.view_.reads();
  // Every commit since the snapshot is held, because the transaction was registered.
  std::uint64_t expected = ToNumber(base) + 1;
  for (const RecentCommit& commit : recent_) {
    if (commit.version <= base) continue;
    if (ToNumber(commit.version) != expected++) return ConflictError("is no longer remembered");
    for (std::size_t i = 0; i < reads.points(); ++i) {
      const std::string_view point = reads.point(i).view();
      if (std::ranges::binary_search(commit.keys, point, std::less<std::string_view>()) ||
          std::ranges::any_of(commit.ranges,
                              [&](const lsm::KeyRange& r) { return Contains(r, point); })) {
        return ConflictError("changed a row that this transaction read");
      }
    }
    for (const lsm::KeyRange& range : reads.ranges) {
      if (Overlaps(commit.keys, range) ||
          std::ranges::any_of(commit.ranges,
                              [&](const lsm::KeyRange& r) { return Intersect(r, range); })) {
        return ConflictError("changed rows in a range that this transaction read");
      }
    }
  }
  if (expected != store_->last_sequence() + 1) return ConflictError("is no longer remembered");
  return Ok();
}

// Valid until the next commit.
const lsm::WriteBatch& Engine::MakeBatch(const WriteTransaction& transaction, std::uint64_t time) {
  // The memory of a usual batch is kept, that of a huge one is not.
  constexpr std::size_t kKeptBytes = std::size_t{1} << 20;
  if (batch_.encoded().size() > kKeptBytes) batch_ = lsm::WriteBatch();
  batch_.Clear();
  lsm::WriteBatch& batch = batch_;
  for (const lsm::KeyRange& range : transaction.dropped_ranges_) {
    batch.DeleteRange(Slice(range.start), Slice(range.limit));
  }
  for (const auto& [key, value] : transaction.view_.writes()) {
    if (value.deletes()) {
      batch.Delete(key.slice());
    } else {
      batch.Put(key.slice(), value.slice());
    }
  }
  if (time > reserved_time_) {
    reserved_time_ = time + kReservedAhead;
    pending_meta_[schema::MetaKey(kMetaClock)] = EncodeTime(reserved_time_);
  }
  for (const auto& [key, value] : pending_meta_) batch.Put(Slice(key), Slice(value));
  AddHistory(batch);
  return batch;
}

Result<Version> Engine::Publish(WriteTransaction& transaction, const lsm::WriteBatch& batch) {
  bool watched;
  {
    const std::lock_guard lock(deliver_mutex_);
    watched = !observers_.empty();
  }
  CommitDelta delta;
  const bool is_latest = ToNumber(transaction.base_->version()) == store_->last_sequence();
  if (watched) delta.before = is_latest ? transaction.base_ : Pin();
  Version version = NextVersion();
  if (transaction.merged_) known_rows_.ForgetAll(version);
  {
    // A new schema and the batch that holds it appear to readers together.
    std::unique_lock lock(state_mutex_, std::defer_lock);
    const bool new_schema = transaction.schema_ != transaction.base_->schema();
    if (new_schema) lock.lock();
    Result<lsm::SequenceNumber> written = store_->Write(batch, lsm::Durability::kRelaxed);
    if (!written) return std::move(written).error();
    pending_meta_.clear();
    Check(Version{*written} == version, "commits are serial");
    if (!lock.owns_lock()) lock.lock();
    if (new_schema) {
      schema_ = transaction.schema_;
      schema_since_ = version;
    }
    // The committing transaction is registered, too; another one needs the keys.
    if (open_transactions_.size() > 1) {
      RecentCommit& recent = recent_.emplace_back();
      recent.version = version;
      for (const auto& [key, value] : transaction.view_.writes()) {
        recent.keys.push_back(key.slice().ToString());
      }
      recent.ranges = transaction.dropped_ranges_;
      std::size_t held = 0;
      for (const RecentCommit& commit : recent_) held += commit.keys.size();
      for (; held > kRecentKeysMax && recent_.size() > 1; recent_.pop_front()) {
        held -= recent_.front().keys.size();
      }
    }
  }
  if (watched) {
    delta.after = Pin();
    Check(delta.after->version() == version, "commits are serial");
    delta.merged = transaction.merged_.has_value();
    delta.touched = delta.merged ? *std::move(transaction.merged_)
                                 : TouchedRows(transaction.view_.writes(), *transaction.schema_);
    if (is_latest) {
      delta.images = std::move(transaction.images_);
      delta.images.Settle();
    }
    const std::lock_guard lock(deliver_mutex_);
    deliveries_.push_back(std::move(delta));
  }
  return version;
}

// Steps 1 to 4 and 6, under commit_mutex_.
Result<Version> Engine::CommitHeld(WriteTransaction& transaction) {
  if (Status conflicts = CheckConflicts(transaction); !conflicts) {
    return std::move(conflicts).error();
  }
  const std::uint64_t time = hybrid_clock_->Next();
  // Mostly nobody has committed since the transaction began, and its own snapshot is the latest.
  std::optional<SnapshotView> newer;
  if (ToNumber(transaction.base_->version()) != store_->last_sequence()) {
    newer.emplace(*store_, store_->GetSnapshot());
  }
  const ReadView& latest = newer ? static_cast<const ReadView&>(*newer) : transaction.base_->view();
  Result<LocalFrame> frame =
      StampLocal(transaction.view_.writes(), latest, *transaction.schema_, time, *log_);
  if (!frame) return std::move(frame).error();
  for (const Slice row : frame->deleted_rows) known_rows_.Remove(row, NextVersion());
  for (const auto& [type, row] : frame->last_rows) known_rows_.RaiseEnd(type, row, NextVersion());
  const lsm::WriteBatch& batch = MakeBatch(transaction, time);
  Result<Version> version = Publish(transaction, batch);
  if (!version) return version;
  if (frame->dot) log_->NoteOwn(*frame->dot, time);
  Work(batch);
  return version;
}

Result<CommitInfo> Engine::Commit(WriteTransaction& transaction, Durability durability) {
  Check(!transaction.ended_, "a transaction commits once");
  struct Ender {
    Engine& engine;
    WriteTransaction& transaction;
    ~Ender() { engine.End(transaction); }
  } ender{*this, transaction};
  if (!transaction.changed()) {
    return CommitInfo{.version = transaction.base_->version(), .changed = false};
  }
  if (Status references = CheckReferences(transaction); !references) {
    return std::move(references).error();
  }
  Version version;
  {
    const std::lock_guard lock(commit_mutex_);
    Result<Version> published = CommitHeld(transaction);
    if (!published) return std::move(published).error();
    version = *published;
  }
  End(transaction);
  Deliver(version);
  for (const IndexId index : transaction.unbuilt_) {
    if (Status built = BuildIndex(index); !built) return std::move(built).error();
  }
  if (durability == Durability::kDefault) durability = options_.durability;
  if (durability == Durability::kDurable) {
    if (Status synced = store_->SyncUpTo(ToNumber(version)); !synced) {
      return std::move(synced).error();
    }
  }
  return CommitInfo{.version = version, .changed = true};
}

// The commit before it is made and will be told, so what fails here is no error of it: as with work
// in the background, it is tried again, and a later commit that needs the room is refused.
void Engine::Work(const lsm::WriteBatch& batch) {
  constexpr std::uint64_t kWorkPerByte = 8;  // merging rewrites a byte about that often
  constexpr std::uint64_t kWorkAtLeast = 64 << 10;
  if (background_work_) return;
  static_cast<void>(store_->Step(batch.encoded().size() * kWorkPerByte + kWorkAtLeast));
}

// Whoever finds nobody delivering delivers for all; the others wait until their own commit was
// told. A commit made by an observer is told when the observer returns.
void Engine::Deliver(Version version) {
  std::unique_lock lock(deliver_mutex_);
  if (deliverer_ == CurrentThreadId()) return;
  delivered_.wait(lock, [&] { return deliverer_ == ThreadId() || delivered_version_ >= version; });
  if (deliverer_ != ThreadId()) return;
  deliverer_ = CurrentThreadId();
  while (!deliveries_.empty()) {
    const CommitDelta delta = std::move(deliveries_.front());
    deliveries_.pop_front();
    const std::vector<CommitObserver*> observers = observers_;
    for (CommitObserver* observer : observers) {
      // One observer may have removed another.
      if (std::ranges::find(observers_, observer) == observers_.end()) continue;
      lock.unlock();
      observer->OnCommit(delta);
      lock.lock();
    }
    delivered_version_ = delta.version();
    delivered_.notify_all();
  }
  deliverer_ = ThreadId();
  delivered_.notify_all();
}

}  // namespace trefoil::db
