// Database: typed facts on disk, queries once or live, merged with other replicas. Any thread may
// call any method; one writer commits at a time, readers never wait. Movable; closes when
// destroyed. Nothing is thrown and nothing is printed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/changeset.h"
#include "trefoil/options.h"
#include "trefoil/query.h"
#include "trefoil/result.h"
#include "trefoil/snapshot.h"
#include "trefoil/transaction.h"
#include "trefoil/version.h"

namespace trefoil {

struct Change;  // trefoil/change.h

enum class Deliver : std::uint8_t {
  kOnCommit,    // on the committing thread, before the commit returns
  kBackground,  // on a thread of the database
  kManual,      // by Database::Pump
};

struct WatchOptions {
  Deliver deliver = Deliver::kOnCommit;
  bool initial = true;           // begin with a Change that holds the whole result (reset)
  std::optional<Version> since;  // begin with the difference to this version, if it is retained
  std::function<void(const Error&)> on_error;
};

using OnChange = std::function<void(const Change&)>;

// Keeps a live query; ends it when destroyed, after waiting for a running callback (not when called
// from within it). Move-only. Must not outlive its Database.
class Subscription {
 public:
  class State;  // defined by the library

  Subscription() = default;
  explicit Subscription(std::shared_ptr<State> state);
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription();

  void Cancel();
  bool active() const { return state_ != nullptr; }
  // The whole result as of the last delivered Change.
  Result<Rows> Current() const;

 private:
  std::shared_ptr<State> state_;
};

// Called with work done and work in all (bytes); returns false to cancel.
using OnProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

// What Check found; an empty list of problems means every page and every invariant held.
struct CheckReport {
  std::vector<std::string> problems;  // each names file and offset, or the fact
  std::uint64_t facts = 0;
  std::uint64_t index_entries = 0;
  std::uint64_t bytes = 0;
};

// What Salvage could read, and what it could not.
struct SalvageReport {
  std::string dump;               // as of DumpText
  std::uint64_t facts = 0;        // in the dump
  std::vector<std::string> lost;  // each names file and offset, or what; empty: nothing
};

class Database {
 public:
  class State;  // defined by the library

  // `path` is a directory, or ":memory:". A failed open creates and changes nothing. Errors:
  // kNotFound, kLocked, kForeignDatabase, kNewerFormat, kCorruption, kPermission, kIo.
  static Result<Database> Open(const std::string& path, const Options& options = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  // Runs TreeSQL statements; those outside BEGIN ... COMMIT commit one by one. Stops at the first
  // error, with its line and column in `script`; statements before it stay committed.
  Result<ExecuteSummary> Execute(std::string_view script, const Params& params = {},
                                 const RunOptions& options = {});
  Result<Query> Prepare(std::string_view treesql) const;

  // Runs `body` in a transaction and commits it; runs it again on a conflict, at most 100 times.
  // An error of `body` rolls back and is returned.
  Result<CommitInfo> Write(const std::function<Status(Transaction&)>& body,
                           Durability durability = Durability::kDefault);
  Transaction Begin();

  Snapshot snapshot() const;
  // The database as it was. Error kTooOld names the oldest version still held.
  Result<Snapshot> AsOf(Version version) const;
  Result<Snapshot> AsOf(std::chrono::system_clock::time_point time) const;
  Version version() const;
  Version durable_version() const;

  // Calls `on_change` with one exact Change per version that changes the result. See WatchOptions.
  Result<Subscription> Watch(const Query& query, const Params& params, OnChange on_change,
                             WatchOptions options = {});
  // Delivers what Deliver::kManual subscriptions are owed; returns the number of Changes.
  std::size_t Pump(std::chrono::microseconds budget = std::chrono::microseconds::max());

  // True when the directory was found at open to be a copy of another database's, made by Backup,
  // by Clone or by copying its files. With its first commit it becomes a replica of its own, so
  // both can write and merge.
  bool is_copy() const;

  VersionVector version_vector() const;
  // The part that this replica holds.
  Part part() const;
  // The part that a text names: tables with commas between them, or some of their rows with a range
  // of the key, `list, item WHERE list = 7`. A table that is named twice adds both ranges. Errors:
  // kSyntax, kUnknownTable, kUnknownColumn, kInvalidArgument for a WHERE that is no range of the
  // key.
  Result<Part> PartOf(std::string_view text) const;
  // Transactions that a replica with `known` lacks, cut to its part, or the state if some are no
  // longer held.
  Result<std::string> Changes(const VersionVector& known) const;
  // The first `bytes_max` bytes of them, before compression; a transaction that is larger than
  // that, or than 1 MiB, is cut into pieces. A state is one part, whatever its size.
  Result<ChangesPart> Changes(const VersionVector& known, std::size_t bytes_max) const;
  // Applies a changeset as one commit. Errors: kCorruption with the position, kForeignDatabase,
  // kNewerFormat, kSchemaConflict, kConflict (ahead of this clock), kOutsidePart (a state of less
  // than is held here); then nothing is applied.
  Result<MergeSummary> Merge(std::string_view changeset);
  Result<Digest> StateDigest() const;
  // Of a part, equal to that of a replica of it. Error: kOutsidePart for more than is held here.
  Result<Digest> StateDigest(const Part& part) const;
  // Every fact with its clocks as sorted text: equal states are equal texts (docs/sync.md).
  Result<std::string> DumpText() const;
  // Makes an empty database what was dumped; the digest is the same. Errors: kAlreadyExists,
  // kCorruption with the line; then nothing is loaded.
  Status LoadText(std::string_view text);
  // Everything that is whole of a damaged database that Open refuses, as a dump; changes nothing.
  // With a loss the dump claims to know no transaction, so that a merge with another replica brings
  // back what is missing there. Errors: kNotFound, kIo.
  static Result<SalvageReport> Salvage(const std::string& path, const Options& options = {});

  // All commits so far are on the device on return.
  Status Flush();
  // Drops transactions that all replicas have (docs/sync.md), merges the store down, and waits.
  Status Compact();
  // A consistent copy in a new directory, hard links where the file system has them. When it is
  // opened it becomes a replica of its own, so what it restores never writes under an old identity.
  Status Backup(const std::string& to) const;
  // As Backup, on the device; the copy is a new replica that can write beside this one.
  Status Clone(const std::string& to) const;
  // The same of a part: its files hold no row beyond it. Errors: kAlreadyExists, kOutsidePart.
  Status Clone(const std::string& to, const Part& part) const;
  Result<CheckReport> Check(const OnProgress& progress = {}) const;

  std::string StatsJson() const;
  std::string DataflowJson() const;
  // The declarations of all types and indexes as TreeSQL text.
  std::string SchemaText() const;

  State& state() const { return *state_; }

 private:
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace trefoil
