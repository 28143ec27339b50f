// A Transaction reads one version of the database plus its own writes, and commits them together or
// not at all. Serialisable: Commit fails with kConflict when a later commit changed something that
// this transaction read. Rolls back when destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trefoil/options.h"
#include "trefoil/query.h"
#include "trefoil/result.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil {

struct CommitInfo {
  Version version{};  // the version that the commit made; the version read if nothing was written
  bool changed = false;
};

// Columns of a row by name, in any order.
using Fields = std::vector<std::pair<std::string, Value>>;

// One thread at a time; movable. Must not outlive its Database. A failed call changes nothing; the
// transaction can go on or roll back.
class Transaction {
 public:
  class State;  // defined by the library

  explicit Transaction(std::unique_ptr<State> state);
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  ~Transaction();

  // Runs TreeSQL statements (no BEGIN, COMMIT, ROLLBACK: those are calls here). Stops at the first
  // error, whose statement then wrote nothing.
  Result<ExecuteSummary> Execute(std::string_view script, const Params& params = {},
                                 const RunOptions& options = {});
  Result<Rows> Run(const Query& query, const Params& params = {}, const RunOptions& options = {});

  // Adds a row. Missing fields take their defaults. Returns the key. Errors: kDuplicateKey,
  // kUnknownTable, kUnknownColumn, kTypeMismatch and the constraint violations.
  Result<std::vector<Value>> Insert(std::string_view type, const Fields& fields);
  // Adds the row, or sets the given fields of the row with that key.
  Result<std::vector<Value>> Put(std::string_view type, const Fields& fields);
  // Sets fields of an existing row. Error kNotFound if there is none.
  Status Update(std::string_view type, std::span<const Value> key, const Fields& fields);
  // Deletes a row; false if there was none.
  Result<bool> Delete(std::string_view type, std::span<const Value> key);
  // The declared columns of a row in declaration order, or nothing.
  Result<std::optional<std::vector<Value>>> Get(std::string_view type, std::span<const Value> key);

  // The version this transaction reads.
  Version version() const;
  // Ends the transaction. Errors: kConflict, constraint violations found at commit, those of the
  // store. After an error the transaction is rolled back.
  Result<CommitInfo> Commit(Durability durability = Durability::kDefault);
  void Rollback();

  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace trefoil
