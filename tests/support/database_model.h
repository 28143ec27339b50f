// DatabaseModel drives a database through a random history and knows the rows that it must hold at
// every version: one table `item(id KEY, a INDEX, b, tags SET)` with few keys, so that rows come,
// change, go and come back; the column b leaves the declaration and returns, indexes come and go.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/support/random_value.h"
#include "trefoil/database.h"

namespace trefoil::testing {

class DatabaseModel {
 public:
  struct Row {
    std::optional<std::int64_t> a;
    std::optional<std::string> b;
    std::set<std::string> tags;

    friend bool operator==(const Row&, const Row&) = default;
  };
  struct State {
    bool declared = false;
    bool has_b = false;
    std::map<std::int64_t, Row> rows;
  };

  explicit DatabaseModel(std::uint64_t seed) : random_(seed) {}

  // One random transaction or declaration. False when the database returned an error other than
  // those that a history may meet.
  bool Step(Database& database);

  // Empty when the snapshot holds what the model says of its version; else what differs. A version
  // behind the last known one is that of the call that was interrupted.
  std::string Compare(const Snapshot& snapshot) const;

  Version last_version() const { return states_.empty() ? Version{} : states_.rbegin()->first; }
  const std::string& failure() const { return failure_; }
  RandomEngine& random() { return random_; }

 private:
  bool Declare(Database& database);
  bool Transact(Database& database);
  void RandomEdit(Transaction& transaction, State& state);
  bool Fail(const Error& error);

  RandomEngine random_;
  State now_;
  std::optional<State> pending_;  // of the call that is running
  std::map<Version, State> states_;
  std::string failure_;
};

}  // namespace trefoil::testing
