// A replica for merge tests: a database on a disk that can crash, with a clock of its own, one
// table with a column of each merge kind, and a mirror that is kept by deltas alone.
//
//   t (id INT KEY, name INT indexed, a INT, b INT, many INT MV, n INT COUNTER, tags INT SET,
//      high INT MAX, low INT MIN)
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
#include "db/public_state.h"
#include "db/row_writer.h"
#include "trefoil/database.h"

namespace trefoil::testing {

// Column numbers of `t`.
enum Column : std::uint32_t { kId = 1, kName, kA, kB, kMany, kCount, kTags, kHigh, kLow };

class Replica {
 public:
  // `seed` decides the identity of the replica.
  explicit Replica(std::uint64_t seed);
  ~Replica();

  Database& database() { return *database_; }
  db::Engine& engine() { return *database_->state().engine; }
  ManualClock& clock() { return clock_; }

  void DeclareTable();

  // Each is one transaction; the test fails if it fails. False if there is no such row (Insert: if
  // there is one).
  bool Insert(std::int64_t id, std::vector<db::FieldEdit> fields = {});
  bool Update(std::int64_t id, std::vector<db::FieldEdit> fields);
  bool Delete(std::int64_t id);
  bool Set(std::int64_t id, Column column, std::int64_t value);
  bool Add(std::int64_t id, Column column, std::int64_t value);
  bool Remove(std::int64_t id, Column column, std::int64_t value);

  // The row in the order of columns, or nothing.
  std::optional<std::vector<Value>> Row(std::int64_t id);
  Value Get(std::int64_t id, Column column);

  std::string Changes(const VersionVector& known = {});
  MergeSummary Merge(const std::string& changeset);
  std::string Hex();

  // From now on the disk says that it wrote, and did not.
  void LoseSyncs();
  // The power goes and comes back; an even seed takes everything that was not synced.
  void Crash(std::uint64_t seed);
  void Reopen();

  // Fails the test unless the store is sound, no row shows half a transaction (a = -b), and the
  // mirror equals a fresh scan.
  void CheckSound();

 private:
  class Mirror;

  void Open();
  void Close();
  bool Run(const std::function<Result<bool>(db::WriteTransaction&, TypeId)>& body);

  std::unique_ptr<FaultEnv> env_;
  ManualClock clock_;
  std::optional<Database> database_;
  std::unique_ptr<Mirror> mirror_;
};

// Both get what the other has.
void Sync(Replica& a, Replica& b);

}  // namespace trefoil::testing
