// A nested select was planned once for its domain: every combination of the outer columns that it
// mentions. Where each of them must equal a column of the select's own anyway, EXISTS, IN and their
// negations need no domain: the semi join looks for that column instead.
//
//   semi join on i.id is d                       semi join on i.id = c.issue
//     issue i                                      issue i
//     map d := d                         ->        map d := c.issue
//       join on d = c.issue                          comment c
//         distinct d := i.id  (issue i)
//         comment c
//
// Right, if the domain holds every value of the left column: a row of the select has d =
// c.issue for some left row if and only if that row's own column equals c.issue.
#include <algorithm>
#include <map>
#include <optional>

#include "query/bind_context.h"
#include "query/optimizer.h"

namespace trefoil::query {

namespace {

struct Partner {
  ColumnRef column;  // that the domain's column equals
  bool nulls_equal = false;
};
using Partners = std::map<ColumnRef, Partner>;

class DomainDropper {
 public:
  explicit DomainDropper(Plan& plan) : plan_(plan), readers_(plan.nodes.size()) {
    for (const PlanNode& node : plan_.nodes) {
      for (const PlanNumber input : node.inputs) ++readers_[input];
    }
    for (const PlanLevel& level : plan_.levels) ++readers_[level.node];
  }

  void Visit(PlanNode& semi_node) {
    auto* semi = std::get_if<SemiJoinNode>(&semi_node.op);
    if (semi == nullptr || semi->on.empty() || readers_[semi_node.inputs[1]] != 1) return;
    PlanNode& map_node = plan_.nodes[semi_node.inputs[1]];
    auto* map = std::get_if<MapNode>(&map_node.op);
    if (map == nullptr || readers_[map_node.inputs[0]] != 1) return;
    PlanNode& join_node = plan_.nodes[map_node.inputs[0]];
    auto* join = std::get_if<JoinNode>(&join_node.op);
    if (join == nullptr) return;
    const std::optional<std::size_t> domain = DomainOf(*semi, map_node, *map, join_node);
    if (!domain) return;
    const PlanNumber domain_number = join_node.inputs[*domain];
    if (!HoldsAll(plan_.nodes[domain_number], semi_node.inputs[0])) return;
    const std::optional<Partners> partners = PartnersOf(plan_.nodes[domain_number], *join);
    if (!partners) return;
    const auto source_of = [&](ColumnRef column) {
      return std::get<ColumnRef>(map->outputs[PositionOf(map_node, column)].node);
    };
    for (PlanEquality& equality : semi->on) {
      equality.nulls_equal = partners->at(source_of(equality.right)).nulls_equal;
    }
    Substitute(*partners, map->outputs);
    Remove(*domain, *partners, join_node);
  }

 private:
  // Which input of the join is the domain of the semi join: the one that all its keys come from.
  std::optional<std::size_t> DomainOf(const SemiJoinNode& semi, const PlanNode& map_node,
                                      const MapNode& map, const PlanNode& join_node) const {
    std::optional<std::size_t> domain;
    for (const PlanEquality& equality : semi.on) {
      if (!HasColumn(map_node, equality.right)) return std::nullopt;
      const BoundExpr& output = map.outputs[PositionOf(map_node, equality.right)];
      const auto* column = std::get_if<ColumnRef>(&output.node);
      if (column == nullptr) return std::nullopt;
      for (std::size_t i = 0; i < join_node.inputs.size(); ++i) {
        const PlanNode& input = plan_.nodes[join_node.inputs[i]];
        const auto* set = std::get_if<SetNode>(&input.op);
        if (set == nullptr || set->kind != SetKind::kDistinct || !HasColumn(input, *column))
          continue;
        if (domain && *domain != i) return std::nullopt;
        if (!equality.nulls_equal) return std::nullopt;  // not what the planner joins domains by
        domain = i;
      }
    }
    if (!domain || join_node.inputs.size() < 2) return std::nullopt;
    const std::size_t width = plan_.nodes[join_node.inputs[*domain]].columns.size();
    return semi.on.size() == width ? domain : std::nullopt;
  }

  // Whether the domain has every row of `left`. A condition about its columns alone, or about none,
  // was pushed into it, and would be lost with it.
  bool HoldsAll(const PlanNode& domain, PlanNumber left) const {
    const PlanNode& map = plan_.nodes[domain.inputs[0]];
    if (!std::holds_alternative<MapNode>(map.op)) return false;
    while (left != map.inputs[0] && std::holds_alternative<FilterNode>(plan_.nodes[left].op)) {
      left = plan_.nodes[left].inputs[0];
    }
    return left == map.inputs[0];
  }

  // For every column of the domain one of another input that it equals.
  static std::optional<Partners> PartnersOf(const PlanNode& domain, const JoinNode& join) {
    Partners partners;
    for (const PlanEquality& equality : join.on) {
      const bool left_is_domain = HasColumn(domain, equality.left);
      if (!left_is_domain && !HasColumn(domain, equality.right)) continue;
      const ColumnRef ours = left_is_domain ? equality.left : equality.right;
      const ColumnRef other = left_is_domain ? equality.right : equality.left;
      // With two of them, the NULLs of one would pass where the other is stricter.
      if (!partners.emplace(ours, Partner{other, equality.nulls_equal}).second) return std::nullopt;
    }
    return partners.size() == domain.columns.size() ? std::optional(partners) : std::nullopt;
  }

  static void Substitute(const Partners& partners, std::vector<BoundExpr>& exprs) {
    for (BoundExpr& expr : exprs) {
      expr = CopyExpr(expr, [&](const BoundExpr& part) -> std::optional<BoundExpr> {
        const auto* column = std::get_if<ColumnRef>(&part.node);
        const auto partner = column == nullptr ? partners.end() : partners.find(*column);
        if (partner == partners.end()) return std::nullopt;
        return MakeColumn(partner->second.column, part.type, part.span);
      });
    }
  }

  // The join without its input `place`; a filter when one input is left.
  void Remove(std::size_t place, const Partners& partners, PlanNode& join_node) {
    JoinNode join = std::move(std::get<JoinNode>(join_node.op));
    Substitute(partners, join.conditions);
    std::erase_if(join.on, [&](const PlanEquality& equality) {
      return partners.contains(equality.left) || partners.contains(equality.right);
    });
    std::erase_if(join_node.columns,
                  [&](const PlanColumn& column) { return partners.contains(column.ref); });
    join_node.inputs.erase(join_node.inputs.begin() + static_cast<std::ptrdiff_t>(place));
    if (join_node.inputs.size() > 1) {
      join_node.op = std::move(join);
      return;
    }
    if (join.conditions.empty()) join.conditions.push_back(MakeConstant(Value::Bool(true)));
    join_node.op = FilterNode{std::move(join.conditions)};
    join_node.columns = plan_.nodes[join_node.inputs[0]].columns;
  }

  Plan& plan_;
  std::vector<int> readers_;
};

}  // namespace

void DropDomains(Plan& plan) {
  DomainDropper dropper(plan);
  for (PlanNode& node : plan.nodes) dropper.Visit(node);
}

}  // namespace trefoil::query
