#include "query/runner.h"

#include <algorithm>
#include <numeric>

#include "dataflow/view.h"
#include "query/estimate.h"
#include "query/optimizer.h"
#include "query/planner.h"
#include "query/to_expression.h"

namespace trefoil::query {

namespace {

constexpr std::uint32_t kRunsBetweenCounts = 16;
// A table with this many times as many rows, or as few, is another table to the planner.
constexpr double kOtherSize = 4;
constexpr double kSmallTable = 64;  // rows; below, sizes do not matter

bool ComesBefore(const dataflow::ViewLevel& level, const Value* a, const Value* b) {
  for (const dataflow::SortColumn& sort : level.order) {
    const auto order = a[sort.column] <=> b[sort.column];
    if (order != 0) return sort.descending ? order > 0 : order < 0;
  }
  return false;
}

// Whether a row of the level is shown as it is.
bool ShowsAllColumns(const dataflow::ViewLevel& level, std::size_t width) {
  dataflow::Column next = 0;
  return level.fields.size() == width &&
         std::ranges::all_of(level.fields, [&](const dataflow::ViewField& field) {
           return field.column == next++;
         });
}

// The rows of a flat answer, sorted, each as often as its weight says.
Result<Rows> ReadFlat(dataflow::Graph& graph, dataflow::NodeId root,
                      const dataflow::ViewLevel& level) {
  const std::size_t width = graph.columns(root).size();
  std::vector<Value> cells;
  Status read = graph.Read(root, [&](dataflow::RowView row, dataflow::Weight weight) {
    for (dataflow::Weight i = 0; i < weight; ++i) cells.insert(cells.end(), row.begin(), row.end());
    return true;
  });
  if (!read) return std::move(read).error();
  std::vector<std::size_t> rows(width == 0 ? 0 : cells.size() / width);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto before = [&](std::size_t a, std::size_t b) {
    return ComesBefore(level, &cells[a * width], &cells[b * width]);
  };
  const bool is_sorted = std::ranges::is_sorted(rows, before);
  if (is_sorted && ShowsAllColumns(level, width)) return Rows(level.names, std::move(cells));
  if (!is_sorted) std::ranges::stable_sort(rows, before);
  std::vector<Value> answer;
  answer.reserve(rows.size() * level.fields.size());
  for (const std::size_t row : rows) {
    for (const dataflow::ViewField& field : level.fields) {
      answer.push_back(cells[row * width + field.column]);
    }
  }
  return Rows(level.names, std::move(answer));
}

Result<Rows> ReadNested(dataflow::Graph& graph, const dataflow::Installed& installed,
                        const Compiled& compiled) {
  std::vector<dataflow::Batch> batches;
  for (const dataflow::NodeId root : installed.roots) {
    dataflow::Batch& batch = batches.emplace_back(graph.columns(root).size());
    Status read = graph.Read(root, [&](dataflow::RowView row, dataflow::Weight weight) {
      batch.Add(row, weight);
      return true;
    });
    if (!read) return std::move(read).error();
    batch.Consolidate();
  }
  std::vector<const dataflow::Batch*> deltas;
  for (const dataflow::Batch& batch : batches) deltas.push_back(&batch);
  dataflow::View view(compiled.shape);
  view.Load(deltas);
  return view.Snapshot({}).ToAnswer();
}

bool HasLoop(const Plan& plan) {
  return std::ranges::any_of(plan.nodes, [](const PlanNode& node) {
    return std::holds_alternative<FixpointNode>(node.op);
  });
}

// The tables whose sizes the order of joins was chosen by; none where nothing is joined.
std::vector<std::pair<TypeId, double>> CountsOf(const Plan& plan, const Statistics& statistics) {
  std::vector<std::pair<TypeId, double>> counts;
  const bool has_join = std::ranges::any_of(
      plan.nodes, [](const PlanNode& node) { return std::holds_alternative<JoinNode>(node.op); });
  for (const PlanNode& node : plan.nodes) {
    const auto* scan = std::get_if<ScanNode>(&node.op);
    if (!has_join || scan == nullptr) continue;
    counts.emplace_back(scan->type, statistics.Rows({.type = scan->type, .attributes = {}}));
  }
  return counts;
}

}  // namespace

Result<Rows> ReadAnswer(dataflow::Graph& graph, const dataflow::Installed& installed,
                        const Compiled& compiled) {
  return compiled.levels.size() == 1 ? ReadFlat(graph, installed.roots[0], compiled.shape.levels[0])
                                     : ReadNested(graph, installed, compiled);
}

Result<std::unique_ptr<Runner>> Runner::Make(const SelectInput& select,
                                             const dataflow::Source& source) {
  const std::span<const Value> parameters = select.parameters;
  Result<Plan> plan = MakePlan(select.select, select.source_count, parameters, select.schema);
  if (!plan) return std::move(plan).error();
  Statistics statistics(source, select.schema);
  Optimize(*plan, select.schema, {}, &statistics);
  std::unique_ptr<Runner> runner(new Runner);
  runner->planned_for_.assign(parameters.begin(), parameters.end());
  // The inside of a loop is a graph of its own, made again for each run.
  const bool has_loop = HasLoop(*plan);
  runner->is_fixed_.assign(parameters.size(), has_loop);
  for (const std::uint32_t parameter : plan->fixed_parameters) runner->is_fixed_[parameter] = true;
  runner->counts_ = CountsOf(*plan, statistics);
  Result<Compiled> compiled = Compile(*plan, has_loop ? Parameters::kFixed : Parameters::kBound);
  if (!compiled) return std::move(compiled).error();
  runner->compiled_ = *std::move(compiled);
  return runner;
}

bool Runner::Fits(std::span<const Value> parameters, const dataflow::Source& source) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].kind() != planned_for_[i].kind()) return false;
    if (is_fixed_[i] && !(parameters[i] == planned_for_[i])) return false;
  }
  if (++runs_ % kRunsBetweenCounts != 0) return true;
  return std::ranges::all_of(counts_, [&](const std::pair<TypeId, double>& count) {
    const double then = std::max(count.second, kSmallTable);
    const double now =
        std::max(static_cast<double>(source.ApproximateCount(count.first, {})), kSmallTable);
    return now < then * kOtherSize && then < now * kOtherSize;
  });
}

Result<Rows> Runner::Run(std::span<const Value> parameters, const dataflow::Source& source,
                         const std::atomic<bool>* stop) {
  source_.MoveTo(&source);
  return graph_ != nullptr ? RunStanding(parameters, stop) : RunAnew(parameters, stop);
}

Result<Rows> Runner::RunStanding(std::span<const Value> parameters, const std::atomic<bool>* stop) {
  if (Status restarted = graph_->Restart(parameters, stop); !restarted) {
    return std::move(restarted).error();
  }
  Result<Rows> rows = ReadAnswer(*graph_, installed_, compiled_);
  graph_->Forget();
  return rows;
}

Result<Rows> Runner::RunAnew(std::span<const Value> parameters, const std::atomic<bool>* stop) {
  auto graph = std::make_unique<dataflow::Graph>(
      source_, Functions(),
      dataflow::GraphOptions{.once = true, .parameters = parameters, .stop = stop});
  Result<dataflow::Installed> installed = graph->Install(compiled_.plan, compiled_.levels);
  if (!installed) return std::move(installed).error();
  Result<Rows> rows = ReadAnswer(*graph, *installed, compiled_);
  if (!cannot_stand_ && graph->Forget()) {
    graph_ = std::move(graph);
    installed_ = *std::move(installed);
  }
  cannot_stand_ = graph_ == nullptr;
  return rows;
}

}  // namespace trefoil::query
