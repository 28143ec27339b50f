// Expressions: operators, functions, aggregates, nested selects, and their
// types.
#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "base/str_cat.h"
#include "base/text_parse.h"
#include "base/time_text.h"
#include "query/bind_context.h"
#include "query/diagnostic.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

bool IsNumber(const ExprType& type) {
  return type.kind == ValueKind::kInt || type.kind == ValueKind::kFloat ||
         type.kind == ValueKind::kDecimal;
}

bool IsTime(const ExprType& type) {
  return type.kind == ValueKind::kDate || type.kind == ValueKind::kTimestamp;
}

// Kinds whose values meet in one order.
bool SameFamily(const ExprType& a, const ExprType& b) {
  if (a.is_set != b.is_set) return a.is_any() || b.is_any();
  return a.kind == b.kind || (IsNumber(a) && IsNumber(b)) || (IsTime(a) && IsTime(b));
}

const Constant* AsConstant(const BoundExpr& expr) { return std::get_if<Constant>(&expr.node); }

BoundExpr CastTo(BoundExpr expr, const ExprType& type) {
  const Span span = expr.span;
  return {
      .node = BoundCast{std::make_unique<BoundExpr>(std::move(expr))}, .type = type, .span = span};
}

Operator OperatorOf(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return Operator::kAdd;
    case BinaryOperator::kSubtract:
      return Operator::kSubtract;
    case BinaryOperator::kMultiply:
      return Operator::kMultiply;
    case BinaryOperator::kDivide:
      return Operator::kDivide;
    case BinaryOperator::kModulo:
      return Operator::kModulo;
    case BinaryOperator::kConcat:
      return Operator::kConcat;
    case BinaryOperator::kEqual:
      return Operator::kEqual;
    case BinaryOperator::kNotEqual:
      return Operator::kNotEqual;
    case BinaryOperator::kLess:
      return Operator::kLess;
    case BinaryOperator::kLessEqual:
      return Operator::kLessEqual;
    case BinaryOperator::kGreater:
      return Operator::kGreater;
    case BinaryOperator::kGreaterEqual:
      return Operator::kGreaterEqual;
    case BinaryOperator::kIsDistinct:
      return Operator::kIsDistinct;
    case BinaryOperator::kIsNotDistinct:
      return Operator::kIsNotDistinct;
  }
  return Operator::kEqual;
}

template <typename... Operands>
std::vector<BoundExpr> ListOf(Operands... operands) {
  std::vector<BoundExpr> list;
  (list.push_back(std::move(operands)), ...);
  return list;
}

BoundExpr Not(BoundExpr expr) {
  const Span span = expr.span;
  return MakeOperation(Operator::kNot, ListOf(std::move(expr)), kBoolType, span);
}

// What a value of the type looks like in a text, or what is wrong with the one that is there. Null:
// the expression is no constant.
std::string HowToWrite(const ExprType& type, const Constant* constant) {
  const bool is_text =
      !type.is_set && constant != nullptr && constant->value.kind() == ValueKind::kText;
  if (type.kind == ValueKind::kDate) return "a DATE is written 2026-01-31";
  if (is_text && type.kind == ValueKind::kTimestamp) {
    return "a TIMESTAMP is written 2026-01-31T12:00:00Z";
  }
  if (is_text && type.kind == ValueKind::kUuid) {
    return "a UUID is written 01234567-89ab-cdef-0123-456789abcdef";
  }
  if (is_text && type.kind == ValueKind::kJson) {
    return StrCat("the text is no JSON: ", DescribeJsonProblem(constant->value.AsText()));
  }
  return "CAST(... AS ...) turns one kind into another";
}

}  // namespace

BoundExpr MakeOperation(Operator op, std::vector<BoundExpr> operands, ExprType type, Span span) {
  return {.node = Operation{op, std::move(operands)}, .type = type, .span = span};
}

std::string TypeText(const ExprType& type) {
  const std::string kind(type.is_any() ? "ANY" : KindName(type.kind));
  return type.is_set ? "a SET of " + kind : kind;
}

std::optional<Value> ValueFromText(std::string_view text, const ExprType& type) {
  const auto boxed = [](const auto& parsed, auto make) -> std::optional<Value> {
    if (!parsed) return std::nullopt;
    return make(*parsed);
  };
  switch (type.kind) {
    case ValueKind::kDate:
      return boxed(ParseDate(text), Value::Date);
    case ValueKind::kTimestamp:
      return boxed(ParseTimestamp(text), Value::Timestamp);
    case ValueKind::kUuid:
      return boxed(ParseUuid(text), [](const std::string& bytes) { return Value::Uuid(bytes); });
    case ValueKind::kDecimal:
      return boxed(ParseDecimal(text, type.scale),
                   [](Decimal d) { return Value::Decimal(d.unscaled, d.scale); });
    case ValueKind::kJson:
      return boxed(CanonicalJson(text), [](const std::string& json) { return Value::Json(json); });
    case ValueKind::kText:
      return Value::Text(text);
    default:
      return std::nullopt;
  }
}

void BindContext::Fail(Span span, ErrorCode code, std::string message, std::string hint) {
  if (!error_) error_ = ErrorAt(text_, span, code, std::move(message), std::move(hint));
}

std::uint32_t BindContext::ParameterNumber(std::string_view name, int ordinal) {
  std::vector<BoundParameter>& all = statement_.parameters;
  const auto found = std::ranges::find_if(all, [&](const BoundParameter& parameter) {
    return parameter.name == name && parameter.ordinal == ordinal;
  });
  if (found != all.end()) return static_cast<std::uint32_t>(found - all.begin());
  all.push_back({.name = std::string(name), .ordinal = ordinal, .type = {}});
  return static_cast<std::uint32_t>(all.size() - 1);
}

// ---- types ----

BoundExpr BindContext::Fit(BoundExpr expr, const ExprType& type, std::string_view what) {
  if (const auto* ref = std::get_if<ParameterRef>(&expr.node)) {
    BoundParameter& wanted = parameter(ref->parameter);
    if (wanted.type.is_any()) wanted.type = type;
    expr.type = wanted.type;
  }
  if (type.is_any() || expr.type.is_any()) return expr;
  const Constant* constant = AsConstant(expr);
  if (constant != nullptr && !type.is_set && expr.type.kind != type.kind) {
    if (expr.type.kind == ValueKind::kText) {
      if (std::optional<Value> value = ValueFromText(constant->value.AsText(), type)) {
        return {.node = Constant{*std::move(value)}, .type = type, .span = expr.span};
      }
    } else if (expr.type.kind == ValueKind::kDecimal && type.kind == ValueKind::kFloat) {
      if (const std::optional<double> number = ParseFloat(ToText(constant->value))) {
        return MakeConstant(Value::Float(*number), expr.span);
      }
    }
  }
  if (type.is_set && expr.type.kind == ValueKind::kList) return expr;
  if (!SameFamily(expr.type, type)) {
    Fail(expr.span, ErrorCode::kTypeMismatch,
         StrCat(what, " is ", TypeText(type), ", but this is ", TypeText(expr.type)),
         HowToWrite(type, constant));
  }
  return expr;
}

void BindContext::Align(BoundExpr& left, BoundExpr& right, Span span) {
  const auto is_open = [](const BoundExpr& expr) {
    return AsConstant(expr) != nullptr || std::holds_alternative<ParameterRef>(expr.node);
  };
  if (is_open(left) && !is_open(right)) {
    left = Fit(std::move(left), right.type, "the other side");
  } else if (is_open(right)) {
    right = Fit(std::move(right), left.type, "the other side");
    if (is_open(left)) left = Fit(std::move(left), right.type, "the other side");
  }
  if (failed() || left.type.is_any() || right.type.is_any()) return;
  if (!SameFamily(left.type, right.type)) {
    Fail(span, ErrorCode::kTypeMismatch,
         StrCat("cannot compare ", TypeText(left.type), " with ", TypeText(right.type)),
         "CAST(... AS ...) turns one kind into another");
    return;
  }
  // A DECIMAL beside a FLOAT is taken as the nearest FLOAT, as PostgreSQL does.
  if (left.type.kind == ValueKind::kFloat && right.type.kind == ValueKind::kDecimal) {
    right = CastTo(std::move(right), kFloatType);
  } else if (right.type.kind == ValueKind::kFloat && left.type.kind == ValueKind::kDecimal) {
    left = CastTo(std::move(left), kFloatType);
  }
}

ExprType BindContext::Unify(const ExprType& a, const ExprType& b, Span span) {
  if (a == b) return a;
  if (a.is_any()) return b.is_any() ? a : ExprType{.kind = b.kind};
  if (b.is_any()) return {.kind = a.kind};
  if (a.kind == b.kind) return {.kind = a.kind};
  if (IsNumber(a) && IsNumber(b)) {
    if (a.kind == ValueKind::kFloat || b.kind == ValueKind::kFloat) return kFloatType;
    return {.kind = ValueKind::kDecimal};
  }
  if (IsTime(a) && IsTime(b)) return {.kind = ValueKind::kTimestamp};
  Fail(span, ErrorCode::kTypeMismatch,
       StrCat("these values have no common type: ", TypeText(a), " and ", TypeText(b)),
       "CAST(... AS ...) turns one kind into another");
  return kAnyType;
}

BoundExpr BindContext::Compare(Operator op, BoundExpr left, BoundExpr right, Span span) {
  Align(left, right, span);
  return MakeOperation(op, ListOf(std::move(left), std::move(right)), kBoolType, span);
}

BoundExpr BindContext::BindArithmetic(Operator op, BoundExpr left, BoundExpr right, Span span) {
  for (BoundExpr* side : {&left, &right}) {
    const BoundExpr& other = side == &left ? right : left;
    if (auto* ref = std::get_if<ParameterRef>(&side->node)) {
      BoundParameter& wanted = parameter(ref->parameter);
      if (wanted.type.is_any() && IsNumber(other.type)) wanted.type = {.kind = other.type.kind};
      side->type = wanted.type;
    }
    if (!side->type.is_any() && (!IsNumber(side->type) || side->type.is_set)) {
      Fail(side->span, ErrorCode::kTypeMismatch,
           StrCat("arithmetic needs numbers, this is ", TypeText(side->type)),
           IsTime(side->type) ? "use date_add(time, count, unit) or date_diff(unit, from, to)"
                              : "CAST(... AS INT) reads a number from text");
    }
  }
  ExprType type;
  if (left.type.kind == ValueKind::kFloat || right.type.kind == ValueKind::kFloat) {
    type = kFloatType;
  } else if (!left.type.is_any() && !right.type.is_any()) {
    const bool both_int = left.type.kind == ValueKind::kInt && right.type.kind == ValueKind::kInt;
    type.kind = both_int ? ValueKind::kInt : ValueKind::kDecimal;
  }
  return MakeOperation(op, ListOf(std::move(left), std::move(right)), type, span);
}

BoundExpr BindContext::BindConcat(BoundExpr left, BoundExpr right, Span span) {
  for (BoundExpr* side : {&left, &right}) {
    if (side->type.kind != ValueKind::kText) *side = CastTo(std::move(*side), kTextType);
  }
  return MakeOperation(Operator::kConcat, ListOf(std::move(left), std::move(right)), kTextType,
                       span);
}

// ---- nodes ----

BoundExpr BindContext::BindExpr(const Expr& expr, Scope* scope) {
  if (++bound_count_ > text_.size() + kRepeatedExpressionsMax) {
    Fail(expr.span, ErrorCode::kLimit,
         "the statement repeats its operands too often (limit: repeated "
         "expressions)",
         "nest fewer BETWEEN, CASE and WITH RECURSIVE in each other");
  }
  if (failed()) return MakeConstant(Value(), expr.span);
  // A GROUP BY expression, written again, is the group's.
  if (scope != nullptr && scope->behind_group && !std::holds_alternative<Path>(expr.node)) {
    const auto found = std::ranges::find(scope->group_texts, Print(expr));
    if (found != scope->group_texts.end()) {
      const auto index = static_cast<std::uint32_t>(found - scope->group_texts.begin());
      return MakeColumn({scope->core->group, index}, scope->core->group_keys[index].type,
                        expr.span);
    }
  }
  return std::visit([&](const auto& node) { return BindNode(node, expr, scope); }, expr.node);
}

BoundExpr BindContext::BindCondition(const Expr& expr, Scope* scope) {
  BoundExpr bound = BindExpr(expr, scope);
  if (!bound.type.is_any() && bound.type.kind != ValueKind::kBool) {
    Fail(expr.span, ErrorCode::kTypeMismatch,
         StrCat("a condition is BOOL, this is ", TypeText(bound.type)),
         "compare it with something, as in x <> 0");
  }
  return Fit(std::move(bound), kBoolType, "a condition");
}

BoundExpr BindContext::BindNode(const Literal& node, const Expr& expr, Scope*) {
  return MakeConstant(node.value, expr.span);
}

BoundExpr BindContext::BindNode(const Path& node, const Expr& expr, Scope* scope) {
  return BindPath(node, expr.span, scope);
}

BoundExpr BindContext::BindNode(const Parameter& node, const Expr& expr, Scope*) {
  const std::uint32_t number = ParameterNumber(node.name, node.ordinal);
  return {.node = ParameterRef{number}, .type = parameter(number).type, .span = expr.span};
}

BoundExpr BindContext::BindNode(const Unary& node, const Expr& expr, Scope* scope) {
  if (node.op == UnaryOperator::kNot) {
    BoundExpr operand = Not(BindCondition(*node.operand, scope));
    operand.span = expr.span;
    return operand;
  }
  BoundExpr operand = BindExpr(*node.operand, scope);
  if (!operand.type.is_any() && !IsNumber(operand.type)) {
    Fail(operand.span, ErrorCode::kTypeMismatch,
         StrCat("- needs a number, this is ", TypeText(operand.type)));
  }
  const ExprType type = operand.type;
  return MakeOperation(Operator::kNegate, ListOf(std::move(operand)), {.kind = type.kind},
                       expr.span);
}

BoundExpr BindContext::BindNode(const Binary& node, const Expr& expr, Scope* scope) {
  BoundExpr left = BindExpr(*node.left, scope);
  BoundExpr right = BindExpr(*node.right, scope);
  const Operator op = OperatorOf(node.op);
  if (op == Operator::kConcat) return BindConcat(std::move(left), std::move(right), expr.span);
  if (op <= Operator::kModulo) {
    return BindArithmetic(op, std::move(left), std::move(right), expr.span);
  }
  return Compare(op, std::move(left), std::move(right), expr.span);
}

BoundExpr BindContext::BindNode(const Logical& node, const Expr& expr, Scope* scope) {
  std::vector<BoundExpr> operands;
  for (const Expr& operand : node.operands) operands.push_back(BindCondition(operand, scope));
  return MakeOperation(node.is_and ? Operator::kAnd : Operator::kOr, std::move(operands), kBoolType,
                       expr.span);
}

BoundExpr BindContext::BindNode(const IsNull& node, const Expr& expr, Scope* scope) {
  BoundExpr test = MakeOperation(Operator::kIsNull, ListOf(BindExpr(*node.operand, scope)),
                                 kBoolType, expr.span);
  return node.negated ? Not(std::move(test)) : std::move(test);
}

BoundExpr BindContext::BindNode(const In& node, const Expr& expr, Scope* scope) {
  BoundExpr operand = BindExpr(*node.operand, scope);
  if (node.select) {
    auto select = std::make_unique<BoundSelect>(
        BindSelect(*node.select, scope, scope == nullptr ? nullptr : scope->ctes));
    if (failed()) return operand;
    if (select->columns.size() != 1) {
      Fail(node.select->span, ErrorCode::kInvalidArgument,
           StrCat("IN needs a select of one column, this one has ", select->columns.size()));
      return operand;
    }
    BoundExpr column = MakeColumn({select->id, 0}, select->columns[0].type, node.select->span);
    Align(operand, column, expr.span);
    BoundSubselect in{.kind = SubselectKind::kIn,
                      .operand = std::make_unique<BoundExpr>(std::move(operand)),
                      .select = std::move(select)};
    BoundExpr bound{.node = std::move(in), .type = kBoolType, .span = expr.span};
    return node.negated ? Not(std::move(bound)) : std::move(bound);
  }
  std::vector<BoundExpr> operands;
  operands.push_back(std::move(operand));
  for (const Expr& item : node.list) {
    BoundExpr bound = BindExpr(item, scope);
    Align(operands[0], bound, item.span);
    operands.push_back(std::move(bound));
  }
  BoundExpr in = MakeOperation(Operator::kIn, std::move(operands), kBoolType, expr.span);
  return node.negated ? Not(std::move(in)) : std::move(in);
}

BoundExpr BindContext::BindNode(const Between& node, const Expr& expr, Scope* scope) {
  BoundExpr low = Compare(Operator::kGreaterEqual, BindExpr(*node.operand, scope),
                          BindExpr(*node.low, scope), expr.span);
  BoundExpr high = Compare(Operator::kLessEqual, BindExpr(*node.operand, scope),
                           BindExpr(*node.high, scope), expr.span);
  BoundExpr both =
      MakeOperation(Operator::kAnd, ListOf(std::move(low), std::move(high)), kBoolType, expr.span);
  return node.negated ? Not(std::move(both)) : std::move(both);
}

BoundExpr BindContext::BindNode(const Like& node, const Expr& expr, Scope* scope) {
  BoundExpr text = Fit(BindExpr(*node.operand, scope), kTextType, "the left side of LIKE");
  BoundExpr pattern = Fit(BindExpr(*node.pattern, scope), kTextType, "the pattern of LIKE");
  BoundExpr like = MakeOperation(node.ignore_case ? Operator::kILike : Operator::kLike,
                                 ListOf(std::move(text), std::move(pattern)), kBoolType, expr.span);
  return node.negated ? Not(std::move(like)) : std::move(like);
}

BoundExpr BindContext::BindNode(const Case& node, const Expr& expr, Scope* scope) {
  std::vector<BoundExpr> operands;
  ExprType type;
  const auto add_result = [&](BoundExpr result) {
    const bool is_null = AsConstant(result) != nullptr && AsConstant(result)->value.is_null();
    if (!is_null) type = type.is_any() ? result.type : Unify(type, result.type, result.span);
    operands.push_back(std::move(result));
  };
  for (const CaseBranch& branch : node.branches) {
    operands.push_back(node.operand ? Compare(Operator::kEqual, BindExpr(*node.operand, scope),
                                              BindExpr(*branch.when, scope), branch.when->span)
                                    : BindCondition(*branch.when, scope));
    add_result(BindExpr(*branch.then, scope));
  }
  add_result(node.otherwise ? BindExpr(*node.otherwise, scope) : MakeConstant(Value(), expr.span));
  return MakeOperation(Operator::kCase, std::move(operands), type, expr.span);
}

BoundExpr BindContext::BindNode(const Cast& node, const Expr& expr, Scope* scope) {
  BoundExpr operand = BindExpr(*node.operand, scope);
  ExprType type{.kind = node.type.kind,
                .precision = node.type.precision,
                .scale = node.type.scale,
                .target = std::nullopt,
                .is_set = false};
  if (node.type.merge != schema::MergeKind::kRegister || type.kind == ValueKind::kRef) {
    Fail(node.type.span, ErrorCode::kUnsupported, "CAST is to a plain type: INT, TEXT, DATE, ...");
  }
  if (const auto* ref = std::get_if<ParameterRef>(&operand.node)) {
    // The parameter itself may be of any kind; the cast does the rest.
    operand.type = parameter(ref->parameter).type;
  }
  const Constant* constant = AsConstant(operand);
  if (constant != nullptr && operand.type.kind == ValueKind::kText &&
      type.kind != ValueKind::kText) {
    if (std::optional<Value> value = ValueFromText(constant->value.AsText(), type)) {
      return {.node = Constant{*std::move(value)}, .type = type, .span = expr.span};
    }
  }
  BoundExpr cast = CastTo(std::move(operand), type);
  cast.span = expr.span;
  return cast;
}

BoundExpr BindContext::BindNode(const Exists& node, const Expr& expr, Scope* scope) {
  BoundSubselect exists{.kind = SubselectKind::kExists,
                        .operand = nullptr,
                        .select = std::make_unique<BoundSelect>(BindSelect(
                            *node.select, scope, scope == nullptr ? nullptr : scope->ctes))};
  return {.node = std::move(exists), .type = kBoolType, .span = expr.span};
}

BoundExpr BindContext::BindNode(const Subselect& node, const Expr& expr, Scope* scope) {
  BoundSubselect bound{.kind = {},
                       .operand = nullptr,
                       .select = std::make_unique<BoundSelect>(BindSelect(
                           *node.select, scope, scope == nullptr ? nullptr : scope->ctes))};
  const BoundSelect& select = *bound.select;
  if (failed()) return MakeConstant(Value(), expr.span);
  ExprType type;
  if (node.is_list) {
    bound.kind = select.scalar ? SubselectKind::kList : SubselectKind::kObjects;
    type.kind = ValueKind::kList;
  } else {
    const bool one_column = !select.shaped && select.columns.size() == 1;
    bound.kind = one_column ? SubselectKind::kScalar : SubselectKind::kObject;
    type = one_column ? select.columns[0].type : ExprType{.kind = ValueKind::kObject};
    if (!IsSingleRow(select)) {
      Fail(expr.span, ErrorCode::kInvalidArgument, "(SELECT ...) may have more than one row here",
           "add LIMIT 1, aggregate it, or write [SELECT ...] for a list");
    }
  }
  return {.node = std::move(bound), .type = type, .span = expr.span};
}

BoundExpr BindContext::BindNode(const ListLiteral& node, const Expr& expr, Scope* scope) {
  std::vector<BoundExpr> items;
  for (const Expr& item : node.items) items.push_back(BindExpr(item, scope));
  return MakeOperation(Operator::kList, std::move(items), {.kind = ValueKind::kList}, expr.span);
}

BoundExpr BindContext::BindNode(const ShapeOf& node, const Expr& expr, Scope* scope) {
  return BindShapeOf(node.path, node.shape.entries, expr.span, scope);
}

}  // namespace trefoil::query
