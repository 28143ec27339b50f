// Queries and their answers. All of these are values: they never change, and never dangle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil {

// Values for the parameters of a query: `:name` by name, `?` by position from 0.
class Params {
 public:
  Params& Set(std::string name, Value value);
  Params& Add(Value value);

  // Null when there is no such parameter.
  const Value* Find(std::string_view name) const;
  const Value* Find(std::size_t position) const;

  const std::vector<std::pair<std::string, Value>>& named() const { return named_; }
  const std::vector<Value>& positional() const { return positional_; }

 private:
  std::vector<std::pair<std::string, Value>> named_;
  std::vector<Value> positional_;
};

// How one run goes.
struct RunOptions {
  // Set it to true from any thread, or in a signal handler, and the run ends soon with kCancelled.
  // A statement that ends so wrote nothing, and ends a script; a commit that has begun is finished.
  // Null: nobody stops it. Must outlive the call.
  const std::atomic<bool>* stop = nullptr;
};

// The rows of one answer, in order. Nested lists and objects are Values of kind kList and kObject.
class Rows {
 public:
  Rows() : Rows(std::make_shared<const std::vector<std::string>>(), {}) {}
  // `cells` holds the rows one after the other; each has a value for each name. An answer without
  // columns has no rows.
  Rows(ObjectNames names, std::vector<Value> cells)
      : names_(std::move(names)),
        cells_(std::make_shared<const std::vector<Value>>(std::move(cells))) {}

  const std::vector<std::string>& names() const { return *names_; }
  const ObjectNames& shared_names() const { return names_; }
  std::size_t size() const { return names_->empty() ? 0 : cells_->size() / names_->size(); }
  bool empty() const { return size() == 0; }
  // Valid while any copy of these Rows lives.
  std::span<const Value> operator[](std::size_t row) const {
    return {cells_->data() + row * names_->size(), names_->size()};
  }

  // `[{"name":value,...},...]`
  std::string ToJson() const;

 private:
  ObjectNames names_;
  std::shared_ptr<const std::vector<Value>> cells_;
};

// What one statement of a script did.
struct StatementResult {
  std::optional<Rows> rows;              // SELECT, RETURNING, EXPLAIN
  std::optional<std::int64_t> affected;  // INSERT, UPSERT, UPDATE, DELETE: rows written
  Version version{};                     // the version it committed, or read at
};

struct ExecuteSummary {
  std::vector<StatementResult> statements;
};

// A prepared query: immutable, cheap to copy, usable from any thread and against any Snapshot of
// its Database. Made by Database::Prepare.
class Query {
 public:
  class Plan;  // defined by the library

  Query() = default;
  explicit Query(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

  const std::string& text() const;
  // Names and kinds of the columns of the answer; kNull = any kind.
  const std::vector<std::string>& names() const;
  const std::vector<ValueKind>& kinds() const;
  const std::shared_ptr<const Plan>& plan() const { return plan_; }

 private:
  std::shared_ptr<const Plan> plan_;
};

}  // namespace trefoil
