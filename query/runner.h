// Runner: a prepared query that stands ready. Its graph is built once; a run binds the values of
// the parameters, reads the graph over the source of the moment, and drops what the graph has
// gathered.
//
//   first run    plan -> passes -> compile -> install -> hydrate -> read
//   next runs                                 bind    -> hydrate -> read
//
// A plan holds for other values of the same kinds, since values stand in it where parameters were:
// in expressions and in ranges of scans. What a plan depends on otherwise (LIMIT, a value that had
// to be converted to its column's type) is listed in Plan::fixed_parameters. Which order of joins
// is best depends on how many rows there are, so now and then the counts are compared with those of
// the time when the plan was made.
//
// Threads: one at a time; who keeps a runner hands it from one to the next (spare.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/source.h"
#include "query/compiler.h"
#include "query/prepare.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::query {

// The rows that a graph holds for a query that runs once.
Result<Rows> ReadAnswer(dataflow::Graph& graph, const dataflow::Installed& installed,
                        const Compiled& compiled);

// Passes every call on to another source, which may be a different one from run to run.
class MovingSource final : public dataflow::Source {
 public:
  void MoveTo(const dataflow::Source* source) { source_ = source; }

  std::vector<dataflow::PathDescription> Paths(TypeId type) const override {
    return source_->Paths(type);
  }
  Status Scan(const dataflow::BaseRelation& relation, const dataflow::Probe& probe,
              dataflow::When when, const dataflow::RowVisitor& visit) const override {
    return source_->Scan(relation, probe, when, visit);
  }
  Status ScanMany(const dataflow::BaseRelation& relation, std::span<const dataflow::Probe> probes,
                  dataflow::When when, const dataflow::ManyVisitor& visit) const override {
    return source_->ScanMany(relation, probes, when, visit);
  }
  Status Lookup(
      const dataflow::BaseRelation& relation, std::span<const std::vector<Value>> subjects,
      dataflow::When when,
      const std::function<void(std::size_t i, std::span<const Value> row)>& visit) const override {
    return source_->Lookup(relation, subjects, when, visit);
  }
  std::uint64_t ApproximateCount(TypeId type, const dataflow::Probe& probe) const override {
    return source_->ApproximateCount(type, probe);
  }

 private:
  const dataflow::Source* source_ = nullptr;  // during a run
};

class Runner {
 public:
  // Plans the query for these values. Errors: those of MakePlan and Compile.
  static Result<std::unique_ptr<Runner>> Make(const SelectInput& select,
                                              const dataflow::Source& source);

  // Whether the plan is good for these values and for what `source` holds.
  bool Fits(std::span<const Value> parameters, const dataflow::Source& source);
  // `stop` as in RunOptions. Errors: those of Graph::Install. The runner is useless after one.
  Result<Rows> Run(std::span<const Value> parameters, const dataflow::Source& source,
                   const std::atomic<bool>* stop = nullptr);

 private:
  Runner() = default;

  Result<Rows> RunStanding(std::span<const Value> parameters, const std::atomic<bool>* stop);
  Result<Rows> RunAnew(std::span<const Value> parameters, const std::atomic<bool>* stop);

  std::vector<Value> planned_for_;
  std::vector<bool> is_fixed_;                     // by parameter: the plan is for this value only
  std::vector<std::pair<TypeId, double>> counts_;  // of the tables that are joined
  std::uint32_t runs_ = 0;
  Compiled compiled_;
  MovingSource source_;
  // The graph of the last run, if it can run again.
  std::unique_ptr<dataflow::Graph> graph_;
  dataflow::Installed installed_;
  bool cannot_stand_ = false;
};

}  // namespace trefoil::query
