#include "db/live_plan.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trefoil::db {

using dataflow::Batch;

namespace {

dataflow::Row BindingRow(BindingId id, const std::vector<Value>& slots) {
  dataflow::Row row = {Value::Int(static_cast<std::int64_t>(id))};
  row.insert(row.end(), slots.begin(), slots.end());
  return row;
}

}  // namespace

Result<std::vector<Batch>> ReadLevels(dataflow::Graph& graph,
                                      const dataflow::Installed& installed) {
  std::vector<Batch> levels;
  for (const dataflow::NodeId root : installed.roots) {
    Batch& level = levels.emplace_back(graph.columns(root).size());
    Status read = graph.Read(root, [&](dataflow::RowView row, dataflow::Weight weight) {
      level.Add(row, weight);
      return true;
    });
    if (!read) return std::move(read).error();
    level.Consolidate();
  }
  return levels;
}

std::vector<const Batch*> Pointers(const std::vector<Batch>& levels) {
  std::vector<const Batch*> pointers;
  for (const Batch& level : levels) pointers.push_back(&level);
  return pointers;
}

Result<std::unique_ptr<LivePlan>> LivePlan::Install(dataflow::Graph& graph,
                                                    query::Compiled compiled,
                                                    std::uint64_t number) {
  // The feed is a root too, so that it can be named.
  std::vector<dataflow::NodeNumber> roots = compiled.levels;
  if (compiled.bindings) roots.push_back(*compiled.bindings);
  Result<dataflow::Installed> installed = graph.Install(compiled.plan, roots);
  if (!installed) return std::move(installed).error();
  std::unique_ptr<LivePlan> plan(
      new LivePlan(graph, *std::move(installed), std::move(compiled), number));
  dataflow::Installed levels{.roots = plan->installed_.roots};
  if (plan->feed_) levels.roots.pop_back();
  const Result<std::vector<Batch>> rows = ReadLevels(graph, levels);
  if (!rows) return rows.error();
  plan->view_.Load(Pointers(*rows));
  return plan;
}

LivePlan::LivePlan(dataflow::Graph& graph, dataflow::Installed installed, query::Compiled compiled,
                   std::uint64_t number)
    : graph_(graph),
      number_(number),
      installed_(std::move(installed)),
      view_(std::move(compiled.shape)) {
  if (compiled.bindings) feed_ = installed_.roots.back();
}

LivePlan::~LivePlan() { graph_.Release(installed_); }

BindingId LivePlan::Stage(const std::vector<Value>& slots) {
  const BindingId id{++last_id_};
  graph_.Feed(*feed_, BindingRow(id, slots), 1);
  return id;
}

void LivePlan::Unstage(BindingId id, const std::vector<Value>& slots) {
  graph_.Feed(*feed_, BindingRow(id, slots), -1);
  views_.erase(id);
}

std::span<const Batch* const> LivePlan::Deltas() {
  deltas_.clear();
  for (const dataflow::NodeId root : installed_.roots) {
    const bool has_delta = std::ranges::binary_search(graph_.changed(), root);
    deltas_.push_back(has_delta ? &graph_.delta(root) : nullptr);
  }
  if (feed_) deltas_.pop_back();
  return deltas_;
}

std::vector<dataflow::ListChange> LivePlan::Step() { return view_.Step(Deltas()); }

void LivePlan::Load() { view_.Load(Deltas()); }

LiveView* LivePlan::ViewOf(const dataflow::ListChange& change) const {
  const auto found = views_.find(is_shared() ? BindingId{change.bucket[0].AsInt()} : BindingId{});
  Check(found != views_.end(), "a result that changes is somebody's");
  return found->second;
}

dataflow::ViewSnapshot LivePlan::Snapshot(BindingId id) const {
  if (!is_shared()) return view_.Snapshot({});
  const Value bucket = Value::Int(static_cast<std::int64_t>(id));
  return view_.Snapshot({&bucket, 1});
}

std::size_t LivePlan::state_bytes() const {
  return view_.state_bytes() + views_.size() * sizeof(std::pair<BindingId, LiveView*>);
}

}  // namespace trefoil::db
