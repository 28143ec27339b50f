// A replica for merge tests: a database on a disk that can crash, with a clock of its own, one
// table with a column of each merge kind, and a mirror that is kept by deltas alone.
//
//   t (id INT KEY, name INT indexed, a INT, b INT, many INT MV, n INT COUNTER, tags INT SET,
//      high INT MAX, low INT MIN, up REF t ACYCLIC, extra INT)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/env_fault.h"
#include "crdt/site.h"
#include "db/public_state.h"
#include "db/row_writer.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::testing {

// Column numbers of `t`.
enum Column : std::uint32_t {
  kId = 1,
  kName,
  kA,
  kB,
  kMany,
  kCount,
  kTags,
  kHigh,
  kLow,
  kUp,
  kExtra
};

class Replica {
 public:
  // `seed` decides the identity of the replica.
  explicit Replica(std::uint64_t seed, Part part = {});
  // The database at `path` in the files of another replica: a clone, or a backup of it.
  Replica(const Replica& beside, std::string path);
  ~Replica();

  Database& database() { return *database_; }
  db::Engine& engine() { return *database_->state().engine; }
  ManualClock& clock() { return clock_; }

  FaultEnv& env() { return *env_; }

  // The first `columns` columns of the table.
  void DeclareTable(std::size_t columns = kUp);
  // 0 = the table is not there.
  std::size_t columns();
  // Whether it is a replica of all rows, of this row, of where rows lie in the tree.
  bool HoldsAll() { return engine().part().is_whole(); }
  bool Holds(std::int64_t id);
  bool HoldsTree();
  // Keeps a live query from now on, which CheckSound compares with a fresh one.
  void Watch();

  // Each is one transaction; the test fails if it fails for more than a reference. False if there
  // is no such row (Insert: if there is one).
  bool Insert(std::int64_t id, std::vector<db::FieldEdit> fields = {});
  bool Update(std::int64_t id, std::vector<db::FieldEdit> fields);
  bool Delete(std::int64_t id);
  bool Set(std::int64_t id, Column column, std::int64_t value);
  // Puts the row below another one, which is there. False also if it cannot be below that one.
  bool Move(std::int64_t id, std::int64_t parent);
  bool Add(std::int64_t id, Column column, std::int64_t value);
  bool Remove(std::int64_t id, Column column, std::int64_t value);

  // The row in the order of columns, or nothing.
  std::optional<std::vector<Value>> Row(std::int64_t id);
  Value Get(std::int64_t id, Column column);

  std::string Changes(const VersionVector& known = {});
  MergeSummary Merge(const std::string& changeset);
  std::string Hex();
  // Of the last own transaction under the present incarnation.
  crdt::Dot LastDot();

  // From now on the disk says that it wrote, and did not.
  void LoseSyncs();
  // The power goes with the event that is so many from now; until it is back nothing has to
  // succeed.
  void PowerOffAfter(std::uint64_t events);
  // The power goes and comes back; an even seed takes everything that was not synced.
  void Crash(std::uint64_t seed);
  void Reopen();

  // What is wrong with the results that were kept up by deltas; empty when nothing is.
  std::string Compare();
  // Fails the test unless the store is sound, no row shows half a transaction (a = -b), and the
  // mirror equals a fresh scan.
  void CheckSound();

 private:
  class Mirror;

  void Open();
  void Close();
  void StartWatching();
  bool Run(const std::function<Result<bool>(db::WriteTransaction&, TypeId)>& body);

  std::shared_ptr<FaultEnv> env_;
  Part part_;
  std::string path_ = "replica";
  bool may_fail_ = false;
  ManualClock clock_;
  std::optional<Database> database_;
  std::unique_ptr<Mirror> mirror_;
  bool watches_ = false;
  std::vector<trefoil::Row> live_;
  Subscription subscription_;
};

// Both get what the other has.
void Sync(Replica& a, Replica& b);

// The rows of `t` with keys from `from` on, and below `below` if that is not 0.
Part RowsFrom(std::int64_t from, std::int64_t below = 0);
// All of `t`.
Part AllOfT();

}  // namespace trefoil::testing
