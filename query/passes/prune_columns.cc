// From the answer back to the scans: each node keeps the columns that something behind it reads. A
// scan then reads only those attributes, and a commit that changes others passes by.
#include <algorithm>
#include <set>

#include "query/optimizer.h"

namespace trefoil::query {

namespace {

bool ComparesWholeRows(const PlanNode& node) {
  return std::holds_alternative<SetNode>(node.op) || std::holds_alternative<FixpointNode>(node.op);
}

void NeedLevel(const PlanLevel& level, std::set<ColumnRef>& needed) {
  needed.insert(level.bucket.begin(), level.bucket.end());
  needed.insert(level.key.begin(), level.key.end());
  for (const PlanSort& sort : level.order) needed.insert(sort.column);
  for (const PlanField& field : level.fields) {
    if (!field.child) needed.insert(field.column);
    needed.insert(field.child_bucket.begin(), field.child_bucket.end());
  }
}

// Keeps the needed columns of a node that makes its columns itself; some column is needed.
void Cut(PlanNode& node, const std::set<ColumnRef>& needed) {
  const auto is_needed = [&](std::size_t i) { return needed.contains(node.columns[i].ref); };
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < node.columns.size(); ++i) {
    if (is_needed(i)) kept.push_back(i);
  }
  std::vector<PlanColumn> columns;
  for (const std::size_t i : kept) columns.push_back(node.columns[i]);
  if (auto* scan = std::get_if<ScanNode>(&node.op)) {
    std::vector<AttributeId> attributes;
    for (const std::size_t i : kept) attributes.push_back(scan->attributes[i]);
    scan->attributes = std::move(attributes);
  } else if (auto* map = std::get_if<MapNode>(&node.op)) {
    std::vector<BoundExpr> outputs;
    for (const std::size_t i : kept) outputs.push_back(std::move(map->outputs[i]));
    map->outputs = std::move(outputs);
  }
  node.columns = std::move(columns);
}

}  // namespace

void PruneColumns(Plan& plan) {
  std::vector<std::set<ColumnRef>> needed(plan.nodes.size());
  for (const PlanLevel& level : plan.levels) NeedLevel(level, needed[level.node]);
  const auto need_all = [&](PlanNumber number) {
    for (const PlanColumn& column : plan.nodes[number].columns) needed[number].insert(column.ref);
  };
  for (std::size_t i = plan.nodes.size(); i-- > 0;) {
    PlanNode& node = plan.nodes[i];
    if (ComparesWholeRows(node)) {
      std::ranges::for_each(node.inputs, need_all);
      continue;
    }
    // Rows count, even without columns; what stays must be there below, too.
    if (needed[i].empty() && !node.columns.empty()) needed[i].insert(node.columns[0].ref);
    if (std::holds_alternative<MapNode>(node.op)) Cut(node, needed[i]);
    const auto need = [&](ColumnRef ref) {
      for (const PlanNumber input : node.inputs) {
        if (HasColumn(plan.nodes[input], ref)) needed[input].insert(ref);
      }
    };
    ForEachColumnRead(node, need);
    if (!std::holds_alternative<MapNode>(node.op)) std::ranges::for_each(needed[i], need);
  }
  // Forward: nodes that pass columns on have what their inputs still have.
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    PlanNode& node = plan.nodes[i];
    if (std::holds_alternative<ScanNode>(node.op)) {
      // The range of a scan is tested on rows, so its columns stay.
      const ScanNode& scan = std::get<ScanNode>(node.op);
      for (std::size_t c = 0; c < scan.attributes.size(); ++c) {
        const bool ranged = std::ranges::find(scan.range_attributes, scan.attributes[c]) !=
                            scan.range_attributes.end();
        if (ranged) needed[i].insert(node.columns[c].ref);
      }
      Cut(node, needed[i]);
    } else if (std::holds_alternative<JoinNode>(node.op) ||
               std::holds_alternative<RouteNode>(node.op) ||
               std::holds_alternative<LeftJoinNode>(node.op)) {
      Cut(node, needed[i]);
    } else if (std::holds_alternative<FilterNode>(node.op) ||
               std::holds_alternative<TopNode>(node.op)) {
      node.columns = plan.nodes[node.inputs[0]].columns;
    } else if (const auto* semi = std::get_if<SemiJoinNode>(&node.op)) {
      const std::optional<PlanColumn> mark =
          semi->kind == SemiKind::kMark ? std::optional(node.columns.back()) : std::nullopt;
      node.columns = plan.nodes[node.inputs[0]].columns;
      if (mark) node.columns.push_back(*mark);
    }
  }
}

}  // namespace trefoil::query
