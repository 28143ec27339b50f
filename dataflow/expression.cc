// Expressions: their text and their kinds.
#include "dataflow/expression.h"

#include <array>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"

namespace trefoil::dataflow {

namespace {

struct OperationInfo {
  std::string_view name;
  std::size_t least;
  std::size_t most;
};

constexpr std::size_t kMany = 1'000'000;
// An expression deeper than this is refused, so that no recursion over it runs out of stack.
constexpr int kMaxDepth = 1000;

OperationInfo InfoOf(Operation operation) {
  switch (operation) {
    case Operation::kColumn:
      return {"#", 0, 0};
    case Operation::kConstant:
      return {"constant", 0, 0};
    case Operation::kAdd:
      return {"+", 2, 2};
    case Operation::kSubtract:
      return {"-", 2, 2};
    case Operation::kMultiply:
      return {"*", 2, 2};
    case Operation::kDivide:
      return {"/", 2, 2};
    case Operation::kModulo:
      return {"%", 2, 2};
    case Operation::kNegate:
      return {"negate", 1, 1};
    case Operation::kConcat:
      return {"||", 2, kMany};
    case Operation::kEqual:
      return {"=", 2, 2};
    case Operation::kNotEqual:
      return {"<>", 2, 2};
    case Operation::kLess:
      return {"<", 2, 2};
    case Operation::kLessEqual:
      return {"<=", 2, 2};
    case Operation::kGreater:
      return {">", 2, 2};
    case Operation::kGreaterEqual:
      return {">=", 2, 2};
    case Operation::kIsDistinct:
      return {"is distinct from", 2, 2};
    case Operation::kIsNotDistinct:
      return {"is not distinct from", 2, 2};
    case Operation::kIsNull:
      return {"is null", 1, 1};
    case Operation::kAnd:
      return {"and", 1, kMany};
    case Operation::kOr:
      return {"or", 1, kMany};
    case Operation::kNot:
      return {"not", 1, 1};
    case Operation::kIn:
      return {"in", 1, kMany};
    case Operation::kLike:
      return {"like", 2, 2};
    case Operation::kILike:
      return {"ilike", 2, 2};
    case Operation::kCase:
      return {"case", 1, kMany};
    case Operation::kCast:
      return {"cast", 1, 1};
    case Operation::kCall:
      return {"call", 0, kMany};
    case Operation::kList:
      return {"list", 0, kMany};
    case Operation::kObject:
      return {"object", 0, kMany};
    case Operation::kRefPart:
      return {"part", 1, 1};
  }
  Check(false, "every Operation is described");
  return {};
}

Error Mismatch(Operation operation, ValueKind a, ValueKind b) {
  return MakeError(ErrorCode::kTypeMismatch,
                   StrCat("\"", InfoOf(operation).name, "\" does not work on ", KindName(a),
                          " and ", KindName(b)),
                   "CAST one of them");
}

class KindChecker {
 public:
  KindChecker(std::span<const ValueKind> columns, const FunctionRegistry& functions)
      : columns_(columns), functions_(functions) {}

  Result<ValueKind> Visit(const Expression& expression, int depth = 0);

 private:
  Result<ValueKind> Combine(const Expression& expression, const std::vector<ValueKind>& kinds);
  Result<ValueKind> CombineArithmetic(Operation operation, ArithmeticOp op,
                                      const std::vector<ValueKind>& kinds);
  Result<ValueKind> CombineCase(const std::vector<ValueKind>& kinds);
  Result<ValueKind> CombineCall(const Expression& expression);
  Status NeedAll(Operation operation, const std::vector<ValueKind>& kinds, ValueKind needed);

  std::span<const ValueKind> columns_;
  const FunctionRegistry& functions_;
};

Result<ValueKind> KindChecker::Visit(const Expression& expression, int depth) {
  if (depth > kMaxDepth) {
    return LimitError(StrCat("an expression may be nested ", kMaxDepth, " deep"));
  }
  const OperationInfo info = InfoOf(expression.operation);
  if (expression.arguments.size() < info.least || expression.arguments.size() > info.most) {
    return InvalidArgument(
        StrCat("\"", info.name, "\" does not take ", expression.arguments.size(), " arguments"));
  }
  std::vector<ValueKind> kinds;
  for (const Expression& argument : expression.arguments) {
    Result<ValueKind> kind = Visit(argument, depth + 1);
    if (!kind) return kind;
    kinds.push_back(*kind);
  }
  return Combine(expression, kinds);
}

Status KindChecker::NeedAll(Operation operation, const std::vector<ValueKind>& kinds,
                            ValueKind needed) {
  for (const ValueKind kind : kinds) {
    if (kind != needed && kind != ValueKind::kNull) return Mismatch(operation, kind, needed);
  }
  return Ok();
}

Result<ValueKind> KindChecker::CombineArithmetic(Operation operation, ArithmeticOp op,
                                                 const std::vector<ValueKind>& kinds) {
  const std::optional<ValueKind> kind = ArithmeticKind(op, kinds[0], kinds[1]);
  if (!kind) return Mismatch(operation, kinds[0], kinds[1]);
  return *kind;
}

Result<ValueKind> KindChecker::CombineCase(const std::vector<ValueKind>& kinds) {
  if (kinds.size() % 2 == 0) {
    return InvalidArgument("a case has pairs of a condition and a value, then the other value");
  }
  for (std::size_t i = 0; i + 1 < kinds.size(); i += 2) {
    if (Status is_bool = NeedAll(Operation::kCase, {kinds[i]}, ValueKind::kBool); !is_bool) {
      return std::move(is_bool).error();
    }
  }
  // Values of different kinds are allowed; the kind is then known for each row only.
  ValueKind common = kinds.back();
  for (std::size_t i = 1; i < kinds.size(); i += 2) {
    if (kinds[i] != common) common = ValueKind::kNull;
  }
  return common;
}

Result<ValueKind> KindChecker::CombineCall(const Expression& expression) {
  const FunctionDescription* function = functions_.Find(expression.function);
  if (function == nullptr) {
    return MakeError(ErrorCode::kUnknownFunction,
                     StrCat("there is no function \"", expression.function, "\""));
  }
  const std::size_t count = expression.arguments.size();
  if (count < function->least_arguments || count > function->most_arguments) {
    return InvalidArgument(
        StrCat("function \"", expression.function, "\" does not take ", count, " arguments"));
  }
  return function->result;
}

Result<ValueKind> KindChecker::Combine(const Expression& expression,
                                       const std::vector<ValueKind>& kinds) {
  const Operation operation = expression.operation;
  const auto all = [&](ValueKind needed, ValueKind result) -> Result<ValueKind> {
    Status fits = NeedAll(operation, kinds, needed);
    if (!fits) return std::move(fits).error();
    return result;
  };
  switch (operation) {
    case Operation::kColumn:
      if (expression.column >= columns_.size()) {
        return InvalidArgument(StrCat("there is no column #", expression.column, " in a row of ",
                                      columns_.size(), " columns"));
      }
      return columns_[expression.column];
    case Operation::kConstant:
      return expression.constant.kind();
    case Operation::kAdd:
    case Operation::kSubtract:
    case Operation::kMultiply:
    case Operation::kDivide:
    case Operation::kModulo:
      return CombineArithmetic(operation, ArithmeticOf(operation), kinds);
    case Operation::kNegate:
      // What has a difference to 0 has a negative.
      return CombineArithmetic(operation, ArithmeticOp::kMultiply, {kinds[0], ValueKind::kInt});
    case Operation::kConcat:
      return ValueKind::kText;
    case Operation::kEqual:
    case Operation::kNotEqual:
    case Operation::kLess:
    case Operation::kLessEqual:
    case Operation::kGreater:
    case Operation::kGreaterEqual:
    case Operation::kIsDistinct:
    case Operation::kIsNotDistinct:
    case Operation::kIn:
      for (const ValueKind kind : kinds) {
        if (!AreComparable(kinds[0], kind)) return Mismatch(operation, kinds[0], kind);
      }
      return ValueKind::kBool;
    case Operation::kIsNull:
      return ValueKind::kBool;
    case Operation::kAnd:
    case Operation::kOr:
    case Operation::kNot:
      return all(ValueKind::kBool, ValueKind::kBool);
    case Operation::kLike:
    case Operation::kILike:
      return all(ValueKind::kText, ValueKind::kBool);
    case Operation::kCase:
      return CombineCase(kinds);
    case Operation::kCast:
      return expression.cast.kind == ValueKind::kNull ? kinds[0] : expression.cast.kind;
    case Operation::kCall:
      return CombineCall(expression);
    case Operation::kList:
      return ValueKind::kList;
    case Operation::kObject:
      if (expression.names == nullptr || expression.names->size() != kinds.size()) {
        return InvalidArgument("an object has a name for each value");
      }
      return ValueKind::kObject;
    case Operation::kRefPart:
      if (kinds[0] == ValueKind::kList) return ValueKind::kNull;
      return all(ValueKind::kRef, ValueKind::kNull);
  }
  Check(false, "every Operation has a kind");
  return ValueKind::kNull;
}

}  // namespace

void FixParameters(Expression& expression) {
  expression.parameter.reset();
  for (Expression& argument : expression.arguments) FixParameters(argument);
}

std::string Describe(const Expression& expression) {
  if (expression.operation == Operation::kColumn) return StrCat("#", expression.column);
  if (expression.operation == Operation::kConstant) {
    const std::string value = DescribeValue(expression.constant);
    return expression.parameter ? StrCat(value, " ?", *expression.parameter) : value;
  }
  std::string text = "(";
  if (expression.operation == Operation::kCall) {
    text += expression.function;
  } else {
    text += InfoOf(expression.operation).name;
  }
  if (expression.operation == Operation::kCast) {
    text += StrCat(" ", KindName(expression.cast.kind));
    if (expression.cast.kind == ValueKind::kDecimal) {
      text += StrCat("(", int{expression.cast.precision}, ",", int{expression.cast.scale}, ")");
    }
  }
  if (expression.operation == Operation::kRefPart) text += StrCat(" ", expression.column);
  for (std::size_t i = 0; i < expression.arguments.size(); ++i) {
    if (expression.names != nullptr) text += StrCat(" ", (*expression.names)[i], ":");
    text += StrCat(" ", Describe(expression.arguments[i]));
  }
  return text + ")";
}

Result<ValueKind> KindOf(const Expression& expression, std::span<const ValueKind> columns,
                         const FunctionRegistry& functions) {
  return KindChecker(columns, functions).Visit(expression);
}

Expression Renumbered(Expression expression, std::span<const Column> place) {
  if (expression.operation == Operation::kColumn) expression.column = place[expression.column];
  for (Expression& argument : expression.arguments) {
    argument = Renumbered(std::move(argument), place);
  }
  return expression;
}

}  // namespace trefoil::dataflow
