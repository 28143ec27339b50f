// What does nothing goes: filters that let every row pass, and nodes that nobody reads any more.
#include <algorithm>
#include <optional>

#include "query/optimizer.h"

namespace trefoil::query {

namespace {

bool PassesAll(const PlanNode& node) {
  const auto* filter = std::get_if<FilterNode>(&node.op);
  return filter != nullptr && std::ranges::all_of(filter->conjuncts, [](const BoundExpr& part) {
           const auto* constant = std::get_if<Constant>(&part.node);
           return constant != nullptr && !constant->parameter &&
                  constant->value == Value::Bool(true);
         });
}

}  // namespace

void DropIdle(Plan& plan) {
  const auto bypass = [&](PlanNumber& number) {
    while (PassesAll(plan.nodes[number])) number = plan.nodes[number].inputs[0];
  };
  for (PlanNode& node : plan.nodes) std::ranges::for_each(node.inputs, bypass);
  std::vector<bool> is_read(plan.nodes.size());
  for (PlanLevel& level : plan.levels) {
    bypass(level.node);
    is_read[level.node] = true;
  }
  for (std::size_t i = plan.nodes.size(); i-- > 0;) {
    if (!is_read[i]) continue;
    for (const PlanNumber input : plan.nodes[i].inputs) is_read[input] = true;
  }
  std::vector<PlanNode> kept;
  std::vector<PlanNumber> moved(plan.nodes.size());
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (!is_read[i]) continue;
    moved[i] = static_cast<PlanNumber>(kept.size());
    for (PlanNumber& input : plan.nodes[i].inputs) input = moved[input];
    kept.push_back(std::move(plan.nodes[i]));
  }
  plan.nodes = std::move(kept);
  for (PlanLevel& level : plan.levels) level.node = moved[level.node];
}

}  // namespace trefoil::query
