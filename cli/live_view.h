// One live query of a session: collects the Changes that commits bring until they are printed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/render.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::cli {

class LiveView {
 public:
  // The first Change holds the whole result.
  static Result<std::unique_ptr<LiveView>> Start(Database& database, std::string name,
                                                 std::string_view treesql, const Params& params);

  // The Changes since the last call as text; empty if there were none.
  std::string TakeText(Format format);

  // The result as of the last Change, and its version.
  Result<Rows> Current() const { return subscription_.Current(); }
  Version version() const;

 private:
  explicit LiveView(std::string name) : name_(std::move(name)) {}
  void Take(const Change& change);

  std::string name_;
  mutable std::mutex mutex_;  // Changes may come from another thread
  std::vector<Change> changes_;
  Version version_{};
  Subscription subscription_;  // last member: ends before the rest is gone
};

// Lines that begin with `+`, `-` and `~`, under a heading with version, origin.
std::string ChangeText(std::string_view name, const Change& change);

}  // namespace trefoil::cli
