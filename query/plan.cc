#include "query/plan.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace trefoil::query {

namespace {

std::vector<BoundExpr> CopyAll(const std::vector<BoundExpr>& exprs,
                               const ExprReplacement& replace) {
  std::vector<BoundExpr> copies;
  copies.reserve(exprs.size());
  for (const BoundExpr& expr : exprs) copies.push_back(CopyExpr(expr, replace));
  return copies;
}

void CollectUse(const BoundSelect& select, std::vector<ColumnRef>& read, std::set<SourceId>& own);

void CollectUse(const BoundExpr& expr, std::vector<ColumnRef>& read, std::set<SourceId>& own) {
  ForEachExpr(expr, [&](const BoundExpr& part) {
    if (const auto* ref = std::get_if<ColumnRef>(&part.node)) read.push_back(*ref);
    const auto* subselect = std::get_if<BoundSubselect>(&part.node);
    if (subselect != nullptr) CollectUse(*subselect->select, read, own);
  });
}

void CollectUse(const std::vector<RefJoin>& refs, std::vector<ColumnRef>& read,
                std::set<SourceId>& own) {
  for (const RefJoin& ref : refs) {
    own.insert(ref.id);
    read.push_back(ref.via);
  }
}

void CollectUse(const BoundCore& core, std::vector<ColumnRef>& read, std::set<SourceId>& own) {
  for (const BoundJoin& join : core.from) {
    own.insert(join.source.id);
    CollectUse(join.source.refs, read, own);
    if (join.source.select) CollectUse(*join.source.select, read, own);
    if (join.on) CollectUse(*join.on, read, own);
  }
  if (core.where) CollectUse(*core.where, read, own);
  if (core.grouped) {
    own.insert(core.group);
    own.insert(core.results);
  }
  for (const BoundExpr& key : core.group_keys) CollectUse(key, read, own);
  for (const BoundAggregate& aggregate : core.aggregates) {
    if (aggregate.argument) CollectUse(*aggregate.argument, read, own);
    if (aggregate.filter) CollectUse(*aggregate.filter, read, own);
  }
  CollectUse(core.group_refs, read, own);
  if (core.having) CollectUse(*core.having, read, own);
  for (const BoundExpr& output : core.outputs) CollectUse(output, read, own);
}

void CollectUse(const BoundSelect& select, std::vector<ColumnRef>& read, std::set<SourceId>& own) {
  own.insert(select.id);
  for (const BoundCte& cte : select.ctes) CollectUse(*cte.select, read, own);
  for (const BoundCore& core : select.cores) CollectUse(core, read, own);
}

std::vector<ColumnRef> WithoutOwn(const std::vector<ColumnRef>& read,
                                  const std::set<SourceId>& own) {
  std::vector<ColumnRef> free;
  for (const ColumnRef& ref : read) {
    if (!own.contains(ref.source)) free.push_back(ref);
  }
  return free;
}

}  // namespace

BoundExpr CopyExpr(const BoundExpr& expr, const ExprReplacement& replace) {
  if (replace) {
    if (std::optional<BoundExpr> replacement = replace(expr)) return *std::move(replacement);
  }
  BoundExpr copy{.node = Constant{}, .type = expr.type, .span = expr.span};
  if (const auto* constant = std::get_if<Constant>(&expr.node)) {
    copy.node = *constant;
  } else if (const auto* column = std::get_if<ColumnRef>(&expr.node)) {
    copy.node = *column;
  } else if (const auto* parameter = std::get_if<ParameterRef>(&expr.node)) {
    copy.node = *parameter;
  } else if (const auto* operation = std::get_if<Operation>(&expr.node)) {
    copy.node = Operation{operation->op, CopyAll(operation->operands, replace)};
  } else if (const auto* cast = std::get_if<BoundCast>(&expr.node)) {
    copy.node = BoundCast{std::make_unique<BoundExpr>(CopyExpr(*cast->operand, replace))};
  } else if (const auto* call = std::get_if<FunctionCall>(&expr.node)) {
    copy.node = FunctionCall{call->function, CopyAll(call->arguments, replace)};
  } else if (const auto* object = std::get_if<ObjectOf>(&expr.node)) {
    copy.node = ObjectOf{std::make_unique<BoundExpr>(CopyExpr(*object->presence, replace)),
                         object->names, CopyAll(object->items, replace)};
  } else {
    Check(false, "a nested select is planned before its expression is copied");
  }
  return copy;
}

std::vector<BoundExpr> CopyExprs(const std::vector<BoundExpr>& exprs) { return CopyAll(exprs, {}); }

PlanNode CopyNode(const PlanNode& node) {
  PlanNode copy{.op = OneRowNode{}, .inputs = node.inputs, .columns = node.columns};
  if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
    copy.op = FilterNode{CopyExprs(filter->conjuncts)};
  } else if (const auto* map = std::get_if<MapNode>(&node.op)) {
    copy.op = MapNode{CopyExprs(map->outputs)};
  } else if (const auto* join = std::get_if<JoinNode>(&node.op)) {
    copy.op = JoinNode{join->on, CopyExprs(join->conditions)};
  } else if (const auto* bindings = std::get_if<BindingsNode>(&node.op)) {
    copy.op = *bindings;
  } else if (const auto* route = std::get_if<RouteNode>(&node.op)) {
    copy.op = RouteNode{route->alternatives, CopyExprs(route->conditions)};
  } else if (const auto* left = std::get_if<LeftJoinNode>(&node.op)) {
    copy.op = LeftJoinNode{left->on, CopyExprs(left->conditions)};
  } else if (const auto* semi = std::get_if<SemiJoinNode>(&node.op)) {
    copy.op = SemiJoinNode{semi->kind, semi->on, CopyExprs(semi->conditions)};
  } else if (const auto* scan = std::get_if<ScanNode>(&node.op)) {
    copy.op = *scan;
  } else if (const auto* group = std::get_if<GroupNode>(&node.op)) {
    copy.op = *group;
  } else if (const auto* set = std::get_if<SetNode>(&node.op)) {
    copy.op = *set;
  } else if (const auto* top = std::get_if<TopNode>(&node.op)) {
    copy.op = *top;
  } else if (const auto* fixpoint = std::get_if<FixpointNode>(&node.op)) {
    copy.op = *fixpoint;
  } else if (std::holds_alternative<LoopNode>(node.op)) {
    copy.op = LoopNode{};
  }
  return copy;
}

std::vector<ColumnRef> ColumnsOf(const BoundExpr& expr) {
  std::vector<ColumnRef> read;
  std::set<SourceId> own;
  CollectUse(expr, read, own);
  return WithoutOwn(read, own);
}

std::vector<ColumnRef> FreeColumns(const BoundSelect& select) {
  std::vector<ColumnRef> read;
  std::set<SourceId> own;
  CollectUse(select, read, own);
  std::vector<ColumnRef> free = WithoutOwn(read, own);
  std::ranges::sort(free);
  const auto repeated = std::ranges::unique(free);
  free.erase(repeated.begin(), repeated.end());
  return free;
}

bool HasSubselect(const BoundExpr& expr) {
  bool found = false;
  ForEachExpr(expr, [&](const BoundExpr& part) {
    found = found || std::holds_alternative<BoundSubselect>(part.node);
  });
  return found;
}

std::vector<const BoundExpr*> ConjunctsOf(const BoundExpr& expr) {
  const auto* operation = std::get_if<Operation>(&expr.node);
  if (operation == nullptr || operation->op != Operator::kAnd) return {&expr};
  std::vector<const BoundExpr*> conjuncts;
  for (const BoundExpr& operand : operation->operands) {
    const std::vector<const BoundExpr*> parts = ConjunctsOf(operand);
    conjuncts.insert(conjuncts.end(), parts.begin(), parts.end());
  }
  return conjuncts;
}

bool HasColumn(const PlanNode& node, ColumnRef ref) {
  return std::ranges::find(node.columns, ref, &PlanColumn::ref) != node.columns.end();
}

std::size_t PositionOf(const PlanNode& node, ColumnRef ref) {
  const auto found = std::ranges::find(node.columns, ref, &PlanColumn::ref);
  Check(found != node.columns.end(), "a plan node has the columns that are read from it");
  return static_cast<std::size_t>(found - node.columns.begin());
}

ValueKind KindOfType(const ExprType& type) { return type.is_set ? ValueKind::kList : type.kind; }

void ForEachColumnRead(const PlanNode& node, const std::function<void(ColumnRef)>& visit) {
  const auto exprs = [&](const std::vector<BoundExpr>& list) {
    for (const BoundExpr& expr : list) std::ranges::for_each(ColumnsOf(expr), visit);
  };
  const auto join = [&](const auto& op) {
    for (const PlanEquality& equality : op.on) {
      visit(equality.left);
      visit(equality.right);
    }
    exprs(op.conditions);
  };
  if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
    exprs(filter->conjuncts);
  } else if (const auto* map = std::get_if<MapNode>(&node.op)) {
    exprs(map->outputs);
  } else if (const auto* inner = std::get_if<JoinNode>(&node.op)) {
    join(*inner);
  } else if (const auto* route = std::get_if<RouteNode>(&node.op)) {
    for (const auto& alternative : route->alternatives) {
      for (const PlanRouteTest& test : alternative) {
        visit(test.row);
        visit(test.binding);
      }
    }
    exprs(route->conditions);
  } else if (const auto* left = std::get_if<LeftJoinNode>(&node.op)) {
    join(*left);
  } else if (const auto* semi = std::get_if<SemiJoinNode>(&node.op)) {
    join(*semi);
  } else if (const auto* group = std::get_if<GroupNode>(&node.op)) {
    std::ranges::for_each(group->keys, visit);
    for (const PlanAggregate& aggregate : group->aggregates) {
      if (aggregate.argument) visit(*aggregate.argument);
      if (aggregate.filter) visit(*aggregate.filter);
    }
  } else if (const auto* top = std::get_if<TopNode>(&node.op)) {
    std::ranges::for_each(top->partition, visit);
    for (const PlanSort& sort : top->order) visit(sort.column);
  }
}

void VerifyPlan(const Plan& plan) {
  for (PlanNumber number = 0; number < plan.nodes.size(); ++number) {
    const PlanNode& node = plan.nodes[number];
    for (const PlanNumber input : node.inputs) {
      Check(input < number, "a plan node reads earlier nodes only");
    }
    const bool by_position =
        std::holds_alternative<SetNode>(node.op) || std::holds_alternative<FixpointNode>(node.op);
    if (by_position) continue;
    ForEachColumnRead(node, [&](ColumnRef ref) {
      const auto holders = std::ranges::count_if(
          node.inputs, [&](PlanNumber input) { return HasColumn(plan.nodes[input], ref); });
      Check(holders == 1, "a column that a plan node reads stands in exactly one input");
    });
  }
}

}  // namespace trefoil::query
