// Expression: a scalar expression over one row, as a tree of plain values. It says what to compute;
// Program (program.h) computes it.
//
//   And({Equal(ColumnOf(2), ConstantOf(Value::Text("open"))), Less(ColumnOf(1), ColumnOf(0))})
//
// Three-valued logic: a comparison with NULL is NULL; AND, OR, NOT, IN follow SQL. Everything is
// total: what cannot be represented is NULL (scalar.h says what that is) and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/functions.h"
#include "dataflow/row.h"
#include "dataflow/scalar.h"
#include "trefoil/result.h"

namespace trefoil::dataflow {

enum class Operation : std::uint8_t {
  kColumn,    // Expression::column
  kConstant,  // Expression::constant
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kConcat,  // || of the texts of two or more values
  kEqual,   // compares as SQL does: 1 = 1.0
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsDistinct,     // two-valued, NULL equals NULL
  kIsNotDistinct,  // two-valued
  kIsNull,
  kAnd,  // one or more
  kOr,   // one or more
  kNot,
  kIn,    // the first among the others
  kLike,  // text, pattern
  kILike,
  kCase,     // when, then, when, then, ..., otherwise
  kCast,     // to Expression::cast
  kCall,     // Expression::function
  kList,     // a LIST of the arguments
  kObject,   // an OBJECT of the arguments, named by Expression::names
  kRefPart,  // REF or LIST: its item at Expression::column, NULL if there is none
};

// For kAdd to kModulo.
constexpr ArithmeticOp ArithmeticOf(Operation operation) {
  return static_cast<ArithmeticOp>(static_cast<int>(operation) - static_cast<int>(Operation::kAdd));
}

struct Expression {
  Operation operation = Operation::kConstant;
  std::vector<Expression> arguments = {};
  Column column = 0;
  Value constant = {};
  CastTarget cast = {};
  std::string function = {};  // lower case
  ObjectNames names = nullptr;
  // kConstant: the value that Operator::Bind puts in its place.
  std::optional<std::uint32_t> parameter = std::nullopt;
};

inline Expression ColumnOf(Column column) {
  return {.operation = Operation::kColumn, .column = column};
}
inline Expression ConstantOf(Value value) {
  return {.operation = Operation::kConstant, .constant = std::move(value)};
}
inline Expression Apply(Operation operation, std::vector<Expression> arguments) {
  return {.operation = operation, .arguments = std::move(arguments)};
}
inline Expression Equal(Expression a, Expression b) {
  return Apply(Operation::kEqual, {std::move(a), std::move(b)});
}
inline Expression And(std::vector<Expression> terms) {
  return Apply(Operation::kAnd, std::move(terms));
}
inline Expression Or(std::vector<Expression> terms) {
  return Apply(Operation::kOr, std::move(terms));
}
inline Expression Not(Expression term) { return Apply(Operation::kNot, {std::move(term)}); }
inline Expression CastOf(Expression value, CastTarget target) {
  return {.operation = Operation::kCast, .arguments = {std::move(value)}, .cast = target};
}
inline Expression Call(std::string function, std::vector<Expression> arguments) {
  return {.operation = Operation::kCall,
          .arguments = std::move(arguments),
          .function = std::move(function)};
}

// Makes the constants that are parameters constants like any other.
void FixParameters(Expression& expression);

// Canonical text: equal text means equal meaning.
std::string Describe(const Expression& expression);

// The kind of the result over rows with these kinds of columns; kNull = not known before.
// Errors: kTypeMismatch for operands that no value could fit; kUnknownFunction; kInvalidArgument
// for a column that does not exist or a wrong number of arguments.
Result<ValueKind> KindOf(const Expression& expression, std::span<const ValueKind> columns,
                         const FunctionRegistry& functions);

// Calls visit(column) for every column that the expression reads, with repetition.
template <typename Visit>
void ForEachColumn(const Expression& expression, const Visit& visit) {
  if (expression.operation == Operation::kColumn) visit(expression.column);
  for (const Expression& argument : expression.arguments) ForEachColumn(argument, visit);
}

// The same expression over rows in which column c has moved to place[c].
Expression Renumbered(Expression expression, std::span<const Column> place);

}  // namespace trefoil::dataflow
