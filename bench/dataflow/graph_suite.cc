// The dataflow-graph suite: recursion, counts and joins over whole graphs and tables: loading them,
// and what a change or a batch of changes costs then. The largest sizes need --large and gigabytes.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/str_cat.h"
#include "bench/dataflow/feed_bench.h"
#include "bench/dataflow/tracker.h"
#include "bench/suite.h"
#include "dataflow/aggregate.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/fixpoint.h"
#include "dataflow/operators/forest.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/top_k.h"
#include "dataflow/view.h"

namespace trefoil::bench {
namespace {

using namespace dataflow;  // a program, not a header

constexpr ValueKind kInt = ValueKind::kInt;
// Rows per step of a load.
constexpr std::uint64_t kLoadRows = 500'000;

using Edge = std::pair<std::int64_t, std::int64_t>;

// Feeds random edges to feed 0, in a few steps, and returns them.
std::vector<Edge> LoadEdges(Bench& bench, Numbers& numbers, std::uint64_t nodes,
                            std::uint64_t edges) {
  std::vector<Edge> all;
  for (std::uint64_t i = 0; i < edges; ++i) {
    all.emplace_back(numbers.Below(nodes), numbers.Below(nodes));
    bench.Feed(0, {all.back().first, all.back().second}, 1);
    if (i % kLoadRows == kLoadRows - 1) bench.Step();
  }
  bench.Step();
  return all;
}

void MoveEdge(Bench& bench, Numbers& numbers, std::uint64_t nodes, std::vector<Edge>& edges) {
  Edge& moved = edges[static_cast<std::size_t>(numbers.Below(edges.size()))];
  bench.Feed(0, {moved.first, moved.second}, -1);
  moved = {numbers.Below(nodes), numbers.Below(nodes)};
  bench.Feed(0, {moved.first, moved.second}, 1);
}

// Distances of all nodes from one, kept while edges move.
void Distances(const SuiteOptions& options, Report& report, std::uint64_t nodes,
               std::uint64_t edges) {
  Bench bench(options, report);
  Plan plan;
  const NodeNumber edge = plan.Add(Feed{.name = "edge", .kinds = {kInt, kInt}});
  const NodeNumber source = plan.Add(Feed{.name = "source", .kinds = {kInt}});
  Fixpoint reach{.relations = {{.name = "reach", .kinds = {kInt}, .bases = {1}, .bodies = {3}}},
                 .inputs = 2,
                 .with_level = true};
  reach.body.push_back({Spec(Join{.on = {{.left = 0, .right = 2}}, .outputs = {3, 1}}), {2, 0}});
  bench.Install(plan, plan.Add(reach, {edge, source}), {edge, source});
  Numbers numbers;
  std::vector<Edge> all = LoadEdges(bench, numbers, nodes, edges);
  const Stopwatch watch;
  bench.Feed(1, {0}, 1);
  bench.Step();
  bench.Add("all distances", nodes, watch.Seconds() * 1e3, "ms");
  bench.Measure(
      "distances, 10 changes, each", nodes,
      [&] {
        for (int i = 0; i < 5; ++i) MoveEdge(bench, numbers, nodes, all);
        bench.Step();
      },
      10);
  bench.Add("distances, state per edge", nodes,
            static_cast<double>(bench.graph().state_bytes()) / static_cast<double>(edges), "B");
}

// How many edges leave each node.
void Degrees(const SuiteOptions& options, Report& report, std::uint64_t nodes,
             std::uint64_t edges) {
  Bench bench(options, report);
  Plan plan;
  const NodeNumber edge = plan.Add(Feed{.name = "edge", .kinds = {kInt, kInt}});
  const NodeNumber degrees =
      plan.Add(GroupBy{.key = {0}, .aggregates = {{.function = "count", .arguments = {}}}}, {edge});
  bench.Install(plan, degrees, {edge});
  Numbers numbers;
  const Stopwatch watch;
  std::vector<Edge> all = LoadEdges(bench, numbers, nodes, edges);
  bench.Add("degrees, load", nodes, watch.Seconds() * 1e3, "ms");
  bench.Measure("degrees, one edge moves", nodes, [&] {
    MoveEdge(bench, numbers, nodes, all);
    bench.Step();
  });
  std::vector<double> times_ms;
  for (int batch = 0; batch < 5; ++batch) {
    for (int i = 0; i < 50'000; ++i) MoveEdge(bench, numbers, nodes, all);
    const Stopwatch step;
    bench.Step();
    times_ms.push_back(step.Seconds() * 1e3);
  }
  bench.Add("degrees, batch of 100k", nodes, Percentile(times_ms, 0.5), "ms");
}

// A folder of a watched tree moves, with all below it: the forest and, beside it, the fixpoint.
void MovedFolder(const SuiteOptions& options, Report& report, std::uint64_t folders, bool forest) {
  constexpr std::uint64_t kChildren = 4;
  Bench bench(options, report);
  if (!forest) bench.set_engine("fixpoint");
  Plan plan;
  const NodeNumber tree = plan.Add(Feed{.name = "folder", .kinds = {kInt, kInt}});
  const NodeNumber starts = plan.Add(Feed{.name = "start", .kinds = {kInt}});
  NodeNumber below = 0;
  if (forest) {
    below = plan.Add(Forest{.with_depth = true}, {tree, starts});
  } else {
    Fixpoint ways{
        .relations = {{.name = "way", .kinds = {kInt, kInt}, .bases = {1}, .bodies = {3}}},
        .inputs = 2,
        .with_level = true};
    ways.body.push_back(
        {Spec(Join{.on = {{.left = 1, .right = 4}}, .outputs = {0, 3, 2}}), {2, 0}});
    below = plan.Add(ways, {tree, plan.Add(Project{.columns = {0, 0}}, {starts})});
  }
  bench.Install(plan, below, {tree, starts});
  std::vector<std::int64_t> parents = {-1};
  for (std::uint64_t id = 1; id < folders; ++id) {
    parents.push_back(static_cast<std::int64_t>((id - 1) / kChildren));
    bench.Feed(0, {static_cast<std::int64_t>(id), parents.back()}, 1);
  }
  bench.Step();
  bench.Feed(1, {0}, 1);
  bench.Step();
  Numbers numbers;
  bench.Measure("move a folder", folders, [&] {
    // What lies below a folder has larger numbers, so a smaller one makes no circle.
    const auto id = 1 + numbers.Below(folders - 1);
    std::int64_t& parent = parents[static_cast<std::size_t>(id)];
    bench.Feed(0, {id, parent}, -1);
    parent = numbers.Below(static_cast<std::uint64_t>(id));
    bench.Feed(0, {id, parent}, 1);
    bench.Step();
  });
  bench.Add("folders, state", folders, static_cast<double>(bench.graph().state_bytes()) / 1e6,
            "MB");
}

// A view of rows that each join one other, from stored tables: time and memory of having it.
void JoinView(const SuiteOptions& options, Report& report, std::int64_t rows) {
  Bench bench(options, report);
  constexpr TypeId kOrder{1};
  constexpr TypeId kInvoice{2};
  MemorySource source;
  source.AddTable(kOrder, 3, {0});
  source.AddTable(kInvoice, 2, {0});
  for (std::int64_t id = 0; id < rows; ++id) {
    source.Put(kOrder, {Value::Int(id), Value::Int(id), Value::Text("an order")});
    source.Put(kInvoice, {Value::Int(id), Value::Text("an invoice")});
  }
  source.Advance();
  FunctionRegistry functions;
  Graph graph(source, functions, {});
  Plan plan;
  const auto columns = [](std::uint32_t count) {
    std::vector<AttributeId> all;
    for (std::uint32_t i = 1; i <= count; ++i) all.push_back(AttributeId{i});
    return all;
  };
  const NodeNumber orders =
      plan.Add(Input{.relation = {kOrder, columns(3)}, .kinds = {kInt, kInt, ValueKind::kText}});
  const NodeNumber invoices =
      plan.Add(Input{.relation = {kInvoice, columns(2)}, .kinds = {kInt, ValueKind::kText}});
  const NodeNumber joined =
      plan.Add(Join{.on = {{.left = 1, .right = 3}}, .outputs = {0, 2, 4}}, {orders, invoices});
  const Stopwatch watch;
  const Result<Installed> installed = graph.Install(plan, {joined});
  Check(installed.has_value(), "the plan of a benchmark installs");
  Batch answer(3);
  const Status read = graph.Read(installed->roots[0], [&](RowView row, Weight weight) {
    answer.Add(row, weight);
    return true;
  });
  Check(read.has_value(), "memory can be read");
  bench.Add("hydrate join, rows", static_cast<std::uint64_t>(rows), watch.Seconds() * 1e3, "ms");
  View view(ViewShape{{{.bucket = {},
                        .order = {{.column = 0}},
                        .key = {0},
                        .names = std::make_shared<const std::vector<std::string>>(
                            std::vector<std::string>{"id", "title", "invoice"}),
                        .fields = {{.column = 0}, {.column = 1}, {.column = 2}}}}});
  const Batch* deltas[] = {&answer};
  view.Load(deltas);
  bench.Add("hydrate join view", static_cast<std::uint64_t>(rows), watch.Seconds() * 1e3, "ms");
  bench.Add(
      "join view, per row", static_cast<std::uint64_t>(rows),
      static_cast<double>(view.state_bytes() + graph.state_bytes()) / static_cast<double>(rows),
      "B");
}

// 1,000 rows change at once below a join, a group and a top-k.
void Pipeline(const SuiteOptions& options, Report& report, std::int64_t issues) {
  constexpr double kRows = 1000;
  constexpr double kOperators = 5;  // input, join, group, arrangement, top-k
  Bench bench(options, report);
  Tracker tracker(issues, 1);
  FunctionRegistry functions;
  RegisterAggregates(functions);
  Graph graph(tracker.source(), functions, {});
  Plan plan;
  const auto rows = [&](TypeId type, std::initializer_list<std::uint32_t> places) {
    Input input;
    input.relation.type = type;
    for (const std::uint32_t place : places) {
      input.relation.columns.push_back(AttributeId{place + 1});
      input.kinds.push_back(kInt);
    }
    return plan.Add(input);
  };
  const NodeNumber all = rows(kIssue, {kIssueId, kAssignee, kStatus, kModified, kEstimate});
  const NodeNumber users = rows(kUser, {0, 2});
  const NodeNumber joined =
      plan.Add(Join{.on = {{.left = 1, .right = 5}}, .outputs = {0, 2, 3, 4, 6}}, {all, users});
  const NodeNumber sums = plan.Add(GroupBy{.key = {4, 1},
                                           .aggregates = {{.function = "count", .arguments = {}},
                                                          {.function = "sum", .arguments = {3}}}},
                                   {joined});
  const NodeNumber newest =
      plan.Add(TopK{.partition = {4}, .order = {{2, true}, {0, false}}, .limit = 100}, {joined});
  const Result<Installed> installed = graph.Install(plan, {sums, newest});
  Check(installed.has_value(), "the plan of a benchmark installs");
  std::vector<double> times_us;
  for (int i = 0; i < 20; ++i) {
    tracker.ChangeIssues(static_cast<int>(kRows));
    const std::span<const TypeChange> changes = tracker.source().Changes();
    const Stopwatch watch;
    Check(graph.Step(changes).has_value(), "memory can be read");
    times_us.push_back(watch.Seconds() * 1e6);
    tracker.source().Advance();
  }
  bench.Add("1,000 rows, per row and operator", static_cast<std::uint64_t>(issues),
            Percentile(times_us, 0.5) / kRows / kOperators, "us");
}

void Run(const SuiteOptions& options, Report& report) {
  const std::uint64_t scale = options.quick ? 10 : 1;
  const auto signed_scale = static_cast<std::int64_t>(scale);
  for (int round = 0; round < options.rounds; ++round) {
    if (options.WantsCase("distances")) {
      Distances(options, report, 100'000 / scale, 1'000'000 / scale);
      if (options.large) Distances(options, report, 1'000'000, 10'000'000);
    }
    if (options.WantsCase("degrees")) {
      Degrees(options, report, 1'000'000 / scale, 5'000'000 / scale);
      if (options.large) Degrees(options, report, 10'000'000, 50'000'000);
    }
    if (options.WantsCase("folders")) {
      MovedFolder(options, report, 100'000 / scale, true);
      MovedFolder(options, report, 100'000 / scale, false);
    }
    if (options.WantsCase("join view")) JoinView(options, report, 100'000 / signed_scale);
    if (options.WantsCase("pipeline")) Pipeline(options, report, 100'000 / signed_scale);
  }
}

const SuiteRegistration kGraph({.name = "dataflow-graph",
                                .about = "recursion, counts and joins over whole graphs",
                                .run = Run});

}  // namespace
}  // namespace trefoil::bench
