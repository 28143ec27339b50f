// A join of the bindings with the rows that their slots select becomes a route: a changed row then
// finds the bindings that it concerns, and a new binding its rows, instead of either trying all of
// the other. Of several inputs the one with the most telling comparisons is routed; the others are
// joined to what comes out.
//
//   join(bindings, issue, user)                  join(route(bindings, issue), user)
//     issue.assignee = $1                          user.id = issue.assignee
//     user.id = issue.assignee            ->       user.team = $2
//     user.team = $2
#include <algorithm>
#include <optional>
#include <set>

#include "query/bind_context.h"
#include "query/optimizer.h"

namespace trefoil::query {

namespace {

using dataflow::RouteTest;
using Alternative = std::vector<PlanRouteTest>;

// Alternatives of one route, at most; a query with more is answered without one.
constexpr std::size_t kAlternativesMax = 16;

std::optional<RouteTest> TestOf(Operator op, bool row_is_left) {
  switch (op) {
    case Operator::kEqual:
      return RouteTest::kEqual;
    case Operator::kIsNotDistinct:
      return RouteTest::kSame;
    case Operator::kLess:
      return row_is_left ? RouteTest::kLess : RouteTest::kGreater;
    case Operator::kLessEqual:
      return row_is_left ? RouteTest::kLessEqual : RouteTest::kGreaterEqual;
    case Operator::kGreater:
      return row_is_left ? RouteTest::kGreater : RouteTest::kLess;
    case Operator::kGreaterEqual:
      return row_is_left ? RouteTest::kGreaterEqual : RouteTest::kLessEqual;
    default:
      return std::nullopt;
  }
}

bool IsRange(RouteTest test) { return test >= RouteTest::kLess; }

// The bindings and one input that could be routed, and what their comparisons make of it.
class Pair {
 public:
  Pair(const PlanNode& bindings, const PlanNode& rows) : bindings_(bindings), rows_(rows) {}

  bool Covers(const BoundExpr& expr) const {
    return std::ranges::all_of(ColumnsOf(expr), [&](ColumnRef ref) {
      return HasColumn(bindings_, ref) || HasColumn(rows_, ref);
    });
  }

  bool Joins(const PlanEquality& on) const {
    return (HasColumn(bindings_, on.left) && HasColumn(rows_, on.right)) ||
           (HasColumn(bindings_, on.right) && HasColumn(rows_, on.left));
  }

  std::optional<PlanRouteTest> TestOfColumns(ColumnRef a, ColumnRef b, Operator op) const {
    const bool row_is_left = HasColumn(rows_, a) && HasColumn(bindings_, b);
    if (!row_is_left && !(HasColumn(bindings_, a) && HasColumn(rows_, b))) return std::nullopt;
    const ColumnRef row = row_is_left ? a : b;
    const ColumnRef binding = row_is_left ? b : a;
    const ValueKind kind = rows_.columns[PositionOf(rows_, row)].kind;
    const std::optional<RouteTest> test = TestOf(op, row_is_left);
    if (!test || kind == ValueKind::kNull ||
        kind != bindings_.columns[PositionOf(bindings_, binding)].kind) {
      return std::nullopt;
    }
    return PlanRouteTest{.test = *test, .row = row, .binding = binding};
  }

  // The alternatives that `condition` means; nothing when it is not made of comparisons alone.
  std::optional<std::vector<Alternative>> AlternativesOf(const BoundExpr& condition) const {
    const auto* operation = std::get_if<Operation>(&condition.node);
    if (operation == nullptr) return std::nullopt;
    const std::vector<BoundExpr>& operands = operation->operands;
    std::vector<Alternative> all;
    if (operation->op == Operator::kOr) {
      for (const BoundExpr& operand : operands) {
        const auto some = AlternativesOf(operand);
        if (!some) return std::nullopt;
        all.insert(all.end(), some->begin(), some->end());
      }
    } else if (operation->op == Operator::kAnd) {
      all = {{}};
      for (const BoundExpr& operand : operands) {
        const auto some = AlternativesOf(operand);
        if (!some || all.size() * some->size() > kAlternativesMax) return std::nullopt;
        all = Product(all, *some);
      }
    } else if (operation->op == Operator::kIn) {
      for (std::size_t i = 1; i < operands.size(); ++i) {
        const auto test = TestOfOperands(operands[0], operands[i], Operator::kEqual);
        if (!test) return std::nullopt;
        all.push_back({*test});
      }
    } else if (operands.size() == 2) {
      const auto test = TestOfOperands(operands[0], operands[1], operation->op);
      if (!test) return std::nullopt;
      all.push_back({*test});
    }
    if (all.empty() || all.size() > kAlternativesMax) return std::nullopt;
    return all;
  }

  static std::vector<Alternative> Product(const std::vector<Alternative>& a,
                                          const std::vector<Alternative>& b) {
    std::vector<Alternative> product;
    for (const Alternative& left : a) {
      for (const Alternative& right : b) {
        Alternative& both = product.emplace_back(left);
        both.insert(both.end(), right.begin(), right.end());
      }
    }
    return product;
  }

 private:
  std::optional<PlanRouteTest> TestOfOperands(const BoundExpr& a, const BoundExpr& b,
                                              Operator op) const {
    const auto* left = std::get_if<ColumnRef>(&a.node);
    const auto* right = std::get_if<ColumnRef>(&b.node);
    if (left == nullptr || right == nullptr) return std::nullopt;
    return TestOfColumns(*left, *right, op);
  }

  const PlanNode& bindings_;
  const PlanNode& rows_;
};

// What a route settles of its join, and how much that is worth.
struct Routing {
  PlanNumber rows = 0;
  std::vector<Alternative> alternatives = {{}};
  std::vector<bool> settled_on;
  std::vector<bool> settled_conditions;
  int score = 0;
};

Routing RoutingTo(const PlanNode& bindings, PlanNumber number, const PlanNode& rows,
                  const JoinNode& join) {
  const Pair pair(bindings, rows);
  Routing routing{.rows = number,
                  .settled_on = std::vector<bool>(join.on.size()),
                  .settled_conditions = std::vector<bool>(join.conditions.size())};
  for (std::size_t i = 0; i < join.on.size(); ++i) {
    const PlanEquality& on = join.on[i];
    const auto test = pair.TestOfColumns(
        on.left, on.right, on.nulls_equal ? Operator::kIsNotDistinct : Operator::kEqual);
    if (!test) {
      // Values of any kind are the same or not, which no condition of a route says.
      if (pair.Joins(on)) return {};
      continue;
    }
    routing.alternatives[0].push_back(*test);
    routing.settled_on[i] = true;
    routing.score += 8;
  }
  for (std::size_t i = 0; i < join.conditions.size(); ++i) {
    const auto alternatives = pair.AlternativesOf(join.conditions[i]);
    if (!alternatives || routing.alternatives.size() * alternatives->size() > kAlternativesMax) {
      continue;
    }
    routing.alternatives = Pair::Product(routing.alternatives, *alternatives);
    routing.settled_conditions[i] = true;
    const bool only_ranges = std::ranges::any_of(*alternatives, [](const Alternative& tests) {
      return std::ranges::all_of(tests, IsRange, &PlanRouteTest::test);
    });
    routing.score += only_ranges ? 1 : 4;
  }
  return routing;
}

bool IsBindings(const Plan& plan, PlanNumber number) {
  const PlanNode* node = &plan.nodes[number];
  while (std::holds_alternative<FilterNode>(node->op)) node = &plan.nodes[node->inputs[0]];
  return std::holds_alternative<BindingsNode>(node->op);
}

// Of equal columns the one whose input comes first stands left.
void Orient(PlanEquality& equality, const std::vector<PlanNode>& nodes,
            const std::vector<PlanNumber>& inputs) {
  for (const PlanNumber input : inputs) {
    if (HasColumn(nodes[input], equality.left)) return;
    if (!HasColumn(nodes[input], equality.right)) continue;
    std::swap(equality.left, equality.right);
    return;
  }
}

class Router {
 public:
  explicit Router(Plan& plan) : plan_(plan) {}

  void Run() {
    std::vector<PlanNumber> moved;
    for (PlanNode& node : plan_.nodes) {
      PlanNode copy = std::move(node);
      for (PlanNumber& input : copy.inputs) input = moved[input];
      if (std::holds_alternative<JoinNode>(copy.op)) Route(copy);
      moved.push_back(Add(std::move(copy)));
    }
    for (PlanLevel& level : plan_.levels) level.node = moved[level.node];
    plan_.nodes = std::move(fresh_.nodes);
  }

 private:
  PlanNumber Add(PlanNode node) {
    fresh_.nodes.push_back(std::move(node));
    return static_cast<PlanNumber>(fresh_.nodes.size() - 1);
  }

  // Makes `node`, a join over fresh nodes, a route or the join of one with the other inputs.
  void Route(PlanNode& node) {
    const auto bindings = std::ranges::find_if(
        node.inputs, [&](PlanNumber input) { return IsBindings(fresh_, input); });
    if (bindings == node.inputs.end()) return;
    const PlanNumber bound = *bindings;
    auto& join = std::get<JoinNode>(node.op);
    std::optional<Routing> best;
    for (const PlanNumber input : node.inputs) {
      if (input == bound) continue;
      Routing routing = RoutingTo(fresh_.nodes[bound], input, fresh_.nodes[input], join);
      if (routing.score > (best ? best->score : 0)) best = std::move(routing);
    }
    if (!best) return;
    const Pair pair(fresh_.nodes[bound], fresh_.nodes[best->rows]);
    RouteNode route{.alternatives = std::move(best->alternatives), .conditions = {}};
    JoinNode rest;
    for (std::size_t i = 0; i < join.on.size(); ++i) {
      if (!best->settled_on[i]) rest.on.push_back(join.on[i]);
    }
    for (std::size_t i = 0; i < join.conditions.size(); ++i) {
      if (best->settled_conditions[i]) continue;
      auto& kept = pair.Covers(join.conditions[i]) ? route.conditions : rest.conditions;
      kept.push_back(std::move(join.conditions[i]));
    }
    if (node.inputs.size() == 2) {
      node.inputs = {bound, best->rows};
      node.op = std::move(route);
      return;
    }
    PlanNode routed{.op = std::move(route),
                    .inputs = {bound, best->rows},
                    .columns = fresh_.nodes[bound].columns};
    const auto& row_columns = fresh_.nodes[best->rows].columns;
    routed.columns.insert(routed.columns.end(), row_columns.begin(), row_columns.end());
    std::vector<PlanNumber> inputs = {Add(std::move(routed))};
    for (const PlanNumber input : node.inputs) {
      if (input != bound && input != best->rows) inputs.push_back(input);
    }
    node.inputs = std::move(inputs);
    for (PlanEquality& equality : rest.on) Orient(equality, fresh_.nodes, node.inputs);
    node.op = std::move(rest);
  }

  Plan& plan_;
  Plan fresh_;
};

}  // namespace

void RouteBindings(Plan& plan) { Router(plan).Run(); }

bool ReachesBindings(const Plan& plan) {
  // Columns that hold what a binding holds. A node of such columns only is as large as the
  // bindings are many, and must be joined by key.
  std::set<ColumnRef> bound;
  const auto is_bound = [&](PlanNumber number) {
    const auto& columns = plan.nodes[number].columns;
    return !columns.empty() && std::ranges::all_of(columns, [&](const PlanColumn& column) {
      return bound.contains(column.ref);
    });
  };
  const auto by_key = [&](const PlanNode& node, const std::vector<PlanEquality>& on) {
    return std::ranges::all_of(node.inputs, [&](PlanNumber input) {
      return !is_bound(input) || std::ranges::any_of(on, [&](const PlanEquality& equality) {
        return HasColumn(plan.nodes[input], equality.left) ||
               HasColumn(plan.nodes[input], equality.right);
      });
    });
  };
  for (const PlanNode& node : plan.nodes) {
    if (std::holds_alternative<BindingsNode>(node.op)) {
      for (const PlanColumn& column : node.columns) bound.insert(column.ref);
    } else if (const auto* map = std::get_if<MapNode>(&node.op)) {
      for (std::size_t i = 0; i < map->outputs.size(); ++i) {
        const auto* ref = std::get_if<ColumnRef>(&map->outputs[i].node);
        if (ref != nullptr && bound.contains(*ref)) bound.insert(node.columns[i].ref);
      }
    }
    const auto* join = std::get_if<JoinNode>(&node.op);
    const auto* left = std::get_if<LeftJoinNode>(&node.op);
    const auto* semi = std::get_if<SemiJoinNode>(&node.op);
    if (join != nullptr && !by_key(node, join->on)) return false;
    if (left != nullptr && !by_key(node, left->on)) return false;
    if (semi != nullptr && !by_key(node, semi->on)) return false;
  }
  return true;
}

}  // namespace trefoil::query
