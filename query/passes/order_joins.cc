// The inputs of an inner join stand in the order in which a pull goes through them: first where it
// starts, then what it probes, one after the other. Every start is tried, each followed by the
// probe that adds the fewest rows; the order that reads least wins. A probe that no index serves
// reads its input as a whole once.
#include <algorithm>
#include <limits>

#include "query/estimate.h"
#include "query/optimizer.h"

namespace trefoil::query {

namespace {

// A row found by a probe costs as much as this many that stand side by side.
constexpr double kProbeCost = 3;
// Joins of more inputs start from the smallest one only.
constexpr std::size_t kStartsMax = 12;

class JoinOrder {
 public:
  JoinOrder(const Plan& plan, const PlanNode& node, const Estimate& estimate,
            const schema::Schema& schema)
      : plan_(plan),
        inputs_(node.inputs),
        on_(std::get<JoinNode>(node.op).on),
        estimate_(estimate),
        schema_(schema) {}

  std::vector<PlanNumber> Best() const {
    Order best{.cost = std::numeric_limits<double>::infinity(), .places = {}};
    for (const std::size_t start : Starts()) {
      Order order = From(start, best.cost);
      if (order.cost < best.cost) best = std::move(order);
    }
    std::vector<PlanNumber> ordered;
    for (const std::size_t place : best.places) ordered.push_back(inputs_[place]);
    return ordered;
  }

 private:
  struct Order {
    double cost = 0;
    std::vector<std::size_t> places;  // positions in inputs_
  };
  struct Probe {
    double found = 0;  // rows for each row before
    double once = 0;   // rows to read before the first probe
  };

  std::vector<std::size_t> Starts() const {
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < inputs_.size(); ++i) starts.push_back(i);
    if (starts.size() <= kStartsMax) return starts;
    return {*std::ranges::min_element(starts, {},
                                      [&](std::size_t i) { return estimate_.Rows(inputs_[i]); })};
  }

  Order From(std::size_t start, double limit) const {
    double rows = estimate_.Rows(inputs_[start]);
    Order order{.cost = rows, .places = {start}};
    while (order.places.size() < inputs_.size() && order.cost < limit) {
      std::optional<std::size_t> next;
      Probe cheapest;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (std::ranges::find(order.places, i) != order.places.end()) continue;
        const Probe probe = ProbeOf(i, order.places);
        if (!next || Cost(probe, rows) < Cost(cheapest, rows)) {
          next = i;
          cheapest = probe;
        }
      }
      order.cost += Cost(cheapest, rows);
      rows *= cheapest.found;
      order.places.push_back(*next);
    }
    return order;
  }

  static double Cost(const Probe& probe, double rows) {
    return probe.once + kProbeCost * rows * (1 + probe.found);
  }

  // What it is to find the rows of input `place` that belong to rows of the inputs at `before`.
  Probe ProbeOf(std::size_t place, const std::vector<std::size_t>& before) const {
    const PlanNumber input = inputs_[place];
    std::vector<ColumnRef> columns;
    for (const PlanEquality& equality : on_) {
      const bool left_is_ours = HasColumn(plan_.nodes[input], equality.left);
      const ColumnRef ours = left_is_ours ? equality.left : equality.right;
      const ColumnRef other = left_is_ours ? equality.right : equality.left;
      if (!HasColumn(plan_.nodes[input], ours)) continue;
      const bool is_known = std::ranges::any_of(
          before, [&](std::size_t i) { return HasColumn(plan_.nodes[inputs_[i]], other); });
      if (is_known) columns.push_back(ours);
    }
    const double all = estimate_.Rows(input);
    if (columns.empty()) return {.found = all, .once = all};
    const bool is_indexed = ProbedIndex(plan_, input, columns, schema_).has_value();
    return {.found = estimate_.RowsPerKey(input, columns), .once = is_indexed ? 0 : all};
  }

  const Plan& plan_;
  const std::vector<PlanNumber>& inputs_;
  const std::vector<PlanEquality>& on_;
  const Estimate& estimate_;
  const schema::Schema& schema_;
};

}  // namespace

void OrderJoins(Plan& plan, Statistics& statistics) {
  const bool has_join = std::ranges::any_of(
      plan.nodes, [](const PlanNode& node) { return std::holds_alternative<JoinNode>(node.op); });
  if (!has_join) return;
  const Estimate estimate(plan, statistics);
  for (PlanNode& node : plan.nodes) {
    if (!std::holds_alternative<JoinNode>(node.op)) continue;
    node.inputs = JoinOrder(plan, node, estimate, statistics.schema()).Best();
  }
}

}  // namespace trefoil::query
