// The first rows of each binding: a top above a route becomes one with it, so that a new binding
// reads what it shows and not all that it selects. Computed columns wait until the rows are chosen.
//
//   top 50 by issue.created, issue.id for each b.0      map upper(issue.title), ...
//     map upper(issue.title), ...                   ->    top 50 of bindings by ... for each b.0
//       route issue.project = b.1                           route issue.project = b.1
//         bindings b; scan issue                              bindings b; scan issue
#include <algorithm>
#include <optional>
#include <vector>

#include "query/optimizer.h"

namespace trefoil::query {

namespace {

std::vector<int> CountReaders(const Plan& plan) {
  std::vector<int> readers(plan.nodes.size());
  for (const PlanNode& node : plan.nodes) {
    for (const PlanNumber input : node.inputs) ++readers[input];
  }
  for (const PlanLevel& level : plan.levels) ++readers[level.node];
  return readers;
}

// The column below the map that this one repeats, if it does.
std::optional<ColumnRef> BelowMap(const PlanNode& map, ColumnRef ref) {
  const BoundExpr& output = std::get<MapNode>(map.op).outputs[PositionOf(map, ref)];
  const auto* below = std::get_if<ColumnRef>(&output.node);
  return below == nullptr ? std::nullopt : std::optional(*below);
}

class TopBinder {
 public:
  TopBinder(Plan& plan, const schema::Schema& schema)
      : plan_(plan), schema_(schema), readers_(CountReaders(plan)) {}

  void Visit(PlanNumber number) {
    PlanNode& top_node = plan_.nodes[number];
    auto* top = std::get_if<TopNode>(&top_node.op);
    if (top == nullptr || !top->limit || top->partition.size() != 1) return;
    const PlanNumber below = top_node.inputs[0];
    PlanNode& below_node = plan_.nodes[below];
    if (readers_[below] != 1) return;
    if (!std::holds_alternative<MapNode>(below_node.op)) {
      top->of_bindings = CanBind(*top, below_node);
      return;
    }
    const PlanNumber route = below_node.inputs[0];
    std::optional<TopNode> moved = ThroughMap(*top, below_node);
    if (readers_[route] != 1 || !moved || !CanBind(*moved, plan_.nodes[route])) return;
    moved->of_bindings = true;
    std::swap(top_node, below_node);
    below_node.op = *std::move(moved);
    below_node.inputs = {route};
    below_node.columns = plan_.nodes[route].columns;
    top_node.inputs = {below};
  }

 private:
  static std::optional<TopNode> ThroughMap(const TopNode& top, const PlanNode& map) {
    TopNode moved{.partition = {}, .order = {}, .offset = top.offset, .limit = top.limit};
    for (const ColumnRef& ref : top.partition) {
      const auto column = BelowMap(map, ref);
      if (!column) return std::nullopt;
      moved.partition.push_back(*column);
    }
    for (const PlanSort& sort : top.order) {
      const auto column = BelowMap(map, sort.column);
      if (!column) return std::nullopt;
      moved.order.push_back({*column, sort.descending});
    }
    return moved;
  }

  // Whether the top takes rows of each binding, and orders them by columns of theirs.
  bool CanBind(const TopNode& top, const PlanNode& route_node) const {
    const auto* route = std::get_if<RouteNode>(&route_node.op);
    if (route == nullptr || route->alternatives.size() != 1) return false;
    const ColumnRef id = plan_.nodes[route_node.inputs[0]].columns[0].ref;
    const PlanNode& rows = plan_.nodes[route_node.inputs[1]];
    const auto reads_id = [&](const BoundExpr& condition) {
      return std::ranges::count(ColumnsOf(condition), id) > 0;
    };
    const auto is_value = [&](const PlanRouteTest& test) {
      return test.binding != id && test.test != dataflow::RouteTest::kIn;
    };
    return top.partition[0] == id && std::ranges::all_of(route->alternatives[0], is_value) &&
           std::ranges::none_of(route->conditions, reads_id) &&
           std::ranges::all_of(
               top.order, [&](const PlanSort& sort) { return HasColumn(rows, sort.column); }) &&
           TellsRowsApart(top.order, rows);
  }

  // The columns of a top's own order do that for the rows above the map, which may have fewer.
  bool TellsRowsApart(const std::vector<PlanSort>& order, const PlanNode& rows) const {
    const PlanNode* node = &rows;
    while (std::holds_alternative<FilterNode>(node->op)) node = &plan_.nodes[node->inputs[0]];
    const auto* scan = std::get_if<ScanNode>(&node->op);
    const schema::Type* type = scan == nullptr ? nullptr : schema_.FindType(scan->type);
    return type != nullptr && std::ranges::all_of(type->key, [&](AttributeId key) {
             return std::ranges::any_of(order, [&](const PlanSort& sort) {
               return scan->attributes[PositionOf(*node, sort.column)] == key;
             });
           });
  }

  Plan& plan_;
  const schema::Schema& schema_;
  const std::vector<int> readers_;
};

}  // namespace

void BindTops(Plan& plan, const schema::Schema& schema) {
  TopBinder binder(plan, schema);
  for (PlanNumber number = 0; number < plan.nodes.size(); ++number) binder.Visit(number);
}

}  // namespace trefoil::query
