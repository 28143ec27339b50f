#include "query/bound.h"

#include <algorithm>

namespace trefoil::query {

std::string_view NameOf(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kCount:
      return "count";
    case Aggregate::kSum:
      return "sum";
    case Aggregate::kTotal:
      return "total";
    case Aggregate::kAvg:
      return "avg";
    case Aggregate::kMin:
      return "min";
    case Aggregate::kMax:
      return "max";
    case Aggregate::kBoolAnd:
      return "bool_and";
    case Aggregate::kBoolOr:
      return "bool_or";
    case Aggregate::kStringAgg:
      return "string_agg";
    case Aggregate::kArrayAgg:
      return "array_agg";
  }
  return "count";
}

Operator Mirrored(Operator op) {
  switch (op) {
    case Operator::kLess:
      return Operator::kGreater;
    case Operator::kLessEqual:
      return Operator::kGreaterEqual;
    case Operator::kGreater:
      return Operator::kLess;
    case Operator::kGreaterEqual:
      return Operator::kLessEqual;
    default:
      return op;
  }
}

std::vector<SetStep> SetOperatorOrder(const std::vector<SetOperator>& operators) {
  std::vector<SetStep> steps;
  std::size_t results = operators.size() + 1;  // intermediate results so far
  // What INTERSECT leaves: a chain of terms with the other operators between them.
  std::vector<std::size_t> terms = {0};
  std::vector<SetOperator> between;
  for (std::size_t i = 0; i < operators.size(); ++i) {
    if (operators[i] == SetOperator::kIntersect) {
      steps.push_back({.op = operators[i], .left = terms.back(), .right = i + 1});
      terms.back() = results++;
    } else {
      between.push_back(operators[i]);
      terms.push_back(i + 1);
    }
  }
  std::size_t left = terms[0];
  for (std::size_t i = 0; i < between.size(); ++i) {
    steps.push_back({.op = between[i], .left = left, .right = terms[i + 1]});
    left = results++;
  }
  return steps;
}

bool SameExpr(const BoundExpr& a, const BoundExpr& b) {
  if (a.node.index() != b.node.index() || !(a.type == b.type)) return false;
  const auto same_lists = [](const std::vector<BoundExpr>& x, const std::vector<BoundExpr>& y) {
    return std::ranges::equal(x, y, SameExpr);
  };
  if (const auto* x = std::get_if<Constant>(&a.node)) {
    return x->value == std::get<Constant>(b.node).value;
  }
  if (const auto* x = std::get_if<ColumnRef>(&a.node)) return *x == std::get<ColumnRef>(b.node);
  if (const auto* x = std::get_if<ParameterRef>(&a.node)) {
    return x->parameter == std::get<ParameterRef>(b.node).parameter;
  }
  if (const auto* x = std::get_if<Operation>(&a.node)) {
    const auto& y = std::get<Operation>(b.node);
    return x->op == y.op && same_lists(x->operands, y.operands);
  }
  if (const auto* x = std::get_if<BoundCast>(&a.node)) {
    return SameExpr(*x->operand, *std::get<BoundCast>(b.node).operand);
  }
  if (const auto* x = std::get_if<FunctionCall>(&a.node)) {
    const auto& y = std::get<FunctionCall>(b.node);
    return x->function == y.function && same_lists(x->arguments, y.arguments);
  }
  return false;  // objects and selects
}

}  // namespace trefoil::query
