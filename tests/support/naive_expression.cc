// Expressions of the naive evaluator: three-valued logic, row by row, on the bound tree itself.
#include <algorithm>
#include <memory>
#include <string>

#include "base/ascii.h"
#include "base/check.h"
#include "base/utf8.h"
#include "dataflow/scalar.h"
#include "query/functions.h"
#include "tests/support/naive_context.h"

namespace trefoil::testing {

using query::BoundExpr;
using query::Operation;
using query::Operator;
using query::SubselectKind;

namespace {

// TRUE, FALSE or nothing.
using Truth = std::optional<bool>;

Value ValueOf(Truth truth) { return truth ? Value::Bool(*truth) : Value(); }
Truth TruthOf(const Value& value) {
  return value.kind() == ValueKind::kBool ? Truth(value.AsBool()) : std::nullopt;
}

Truth Equals(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return std::nullopt;
  return CompareAsSql(a, b) == 0;
}

bool IsDistinct(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return a.is_null() != b.is_null();
  return CompareAsSql(a, b) != 0;
}

Truth CompareBy(Operator op, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return std::nullopt;
  const std::weak_ordering order = CompareAsSql(a, b);
  switch (op) {
    case Operator::kEqual:
      return order == 0;
    case Operator::kNotEqual:
      return order != 0;
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

// By trying every length for every %.
bool Like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (Like(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') {
    const std::size_t bytes = std::max<std::size_t>(1, Utf8CharacterBytes(text));
    return Like(text.substr(bytes), pattern.substr(1));
  }
  const std::size_t skip = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  return pattern[skip] == text[0] && Like(text.substr(1), pattern.substr(skip + 1));
}

Value LikeOf(Operator op, const Value& text, const Value& pattern) {
  if (text.kind() != ValueKind::kText || pattern.kind() != ValueKind::kText) return {};
  if (op == Operator::kLike) return Value::Bool(Like(text.AsText(), pattern.AsText()));
  return Value::Bool(Like(ToLowerAscii(text.AsText()), ToLowerAscii(pattern.AsText())));
}

Value ArithmeticOf(Operator op, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return {};
  const auto scalar_op =
      static_cast<dataflow::ArithmeticOp>(static_cast<int>(op) - static_cast<int>(Operator::kAdd));
  return dataflow::Arithmetic(scalar_op, a, b).value_or(Value());
}

Value ObjectFrom(const query::BoundSelect& select, const NaiveRow& row) {
  std::vector<std::string> names;
  for (const query::BoundColumn& column : select.columns) names.push_back(column.name);
  return Value::Object(std::make_shared<const std::vector<std::string>>(std::move(names)), row);
}

}  // namespace

bool NaiveContext::IsTrue(const BoundExpr& condition) {
  return TruthOf(Evaluate(condition)) == true;
}

Value NaiveContext::InList(const Operation& operation) {
  const Value wanted = Evaluate(operation.operands[0]);
  Truth found = false;
  for (std::size_t i = 1; i < operation.operands.size(); ++i) {
    const Truth equal = Equals(wanted, Evaluate(operation.operands[i]));
    if (equal == true) return Value::Bool(true);
    if (!equal) found = std::nullopt;
  }
  return ValueOf(found);
}

// One FALSE decides AND, one TRUE decides OR; else one NULL makes it NULL.
Value NaiveContext::Connect(const Operation& operation) {
  const bool decides = operation.op == Operator::kOr;
  bool is_unknown = false;
  for (const BoundExpr& operand : operation.operands) {
    const Truth truth = TruthOf(Evaluate(operand));
    if (truth == decides) return Value::Bool(decides);
    is_unknown = is_unknown || !truth;
  }
  return is_unknown ? Value() : Value::Bool(!decides);
}

Value NaiveContext::Operate(const Operation& operation) {
  const std::vector<BoundExpr>& operands = operation.operands;
  const auto value = [&](std::size_t i) { return Evaluate(operands[i]); };
  switch (operation.op) {
    case Operator::kNegate: {
      const Value number = value(0);
      return number.is_null() ? Value() : dataflow::Negate(number).value_or(Value());
    }
    case Operator::kAdd:
    case Operator::kSubtract:
    case Operator::kMultiply:
    case Operator::kDivide:
    case Operator::kModulo:
      return ArithmeticOf(operation.op, value(0), value(1));
    case Operator::kConcat: {
      const Value a = value(0);
      const Value b = value(1);
      if (a.is_null() || b.is_null()) return {};
      return Value::Text(ToText(a) + ToText(b));
    }
    case Operator::kEqual:
    case Operator::kNotEqual:
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual:
      return ValueOf(CompareBy(operation.op, value(0), value(1)));
    case Operator::kIsDistinct:
      return Value::Bool(IsDistinct(value(0), value(1)));
    case Operator::kIsNotDistinct:
      return Value::Bool(!IsDistinct(value(0), value(1)));
    case Operator::kIsNull:
      return Value::Bool(value(0).is_null());
    case Operator::kNot: {
      const Truth truth = TruthOf(value(0));
      return truth ? Value::Bool(!*truth) : Value();
    }
    case Operator::kAnd:
    case Operator::kOr:
      return Connect(operation);
    case Operator::kIn:
      return InList(operation);
    case Operator::kLike:
    case Operator::kILike:
      return LikeOf(operation.op, value(0), value(1));
    case Operator::kCase:
      for (std::size_t i = 0; i + 1 < operands.size(); i += 2) {
        if (IsTrue(operands[i])) return value(i + 1);
      }
      return value(operands.size() - 1);
    case Operator::kList: {
      std::vector<Value> items;
      for (const BoundExpr& operand : operands) items.push_back(Evaluate(operand));
      return Value::List(std::move(items));
    }
    case Operator::kRefPart: {
      const Value ref = value(0);
      const auto part = static_cast<std::size_t>(value(1).AsInt());
      if (ref.kind() != ValueKind::kRef || part >= ref.items().size()) return {};
      return ref.items()[part];
    }
  }
  return {};
}

Value NaiveContext::Subselect(const query::BoundSubselect& subselect) {
  const Value wanted = subselect.operand ? Evaluate(*subselect.operand) : Value();
  const std::vector<const NaiveRow*> outside = at_;
  const std::vector<NaiveRow> rows = Select(*subselect.select);
  at_ = outside;
  switch (subselect.kind) {
    case SubselectKind::kExists:
      return Value::Bool(!rows.empty());
    case SubselectKind::kIn: {
      Truth found = false;
      for (const NaiveRow& row : rows) {
        const Truth equal = Equals(wanted, row[0]);
        if (equal == true) return Value::Bool(true);
        if (!equal) found = std::nullopt;
      }
      return ValueOf(found);
    }
    case SubselectKind::kScalar:
    case SubselectKind::kObject:
      Check(rows.size() <= 1, "the binder lets only selects of one row stand here");
      if (rows.empty()) return {};
      return subselect.kind == SubselectKind::kScalar ? rows[0][0]
                                                      : ObjectFrom(*subselect.select, rows[0]);
    case SubselectKind::kList:
    case SubselectKind::kObjects: {
      std::vector<Value> items;
      for (const NaiveRow& row : rows) {
        items.push_back(
            subselect.kind == SubselectKind::kList ? row[0] : ObjectFrom(*subselect.select, row));
      }
      return Value::List(std::move(items));
    }
  }
  return {};
}

Value NaiveContext::Evaluate(const BoundExpr& expr) {
  if (const auto* constant = std::get_if<query::Constant>(&expr.node)) return constant->value;
  if (const auto* column = std::get_if<query::ColumnRef>(&expr.node)) {
    const NaiveRow* row = at_[query::ToNumber(column->source)];
    Check(row != nullptr, "a column is read where its source stands at a row");
    return row->at(column->column);
  }
  if (const auto* parameter = std::get_if<query::ParameterRef>(&expr.node)) {
    return parameters_[parameter->parameter];
  }
  if (const auto* operation = std::get_if<Operation>(&expr.node)) return Operate(*operation);
  if (const auto* cast = std::get_if<query::BoundCast>(&expr.node)) {
    const Value value = Evaluate(*cast->operand);
    if (value.is_null()) return {};
    dataflow::CastTarget target{.kind = expr.type.kind};
    if (expr.type.precision != 0) {
      target.precision = expr.type.precision;
      target.scale = expr.type.scale;
    }
    return dataflow::Cast(value, target).value_or(Value());
  }
  if (const auto* call = std::get_if<query::FunctionCall>(&expr.node)) {
    std::vector<Value> arguments;
    for (const BoundExpr& argument : call->arguments) arguments.push_back(Evaluate(argument));
    const bool has_null = std::ranges::any_of(arguments, &Value::is_null);
    if (has_null && !call->function->called_with_null) return {};
    return call->function->code(arguments).value_or(Value());
  }
  if (const auto* object = std::get_if<query::ObjectOf>(&expr.node)) {
    if (Evaluate(*object->presence).is_null()) return {};
    std::vector<Value> items;
    for (const BoundExpr& item : object->items) items.push_back(Evaluate(item));
    return Value::Object(std::make_shared<const std::vector<std::string>>(object->names),
                         std::move(items));
  }
  return Subselect(std::get<query::BoundSubselect>(expr.node));
}

}  // namespace trefoil::testing
