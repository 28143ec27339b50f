// What is kept for live queries, as rows of the tables of the system.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "db/live_queries.h"

namespace trefoil::db {

namespace {

Value NumberOf(std::uint64_t number) { return Value::Int(static_cast<std::int64_t>(number)); }

// {"name":value,...}, the positional ones by their place from 1 on.
Value TextOf(const Params& params) {
  std::string json = "{";
  const auto add = [&](std::string_view name, const Value& value) {
    json += StrCat(json.size() > 1 ? "," : "", ToJson(Value::Text(name)), ":", ToJson(value));
  };
  for (std::size_t i = 0; i < params.positional().size(); ++i) {
    add(StrCat(i + 1), params.positional()[i]);
  }
  for (const auto& [name, value] : params.named()) add(name, value);
  return Value::Text(json + "}");
}

std::vector<Value> RowOf(const LiveView& live) {
  return {NumberOf(live.plan->number()),
          Value::Int(static_cast<std::int64_t>(live.binding)),
          Value::Text(live.text),
          TextOf(live.params),
          NumberOf(live.listeners.size()),
          NumberOf(live.plan->view_count()),
          NumberOf(live.plan->Snapshot(live.binding).size()),
          NumberOf(live.plan->state_bytes() / live.plan->view_count())};
}

std::vector<Value> RowOf(const LivePlan& plan, const dataflow::NodeReport& node) {
  std::string inputs;
  for (const dataflow::NodeId input : node.inputs) {
    inputs += StrCat(inputs.empty() ? "" : ",", static_cast<std::uint64_t>(input));
  }
  return {NumberOf(plan.number()),       NumberOf(static_cast<std::uint64_t>(node.id)),
          Value::Text(node.description), Value::Text(inputs),
          NumberOf(node.steps),          NumberOf(node.delta_rows),
          NumberOf(node.state_rows),     NumberOf(node.state_bytes)};
}

}  // namespace

void LiveQueries::Scan(TypeId type, const VisitRow& visit) {
  std::vector<std::vector<Value>> rows;
  {
    const std::lock_guard lock(mutex_);
    std::vector<const LivePlan*> plans;
    for (const auto& [key, live] : views_) {
      if (live->plan == nullptr) continue;
      if (type == schema::kSysLiveQuery) rows.push_back(RowOf(*live));
      plans.push_back(live->plan);
    }
    std::ranges::sort(plans, {}, &LivePlan::number);
    plans.erase(std::unique(plans.begin(), plans.end()), plans.end());
    for (const LivePlan* plan : plans) {
      if (type != schema::kSysOperator) break;
      for (const dataflow::NodeReport& node : graph_->Report(plan->roots())) {
        rows.push_back(RowOf(*plan, node));
      }
    }
  }
  std::ranges::sort(rows);
  // Without the lock, as a visitor may do what it likes.
  for (const std::vector<Value>& row : rows) {
    if (!visit(row)) return;
  }
}

}  // namespace trefoil::db
