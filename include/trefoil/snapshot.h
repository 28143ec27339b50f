// A Snapshot is one version of the database, pinned. A value: copying counts a reference, any
// thread may use any copy. Must not outlive its Database.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "trefoil/query.h"
#include "trefoil/result.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil {

class Snapshot {
 public:
  class State;  // defined by the library

  explicit Snapshot(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  Version version() const;

  // Error kCancelled: RunOptions::stop was set.
  Result<Rows> Run(const Query& query, const Params& params = {},
                   const RunOptions& options = {}) const;

  // The declared columns of one row in declaration order, or nothing.
  Result<std::optional<std::vector<Value>>> Get(std::string_view type,
                                                std::span<const Value> key) const;
  // The same for many rows at once, whose look-ups overlap: `visit` gets each in the order of
  // `keys`, an empty span when there is none with that key. The span is valid during the call.
  Status GetMany(std::string_view type, std::span<const std::vector<Value>> keys,
                 const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const;
  // Every row of a type in key order, declared columns in declaration order, until `visit` returns
  // false. The span is valid during the call.
  Status Scan(std::string_view type,
              const std::function<bool(std::span<const Value> row)>& visit) const;

  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace trefoil
