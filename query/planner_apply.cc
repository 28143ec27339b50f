// Expressions with nested selects: each select is planned once for all rows around it, and joined.
#include <algorithm>

#include "query/bind_context.h"
#include "query/planner_context.h"

namespace trefoil::query {

namespace {

const BoundSubselect* AsSubselect(const BoundExpr& expr) {
  return std::get_if<BoundSubselect>(&expr.node);
}

template <typename... Operands>
std::vector<BoundExpr> ListOf(Operands... operands) {
  std::vector<BoundExpr> list;
  (list.push_back(std::move(operands)), ...);
  return list;
}

// The operand of NOT, or null.
const BoundExpr* Negated(const BoundExpr& expr) {
  const auto* operation = std::get_if<Operation>(&expr.node);
  if (operation == nullptr || operation->op != Operator::kNot) return nullptr;
  return &operation->operands[0];
}

}  // namespace

ColumnRef PlannerContext::AsColumn(BoundExpr expr, PlanNumber& node) {
  if (const auto* ref = std::get_if<ColumnRef>(&expr.node)) return *ref;
  const ColumnRef ref{NewSource(), 0};
  std::vector<std::pair<ColumnRef, BoundExpr>> added;
  added.emplace_back(ref, std::move(expr));
  node = AddColumns(node, std::move(added));
  return ref;
}

Environment PlannerContext::MakeEnvironment(const BoundSelect& select, const Environment* outer,
                                            PlanNumber node, std::vector<PlanEquality>& on) {
  Environment environment;
  const SourceId id = NewSource();
  PlanNode map{.op = MapNode{}, .inputs = {node}, .columns = {}};
  for (const ColumnRef& free : FreeColumns(select)) {
    const bool renamed = outer != nullptr && outer->renamed.contains(free);
    const ColumnRef actual = renamed ? outer->renamed.at(free) : free;
    const ValueKind kind = At(node).columns[PositionOf(At(node), actual)].kind;
    const ColumnRef inner{id, static_cast<std::uint32_t>(map.columns.size())};
    std::get<MapNode>(map.op).outputs.push_back(MakeColumn(actual, {.kind = kind}));
    map.columns.push_back({inner, kind});
    environment.renamed[free] = inner;
    on.push_back({.left = actual, .right = inner, .nulls_equal = true});
  }
  environment.columns = map.columns;
  const PlanNumber mapped = Add(std::move(map));
  environment.domain =
      Add({.op = SetNode{SetKind::kDistinct}, .inputs = {mapped}, .columns = environment.columns});
  return environment;
}

PlanNumber PlannerContext::PlanFor(const BoundSelect& select, const Environment* outer,
                                   PlanNumber node, std::vector<PlanEquality>& on) {
  if (FreeColumns(select).empty()) return PlanSelect(select, nullptr);
  const Environment environment = MakeEnvironment(select, outer, node, on);
  return PlanSelect(select, &environment);
}

ColumnRef PlannerContext::AddMark(PlanNumber& node, PlanNumber right, std::vector<PlanEquality> on,
                                  std::vector<BoundExpr> conditions) {
  const ColumnRef mark{NewSource(), 0};
  std::vector<PlanColumn> columns = At(node).columns;
  columns.push_back({mark, ValueKind::kBool});
  node = Add({.op = SemiJoinNode{SemiKind::kMark, std::move(on), std::move(conditions)},
              .inputs = {node, right},
              .columns = std::move(columns)});
  return mark;
}

// Whether there is a row in `right` (that passes `test`): one row for each row of its domain, or
// one in all. It changes when the first such row comes or the last one goes, not with each of them.
PlanNumber PlannerContext::Presence(PlanNumber right, const std::vector<PlanEquality>& on,
                                    std::optional<BoundExpr> test) {
  if (test) {
    FilterNode filter;
    filter.conjuncts.push_back(*std::move(test));
    const auto columns = At(right).columns;
    right = Add({.op = std::move(filter), .inputs = {right}, .columns = columns});
  }
  PlanNode map{.op = MapNode{}, .inputs = {right}, .columns = {}};
  auto& outputs = std::get<MapNode>(map.op).outputs;
  for (const PlanEquality& equality : on) {
    const PlanColumn& column = At(right).columns[PositionOf(At(right), equality.right)];
    outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
    map.columns.push_back(column);
  }
  if (on.empty()) {
    outputs.push_back(MakeConstant(Value::Bool(true)));
    map.columns.push_back({{NewSource(), 0}, ValueKind::kBool});
  }
  const auto columns = map.columns;
  const PlanNumber mapped = Add(std::move(map));
  return Add({.op = SetNode{SetKind::kDistinct}, .inputs = {mapped}, .columns = columns});
}

BoundExpr PlannerContext::ApplyIn(const BoundSubselect& subselect, const Environment* environment,
                                  PlanNumber& node) {
  BoundExpr operand = Rewrite(*subselect.operand, environment, node);
  const ExprType type = operand.type;
  const ColumnRef left = AsColumn(std::move(operand), node);
  std::vector<PlanEquality> on;
  const PlanNumber right = PlanFor(*subselect.select, environment, node, on);
  if (failed()) return MakeConstant(Value());
  const ColumnRef column{subselect.select->id, 0};
  const ExprType column_type = subselect.select->columns[0].type;
  const auto column_is_null = [&] {
    return MakeOperation(Operator::kIsNull, ListOf(MakeColumn(column, column_type)), kBoolType, {});
  };
  const ColumnRef equal =
      AddMark(node, right, on,
              ListOf(MakeOperation(Operator::kEqual,
                                   ListOf(MakeColumn(left, type), MakeColumn(column, column_type)),
                                   kBoolType, {})));
  const ColumnRef any = AddMark(node, Presence(right, on, std::nullopt), on, {});
  const ColumnRef null = AddMark(node, Presence(right, on, column_is_null()), on, {});
  // TRUE if some value equals; else NULL if it might, for a NULL on either side; else FALSE.
  BoundExpr operand_is_null =
      MakeOperation(Operator::kIsNull, ListOf(MakeColumn(left, type)), kBoolType, {});
  BoundExpr unknown = MakeOperation(
      Operator::kOr,
      ListOf(MakeColumn(null, kBoolType),
             MakeOperation(Operator::kAnd,
                           ListOf(std::move(operand_is_null), MakeColumn(any, kBoolType)),
                           kBoolType, {})),
      kBoolType, {});
  return MakeOperation(
      Operator::kCase,
      ListOf(MakeColumn(equal, kBoolType), MakeConstant(Value::Bool(true)), std::move(unknown),
             MakeConstant(Value()), MakeConstant(Value::Bool(false))),
      kBoolType, {});
}

BoundExpr PlannerContext::Apply(const BoundSubselect& subselect, const BoundExpr& expr,
                                const Environment* environment, PlanNumber& node) {
  if (subselect.kind == SubselectKind::kIn) return ApplyIn(subselect, environment, node);
  if (subselect.kind == SubselectKind::kList || subselect.kind == SubselectKind::kObjects) {
    Fail(ErrorCode::kUnsupported, "[SELECT ...] stands alone as an entry of the answer",
         "not inside an expression or a select in FROM; array_agg(...) makes a list anywhere");
    return MakeConstant(Value());
  }
  std::vector<PlanEquality> on;
  PlanNumber right = PlanFor(*subselect.select, environment, node, on);
  if (failed()) return MakeConstant(Value());
  if (subselect.kind == SubselectKind::kExists) {
    return MakeColumn(AddMark(node, right, std::move(on), {}), kBoolType);
  }
  ObjectOf object;
  if (subselect.kind == SubselectKind::kObject) {
    const ColumnRef there = AsColumn(MakeConstant(Value::Bool(true)), right);
    object.presence = std::make_unique<BoundExpr>(MakeColumn(there, kBoolType));
    for (std::uint32_t i = 0; i < subselect.select->columns.size(); ++i) {
      const BoundColumn& column = subselect.select->columns[i];
      object.names.push_back(column.name);
      object.items.push_back(MakeColumn({subselect.select->id, i}, column.type));
    }
  }
  auto columns = JoinedColumns(At(node), At(right));
  node = Add({.op = LeftJoinNode{.on = std::move(on), .conditions = {}},
              .inputs = {node, right},
              .columns = std::move(columns)});
  if (subselect.kind == SubselectKind::kScalar) {
    return MakeColumn({subselect.select->id, 0}, expr.type);
  }
  return {.node = std::move(object), .type = expr.type, .span = {}};
}

BoundExpr PlannerContext::Rewrite(const BoundExpr& expr, const Environment* environment,
                                  PlanNumber& node) {
  return CopyExpr(expr, [&](const BoundExpr& part) -> std::optional<BoundExpr> {
    if (const auto* ref = std::get_if<ColumnRef>(&part.node)) {
      if (environment == nullptr || !environment->renamed.contains(*ref)) return std::nullopt;
      return MakeColumn(environment->renamed.at(*ref), part.type, part.span);
    }
    if (const auto* parameter = std::get_if<ParameterRef>(&part.node)) {
      BoundExpr constant = MakeConstant(parameters_[parameter->parameter], part.span);
      std::get<Constant>(constant.node).parameter = parameter->parameter;
      if (!part.type.is_any()) constant.type = part.type;
      return constant;
    }
    if (const BoundSubselect* subselect = AsSubselect(part)) {
      if (failed()) return MakeConstant(Value());
      return Apply(*subselect, part, environment, node);
    }
    return std::nullopt;
  });
}

bool PlannerContext::ApplyAsFilter(const BoundExpr& conjunct, const Environment* environment,
                                   PlanNumber& node) {
  const BoundExpr* negated = Negated(conjunct);
  const BoundSubselect* subselect = AsSubselect(negated != nullptr ? *negated : conjunct);
  if (subselect == nullptr) return false;
  const bool is_in = subselect->kind == SubselectKind::kIn;
  if (subselect->kind != SubselectKind::kExists && !is_in) return false;
  SemiJoinNode semi{
      .kind = negated != nullptr ? SemiKind::kAnti : SemiKind::kSemi, .on = {}, .conditions = {}};
  std::optional<BoundExpr> operand;
  if (is_in) operand = Rewrite(*subselect->operand, environment, node);
  std::optional<ColumnRef> left;
  const ExprType type = operand ? operand->type : kAnyType;
  if (operand) left = AsColumn(*std::move(operand), node);
  const PlanNumber right = PlanFor(*subselect->select, environment, node, semi.on);
  if (failed()) return true;
  if (left) {
    semi.conditions.push_back(MakeOperation(
        Operator::kEqual,
        ListOf(MakeColumn(*left, type),
               MakeColumn({subselect->select->id, 0}, subselect->select->columns[0].type)),
        kBoolType, {}));
  }
  const std::vector<PlanEquality> on = semi.on;
  const auto add = [&](SemiJoinNode op, PlanNumber other) {
    const auto columns = At(node).columns;
    node = Add({.op = std::move(op), .inputs = {node, other}, .columns = columns});
  };
  add(std::move(semi), right);
  if (!is_in || negated == nullptr) return true;
  // NOT IN is not TRUE either where it is unknown: beside a NULL in the list, or for a NULL that is
  // looked for in a list that is not empty.
  const auto is_null = [](BoundExpr expr) {
    return MakeOperation(Operator::kIsNull, ListOf(std::move(expr)), kBoolType, {});
  };
  const ExprType column_type = subselect->select->columns[0].type;
  add({SemiKind::kAnti, on, {}},
      Presence(right, on, is_null(MakeColumn({subselect->select->id, 0}, column_type))));
  add({SemiKind::kAnti, on, ListOf(is_null(MakeColumn(*left, type)))},
      Presence(right, on, std::nullopt));
  return true;
}

PlanNumber PlannerContext::AddFilter(std::span<const BoundExpr* const> conditions,
                                     const Environment* environment, PlanNumber node) {
  std::vector<const BoundExpr*> with_select;
  FilterNode plain;
  for (const BoundExpr* condition : conditions) {
    for (const BoundExpr* conjunct : ConjunctsOf(*condition)) {
      if (HasSubselect(*conjunct)) {
        with_select.push_back(conjunct);
      } else {
        plain.conjuncts.push_back(Rewrite(*conjunct, environment, node));
      }
    }
  }
  const auto add = [&](FilterNode filter) {
    if (filter.conjuncts.empty()) return;
    const auto columns = At(node).columns;
    node = Add({.op = std::move(filter), .inputs = {node}, .columns = columns});
  };
  add(std::move(plain));
  for (const BoundExpr* conjunct : with_select) {
    if (failed()) return node;
    if (ApplyAsFilter(*conjunct, environment, node)) continue;
    FilterNode filter;
    filter.conjuncts.push_back(Rewrite(*conjunct, environment, node));
    add(std::move(filter));
  }
  return node;
}

}  // namespace trefoil::query
