// Selects as a whole: outputs, set operations, order, limit, and the levels of the answer.
#include "query/planner.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/planner_context.h"
#include "query/to_expression.h"

namespace trefoil::query {

namespace {

bool MakesLevel(const BoundExpr& output) {
  const auto* subselect = std::get_if<BoundSubselect>(&output.node);
  return subselect != nullptr &&
         (subselect->kind == SubselectKind::kList || subselect->kind == SubselectKind::kObjects ||
          subselect->kind == SubselectKind::kObject);
}

BoundExpr Logic(Operator op, std::vector<BoundExpr> operands) {
  return MakeOperation(op, std::move(operands), kBoolType, {});
}

template <typename... Operands>
std::vector<BoundExpr> ListOf(Operands... operands) {
  std::vector<BoundExpr> list;
  (list.push_back(std::move(operands)), ...);
  return list;
}

// The rows strictly behind `values` in `order`: first key behind, or equal and the next one behind.
BoundExpr BehindPlace(const std::vector<BoundOrderKey>& order, const std::vector<BoundExpr>& values,
                      SourceId source, const std::vector<ExprType>& types, std::size_t i) {
  const auto column = [&] { return MakeColumn({source, order[i].output}, types[i]); };
  const auto is_null = [](BoundExpr expr) {
    return Logic(Operator::kIsNull, ListOf(std::move(expr)));
  };
  const Operator behind = order[i].descending ? Operator::kLess : Operator::kGreater;
  // What lies behind in the presence of NULLs, at either end.
  BoundExpr value_behind = Logic(behind, ListOf(column(), CopyExpr(values[i])));
  BoundExpr is_behind =
      order[i].nulls_first
          ? Logic(Operator::kOr,
                  ListOf(std::move(value_behind),
                         Logic(Operator::kAnd,
                               ListOf(is_null(CopyExpr(values[i])),
                                      Logic(Operator::kNot, ListOf(is_null(column())))))))
          : Logic(
                Operator::kOr,
                ListOf(std::move(value_behind),
                       Logic(Operator::kAnd,
                             ListOf(is_null(column()),
                                    Logic(Operator::kNot, ListOf(is_null(CopyExpr(values[i]))))))));
  if (i + 1 == values.size()) return is_behind;
  BoundExpr equal = Logic(Operator::kIsNotDistinct, ListOf(column(), CopyExpr(values[i])));
  return Logic(
      Operator::kOr,
      ListOf(std::move(is_behind),
             Logic(Operator::kAnd,
                   ListOf(std::move(equal), BehindPlace(order, values, source, types, i + 1)))));
}

}  // namespace

// What AFTER says of its first key alone, as a test that the range of an index can settle. Nothing
// where the rows behind the place are no range: those with NULL at the far end of it.
std::optional<BoundExpr> PlannerContext::FirstKeyBehind(const BoundSelect& select,
                                                        const BoundExpr& value,
                                                        ExprType type) const {
  const BoundOrderKey& key = select.order[0];
  const auto* constant = std::get_if<Constant>(&value.node);
  // NaN has a place in an order, and equals nothing.
  const bool is_float = type.kind == ValueKind::kFloat ||
                        (constant != nullptr && constant->value.kind() == ValueKind::kFloat);
  if (constant == nullptr || constant->value.is_null() || is_float) return std::nullopt;
  if (!key.descending && !key.nulls_first) return std::nullopt;
  const auto column = [&] { return MakeColumn({select.id, key.output}, type); };
  BoundExpr behind = Logic(key.descending ? Operator::kLessEqual : Operator::kGreaterEqual,
                           ListOf(column(), CopyExpr(value)));
  if (key.nulls_first) return behind;
  return Logic(Operator::kOr,
               ListOf(std::move(behind), Logic(Operator::kIsNull, ListOf(column()))));
}

void PlannerContext::Fail(ErrorCode code, std::string message, std::string hint) {
  if (!error_) error_ = MakeError(code, std::move(message), std::move(hint));
}

PlanNumber PlannerContext::AddColumns(PlanNumber node,
                                      std::vector<std::pair<ColumnRef, BoundExpr>> added) {
  if (added.empty()) return node;
  PlanNode map{.op = MapNode{}, .inputs = {node}, .columns = At(node).columns};
  auto& outputs = std::get<MapNode>(map.op).outputs;
  for (const PlanColumn& column : map.columns) {
    outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
  }
  for (auto& [ref, expr] : added) {
    map.columns.push_back({ref, KindOfType(expr.type)});
    outputs.push_back(std::move(expr));
  }
  return Add(std::move(map));
}

std::optional<std::uint64_t> PlannerContext::CountOf(const std::optional<BoundExpr>& expr) {
  if (!expr) return std::nullopt;
  PlanNumber none = 0;  // it names no source
  if (HasSubselect(*expr)) {
    Fail(ErrorCode::kUnsupported, "LIMIT and OFFSET take an expression of parameters",
         "run the select first, and pass its value");
    return std::nullopt;
  }
  ForEachExpr(*expr, [&](const BoundExpr& part) {
    const auto* parameter = std::get_if<ParameterRef>(&part.node);
    if (parameter != nullptr) plan_.fixed_parameters.push_back(parameter->parameter);
  });
  const Value value = Evaluate(Rewrite(*expr, nullptr, none));
  if (value.kind() != ValueKind::kInt || value.AsInt() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value.AsInt());
}

// ---- one core, set operations ----

PlanNumber PlannerContext::PlanSingle(const BoundSelect& select, const Environment* environment,
                                      std::vector<std::size_t>& late) {
  const BoundCore& core = select.cores[0];
  PlanNumber node = PlanCore(core, environment);
  if (failed()) return node;
  std::vector<PlanColumn> columns;
  if (environment != nullptr) columns = environment->columns;
  std::vector<std::pair<ColumnRef, BoundExpr>> early;
  std::set<ColumnRef> passed;
  for (const PlanColumn& column : columns) passed.insert(column.ref);
  for (std::uint32_t i = 0; i < core.outputs.size(); ++i) {
    const BoundExpr& output = core.outputs[i];
    const bool sorts =
        std::ranges::find(select.order, i, &BoundOrderKey::output) != select.order.end();
    if (!core.distinct && HasSubselect(output) && (!sorts || MakesLevel(output))) {
      late.push_back(i);
      for (ColumnRef ref : ColumnsOf(output)) {
        if (environment != nullptr && environment->renamed.contains(ref)) {
          ref = environment->renamed.at(ref);
        }
        passed.insert(ref);
      }
    } else {
      BoundExpr value = Rewrite(output, environment, node);
      early.emplace_back(ColumnRef{select.id, i}, std::move(value));
    }
  }
  if (failed()) return node;
  PlanNode map{.op = MapNode{}, .inputs = {node}, .columns = {}};
  auto& outputs = std::get<MapNode>(map.op).outputs;
  for (const ColumnRef& ref : passed) {
    const PlanColumn& column = At(node).columns[PositionOf(At(node), ref)];
    map.columns.push_back(column);
    outputs.push_back(MakeColumn(ref, {.kind = column.kind}));
  }
  for (auto& [ref, expr] : early) {
    map.columns.push_back({ref, KindOfType(expr.type)});
    outputs.push_back(std::move(expr));
  }
  node = Add(std::move(map));
  if (core.distinct) {
    node = Add({.op = SetNode{SetKind::kDistinct}, .inputs = {node}, .columns = At(node).columns});
  }
  return node;
}

PlanNumber PlannerContext::PlanSetOperations(const BoundSelect& select,
                                             const Environment* environment) {
  std::vector<PlanNumber> results;
  for (const BoundCore& core : select.cores) {
    PlanNumber node = PlanCore(core, environment);
    PlanNode map{.op = MapNode{}, .inputs = {}, .columns = {}};
    auto& outputs = std::get<MapNode>(map.op).outputs;
    if (environment != nullptr) {
      for (const PlanColumn& column : environment->columns) {
        map.columns.push_back(column);
        outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
      }
    }
    for (std::uint32_t i = 0; i < core.outputs.size() && !failed(); ++i) {
      outputs.push_back(Rewrite(core.outputs[i], environment, node));
      map.columns.push_back({{select.id, i}, KindOfType(select.columns[i].type)});
    }
    map.inputs = {node};
    PlanNumber mapped = Add(std::move(map));
    if (core.distinct) {
      const auto columns = At(mapped).columns;
      mapped = Add({.op = SetNode{SetKind::kDistinct}, .inputs = {mapped}, .columns = columns});
    }
    results.push_back(mapped);
  }
  for (const SetStep& step : SetOperatorOrder(select.operators)) {
    const std::vector<PlanColumn> columns = At(results[0]).columns;
    const SetKind kind = step.op == SetOperator::kIntersect ? SetKind::kIntersect
                         : step.op == SetOperator::kExcept  ? SetKind::kExcept
                                                            : SetKind::kUnionAll;
    PlanNumber node = Add({.op = SetNode{kind},
                           .inputs = {results[step.left], results[step.right]},
                           .columns = columns});
    if (step.op == SetOperator::kUnion) {
      node = Add({.op = SetNode{SetKind::kDistinct}, .inputs = {node}, .columns = columns});
    }
    results.push_back(node);
  }
  return results.back();
}

// ---- order and limit ----

PlanNumber PlannerContext::AddAfter(const BoundSelect& select, PlanNumber node) {
  if (select.after.empty()) return node;
  std::vector<BoundExpr> values;
  PlanNumber unused = node;
  for (const BoundExpr& value : select.after) values.push_back(Rewrite(value, nullptr, unused));
  std::vector<ExprType> types;
  for (const BoundOrderKey& key : select.order) {
    types.push_back({.kind = At(node).columns[PositionOf(At(node), {select.id, key.output})].kind});
  }
  FilterNode filter;
  if (std::optional<BoundExpr> bound = FirstKeyBehind(select, values[0], types[0])) {
    filter.conjuncts.push_back(*std::move(bound));
  }
  filter.conjuncts.push_back(BehindPlace(select.order, values, select.id, types, 0));
  const auto columns = At(node).columns;
  return Add({.op = std::move(filter), .inputs = {node}, .columns = columns});
}

// The order as plain columns. Where NULLs stand at the other end, "is NULL" sorts before the key.
std::vector<PlanSort> PlannerContext::AddOrder(const BoundSelect& select, PlanNumber& node) {
  std::vector<PlanSort> order;
  std::vector<std::pair<ColumnRef, BoundExpr>> added;
  for (const BoundOrderKey& key : select.order) {
    const ColumnRef column{select.id, key.output};
    if (key.nulls_first == key.descending) {
      const ColumnRef null_first{NewSource(), 0};
      added.emplace_back(null_first,
                         Logic(Operator::kIsNull, ListOf(MakeColumn(column, kAnyType))));
      order.push_back({null_first, key.descending});
    }
    order.push_back({column, key.descending});
  }
  node = AddColumns(node, std::move(added));
  return order;
}

PlannedBody PlannerContext::PlanBody(const BoundSelect& select, const Environment* environment) {
  for (const BoundCte& cte : select.ctes) ctes_[cte.number] = &cte;
  PlannedBody body;
  body.node = select.cores.size() == 1 ? PlanSingle(select, environment, body.late)
                                       : PlanSetOperations(select, environment);
  if (failed()) return body;
  body.node = AddAfter(select, body.node);
  body.order = AddOrder(select, body.node);
  if (!select.limit && !select.offset) return body;
  TopNode top{.partition = {},
              .order = body.order,
              .offset = CountOf(select.offset).value_or(0),
              .limit = CountOf(select.limit)};
  if (environment != nullptr) {
    for (const PlanColumn& column : environment->columns) top.partition.push_back(column.ref);
  }
  const auto columns = At(body.node).columns;
  body.node = Add({.op = std::move(top), .inputs = {body.node}, .columns = columns});
  return body;
}

PlanNumber PlannerContext::AddLate(const BoundSelect& select, const PlannedBody& body,
                                   const Environment* environment) {
  PlanNumber node = body.node;
  std::vector<std::pair<ColumnRef, BoundExpr>> added;
  for (const std::size_t i : body.late) {
    const BoundExpr& output = select.cores[0].outputs[i];
    if (failed()) return node;
    added.emplace_back(ColumnRef{select.id, static_cast<std::uint32_t>(i)},
                       Rewrite(output, environment, node));
  }
  return failed() ? node : AddColumns(node, std::move(added));
}

PlanNumber PlannerContext::PlanSelect(const BoundSelect& select, const Environment* environment) {
  const PlannedBody body = PlanBody(select, environment);
  return failed() ? body.node : AddLate(select, body, environment);
}

// ---- levels ----

void PlannerContext::AddChildField(const BoundSubselect& subselect, PlanNumber node,
                                   const Environment* environment, PlanField& field) {
  std::vector<PlanEquality> on;
  Environment inner;
  const bool correlated = !FreeColumns(*subselect.select).empty();
  if (correlated) inner = MakeEnvironment(*subselect.select, environment, node, on);
  field.child = PlanLevelOf(*subselect.select, correlated ? &inner : nullptr);
  field.single = subselect.kind == SubselectKind::kObject;
  if (failed()) return;
  // NULL names no list, so the columns around are boxed where a NULL among them means something.
  for (const PlanEquality& equality : on) field.child_bucket.push_back(equality.left);
}

std::size_t PlannerContext::PlanLevelOf(const BoundSelect& select, const Environment* environment) {
  const std::size_t number = plan_.levels.size();
  plan_.levels.emplace_back();
  PlannedBody body = PlanBody(select, environment);
  if (failed()) return number;
  std::vector<std::size_t> children;
  std::erase_if(body.late, [&](std::size_t i) {
    const bool is_child = MakesLevel(select.cores[0].outputs[i]);
    if (is_child) children.push_back(i);
    return is_child;
  });
  PlanLevel level;
  level.order = body.order;
  for (const std::uint32_t output : select.key) {
    level.key.push_back({select.id, output});
    level.order.push_back({{select.id, output}, false});
  }
  if (environment != nullptr) {
    for (const PlanColumn& column : environment->columns) level.bucket.push_back(column.ref);
  }
  level.node = AddLate(select, body, environment);
  level.scalar = select.scalar && number != 0;
  for (std::uint32_t i = 0; i < select.columns.size() && !failed(); ++i) {
    PlanField field{.name = select.columns[i].name,
                    .column = {select.id, i},
                    .child = {},
                    .child_bucket = {},
                    .single = false};
    if (std::ranges::find(children, i) != children.end()) {
      AddChildField(std::get<BoundSubselect>(select.cores[0].outputs[i].node), level.node,
                    environment, field);
    }
    level.fields.push_back(std::move(field));
  }
  plan_.levels[number] = std::move(level);
  return number;
}

// Columns of `source` that are read behind the groups of a core, or behind its outputs: there,
// nothing but the columns of an environment is left of the rows around.
std::vector<ColumnRef> ReadLate(const BoundSelect& select, SourceId source) {
  std::set<ColumnRef> late;
  const auto collect = [&](const BoundExpr& expr) {
    for (const ColumnRef& ref : ColumnsOf(expr)) {
      if (ref.source == source) late.insert(ref);
    }
  };
  for (const BoundCore& core : select.cores) {
    if (core.having) collect(*core.having);
    if (core.grouped) std::ranges::for_each(core.outputs, collect);
  }
  std::ranges::for_each(select.after, collect);
  return {late.begin(), late.end()};
}

Environment PlannerContext::EnvironmentOf(const BoundSelect& select, const PlanBindings& bindings) {
  PlanNode node{.op = BindingsNode{bindings.name}, .inputs = {}, .columns = {}};
  node.columns.push_back({{bindings.source, 0}, ValueKind::kInt});
  for (const ValueKind kind : bindings.kinds) {
    const auto number = static_cast<std::uint32_t>(node.columns.size());
    node.columns.push_back({{bindings.source, number}, kind});
  }
  Environment environment;
  environment.columns = {node.columns[0]};
  for (const ColumnRef& ref : ReadLate(select, bindings.source)) {
    environment.columns.push_back(node.columns[ref.column]);
  }
  environment.domain = Add(std::move(node));
  return environment;
}

Result<Plan> MakePlan(const BoundSelect& select, std::uint32_t source_count,
                      std::span<const Value> parameters, const schema::Schema& schema,
                      const PlanBindings* bindings) {
  PlannerContext planner(source_count, parameters, schema);
  if (bindings == nullptr) {
    planner.PlanLevelOf(select, nullptr);
  } else {
    const Environment environment = planner.EnvironmentOf(select, *bindings);
    const std::size_t number = planner.PlanLevelOf(select, &environment);
    // The number alone tells bindings apart.
    planner.plan().levels[number].bucket.resize(planner.error() ? 0 : 1);
  }
  if (planner.error()) return *std::move(planner.error());
  return std::move(planner.plan());
}

}  // namespace trefoil::query
