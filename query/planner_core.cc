// One core: FROM, WHERE, GROUP BY, HAVING.
#include <algorithm>

#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/planner_context.h"

namespace trefoil::query {

std::vector<PlanColumn> JoinedColumns(const PlanNode& left, const PlanNode& right) {
  std::vector<PlanColumn> columns = left.columns;
  columns.insert(columns.end(), right.columns.begin(), right.columns.end());
  return columns;
}

PlanNumber PlannerContext::Scan(SourceId id, TypeId type, const std::vector<BoundColumn>& columns) {
  PlanNode scan{
      .op = ScanNode{.type = type, .attributes = {}, .only = {}}, .inputs = {}, .columns = {}};
  for (std::uint32_t i = 0; i < columns.size(); ++i) {
    std::get<ScanNode>(scan.op).attributes.push_back(columns[i].attribute);
    scan.columns.push_back({{id, i}, KindOfType(columns[i].type)});
  }
  return Add(std::move(scan));
}

PlanNumber PlannerContext::AddRefs(const std::vector<RefJoin>& refs, PlanNumber node) {
  for (const RefJoin& ref : refs) {
    const schema::Type* target = schema_.FindType(ref.target);
    const PlanNumber scan = Scan(ref.id, ref.target, ref.columns);
    LeftJoinNode join;
    const ValueKind via_kind = At(node).columns[PositionOf(At(node), ref.via)].kind;
    for (std::size_t i = 0; i < target->key.size(); ++i) {
      const auto column = std::ranges::find(ref.columns, target->key[i], &BoundColumn::attribute);
      const ColumnRef key{ref.id, static_cast<std::uint32_t>(column - ref.columns.begin())};
      ColumnRef via = ref.via;
      if (target->key.size() > 1) {
        std::vector<BoundExpr> operands;
        operands.push_back(MakeColumn(ref.via, {.kind = via_kind}));
        operands.push_back(MakeConstant(Value::Int(static_cast<std::int64_t>(i))));
        via = AsColumn(MakeOperation(Operator::kRefPart, std::move(operands), column->type, {}),
                       node);
      }
      join.on.push_back({.left = via, .right = key});
    }
    auto columns = JoinedColumns(At(node), At(scan));
    node = Add({.op = std::move(join), .inputs = {node, scan}, .columns = std::move(columns)});
  }
  return node;
}

PlanNumber PlannerContext::ReadCte(const BoundSource& source, PlanNumber node, SourceId from) {
  PlanNode map{.op = MapNode{}, .inputs = {node}, .columns = {}};
  for (std::uint32_t i = 0; i < source.columns.size(); ++i) {
    const ColumnRef column{from, i};
    const ValueKind kind = At(node).columns[PositionOf(At(node), column)].kind;
    std::get<MapNode>(map.op).outputs.push_back(MakeColumn(column, {.kind = kind}));
    map.columns.push_back({{source.id, i}, kind});
  }
  return Add(std::move(map));
}

// A name of WITH that mentions columns further out is planned for each reader, as a select in FROM.
PlanNumber PlannerContext::PlanCorrelatedCte(const BoundCte& cte, const BoundSource& source,
                                             const Environment* environment,
                                             std::vector<PlanEquality>& on) {
  const bool in_sight =
      environment != nullptr && std::ranges::all_of(FreeColumns(*cte.select), [&](ColumnRef ref) {
        return environment->renamed.contains(ref);
      });
  if (cte.recursive || !in_sight) {
    Fail(ErrorCode::kUnsupported,
         StrCat("WITH \"", cte.name, "\" mentions columns further out, and ",
                cte.recursive ? "reads itself" : "is read by a select that does not"),
         "write it as a select in FROM");
    return 0;
  }
  const PlanNumber node = PlanFor(*cte.select, environment, environment->domain, on);
  if (failed()) return 0;
  const PlanNumber read = ReadCte(source, node, cte.select->id);
  for (const PlanEquality& equality : on) {
    const PlanColumn& column = At(node).columns[PositionOf(At(node), equality.right)];
    plan_.nodes[read].columns.push_back(column);
    std::get<MapNode>(plan_.nodes[read].op)
        .outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
  }
  return read;
}

PlanNumber PlannerContext::PlanCte(const BoundSource& source, const Environment* environment,
                                   std::vector<PlanEquality>& on) {
  const BoundCte& cte = *ctes_.at(source.cte);
  if (const auto loop = loops_.find(source.cte); loop != loops_.end()) {
    // Inside the recursion: the rows so far, with their level.
    const SourceId id = At(loop->second).columns[0].ref.source;
    const auto count = static_cast<std::uint32_t>(source.columns.size());
    const PlanNumber node = ReadCte(source, loop->second, id);
    const ColumnRef level{NewSource(), 0};
    plan_.nodes[node].columns.push_back({level, ValueKind::kInt});
    std::get<MapNode>(plan_.nodes[node].op)
        .outputs.push_back(MakeColumn({id, count}, {.kind = ValueKind::kInt}));
    levels_.push_back(level);
    return node;
  }
  if (!FreeColumns(*cte.select).empty()) return PlanCorrelatedCte(cte, source, environment, on);
  if (!cte_nodes_.contains(source.cte)) {
    const PlanNumber node = cte.recursive ? PlanRecursion(cte) : PlanSelect(*cte.select, nullptr);
    cte_nodes_[source.cte] = node;
  }
  return failed() ? 0 : ReadCte(source, cte_nodes_.at(source.cte), cte.select->id);
}

// A select in FROM that mentions columns further out has a domain of its own; `on` joins it.
PlanNumber PlannerContext::PlanSource(const BoundSource& source, const Environment* environment,
                                      std::vector<PlanEquality>& on) {
  PlanNumber node = 0;
  switch (source.kind) {
    case SourceKind::kTable:
      node = Scan(source.id, source.type, source.columns);
      break;
    case SourceKind::kCte:
      node = PlanCte(source, environment, on);
      break;
    case SourceKind::kSelect:
      node = environment != nullptr && !FreeColumns(*source.select).empty()
                 ? PlanFor(*source.select, environment, environment->domain, on)
                 : PlanSelect(*source.select, nullptr);
      break;
  }
  return failed() ? node : AddRefs(source.refs, node);
}

// `right` once for each row of the domain, whose columns stand beside it under names of their own:
// `same` says which belong to which. `on` joins columns of the domain with those of `right`.
PlanNumber PlannerContext::BesideDomain(PlanNumber right, std::vector<PlanEquality> on,
                                        const Environment& environment,
                                        std::vector<PlanEquality>& same) {
  PlanNode map{.op = MapNode{}, .inputs = {environment.domain}, .columns = {}};
  const SourceId id = NewSource();
  for (std::uint32_t i = 0; i < environment.columns.size(); ++i) {
    const PlanColumn& column = environment.columns[i];
    std::get<MapNode>(map.op).outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
    map.columns.push_back({{id, i}, column.kind});
    same.push_back({.left = column.ref, .right = {id, i}, .nulls_equal = true});
    for (PlanEquality& equality : on) {
      if (equality.left == column.ref) equality.left = {id, i};
    }
  }
  const PlanNumber domain = Add(std::move(map));
  auto columns = JoinedColumns(At(domain), At(right));
  return Add({.op = JoinNode{.on = std::move(on), .conditions = {}},
              .inputs = {domain, right},
              .columns = std::move(columns)});
}

// The columns `shown` of `node`; those that it lacks are read from their namesake in `same`, or are
// NULL.
PlanNumber PlannerContext::Padded(PlanNumber node, const std::vector<PlanColumn>& shown,
                                  const std::vector<PlanEquality>& same) {
  if (At(node).columns == shown) return node;
  PlanNode map{.op = MapNode{}, .inputs = {node}, .columns = shown};
  for (const PlanColumn& column : shown) {
    const auto namesake = std::ranges::find(same, column.ref, &PlanEquality::left);
    const ColumnRef from = namesake != same.end() ? namesake->right : column.ref;
    BoundExpr value =
        HasColumn(At(node), from) ? MakeColumn(from, {.kind = column.kind}) : MakeConstant(Value());
    std::get<MapNode>(map.op).outputs.push_back(std::move(value));
  }
  return Add(std::move(map));
}

PlanNumber PlannerContext::PlanOuterJoin(const BoundJoin& join, PlanNumber left, PlanNumber right,
                                         std::vector<PlanEquality> on,
                                         const Environment* environment) {
  if (HasSubselect(*join.on)) {
    Fail(ErrorCode::kUnsupported, "ON of an outer join cannot hold a select",
         "join the select itself, or move the test into a select in FROM");
    return left;
  }
  if (join.kind != JoinKind::kLeft && environment != nullptr &&
      std::holds_alternative<BindingsNode>(At(environment->domain).op)) {
    Fail(ErrorCode::kUnsupported, "the right side would have to be kept for every binding");
    return left;
  }
  std::vector<PlanColumn> shown = JoinedColumns(At(left), At(right));
  std::erase_if(shown, [&](const PlanColumn& column) {
    return std::ranges::find(on, column.ref, &PlanEquality::right) != on.end();
  });
  // Rows of the right belong to a row of the domain, even those that match nothing.
  std::vector<PlanEquality> same;
  if (join.kind != JoinKind::kLeft && environment != nullptr) {
    right = BesideDomain(right, std::move(on), *environment, same);
    on = same;
  }
  PlanNumber unused = left;
  const auto make_join = [&](PlanNumber a, PlanNumber b) {
    LeftJoinNode op{.on = on, .conditions = {}};
    for (const BoundExpr* conjunct : ConjunctsOf(*join.on)) {
      op.conditions.push_back(Rewrite(*conjunct, environment, unused));
    }
    auto columns = JoinedColumns(At(a), At(b));
    return Add({.op = std::move(op), .inputs = {a, b}, .columns = std::move(columns)});
  };
  if (join.kind == JoinKind::kLeft) return make_join(left, right);
  if (join.kind == JoinKind::kRight) {
    const PlanNumber joined = make_join(right, left);
    return same.empty() ? joined : Padded(joined, shown, same);
  }
  // FULL: the left join, and the rows of the right that match nothing.
  const PlanNumber matched = make_join(left, right);
  SemiJoinNode anti{.kind = SemiKind::kAnti, .on = on, .conditions = {}};
  for (const BoundExpr* conjunct : ConjunctsOf(*join.on)) {
    anti.conditions.push_back(Rewrite(*conjunct, environment, unused));
  }
  const auto right_columns = At(right).columns;
  const PlanNumber unmatched =
      Add({.op = std::move(anti), .inputs = {right, left}, .columns = right_columns});
  std::vector<PlanNumber> parts = {Padded(matched, shown, {}), Padded(unmatched, shown, same)};
  return Add({.op = SetNode{SetKind::kUnionAll}, .inputs = std::move(parts), .columns = shown});
}

PlanNumber PlannerContext::PlanFrom(const BoundCore& core, const Environment* environment,
                                    std::vector<const BoundExpr*>& conjuncts) {
  std::optional<PlanNumber> node;
  if (environment != nullptr) node = environment->domain;
  for (const BoundJoin& join : core.from) {
    if (failed()) return 0;
    std::vector<PlanEquality> on;
    const PlanNumber source = PlanSource(join.source, environment, on);
    if (failed()) return 0;
    if (!node) {
      node = source;
      continue;
    }
    if (join.kind == JoinKind::kInner || join.kind == JoinKind::kCross) {
      auto columns = JoinedColumns(At(*node), At(source));
      node = Add({.op = JoinNode{.on = std::move(on), .conditions = {}},
                  .inputs = {*node, source},
                  .columns = std::move(columns)});
      if (join.on) conjuncts.push_back(&*join.on);
    } else {
      if (!conjuncts.empty()) {
        node = AddFilter(conjuncts, environment, *node);
        conjuncts.clear();
      }
      node = PlanOuterJoin(join, *node, source, std::move(on), environment);
    }
  }
  return node ? *node : Add({.op = OneRowNode{}, .inputs = {}, .columns = {}});
}

PlanNumber PlannerContext::PlanGroups(const BoundCore& core, PlanNumber node,
                                      const Environment* environment) {
  // What is grouped by and aggregated, as columns.
  GroupNode group;
  std::vector<PlanColumn> columns;
  if (environment != nullptr) {
    columns = environment->columns;
    for (const PlanColumn& column : columns) group.keys.push_back(column.ref);
  }
  std::vector<std::pair<ColumnRef, BoundExpr>> added;
  for (std::uint32_t i = 0; i < core.group_keys.size(); ++i) {
    const ColumnRef key{core.group, i};
    added.emplace_back(key, Rewrite(core.group_keys[i], environment, node));
    group.keys.push_back(key);
    columns.push_back({key, KindOfType(core.group_keys[i].type)});
  }
  const SourceId arguments = NewSource();
  std::uint32_t argument_count = 0;
  const auto add = [&](const std::optional<BoundExpr>& expr) -> std::optional<ColumnRef> {
    if (!expr) return std::nullopt;
    const ColumnRef ref{arguments, argument_count++};
    added.emplace_back(ref, Rewrite(*expr, environment, node));
    return ref;
  };
  for (std::uint32_t i = 0; i < core.aggregates.size() && !failed(); ++i) {
    const BoundAggregate& aggregate = core.aggregates[i];
    group.aggregates.push_back({.function = aggregate.function,
                                .argument = add(aggregate.argument),
                                .filter = add(aggregate.filter),
                                .distinct = aggregate.distinct,
                                .separator = aggregate.separator});
    columns.push_back({{core.results, i}, KindOfType(aggregate.type)});
  }
  if (failed()) return node;
  node = AddColumns(node, std::move(added));
  node = Add({.op = std::move(group), .inputs = {node}, .columns = std::move(columns)});
  if (environment != nullptr && core.group_keys.empty()) {
    node = AddEmptyGroups(core, node, environment);
  }
  return AddRefs(core.group_refs, node);
}

// Without GROUP BY there is one group even of no row: for every row of the domain.
PlanNumber PlannerContext::AddEmptyGroups(const BoundCore& core, PlanNumber groups,
                                          const Environment* environment) {
  PlanNode renamed{.op = MapNode{}, .inputs = {groups}, .columns = {}};
  LeftJoinNode join;
  const SourceId id = NewSource();
  for (std::uint32_t i = 0; i < environment->columns.size(); ++i) {
    const PlanColumn& column = environment->columns[i];
    std::get<MapNode>(renamed.op).outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
    renamed.columns.push_back({{id, i}, column.kind});
    join.on.push_back({.left = column.ref, .right = {id, i}, .nulls_equal = true});
  }
  for (std::uint32_t i = 0; i < core.aggregates.size(); ++i) {
    const ExprType type{.kind = KindOfType(core.aggregates[i].type)};
    std::get<MapNode>(renamed.op).outputs.push_back(MakeColumn({core.results, i}, type));
    renamed.columns.push_back({{core.results, i}, type.kind});
  }
  const PlanNumber found = Add(std::move(renamed));
  auto columns = JoinedColumns(At(environment->domain), At(found));
  const PlanNumber joined = Add({.op = std::move(join),
                                 .inputs = {environment->domain, found},
                                 .columns = std::move(columns)});
  // A count of no row is 0, every other aggregate NULL.
  PlanNode map{.op = MapNode{}, .inputs = {joined}, .columns = environment->columns};
  auto& outputs = std::get<MapNode>(map.op).outputs;
  for (const PlanColumn& column : environment->columns) {
    outputs.push_back(MakeColumn(column.ref, {.kind = column.kind}));
  }
  for (std::uint32_t i = 0; i < core.aggregates.size(); ++i) {
    const BoundAggregate& aggregate = core.aggregates[i];
    const ExprType type{.kind = KindOfType(aggregate.type)};
    BoundExpr value = MakeColumn({core.results, i}, type);
    if (aggregate.function == Aggregate::kCount || aggregate.function == Aggregate::kTotal) {
      std::vector<BoundExpr> tested;
      tested.push_back(MakeColumn({core.results, i}, type));
      std::vector<BoundExpr> branches;
      branches.push_back(MakeOperation(Operator::kIsNull, std::move(tested), kBoolType, {}));
      branches.push_back(
          MakeConstant(type.kind == ValueKind::kFloat ? Value::Float(0) : Value::Int(0)));
      branches.push_back(std::move(value));
      value = MakeOperation(Operator::kCase, std::move(branches), type, {});
    }
    outputs.push_back(std::move(value));
    map.columns.push_back({{core.results, i}, type.kind});
  }
  return Add(std::move(map));
}

PlanNumber PlannerContext::PlanCore(const BoundCore& core, const Environment* environment) {
  std::vector<const BoundExpr*> conjuncts;
  PlanNumber node = PlanFrom(core, environment, conjuncts);
  if (core.where) conjuncts.push_back(&*core.where);
  if (!failed()) node = AddFilter(conjuncts, environment, node);
  if (core.grouped && !failed()) node = PlanGroups(core, node, environment);
  if (core.having && !failed()) {
    const BoundExpr* having = &*core.having;
    node = AddFilter({&having, 1}, environment, node);
  }
  return node;
}

}  // namespace trefoil::query
