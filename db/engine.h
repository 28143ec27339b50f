// Engine: the database without its query language: the store, the schema in force, the one path by
// which facts change, and those who want to know of changes. Database wraps it for users; the query
// layer and the command line stand on it.
//
//   Pin() -> Pinned (version + schema) -> TripleSource, TripleStore: read
//   Begin() -> WriteTransaction -> Commit(): write (db/commit.cc says the steps)
//   AddObserver(): be told of every commit, in order
//
// Locks, taken in this order:
//   commit_mutex_   one commit at a time; the clock, what the next batch must carry
//   state_mutex_    schema in force, open transactions, recent commits; held briefly
// and on its own
//   deliver_mutex_  the queue of commits to be told
//
// A database is single-writer: the store's lock keeps other processes out. Any thread may call any
// method.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/env_memory.h"
#include "base/thread_id.h"
#include "crdt/hybrid_clock.h"
#include "crdt/stability.h"
#include "crdt/state_changeset.h"
#include "db/arriving_frames.h"
#include "db/commit_delta.h"
#include "db/key_generator.h"
#include "db/known_rows.h"
#include "db/meta.h"
#include "db/pinned.h"
#include "db/site_log.h"
#include "db/system_tables.h"
#include "db/write_transaction.h"
#include "lsm/store.h"
#include "trefoil/changeset.h"
#include "trefoil/database.h"
#include "trefoil/options.h"
#include "trefoil/result.h"
#include "trefoil/transaction.h"

namespace trefoil::db {

struct DumpedState;

class Engine {
 public:
  // `path` is a directory or ":memory:". Errors: see Database::Open.
  static Result<std::unique_ptr<Engine>> Open(const std::string& path, const Options& options);
  // All transactions and pins must be gone.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- reading ---

  PinnedRef Pin() const;
  // The state at a version. Errors: kTooOld, kNotFound for a version that is not yet.
  Result<PinnedRef> PinAt(Version version) const;
  // The last state not later than the moment. Error: kTooOld.
  Result<PinnedRef> PinAt(std::chrono::system_clock::time_point time) const;
  Version version() const { return Version{store_->last_sequence()}; }
  Version durable_version() const { return Version{store_->durable_sequence()}; }
  schema::SchemaRef schema() const;

  // --- writing ---

  std::unique_ptr<WriteTransaction> Begin();
  // Ends the transaction whatever the outcome. Errors: kConflict, kReferenceViolation, those of the
  // store.
  Result<CommitInfo> Commit(WriteTransaction& transaction, Durability durability);
  // Runs `body` and commits, again on a conflict, at most kAttempts times.
  Result<CommitInfo> Write(const std::function<Status(WriteTransaction&)>& body,
                           Durability durability = Durability::kDefault);
  static constexpr int kAttempts = 100;
  // Declares types and indexes in one commit, then builds the new indexes beside other writers.
  // Errors: those of schema::Migrate; kUniqueViolation when a UNIQUE does not hold.
  Result<CommitInfo> Declare(std::span<const schema::Declaration> declarations);

  // --- other replicas ---

  // What is applied of each site; what of others is there besides.
  crdt::Heads heads() const;
  crdt::Known known() const;
  // See Database::Changes, Merge, StateDigest, Clone. Changes are cut to the part of who knows.
  Result<std::string> Changes(const crdt::Known& known) const;
  // At most `bytes_max` bytes of transactions; those that do not fit into it, or into kPieceBytes,
  // are cut. A state is one part.
  struct PartOfChanges {
    std::string changeset;
    crdt::Known covered;  // by what was known and this, and what this replica cannot give
  };
  Result<PartOfChanges> ChangesUpTo(const crdt::Known& known, std::size_t bytes_max) const;
  Result<MergeSummary> Merge(Slice changeset);
  // Error kOutsidePart for more than is held here.
  Result<Digest> StateDigest(const schema::Part& part) const;
  Status Clone(const std::string& to) const;
  Status Clone(const std::string& to, const schema::Part& part) const;
  // What of the rows this replica holds.
  const schema::Part& part() const { return part_; }
  // See Database::DumpText, LoadText.
  Result<std::string> DumpText() const;
  Status LoadText(std::string_view text);

  // Set once, before the first write that needs it.
  void SetCompiler(ExpressionCompiler compiler);

  // --- being told ---

  // From the next commit on. The observer must live until it is removed; Remove waits for a running
  // call, unless it is made from within one.
  void AddObserver(CommitObserver* observer);
  void RemoveObserver(CommitObserver* observer);
  // Types, ascending, of which writers from now on tell observers the rows, as far as they know
  // them; observers read the others.
  void Watch(std::vector<TypeId> types);

  // Who reads sys.live_query and sys.operator, set once before the first read of them.
  using LiveTables = std::function<void(TypeId type, const VisitRow& visit)>;
  void SetLiveTables(LiveTables tables) { live_tables_ = std::move(tables); }
  void ScanLive(TypeId type, const VisitRow& visit) const { live_tables_(type, visit); }

  // --- care ---

  // All commits so far are on the device on return.
  Status Flush() { return store_->SyncUpTo(store_->last_sequence()); }
  // Merges the store down to its smallest form and waits; the log is collected first.
  Status Compact();
  // Drops the transactions that every other member has applied. `lease`: how long a replica that is
  // not heard counts as a member.
  static constexpr std::chrono::microseconds kLease = std::chrono::hours(24 * 30);
  Status CollectLog(std::chrono::microseconds lease = kLease);
  // A consistent copy in a new directory.
  Status Backup(const std::string& to) const;
  // Reads everything; see CheckReport.
  Result<CheckReport> CheckData(const OnProgress& progress) const;
  bool read_only() const { return options_.read_only; }
  const Options& options() const { return options_; }
  const SiteIdentity& site() const { return site_; }
  crdt::SiteId own_site() const;
  bool is_copy() const { return is_copy_; }
  const Clock& clock() const { return *clock_; }
  lsm::Store& store() { return *store_; }
  const lsm::Store& store() const { return *store_; }

 private:
  friend class WriteTransaction;

  struct RecentCommit {
    Version version{};
    std::vector<std::string> keys;      // sorted
    std::vector<lsm::KeyRange> ranges;  // dropped
  };
  // A sample of when a version was made, to find the horizon by time.
  struct Moment {
    std::int64_t wall_micros = 0;
    Version version{};
  };

  explicit Engine(const Options& options) : options_(options) {}

  Status OpenStore(const std::string& path);
  Status ReadMeta();
  Status ChoosePart(const Meta& meta);
  void ChooseSite(const Meta& meta);
  void RememberUncleanEnd();
  Status ReadSchema();
  void StartHistory();
  Result<schema::SchemaRef> SchemaAt(const ReadView& view) const;
  Result<PinnedRef> MakePinned(lsm::Snapshot snapshot) const;

  void End(WriteTransaction& transaction);

  // The steps of a commit, in order; see commit.cc.
  Status CheckReferences(WriteTransaction& transaction) const;
  Status CheckConflicts(const WriteTransaction& transaction) const;
  const lsm::WriteBatch& MakeBatch(const WriteTransaction& transaction, std::uint64_t time);
  void AddHistory(lsm::WriteBatch& batch);
  Result<Version> CommitHeld(WriteTransaction& transaction);
  // What is new in a changeset, and the commit that applies it; see merge.cc.
  struct Incoming;
  Status CheckFamily(const crdt::Heads& sender) const;
  Status CollectIncoming(Slice changeset, Incoming* incoming);
  Status JoinPieces(Incoming* incoming, const ReadView& view);
  Status AddPending(Incoming* incoming) const;
  void ChooseReady(Incoming* incoming) const;
  void NoteWriters(const Incoming& incoming);
  // The same for the state of another replica; see merge_state.cc.
  Status CheckState(const crdt::StateChangeset& changeset) const;
  Result<crdt::ChangesetHeader> MergeState(Slice changeset, MergeSummary* summary);
  Result<Version> JoinState(const crdt::StateChangeset& changeset, MergeSummary* summary);
  Result<PartOfChanges> StateChanges(const schema::Part& part) const;
  // What others have applied, and what need not be kept for them; see collect_log.cc.
  // `part`: what the replica says that it holds; null: it does not say.
  void NotePeer(const crdt::SiteId& site, const crdt::Heads& applied, const schema::Part* part);
  crdt::ReplicaId OwnId() const;
  crdt::Heads StableFloors(std::chrono::microseconds lease);
  Result<std::uint64_t> TimeOfFrame(const crdt::SiteId& site, std::uint64_t sequence) const;
  Result<Version> DropFrames(const crdt::Heads& floors);
  Status SyncBeforeTelling(lsm::SequenceNumber sequence) const;
  Status CopyWithoutSite(const std::string& to) const;
  Status PutDumped(WriteTransaction& transaction, const DumpedState& dumped);
  Status MergeAny(Slice changeset, MergeSummary* summary);
  Result<Version> MergeHeld(Incoming& incoming, MergeSummary* summary);
  Version NextVersion() const { return Version{store_->last_sequence() + 1}; }
  Result<Version> Publish(WriteTransaction& transaction, const lsm::WriteBatch& batch);
  void Work(const lsm::WriteBatch& batch);
  void Deliver(Version version);

  Status FinishIndexes();
  Status BuildIndex(IndexId index);
  Status FillIndex(IndexId index);
  Status CheckUniqueIndex(IndexId index) const;

  Options options_;
  std::unique_ptr<MemoryEnv> memory_env_;  // of ":memory:"
  Env* env_ = nullptr;
  const Clock* clock_ = nullptr;
  std::unique_ptr<lsm::Store> store_;
  bool background_work_ = true;
  schema::Part part_;  // never changes
  SiteIdentity site_;
  std::string home_;  // identity of the directory; empty where none is known or needed
  bool is_copy_ = false;
  ExpressionCompiler compiler_;
  LiveTables live_tables_ = [](TypeId, const VisitRow&) {};
  std::unique_ptr<KeyGenerator> keys_;
  mutable KnownRows known_rows_;

  mutable std::mutex commit_mutex_;
  std::optional<crdt::HybridClock> hybrid_clock_;    // guarded by commit_mutex_
  std::optional<SiteLog> log_;                       // guarded by commit_mutex_
  ArrivingFrames arriving_;                          // guarded by commit_mutex_
  crdt::Peers peers_;                                // guarded by commit_mutex_
  std::uint64_t reserved_time_ = 0;                  // guarded by commit_mutex_
  std::map<std::string, std::string> pending_meta_;  // guarded by commit_mutex_
  std::int64_t last_wall_micros_ = 0;                // guarded by commit_mutex_
  std::deque<Moment> moments_;                       // guarded by commit_mutex_
  lsm::WriteBatch batch_;                            // guarded by commit_mutex_; for its memory

  mutable std::mutex state_mutex_;
  schema::SchemaRef schema_;                  // guarded by state_mutex_
  LayoutsRef layouts_;                        // guarded by state_mutex_; of schema_, or null
  Version schema_since_{};                    // guarded by state_mutex_
  WatchedTypes watched_;                      // guarded by state_mutex_
  std::multiset<Version> open_transactions_;  // guarded by state_mutex_
  std::deque<RecentCommit> recent_;           // guarded by state_mutex_

  std::mutex deliver_mutex_;
  std::condition_variable delivered_;
  std::vector<CommitObserver*> observers_;  // guarded by deliver_mutex_
  std::deque<CommitDelta> deliveries_;      // guarded by deliver_mutex_
  ThreadId deliverer_;                      // guarded by deliver_mutex_
  Version delivered_version_{};             // guarded by deliver_mutex_
};

}  // namespace trefoil::db
