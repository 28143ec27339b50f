// Conditions move towards the scans, as far as their columns are known and the
// meaning stays: through maps, into both sides of unions, to the left side of
// outer and semi joins, to the keys of groups. Inner joins that stand on each
// other become one join, whose conditions go to the input that they are about,
// or stay with the join. A node that somebody else reads too keeps its filters
// above it.
#include <algorithm>

#include "query/bind_context.h"
#include "query/optimizer.h"

namespace trefoil::query {

namespace {

using Conjuncts = std::vector<BoundExpr>;

bool ReadsOnly(const BoundExpr& expr, const PlanNode& node) {
  const std::vector<ColumnRef> columns = ColumnsOf(expr);
  return std::ranges::all_of(columns, [&](ColumnRef ref) { return HasColumn(node, ref); });
}

class Pusher {
 public:
  explicit Pusher(Plan& plan) : old_(plan), moved_(plan.nodes.size()), readers_(plan.nodes.size()) {
    for (const PlanNode& node : old_.nodes) {
      for (const PlanNumber input : node.inputs) ++readers_[input];
    }
    for (const PlanLevel& level : old_.levels) ++readers_[level.node];
  }

  std::vector<PlanNode> Run() {
    for (PlanLevel& level : old_.levels) level.node = Move(level.node);
    return std::move(fresh_);
  }

 private:
  PlanNumber Add(PlanNode node) {
    fresh_.push_back(std::move(node));
    return static_cast<PlanNumber>(fresh_.size() - 1);
  }

  PlanNumber AddFilter(Conjuncts conjuncts, PlanNumber input) {
    if (conjuncts.empty()) return input;
    const auto columns = fresh_[input].columns;
    return Add({.op = FilterNode{std::move(conjuncts)}, .inputs = {input}, .columns = columns});
  }

  // The node as it is, with its inputs moved.
  PlanNumber Move(PlanNumber number) {
    if (moved_[number]) return *moved_[number];
    const PlanNode& node = old_.nodes[number];
    PlanNumber result = 0;
    if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
      result = Push(node.inputs[0], CopyExprs(filter->conjuncts));
    } else if (std::holds_alternative<JoinNode>(node.op)) {
      result = PushJoin(node, {});
    } else {
      PlanNode copy = CopyNode(node);
      for (PlanNumber& input : copy.inputs) input = Move(input);
      result = Add(std::move(copy));
    }
    moved_[number] = result;
    return result;
  }

  // The rows of the node that pass all of `conjuncts`.
  PlanNumber Push(PlanNumber number, Conjuncts conjuncts) {
    const PlanNode& node = old_.nodes[number];
    if (conjuncts.empty()) return Move(number);
    if (readers_[number] > 1) return AddFilter(std::move(conjuncts), Move(number));
    if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
      for (const BoundExpr& conjunct : filter->conjuncts) conjuncts.push_back(CopyExpr(conjunct));
      return Push(node.inputs[0], std::move(conjuncts));
    }
    if (std::holds_alternative<JoinNode>(node.op)) return PushJoin(node, std::move(conjuncts));
    if (std::holds_alternative<LeftJoinNode>(node.op) ||
        std::holds_alternative<SemiJoinNode>(node.op)) {
      return PushLeft(node, std::move(conjuncts));
    }
    if (const auto* map = std::get_if<MapNode>(&node.op)) {
      return PushMap(node, *map, std::move(conjuncts));
    }
    if (const auto* set = std::get_if<SetNode>(&node.op)) {
      return PushSet(node, *set, conjuncts);
    }
    if (const auto* group = std::get_if<GroupNode>(&node.op)) {
      return PushGroup(node, *group, std::move(conjuncts));
    }
    return AddFilter(std::move(conjuncts), Move(number));
  }

  void Flatten(const PlanNode& node, PlanNode& flat, Conjuncts& conjuncts) {
    const auto& join = std::get<JoinNode>(node.op);
    auto& flat_join = std::get<JoinNode>(flat.op);
    flat_join.on.insert(flat_join.on.end(), join.on.begin(), join.on.end());
    for (const BoundExpr& condition : join.conditions) conjuncts.push_back(CopyExpr(condition));
    for (const PlanNumber input : node.inputs) {
      const PlanNode* inner = &old_.nodes[input];
      PlanNumber reached = input;
      while (std::holds_alternative<FilterNode>(inner->op) && readers_[reached] == 1) {
        const PlanNode& below = old_.nodes[inner->inputs[0]];
        if (!std::holds_alternative<JoinNode>(below.op) || readers_[inner->inputs[0]] != 1) break;
        for (const BoundExpr& conjunct : std::get<FilterNode>(inner->op).conjuncts) {
          conjuncts.push_back(CopyExpr(conjunct));
        }
        reached = inner->inputs[0];
        inner = &below;
      }
      if (std::holds_alternative<JoinNode>(inner->op) && readers_[reached] == 1) {
        Flatten(*inner, flat, conjuncts);
      } else {
        flat.inputs.push_back(input);
      }
    }
  }

  PlanNumber PushJoin(const PlanNode& node, Conjuncts conjuncts) {
    PlanNode flat{.op = JoinNode{}, .inputs = {}, .columns = node.columns};
    Flatten(node, flat, conjuncts);
    std::vector<Conjuncts> for_input(flat.inputs.size());
    for (BoundExpr& conjunct : conjuncts) {
      const auto about = std::ranges::find_if(
          flat.inputs, [&](PlanNumber input) { return ReadsOnly(conjunct, old_.nodes[input]); });
      if (about != flat.inputs.end()) {
        for_input[static_cast<std::size_t>(about - flat.inputs.begin())].push_back(
            std::move(conjunct));
      } else {
        std::get<JoinNode>(flat.op).conditions.push_back(std::move(conjunct));
      }
    }
    for (std::size_t i = 0; i < flat.inputs.size(); ++i) {
      flat.inputs[i] = Push(flat.inputs[i], std::move(for_input[i]));
    }
    // The columns stand in the order of the inputs.
    flat.columns.clear();
    for (const PlanNumber input : flat.inputs) {
      const auto& columns = fresh_[input].columns;
      flat.columns.insert(flat.columns.end(), columns.begin(), columns.end());
    }
    return Add(std::move(flat));
  }

  PlanNumber PushLeft(const PlanNode& node, Conjuncts conjuncts) {
    Conjuncts left;
    Conjuncts above;
    for (BoundExpr& conjunct : conjuncts) {
      const bool is_left = ReadsOnly(conjunct, old_.nodes[node.inputs[0]]);
      (is_left ? left : above).push_back(std::move(conjunct));
    }
    PlanNode copy = CopyNode(node);
    copy.inputs = {Push(node.inputs[0], std::move(left)), Move(node.inputs[1])};
    return AddFilter(std::move(above), Add(std::move(copy)));
  }

  // Conditions on computed columns stay above: below, they would be computed
  // twice, and a tower of maps would double the work with each floor.
  PlanNumber PushMap(const PlanNode& node, const MapNode& map, Conjuncts conjuncts) {
    const auto is_moved = [&](ColumnRef ref) {
      const BoundExpr& output = map.outputs[PositionOf(node, ref)];
      return std::holds_alternative<ColumnRef>(output.node) ||
             std::holds_alternative<Constant>(output.node);
    };
    Conjuncts below;
    Conjuncts above;
    for (BoundExpr& conjunct : conjuncts) {
      if (!std::ranges::all_of(ColumnsOf(conjunct), is_moved)) {
        above.push_back(std::move(conjunct));
        continue;
      }
      below.push_back(CopyExpr(conjunct, [&](const BoundExpr& part) -> std::optional<BoundExpr> {
        const auto* ref = std::get_if<ColumnRef>(&part.node);
        if (ref == nullptr) return std::nullopt;
        return CopyExpr(map.outputs[PositionOf(node, *ref)]);
      }));
    }
    PlanNode copy = CopyNode(node);
    copy.inputs = {Push(node.inputs[0], std::move(below))};
    return AddFilter(std::move(above), Add(std::move(copy)));
  }

  PlanNumber PushSet(const PlanNode& node, const SetNode&, const Conjuncts& conjuncts) {
    PlanNode copy = CopyNode(node);
    for (PlanNumber& input : copy.inputs) {
      const PlanNode& source = old_.nodes[input];
      Conjuncts renamed;
      for (const BoundExpr& conjunct : conjuncts) {
        renamed.push_back(
            CopyExpr(conjunct, [&](const BoundExpr& part) -> std::optional<BoundExpr> {
              const auto* ref = std::get_if<ColumnRef>(&part.node);
              if (ref == nullptr) return std::nullopt;
              return MakeColumn(source.columns[PositionOf(node, *ref)].ref, part.type);
            }));
      }
      input = Push(input, std::move(renamed));
    }
    return Add(std::move(copy));
  }

  PlanNumber PushGroup(const PlanNode& node, const GroupNode& group, Conjuncts conjuncts) {
    Conjuncts below;
    Conjuncts above;
    for (BoundExpr& conjunct : conjuncts) {
      const std::vector<ColumnRef> columns = ColumnsOf(conjunct);
      const bool about_keys = !columns.empty() && std::ranges::all_of(columns, [&](ColumnRef ref) {
        return std::ranges::find(group.keys, ref) != group.keys.end();
      });
      (about_keys ? below : above).push_back(std::move(conjunct));
    }
    PlanNode copy = CopyNode(node);
    copy.inputs = {Push(node.inputs[0], std::move(below))};
    return AddFilter(std::move(above), Add(std::move(copy)));
  }

  Plan& old_;
  std::vector<PlanNode> fresh_;
  std::vector<std::optional<PlanNumber>> moved_;
  std::vector<int> readers_;
};

}  // namespace

void PushFilters(Plan& plan) { plan.nodes = Pusher(plan).Run(); }

}  // namespace trefoil::query
