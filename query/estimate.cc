#include "query/estimate.h"

#include <algorithm>
#include <cmath>

namespace trefoil::query {

namespace {

constexpr double kEqualShare = 0.1;  // of a column that nothing is known of
constexpr double kOtherShare = 0.3;  // of a range, LIKE and the like
constexpr double kLoopFactor = 10;   // what a recursion adds to what it starts with
constexpr int kSamplesPerEnd = 2;

const schema::Index* LeadingIndex(const schema::Schema& schema, TypeId type,
                                  AttributeId attribute) {
  for (const schema::Index* index : schema.IndexesOf(type)) {
    if (index->ready && index->columns[0].attribute == attribute) return index;
  }
  return nullptr;
}

}  // namespace

double Statistics::Rows(const ScanNode& scan) const {
  const std::uint64_t count =
      source_.ApproximateCount(scan.type, scan.only ? *scan.only : dataflow::Probe());
  return std::max(1.0, static_cast<double>(count));
}

double Statistics::Distinct(TypeId type_id, AttributeId attribute) {
  const auto [known, is_new] = distinct_.try_emplace({type_id, attribute}, 1.0);
  if (!is_new) return known->second;
  const double rows = Rows({.type = type_id, .attributes = {}});
  const schema::Type* type = schema_.FindType(type_id);
  double distinct = std::max(1.0, rows * kEqualShare);
  if (type != nullptr && !type->key.empty() && type->key[0] == attribute) {
    distinct = type->key.size() == 1 ? rows : SampleDistinct(type_id, attribute, {}, rows);
  } else if (const schema::Index* index = LeadingIndex(schema_, type_id, attribute)) {
    distinct = SampleDistinct(type_id, attribute, {.index = index->id}, rows);
  }
  return known->second = distinct;
}

// Steps over a few values from each end of the path, and counts the rows of each.
double Statistics::SampleDistinct(TypeId type, AttributeId attribute,
                                  const dataflow::AccessPath& path, double rows) const {
  const dataflow::BaseRelation relation{.type = type, .columns = {attribute}};
  double sampled = 0;
  double counted = 0;
  for (const bool reverse : {false, true}) {
    dataflow::Probe walk{.path = path, .reverse = reverse};
    for (int i = 0; i < kSamplesPerEnd; ++i) {
      std::optional<Value> value;
      const Status read =
          source_.Scan(relation, walk, dataflow::When::kNew, [&](std::span<const Value> row) {
            value = row[0];
            return false;
          });
      if (!read || !value) break;
      const std::uint64_t count =
          source_.ApproximateCount(type, {.path = path, .prefix = {*value}});
      counted += std::max(1.0, static_cast<double>(count));
      sampled += 1;
      (reverse ? walk.upper : walk.lower) = dataflow::Bound{*std::move(value), false};
    }
  }
  return sampled == 0 ? 1 : std::clamp(rows * sampled / counted, 1.0, rows);
}

Estimate::Estimate(const Plan& plan, Statistics& statistics)
    : plan_(plan), statistics_(statistics) {
  for (PlanNumber i = 0; i < plan.nodes.size(); ++i) rows_.push_back(std::max(1.0, RowsOf(i)));
}

double Estimate::Distinct(PlanNumber number, ColumnRef column) const {
  const PlanNode& node = plan_.nodes[number];
  const double rows = rows_[number];
  if (!HasColumn(node, column)) return rows;
  if (const auto* scan = std::get_if<ScanNode>(&node.op)) {
    return std::min(rows,
                    statistics_.Distinct(scan->type, scan->attributes[PositionOf(node, column)]));
  }
  if (const auto* map = std::get_if<MapNode>(&node.op)) {
    const BoundExpr& output = map->outputs[PositionOf(node, column)];
    if (std::holds_alternative<Constant>(output.node)) return 1;
    const auto* from = std::get_if<ColumnRef>(&output.node);
    return from == nullptr ? rows : std::min(rows, Distinct(node.inputs[0], *from));
  }
  for (const PlanNumber input : node.inputs) {
    if (input != number && HasColumn(plan_.nodes[input], column)) {
      return std::min(rows, Distinct(input, column));
    }
  }
  return rows;
}

double Estimate::RowsPerKey(PlanNumber node, const std::vector<ColumnRef>& columns) const {
  double combinations = 1;
  for (const ColumnRef& column : columns) combinations *= Distinct(node, column);
  return std::max(rows_[node] / combinations, 1 / kLoopFactor);
}

double Estimate::Selectivity(PlanNumber input, const BoundExpr& conjunct) const {
  if (std::holds_alternative<Constant>(conjunct.node)) return 1;
  const auto* operation = std::get_if<Operation>(&conjunct.node);
  if (operation == nullptr) return kOtherShare;
  double share = kOtherShare;
  const auto* column =
      operation->operands.empty() ? nullptr : std::get_if<ColumnRef>(&operation->operands[0].node);
  const double equal = column == nullptr ? kEqualShare : 1 / Distinct(input, *column);
  switch (operation->op) {
    case Operator::kEqual:
    case Operator::kIsNotDistinct:
      share = equal;
      break;
    case Operator::kIn:
      share = equal * static_cast<double>(operation->operands.size() - 1);
      break;
    case Operator::kNotEqual:
    case Operator::kNot:
      share = 1 - kEqualShare;
      break;
    case Operator::kAnd:
      share = 1;
      for (const BoundExpr& part : operation->operands) share *= Selectivity(input, part);
      break;
    case Operator::kOr:
      share = 0;
      for (const BoundExpr& part : operation->operands) share += Selectivity(input, part);
      break;
    default:
      break;
  }
  return std::min(share, 1.0);
}

double Estimate::Joined(const PlanNode& node, const std::vector<PlanEquality>& on,
                        std::size_t condition_count) const {
  double rows = std::pow(kOtherShare, static_cast<double>(condition_count));
  for (const PlanNumber input : node.inputs) rows *= rows_[input];
  for (const PlanEquality& equality : on) {
    double distinct = 1;
    for (const PlanNumber input : node.inputs) {
      for (const ColumnRef& side : {equality.left, equality.right}) {
        if (HasColumn(plan_.nodes[input], side))
          distinct = std::max(distinct, Distinct(input, side));
      }
    }
    rows /= distinct;
  }
  return rows;
}

double Estimate::RowsOfSet(const PlanNode& node, SetKind kind) const {
  const double left = rows_[node.inputs[0]];
  if (kind == SetKind::kDistinct) {
    double combinations = 1;
    for (const PlanColumn& column : node.columns) {
      combinations *= Distinct(node.inputs[0], column.ref);
    }
    return std::min(left, combinations);
  }
  if (kind == SetKind::kExcept) return left;
  const double right = rows_[node.inputs[1]];
  return kind == SetKind::kIntersect ? std::min(left, right) : left + right;
}

double Estimate::RowsOf(PlanNumber number) const {
  const PlanNode& node = plan_.nodes[number];
  if (const auto* scan = std::get_if<ScanNode>(&node.op)) return statistics_.Rows(*scan);
  if (node.inputs.empty()) return std::holds_alternative<LoopNode>(node.op) ? kLoopFactor : 1;
  const double first = rows_[node.inputs[0]];
  if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
    double rows = first;
    for (const BoundExpr& part : filter->conjuncts) rows *= Selectivity(node.inputs[0], part);
    return rows;
  }
  if (const auto* join = std::get_if<JoinNode>(&node.op)) {
    return Joined(node, join->on, join->conditions.size());
  }
  if (const auto* left = std::get_if<LeftJoinNode>(&node.op)) {
    return std::max(first, Joined(node, left->on, left->conditions.size()));
  }
  if (const auto* semi = std::get_if<SemiJoinNode>(&node.op)) {
    return semi->kind == SemiKind::kMark ? first : first / 2;
  }
  if (const auto* group = std::get_if<GroupNode>(&node.op)) {
    double groups = 1;
    for (const ColumnRef& key : group->keys) groups *= Distinct(node.inputs[0], key);
    return std::min(first, groups);
  }
  if (const auto* set = std::get_if<SetNode>(&node.op)) return RowsOfSet(node, set->kind);
  if (const auto* top = std::get_if<TopNode>(&node.op)) {
    if (!top->limit) return first;
    double parts = 1;
    for (const ColumnRef& column : top->partition) parts *= Distinct(node.inputs[0], column);
    return std::min(first, parts * static_cast<double>(*top->limit));
  }
  if (std::holds_alternative<FixpointNode>(node.op)) return first * kLoopFactor;
  return first;
}

std::optional<const schema::Index*> ProbedIndex(const Plan& plan, PlanNumber number,
                                                const std::vector<ColumnRef>& columns,
                                                const schema::Schema& schema) {
  const PlanNode* node = &plan.nodes[number];
  while (std::holds_alternative<FilterNode>(node->op)) node = &plan.nodes[node->inputs[0]];
  const auto* scan = std::get_if<ScanNode>(&node->op);
  const schema::Type* type = scan == nullptr ? nullptr : schema.FindType(scan->type);
  if (type == nullptr) return std::nullopt;
  std::vector<AttributeId> asked;
  for (const ColumnRef column : columns) {
    if (HasColumn(*node, column)) asked.push_back(scan->attributes[PositionOf(*node, column)]);
  }
  const auto is_in = [](std::span<const AttributeId> attributes, AttributeId attribute) {
    return std::ranges::find(attributes, attribute) != attributes.end();
  };
  std::span<const AttributeId> fixed;  // by the range of the scan
  if (scan->only) fixed = std::span(scan->range_attributes).first(scan->only->prefix.size());
  // As an input matches a path: the leading columns that are given have all that is asked for.
  const auto given_of = [&](std::span<const AttributeId> path) {
    const auto end = std::ranges::find_if_not(path, [&](AttributeId attribute) {
      return is_in(asked, attribute) || is_in(fixed, attribute);
    });
    return path.first(static_cast<std::size_t>(end - path.begin()));
  };
  const auto serves = [&](std::span<const AttributeId> path) {
    const std::span<const AttributeId> given = given_of(path);
    return std::ranges::all_of(asked, [&](AttributeId a) { return is_in(given, a); });
  };
  if (asked.empty()) return std::nullopt;
  const bool is_row = !type->key.empty() && given_of(type->key).size() == type->key.size();
  if (is_row || serves(type->key)) return nullptr;
  for (const schema::Index* index : schema.IndexesOf(scan->type)) {
    std::vector<AttributeId> path;
    for (const schema::IndexColumn& column : index->columns) path.push_back(column.attribute);
    path.insert(path.end(), type->key.begin(), type->key.end());
    if (index->ready && serves(path)) return index;
  }
  return std::nullopt;
}

}  // namespace trefoil::query
