#include "query/to_expression.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "dataflow/aggregate.h"
#include "dataflow/program.h"
#include "query/functions.h"

namespace trefoil::query {

namespace {

dataflow::Operation OperationOf(Operator op) {
  using dataflow::Operation;
  switch (op) {
    case Operator::kNegate:
      return Operation::kNegate;
    case Operator::kAdd:
      return Operation::kAdd;
    case Operator::kSubtract:
      return Operation::kSubtract;
    case Operator::kMultiply:
      return Operation::kMultiply;
    case Operator::kDivide:
      return Operation::kDivide;
    case Operator::kModulo:
      return Operation::kModulo;
    case Operator::kConcat:
      return Operation::kConcat;
    case Operator::kEqual:
      return Operation::kEqual;
    case Operator::kNotEqual:
      return Operation::kNotEqual;
    case Operator::kLess:
      return Operation::kLess;
    case Operator::kLessEqual:
      return Operation::kLessEqual;
    case Operator::kGreater:
      return Operation::kGreater;
    case Operator::kGreaterEqual:
      return Operation::kGreaterEqual;
    case Operator::kIsDistinct:
      return Operation::kIsDistinct;
    case Operator::kIsNotDistinct:
      return Operation::kIsNotDistinct;
    case Operator::kIsNull:
      return Operation::kIsNull;
    case Operator::kNot:
      return Operation::kNot;
    case Operator::kAnd:
      return Operation::kAnd;
    case Operator::kOr:
      return Operation::kOr;
    case Operator::kIn:
      return Operation::kIn;
    case Operator::kLike:
      return Operation::kLike;
    case Operator::kILike:
      return Operation::kILike;
    case Operator::kCase:
      return Operation::kCase;
    case Operator::kList:
      return Operation::kList;
    case Operator::kRefPart:
      return Operation::kRefPart;
  }
  Check(false, "every operator has a form in the engine");
  return {};
}

std::vector<dataflow::Expression> ToExpressions(const std::vector<BoundExpr>& exprs,
                                                const ColumnPlace& place) {
  std::vector<dataflow::Expression> list;
  list.reserve(exprs.size());
  for (const BoundExpr& expr : exprs) list.push_back(ToExpression(expr, place));
  return list;
}

dataflow::Expression FromOperation(const Operation& operation, const ColumnPlace& place) {
  if (operation.op == Operator::kRefPart) {
    const Value& part = std::get<Constant>(operation.operands[1].node).value;
    dataflow::Expression expression = dataflow::Apply(dataflow::Operation::kRefPart,
                                                      {ToExpression(operation.operands[0], place)});
    expression.column = static_cast<dataflow::Column>(part.AsInt());
    return expression;
  }
  return dataflow::Apply(OperationOf(operation.op), ToExpressions(operation.operands, place));
}

dataflow::Expression FromObject(const ObjectOf& object, const ColumnPlace& place) {
  dataflow::Expression shown =
      dataflow::Apply(dataflow::Operation::kObject, ToExpressions(object.items, place));
  shown.names = std::make_shared<const std::vector<std::string>>(object.names);
  dataflow::Expression absent =
      dataflow::Apply(dataflow::Operation::kIsNull, {ToExpression(*object.presence, place)});
  return dataflow::Apply(dataflow::Operation::kCase,
                         {std::move(absent), dataflow::ConstantOf(Value()), std::move(shown)});
}

dataflow::FunctionRegistry MakeRegistry() {
  dataflow::FunctionRegistry registry;
  for (const Function& function : AllFunctions()) {
    const Arity arity = ArityOf(function.signature);
    ValueKind result = ValueKind::kNull;
    switch (ResultClass(function.signature)) {
      case 't':
        result = ValueKind::kText;
        break;
      case 'i':
        result = ValueKind::kInt;
        break;
      case 'f':
        result = ValueKind::kFloat;
        break;
      case 'b':
        result = ValueKind::kBool;
        break;
      case 'T':
        result = ValueKind::kTimestamp;
        break;
      default:
        break;
    }
    registry.Add(std::string(function.name), {.least_arguments = arity.least,
                                              .most_arguments = arity.most,
                                              .result = result,
                                              .called_with_null = function.called_with_null,
                                              .call = function.code});
  }
  dataflow::RegisterAggregates(registry);
  return registry;
}

}  // namespace

const dataflow::FunctionRegistry& Functions() {
  static const dataflow::FunctionRegistry registry = MakeRegistry();
  return registry;
}

dataflow::Expression ToExpression(const BoundExpr& expr, const ColumnPlace& place) {
  if (const auto* constant = std::get_if<Constant>(&expr.node)) {
    dataflow::Expression expression = dataflow::ConstantOf(constant->value);
    expression.parameter = constant->parameter;
    return expression;
  }
  if (const auto* column = std::get_if<ColumnRef>(&expr.node)) {
    return dataflow::ColumnOf(place(*column));
  }
  if (const auto* operation = std::get_if<Operation>(&expr.node)) {
    return FromOperation(*operation, place);
  }
  if (const auto* cast = std::get_if<BoundCast>(&expr.node)) {
    dataflow::CastTarget target{.kind = expr.type.kind};
    if (expr.type.precision != 0) {
      target.precision = expr.type.precision;
      target.scale = expr.type.scale;
    }
    return dataflow::CastOf(ToExpression(*cast->operand, place), target);
  }
  if (const auto* call = std::get_if<FunctionCall>(&expr.node)) {
    return dataflow::Call(std::string(call->function->name), ToExpressions(call->arguments, place));
  }
  if (const auto* object = std::get_if<ObjectOf>(&expr.node)) return FromObject(*object, place);
  Check(false, "parameters and nested selects are gone when an expression is compiled");
  return {};
}

Value EvaluateOver(const BoundExpr& expr, std::span<const Value> row) {
  if (const auto* constant = std::get_if<Constant>(&expr.node)) return constant->value;
  const dataflow::Expression expression =
      ToExpression(expr, [](ColumnRef ref) { return dataflow::Column{ref.column}; });
  const std::vector<ValueKind> kinds(row.size(), ValueKind::kNull);
  Result<dataflow::Program> program =
      dataflow::Program::Compile({&expression, 1}, kinds, Functions());
  if (!program) return Value();  // kinds that never fit: NULL, as at run time
  std::uint64_t lossy = 0;
  program->Run(row.data(), 1, lossy);
  return program->output(0)[0];
}

Value Evaluate(const BoundExpr& expr) { return EvaluateOver(expr, {}); }

}  // namespace trefoil::query
