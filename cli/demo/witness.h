// Witness: what every demo proves itself with. It keeps a client's copy of each live query, built
// from Changes alone, and compares it with a fresh run of the same query whenever asked; it also
// measures how long commits take to reach the last callback, and what re-running would have cost.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/demo/demo.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::cli {

using AnswerRows = std::vector<std::vector<Value>>;  // computed without the engine

class Witness {
 public:
  explicit Witness(Database& database) : database_(database) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // Keeps the query live under a name. `loud` queries print their Changes.
  Status Watch(const std::string& name, std::string_view treesql, const Params& params, bool loud);

  // Runs a commit, times it to the last callback, prints the Changes of loud queries under `what`
  // (nothing printed when it is empty).
  Status Commit(const std::string& what, const std::function<Status()>& commit);

  // Compares every live copy with a fresh run; remembers and prints the first difference.
  Status Compare();
  // Compares the live copy of one query with other rows.
  void CompareByHand(const std::string& name, const AnswerRows& expected);

  // Passes when no comparison differed. The figures: "5 live queries, 40 commits, 123 deltas, 200
  // comparisons with fresh runs, 40 with rows computed by hand; commit to last callback p50 12 us,
  // p99 80 us; re-running all 4200 us"
  DemoVerdict Verdict() const;

 private:
  struct Live {
    std::string name;
    bool loud = false;
    Query query;
    Params params;
    std::vector<Row> rows;        // the client's copy
    std::vector<Change> arrived;  // in the current commit
    Subscription subscription;
  };

  void PrintChanges(const std::string& what, double micros);
  // Time in microseconds of the commits so far at quantile q in [0, 1].
  double LatencyMicros(double q) const;

  Database& database_;
  std::vector<std::unique_ptr<Live>> live_;
  std::vector<double> latencies_micros_;
  std::uint64_t deltas_ = 0;
  std::uint64_t comparisons_ = 0;
  std::uint64_t comparisons_by_hand_ = 0;
  double rerun_micros_ = 0;   // of all fresh runs
  std::uint64_t reruns_ = 0;  // how often all queries were run
  std::string difference_;    // the first; empty = none
};

}  // namespace trefoil::cli
