// The dataflow suite: what one commit costs live queries over tables in memory, from the step to
// the last delta, without the store. Beside it the floor (floor.h), which does the same by hand.
#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "base/check.h"
#include "base/str_cat.h"
#include "bench/dataflow/floor.h"
#include "bench/dataflow/queries.h"
#include "bench/dataflow/tracker.h"
#include "bench/suite.h"
#include "dataflow/aggregate.h"
#include "dataflow/graph.h"

namespace trefoil::bench {
namespace {

using Clock = std::chrono::steady_clock;

double MicrosSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double Quantile(std::vector<double>& values, double part) {
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(place));
  return values[place];
}

// The tracker with some queries live.
class LiveTracker {
 public:
  LiveTracker(std::int64_t issues, std::uint64_t seed)
      : tracker_(issues, seed), graph_(tracker_.source(), functions_, {}) {
    dataflow::RegisterAggregates(functions_);
  }

  // Microseconds until the whole answer has been read.
  double Hydrate(const BuiltQuery& query) {
    const Clock::time_point start = Clock::now();
    Result<dataflow::Installed> installed = graph_.Install(query.plan, query.roots);
    Check(installed.has_value(), "a query of the suite can be installed");
    for (const dataflow::NodeId root : installed->roots) {
      const Status read = graph_.Read(root, [&](dataflow::RowView, dataflow::Weight) {
        ++rows_;
        return true;
      });
      Check(read.has_value(), "memory can be read");
    }
    roots_.push_back(installed->roots);
    return MicrosSince(start);
  }

  // Microseconds of one commit.
  double Commit() {
    const std::span<const dataflow::TypeChange> changes = tracker_.source().Changes();
    const Clock::time_point start = Clock::now();
    const Status stepped = graph_.Step(changes);
    for (const dataflow::NodeId root : graph_.changed()) rows_ += graph_.delta(root).size();
    const double micros = MicrosSince(start);
    Check(stepped.has_value(), "memory can be read");
    tracker_.source().Advance();
    return micros;
  }

  Tracker& tracker() { return tracker_; }
  dataflow::Graph& graph() { return graph_; }
  const std::vector<dataflow::NodeId>& roots(std::size_t query) const { return roots_[query]; }

 private:
  Tracker tracker_;
  dataflow::FunctionRegistry functions_;
  dataflow::Graph graph_;
  std::vector<std::vector<dataflow::NodeId>> roots_;
  std::uint64_t rows_ = 0;
};

class Suite {
 public:
  Suite(const SuiteOptions& options, Report& report) : options_(options), report_(report) {}

  void Run(std::int64_t issues) {
    issues_ = issues;
    commits_ = options_.quick ? 2'000 : 20'000;
    for (const BuiltQuery& query : TrackerQueries()) {
      if (options_.WantsCase(query.name)) RunQueries(query.name, {query});
    }
    if (options_.WantsCase("Q1-Q7")) {
      RunQueries("Q1-Q7", TrackerQueries());
      RunFloor();
    }
    for (const std::int64_t bindings : {1'000, 10'000, 100'000}) {
      const std::string name = StrCat("Q9 x ", bindings);
      if (options_.WantsCase(name)) RunBindings(name, bindings);
    }
  }

 private:
  void Add(const std::string& name, const char* engine, double value, const char* unit) {
    report_.Add({.name = name,
                 .engine = engine,
                 .n = static_cast<std::uint64_t>(issues_),
                 .value = value,
                 .unit = unit,
                 .lower_is_better = true});
  }

  // `commit` prepares, runs and times one.
  void AddLatencies(const std::string& name, const char* engine,
                    const std::function<double()>& commit) {
    std::vector<double> micros;
    for (int i = 0; i < commits_; ++i) micros.push_back(commit());
    Add(name + " p50", engine, Quantile(micros, 0.5), "us");
    Add(name + " p99", engine, Quantile(micros, 0.99), "us");
  }

  void RunQueries(const std::string& name, const std::vector<BuiltQuery>& queries) {
    if (!options_.WantsEngine("trefoil")) return;
    LiveTracker live(issues_, 1);
    double hydrated = 0;
    for (const BuiltQuery& query : queries) hydrated += live.Hydrate(query);
    Add(name + " hydrate", "trefoil", hydrated / 1000, "ms");
    AddLatencies(name, "trefoil", [&] {
      live.tracker().PrepareTransaction();
      return live.Commit();
    });
    std::vector<double> large;
    for (int i = 0; i < 20; ++i) {
      live.tracker().ChangeIssues(1000);
      large.push_back(live.Commit());
    }
    Add(name + " U5", "trefoil", Quantile(large, 0.5), "us");
    Add(name + " state", "trefoil", static_cast<double>(live.graph().state_bytes()) / 1e6, "MB");
  }

  void RunFloor() {
    if (!options_.WantsEngine("floor")) return;
    Tracker tracker(0, 1);
    Floor floor;
    const auto apply = [&] {
      const std::span<const dataflow::TypeChange> changes = tracker.source().Changes();
      const Clock::time_point start = Clock::now();
      floor.Apply(changes);
      const double micros = MicrosSince(start);
      tracker.source().Advance();
      return micros;
    };
    apply();
    for (std::int64_t i = 0; i < issues_; ++i) {
      tracker.AddIssue();
      for (int k = 0; k < 3; ++k) tracker.AddComment();
      apply();
    }
    AddLatencies("Q1-Q7", "floor", [&] {
      tracker.PrepareTransaction();
      return apply();
    });
    std::vector<double> large;
    for (int i = 0; i < 20; ++i) {
      tracker.ChangeIssues(1000);
      large.push_back(apply());
    }
    Add("Q1-Q7 U5", "floor", Quantile(large, 0.5), "us");
  }

  void RunBindings(const std::string& name, std::int64_t bindings) {
    if (!options_.WantsEngine("trefoil")) return;
    LiveTracker live(issues_, 1);
    live.Hydrate(NewestOfAssignee());
    for (std::int64_t id = 0; id < bindings; ++id) {
      live.graph().Feed(live.roots(0)[1],
                        dataflow::Row{Value::Int(id), Value::Int(id % live.tracker().users())}, 1);
    }
    Add(name + " hydrate", "trefoil", live.Commit() / 1000, "ms");
    AddLatencies(name, "trefoil", [&] {
      live.tracker().PrepareTransaction();
      return live.Commit();
    });
    Add(name + " state", "trefoil", static_cast<double>(live.graph().state_bytes()) / 1e6, "MB");
  }

  const SuiteOptions& options_;
  Report& report_;
  std::int64_t issues_ = 0;
  int commits_ = 0;
};

void RunDataflow(const SuiteOptions& options, Report& report) {
  report.Note("Steps of the graph only, over tables in memory; building the commit is not timed.");
  report.Note("Transactions: 70 % change an issue, 15 % comment, 10 % new issue, 5 % delete one.");
  std::vector<std::int64_t> sizes = {10'000};
  if (!options.quick) sizes.push_back(100'000);
  if (options.large) sizes.push_back(1'000'000);
  const int rounds = options.quick ? 1 : options.rounds;
  for (int round = 0; round < rounds; ++round) {
    for (const std::int64_t size : sizes) Suite(options, report).Run(size);
  }
}

const SuiteRegistration kDataflow({.name = "dataflow",
                                   .about = "live queries over the issue tracker, by hand",
                                   .run = RunDataflow});

}  // namespace
}  // namespace trefoil::bench
