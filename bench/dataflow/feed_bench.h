// What the suites over feeds share: a graph without stored tables, numbers, and medians of changes.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/suite.h"
#include "dataflow/aggregate.h"
#include "dataflow/functions.h"
#include "dataflow/graph.h"
#include "dataflow/source.h"

namespace trefoil::bench {

// A store without tables; all rows come from feeds.
class NoTables final : public dataflow::Source {
 public:
  std::vector<dataflow::PathDescription> Paths(TypeId) const override { return {}; }
  Status Scan(const dataflow::BaseRelation&, const dataflow::Probe&, dataflow::When,
              const dataflow::RowVisitor&) const override {
    return Ok();
  }
  Status Lookup(
      const dataflow::BaseRelation&, std::span<const std::vector<Value>>, dataflow::When,
      const std::function<void(std::size_t i, std::span<const Value> row)>&) const override {
    return Ok();
  }
  std::uint64_t ApproximateCount(TypeId, const dataflow::Probe&) const override { return 0; }
};

// Numbers without order, the same in every run.
class Numbers {
 public:
  std::int64_t Below(std::uint64_t limit) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::int64_t>((state_ >> 33) % limit);
  }

 private:
  std::uint64_t state_ = 1;
};

class Bench {
 public:
  Bench(const SuiteOptions& options, Report& report)
      : options_(options), report_(report), graph_(source_, functions_, {}) {
    dataflow::RegisterAggregates(functions_);
  }

  dataflow::NodeId Install(const dataflow::Plan& plan, dataflow::NodeNumber root,
                           const std::vector<dataflow::NodeNumber>& feeds) {
    std::vector<dataflow::NodeNumber> roots = feeds;
    roots.push_back(root);
    Result<dataflow::Installed> installed = graph_.Install(plan, roots);
    Check(installed.has_value(), "the plan of a benchmark installs");
    feeds_.assign(installed->roots.begin(), installed->roots.end() - 1);
    return installed->roots.back();
  }
  void Feed(std::size_t feed, std::initializer_list<std::int64_t> numbers,
            dataflow::Weight weight) {
    row_.clear();
    for (const std::int64_t number : numbers) row_.push_back(Value::Int(number));
    graph_.Feed(feeds_[feed], row_, weight);
  }
  void Step() { Check(graph_.Step({}).has_value(), "a step of a benchmark succeeds"); }
  dataflow::Graph& graph() { return graph_; }

  // Shown in the column of this engine from now on.
  void set_engine(std::string engine) { engine_ = std::move(engine); }

  // The median of one run of `change`, of 2,000, divided by the number of changes in one.
  void Measure(const std::string& name, std::uint64_t n, const std::function<void()>& change,
               double changes = 1) {
    std::vector<double> times_us;
    for (int i = 0; i < (options_.quick ? 200 : 2000); ++i) {
      const Stopwatch watch;
      change();
      times_us.push_back(watch.Seconds() * 1e6 / changes);
    }
    Add(name, n, Percentile(times_us, 0.5), "us");
    Add(name + " p99", n, Percentile(times_us, 0.99), "us");
  }
  void Add(const std::string& name, std::uint64_t n, double value, const std::string& unit) {
    report_.Add({.name = name,
                 .engine = engine_,
                 .n = n,
                 .value = value,
                 .unit = unit,
                 .lower_is_better = true});
  }

 private:
  const SuiteOptions& options_;
  Report& report_;
  NoTables source_;
  dataflow::FunctionRegistry functions_;
  dataflow::Graph graph_;
  std::vector<dataflow::NodeId> feeds_;
  std::string engine_ = "trefoil";
  dataflow::Row row_;  // scratch
};

}  // namespace trefoil::bench
