// Equalities between columns of two inputs become keys of the join, so that it probes instead of
// comparing every pair. Columns of different or unknown kinds stay with the condition: INT 1 and
// FLOAT 1 are equal, but not the same key.
#include <algorithm>

#include "query/optimizer.h"

namespace trefoil::query {

namespace {

struct Place {
  std::size_t input = 0;
  ValueKind kind = ValueKind::kNull;
};

std::optional<Place> FindPlace(const Plan& plan, const PlanNode& node, const BoundExpr& expr) {
  const auto* ref = std::get_if<ColumnRef>(&expr.node);
  if (ref == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const PlanNode& input = plan.nodes[node.inputs[i]];
    if (HasColumn(input, *ref)) return Place{i, input.columns[PositionOf(input, *ref)].kind};
  }
  return std::nullopt;
}

template <typename Op>
void MoveEqualities(const Plan& plan, const PlanNode& node, Op& op) {
  std::erase_if(op.conditions, [&](const BoundExpr& condition) {
    const auto* equal = std::get_if<Operation>(&condition.node);
    if (equal == nullptr) return false;
    const bool nulls_equal = equal->op == Operator::kIsNotDistinct;
    if (equal->op != Operator::kEqual && !nulls_equal) return false;
    const auto left = FindPlace(plan, node, equal->operands[0]);
    const auto right = FindPlace(plan, node, equal->operands[1]);
    if (!left || !right || left->input == right->input || left->kind != right->kind ||
        left->kind == ValueKind::kNull) {
      return false;
    }
    const ColumnRef a = std::get<ColumnRef>(equal->operands[0].node);
    const ColumnRef b = std::get<ColumnRef>(equal->operands[1].node);
    const bool in_order = left->input < right->input;
    op.on.push_back({in_order ? a : b, in_order ? b : a, nulls_equal});
    return true;
  });
}

}  // namespace

void FindKeys(Plan& plan) {
  for (PlanNode& node : plan.nodes) {
    if (auto* join = std::get_if<JoinNode>(&node.op)) MoveEqualities(plan, node, *join);
    if (auto* left = std::get_if<LeftJoinNode>(&node.op)) MoveEqualities(plan, node, *left);
    if (auto* semi = std::get_if<SemiJoinNode>(&node.op)) MoveEqualities(plan, node, *semi);
  }
}

}  // namespace trefoil::query
