// WITH RECURSIVE: the selects that do not read the name start it, those that do derive more.
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

PlanNumber PlannerContext::PlanRecursion(const BoundCte& cte) {
  const BoundSelect& select = *cte.select;
  const auto shares_group = [&](const auto& entry) {
    return entry.second->group == cte.group && entry.second->recursive &&
           entry.second->number != cte.number;
  };
  const bool only_union = std::ranges::all_of(
      select.operators, [](SetOperator op) { return op == SetOperator::kUnion; });
  if (std::ranges::any_of(ctes_, shares_group) || !loops_.empty()) {
    Fail(ErrorCode::kUnsupported,
         StrCat("WITH RECURSIVE \"", cte.name, "\" and another name read each other"),
         "recursion is offered for one name at a time");
  } else if (!only_union || select.cores.size() < 2 || select.limit || select.offset) {
    Fail(ErrorCode::kUnsupported,
         StrCat("WITH RECURSIVE \"", cte.name, "\" is not of the form SELECT ... UNION SELECT ..."),
         "recursion has set semantics: UNION without ALL, and no LIMIT inside");
  }
  if (failed()) return 0;
  const SourceId id = NewSource();
  PlanNode loop{.op = LoopNode{}, .inputs = {}, .columns = {}};
  PlanNode fixpoint{.op = FixpointNode{.bases = 0, .name = cte.name}, .inputs = {}, .columns = {}};
  for (std::uint32_t i = 0; i < select.columns.size(); ++i) {
    const ValueKind kind = KindOfType(select.columns[i].type);
    loop.columns.push_back({{id, i}, kind});
    fixpoint.columns.push_back({{select.id, i}, kind});
  }
  loop.columns.push_back(
      {{id, static_cast<std::uint32_t>(select.columns.size())}, ValueKind::kInt});
  const PlanNumber loop_number = Add(std::move(loop));
  loops_[cte.number] = loop_number;
  std::vector<PlanNumber> bodies;
  for (const BoundCore& core : select.cores) {
    bool recursive = false;
    const PlanNumber node = PlanRecursionCore(select, core, recursive);
    if (failed()) return 0;
    (recursive ? bodies : fixpoint.inputs).push_back(node);
  }
  loops_.erase(cte.number);
  std::get<FixpointNode>(fixpoint.op).bases = fixpoint.inputs.size();
  fixpoint.inputs.insert(fixpoint.inputs.end(), bodies.begin(), bodies.end());
  fixpoint.inputs.push_back(loop_number);
  return Add(std::move(fixpoint));
}

}  // namespace trefoil::query
