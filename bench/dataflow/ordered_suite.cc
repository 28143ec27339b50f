// The dataflow-ordered suite: what ordered state costs. Top-k windows, nested views, recursion,
// each over feeds and a shared arrangement, one thread. A value is the median time of one change.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/dataflow/feed_bench.h"
#include "bench/suite.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/fixpoint.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/top_k.h"
#include "dataflow/view.h"

namespace trefoil::bench {
namespace {

using namespace dataflow;  // a program, not a header

constexpr ValueKind kInt = ValueKind::kInt;

// One of `windows` top-50 windows gets a row in front, and loses it again.
void TopK50(const SuiteOptions& options, Report& report, std::uint64_t rows,
            std::uint64_t windows) {
  Bench bench(options, report);
  Plan plan;
  const NodeNumber data = plan.Add(Feed{.name = "rows", .kinds = {kInt, kInt, kInt}});
  const NodeNumber watched = plan.Add(Feed{.name = "windows", .kinds = {kInt}});
  const NodeNumber top = plan.Add(TopK{.partition = {0},
                                       .order = {{.column = 1, .descending = true}, {.column = 2}},
                                       .limit = 50,
                                       .windows = TopK::Windows{.partition = {0}}},
                                  {data, watched});
  bench.Install(plan, top, {data, watched});
  Numbers numbers;
  std::int64_t id = 0;
  for (std::uint64_t i = 0; i < rows; ++i) {
    bench.Feed(0, {numbers.Below(windows), numbers.Below(1'000'000), ++id}, 1);
  }
  bench.Step();
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < windows; ++i) bench.Feed(1, {static_cast<std::int64_t>(i)}, 1);
  bench.Step();
  bench.Add("hydrate top-50s", windows, watch.Seconds() * 1e3, "ms");
  bench.Measure("insert into a top-50", windows, [&] {
    bench.Feed(0, {numbers.Below(windows), 1'000'000 + numbers.Below(1000), ++id}, 1);
    bench.Step();
  });
}

// A child comes to one of `parents` parents of three children each.
void NestedChild(const SuiteOptions& options, Report& report, std::int64_t parents) {
  Bench bench(options, report);
  const auto names = [](std::vector<std::string> all) {
    return std::make_shared<const std::vector<std::string>>(std::move(all));
  };
  View view(ViewShape{
      {{.bucket = {},
        .order = {{.column = 0}},
        .key = {0},
        .names = names({"id", "title", "comments"}),
        .fields = {{.column = 0}, {.column = 1}, {.child = ViewChild{.level = 1, .bucket = {0}}}}},
       {.bucket = {0},
        .order = {{.column = 1}},
        .key = {1},
        .names = names({"id", "body"}),
        .fields = {{.column = 1}, {.column = 2}}}}});
  Batch parent_rows(2);
  Batch child_rows(3);
  std::int64_t child = 0;
  for (std::int64_t parent = 0; parent < parents; ++parent) {
    parent_rows.Add(dataflow::Row{Value::Int(parent), Value::Text("a title")}, 1);
    for (int i = 0; i < 3; ++i) {
      child_rows.Add(dataflow::Row{Value::Int(parent), Value::Int(++child), Value::Text("text")},
                     1);
    }
  }
  const Stopwatch watch;
  const Batch* deltas[] = {&parent_rows, &child_rows};
  view.Load(deltas);
  bench.Add("load nested view", static_cast<std::uint64_t>(parents), watch.Seconds() * 1e3, "ms");
  bench.Add("nested, per row", static_cast<std::uint64_t>(parents),
            static_cast<double>(view.state_bytes()) / static_cast<double>(4 * parents), "B");
  Numbers numbers;
  Batch change(3);
  deltas[0] = nullptr;
  deltas[1] = &change;
  bench.Measure("insert a child", static_cast<std::uint64_t>(parents), [&] {
    change.Clear();
    change.Add(dataflow::Row{Value::Int(numbers.Below(static_cast<std::uint64_t>(parents))),
                             Value::Int(++child), Value::Text("text")},
               1);
    Check(view.Step(deltas).size() == 1, "a child changes its parent");
  });
}

// Distances from one node; one edge moves.
void MovedEdge(const SuiteOptions& options, Report& report, std::uint64_t nodes,
               std::uint64_t edges) {
  Bench bench(options, report);
  Plan plan;
  const NodeNumber edge = plan.Add(Feed{.name = "edge", .kinds = {kInt, kInt}});
  const NodeNumber source = plan.Add(Feed{.name = "source", .kinds = {kInt}});
  Fixpoint spec{.relations = {{.name = "reach", .kinds = {kInt}, .bases = {1}, .bodies = {3}}},
                .inputs = 2,
                .with_level = true};
  spec.body.push_back({Spec(Join{.on = {{.left = 0, .right = 2}}, .outputs = {3, 1}}), {2, 0}});
  const NodeNumber reach = plan.Add(spec, {edge, source});
  bench.Install(plan, reach, {edge, source});
  Numbers numbers;
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (std::uint64_t i = 0; i < edges; ++i) {
    all.emplace_back(numbers.Below(nodes), numbers.Below(nodes));
    bench.Feed(0, {all.back().first, all.back().second}, 1);
  }
  bench.Step();
  const Stopwatch watch;
  bench.Feed(1, {0}, 1);
  bench.Step();
  bench.Add("all distances", nodes, watch.Seconds() * 1e3, "ms");
  bench.Measure("move one edge", nodes, [&] {
    auto& moved = all[static_cast<std::size_t>(numbers.Below(all.size()))];
    bench.Feed(0, {moved.first, moved.second}, -1);
    moved = {numbers.Below(nodes), numbers.Below(nodes)};
    bench.Feed(0, {moved.first, moved.second}, 1);
    bench.Step();
  });
}

void Run(const SuiteOptions& options, Report& report) {
  const std::uint64_t scale = options.quick ? 10 : 1;
  for (int round = 0; round < options.rounds; ++round) {
    TopK50(options, report, 100'000 / scale, 1);
    TopK50(options, report, 500'000 / scale, 10'000 / scale);
    if (options.large) TopK50(options, report, 5'000'000, 1'000'000);
    NestedChild(options, report, static_cast<std::int64_t>(25'000 / scale));
    MovedEdge(options, report, 10'000 / scale, 50'000 / scale);
  }
}

const SuiteRegistration kOrdered({.name = "dataflow-ordered",
                                  .about = "top-k windows, nested views, recursion: one change",
                                  .run = Run});

}  // namespace
}  // namespace trefoil::bench
