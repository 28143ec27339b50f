// WITH RECURSIVE: the selects that do not read the name start it, those that do derive more. Names
// that read each other grow together in one fixpoint.
#include <algorithm>

#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/planner_context.h"

namespace trefoil::query {

// One core of the recursion: its outputs, then the level of each loop row that it reads.
PlanNumber PlannerContext::PlanRecursionCore(const BoundSelect& select, const BoundCore& core,
                                             bool& recursive) {
  levels_.clear();
  PlanNumber node = PlanCore(core, nullptr);
  PlanNode map{.op = MapNode{}, .inputs = {}, .columns = {}};
  auto& outputs = std::get<MapNode>(map.op).outputs;
  for (std::uint32_t i = 0; i < select.columns.size() && !failed(); ++i) {
    outputs.push_back(Rewrite(core.outputs[i], nullptr, node));
    map.columns.push_back({{select.id, i}, KindOfType(select.columns[i].type)});
  }
  recursive = !levels_.empty();
  for (const ColumnRef& level : levels_) {
    if (failed()) return node;
    if (!HasColumn(At(node), level)) {
      Fail(ErrorCode::kUnsupported,
           "recursion goes through joins only, not through aggregates, EXISTS, IN or a select in "
           "FROM",
           "aggregate or test the result of the recursion instead");
      return node;
    }
    map.columns.push_back({level, ValueKind::kInt});
    outputs.push_back(MakeColumn(level, kIntType));
  }
  map.inputs = {node};
  return Add(std::move(map));
}

namespace {

bool IsUnion(const BoundSelect& select) {
  return !select.limit && !select.offset &&
         std::ranges::all_of(select.operators,
                             [](SetOperator op) { return op == SetOperator::kUnion; });
}

}  // namespace

// The names that `cte` reads and that read it, itself among them.
std::vector<const BoundCte*> PlannerContext::RecursionGroup(const BoundCte& cte) {
  std::vector<const BoundCte*> group;
  for (const auto& [number, other] : ctes_) {
    if (other->recursive && other->group == cte.group) group.push_back(other);
  }
  for (const BoundCte* member : group) {
    if (!loops_.empty()) {
      Fail(ErrorCode::kUnsupported,
           StrCat("WITH RECURSIVE \"", cte.name, "\" stands inside of another recursion"),
           "let the outer one read its result");
    } else if (!IsUnion(*member->select) ||
               (group.size() == 1 && member->select->cores.size() < 2)) {
      Fail(ErrorCode::kUnsupported,
           StrCat("WITH RECURSIVE \"", member->name,
                  "\" is not of the form SELECT ... UNION SELECT ..."),
           "recursion has set semantics: UNION without ALL, and no LIMIT inside");
    }
  }
  return group;
}

PlanNumber PlannerContext::AddLoop(const BoundSelect& select) {
  PlanNode loop{.op = LoopNode{}, .inputs = {}, .columns = {}};
  const SourceId id = NewSource();
  const auto count = static_cast<std::uint32_t>(select.columns.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    loop.columns.push_back({{id, i}, KindOfType(select.columns[i].type)});
  }
  loop.columns.push_back({{id, count}, ValueKind::kInt});
  return Add(std::move(loop));
}

// The cores of one name become inputs of the fixpoint.
FixpointNode::Relation PlannerContext::PlanRecursionCores(const BoundCte& cte,
                                                          std::vector<PlanNumber>& inputs) {
  FixpointNode::Relation relation{.name = cte.name};
  std::vector<PlanNumber> bodies;
  for (const BoundCore& core : cte.select->cores) {
    bool recursive = false;
    const PlanNumber node = PlanRecursionCore(*cte.select, core, recursive);
    if (failed()) return relation;
    (recursive ? bodies : inputs).push_back(node);
    ++(recursive ? relation.bodies : relation.bases);
  }
  inputs.insert(inputs.end(), bodies.begin(), bodies.end());
  return relation;
}

// The rows of one of several relations of a fixpoint.
PlanNumber PlannerContext::PickRelation(PlanNumber fixpoint, std::size_t number,
                                        const BoundSelect& select) {
  const std::vector<PlanColumn> columns = At(fixpoint).columns;
  std::vector<BoundExpr> sides;
  sides.push_back(MakeColumn(columns[0].ref, kIntType));
  sides.push_back(MakeConstant(Value::Int(static_cast<std::int64_t>(number))));
  FilterNode filter;
  filter.conjuncts.push_back(MakeOperation(Operator::kEqual, std::move(sides), kBoolType, {}));
  PlanNode map{.op = MapNode{}, .inputs = {}, .columns = {}};
  map.inputs = {Add({.op = std::move(filter), .inputs = {fixpoint}, .columns = columns})};
  for (std::uint32_t i = 0; i < select.columns.size(); ++i) {
    const ValueKind kind = KindOfType(select.columns[i].type);
    std::get<MapNode>(map.op).outputs.push_back(MakeColumn(columns[i + 1].ref, {.kind = kind}));
    map.columns.push_back({{select.id, i}, kind});
  }
  return Add(std::move(map));
}

PlanNumber PlannerContext::PlanRecursion(const BoundCte& cte) {
  const std::vector<const BoundCte*> group = RecursionGroup(cte);
  if (failed()) return 0;
  std::vector<PlanNumber> loops;
  for (const BoundCte* member : group) {
    loops.push_back(AddLoop(*member->select));
    loops_[member->number] = loops.back();
  }
  FixpointNode fixpoint;
  PlanNode node{.op = OneRowNode{}, .inputs = {}, .columns = {}};
  for (const BoundCte* member : group) {
    fixpoint.relations.push_back(PlanRecursionCores(*member, node.inputs));
    if (failed()) return 0;
  }
  loops_.clear();
  node.inputs.insert(node.inputs.end(), loops.begin(), loops.end());
  node.op = std::move(fixpoint);
  if (group.size() == 1) {
    for (std::uint32_t i = 0; i < cte.select->columns.size(); ++i) {
      node.columns.push_back({{cte.select->id, i}, KindOfType(cte.select->columns[i].type)});
    }
    return Add(std::move(node));
  }
  std::size_t width = 0;
  for (const BoundCte* member : group) width = std::max(width, member->select->columns.size());
  const SourceId id = NewSource();
  node.columns.push_back({{id, 0}, ValueKind::kInt});
  for (std::uint32_t i = 1; i <= width; ++i) node.columns.push_back({{id, i}, ValueKind::kNull});
  const PlanNumber number = Add(std::move(node));
  for (std::size_t i = 0; i < group.size(); ++i) {
    cte_nodes_[group[i]->number] = PickRelation(number, i, *group[i]->select);
  }
  return cte_nodes_.at(cte.number);
}

}  // namespace trefoil::query
