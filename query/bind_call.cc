// Calls: aggregates and scalar functions.
#include <algorithm>

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/bind_context.h"
#include "query/diagnostic.h"
#include "query/functions.h"

namespace trefoil::query {

namespace {

bool IsNumber(const ExprType& type) {
  return type.kind == ValueKind::kInt || type.kind == ValueKind::kFloat ||
         type.kind == ValueKind::kDecimal;
}

BoundExpr CastTo(BoundExpr expr, const ExprType& type) {
  const Span span = expr.span;
  return {
      .node = BoundCast{std::make_unique<BoundExpr>(std::move(expr))}, .type = type, .span = span};
}

ExprType AggregateType(Aggregate function, const ExprType& argument) {
  switch (function) {
    case Aggregate::kCount:
      return kIntType;
    case Aggregate::kSum:
    case Aggregate::kTotal:
      return {.kind = argument.kind};
    case Aggregate::kAvg:
      return argument.kind == ValueKind::kDecimal ? kAnyType : kFloatType;
    case Aggregate::kMin:
    case Aggregate::kMax:
      return argument;
    case Aggregate::kBoolAnd:
    case Aggregate::kBoolOr:
      return kBoolType;
    case Aggregate::kStringAgg:
      return kTextType;
    case Aggregate::kArrayAgg:
      return {.kind = ValueKind::kList};
  }
  return kAnyType;
}

// `common` is the type that all arguments share, where the signature wants one.
ExprType ResultType(const Function& function, const std::vector<BoundExpr>& arguments,
                    const ExprType& common) {
  switch (const char result = ResultClass(function.signature)) {
    case 't':
      return kTextType;
    case 'i':
      return kIntType;
    case 'f':
      return kFloatType;
    case 'b':
      return kBoolType;
    case 'j':
      return {.kind = ValueKind::kJson};
    case 'T':
      return {.kind = ValueKind::kTimestamp};
    case 'D':
      return {.kind = ValueKind::kDate};
    case 'u':
      return {.kind = common.kind};
    default:
      if (result < '0' || result > '9') return kAnyType;
      return {.kind = arguments[static_cast<std::size_t>(result - '0')].type.kind};
  }
}

}  // namespace

std::optional<Aggregate> AggregateNamed(std::string_view name) {
  constexpr std::pair<std::string_view, Aggregate> kNames[] = {
      {"count", Aggregate::kCount},
      {"sum", Aggregate::kSum},
      {"total", Aggregate::kTotal},
      {"avg", Aggregate::kAvg},
      {"min", Aggregate::kMin},
      {"max", Aggregate::kMax},
      {"bool_and", Aggregate::kBoolAnd},
      {"bool_or", Aggregate::kBoolOr},
      {"string_agg", Aggregate::kStringAgg},
      {"array_agg", Aggregate::kArrayAgg}};
  for (const auto& [known, aggregate] : kNames) {
    if (EqualIgnoringCase(known, name)) return aggregate;
  }
  return std::nullopt;
}

bool HasAggregate(const Expr& expr) {
  const auto any = [](const std::vector<Expr>& list) {
    return std::ranges::any_of(list, HasAggregate);
  };
  const auto one = [](const ExprPtr& part) { return part != nullptr && HasAggregate(*part); };
  if (const auto* call = std::get_if<Call>(&expr.node)) {
    return AggregateNamed(call->function.text).has_value() || any(call->arguments);
  }
  if (const auto* node = std::get_if<Unary>(&expr.node)) return one(node->operand);
  if (const auto* node = std::get_if<Binary>(&expr.node))
    return one(node->left) || one(node->right);
  if (const auto* node = std::get_if<Logical>(&expr.node)) return any(node->operands);
  if (const auto* node = std::get_if<IsNull>(&expr.node)) return one(node->operand);
  if (const auto* node = std::get_if<In>(&expr.node)) return one(node->operand) || any(node->list);
  if (const auto* node = std::get_if<Between>(&expr.node)) {
    return one(node->operand) || one(node->low) || one(node->high);
  }
  if (const auto* node = std::get_if<Like>(&expr.node))
    return one(node->operand) || one(node->pattern);
  if (const auto* node = std::get_if<Cast>(&expr.node)) return one(node->operand);
  if (const auto* node = std::get_if<ListLiteral>(&expr.node)) return any(node->items);
  if (const auto* node = std::get_if<Case>(&expr.node)) {
    return one(node->operand) || one(node->otherwise) ||
           std::ranges::any_of(node->branches, [&](const CaseBranch& branch) {
             return one(branch.when) || one(branch.then);
           });
  }
  return false;
}

BoundExpr BindContext::BindNode(const Call& node, const Expr& expr, Scope* scope) {
  if (const auto aggregate = AggregateNamed(node.function.text)) {
    return BindAggregate(node, *aggregate, expr.span, scope);
  }
  if (node.star || node.distinct || node.filter) {
    Fail(node.function.span, ErrorCode::kInvalidArgument,
         StrCat("*, DISTINCT and FILTER belong to aggregates, \"", node.function.text,
                "\" is none"));
    return MakeConstant(Value(), expr.span);
  }
  return BindFunction(node, expr.span, scope);
}

BoundExpr BindContext::BindAggregate(const Call& call, Aggregate function, Span span,
                                     Scope* scope) {
  if (scope == nullptr || !scope->allows_aggregate || !scope->behind_group) {
    Fail(span, ErrorCode::kInvalidArgument,
         StrCat(call.function.text, "(...) is an aggregate, which has no place here"),
         "aggregates stand in the outputs, HAVING and ORDER BY, not inside each other");
    return MakeConstant(Value(), span);
  }
  const bool is_string_agg = function == Aggregate::kStringAgg;
  const std::size_t wanted = call.star ? 0 : is_string_agg ? 2 : 1;
  if ((call.star && function != Aggregate::kCount) || call.arguments.size() != wanted) {
    Fail(span, ErrorCode::kInvalidArgument,
         StrCat(call.function.text, "(...) takes ",
                function == Aggregate::kCount ? "* or one argument"
                : is_string_agg               ? "a value and a separator"
                                              : "one argument"));
    return MakeConstant(Value(), span);
  }
  // Arguments are about the rows of the group.
  scope->behind_group = false;
  BoundAggregate aggregate{.function = function, .distinct = call.distinct};
  if (!call.star) aggregate.argument = BindExpr(call.arguments[0], scope);
  if (call.filter) aggregate.filter = BindCondition(*call.filter, scope);
  scope->behind_group = true;
  if (failed()) return MakeConstant(Value(), span);
  if (is_string_agg) {
    const auto* separator = std::get_if<Literal>(&call.arguments[1].node);
    if (separator == nullptr || separator->value.kind() != ValueKind::kText) {
      Fail(call.arguments[1].span, ErrorCode::kInvalidArgument,
           "the separator of string_agg is a text literal");
      return MakeConstant(Value(), span);
    }
    aggregate.separator = separator->value.AsText();
    if (aggregate.argument->type.kind != ValueKind::kText) {
      aggregate.argument = CastTo(*std::move(aggregate.argument), kTextType);
    }
  }
  const ExprType argument = aggregate.argument ? aggregate.argument->type : kAnyType;
  const bool is_sum =
      function == Aggregate::kSum || function == Aggregate::kTotal || function == Aggregate::kAvg;
  if (is_sum && !argument.is_any() && !IsNumber(argument)) {
    Fail(call.arguments[0].span, ErrorCode::kTypeMismatch,
         StrCat(call.function.text, "(...) needs numbers, this is ", TypeText(argument)));
  }
  if (function == Aggregate::kBoolAnd || function == Aggregate::kBoolOr) {
    aggregate.argument = Fit(*std::move(aggregate.argument), kBoolType, "the argument");
  }
  aggregate.type = AggregateType(function, argument);
  return AddAggregate(std::move(aggregate), span, *scope);
}

// Equal aggregates are computed once.
BoundExpr BindContext::AddAggregate(BoundAggregate aggregate, Span span, Scope& scope) {
  std::vector<BoundAggregate>& all = scope.core->aggregates;
  const auto same = [&](const std::optional<BoundExpr>& a, const std::optional<BoundExpr>& b) {
    return a.has_value() == b.has_value() && (!a || SameExpr(*a, *b));
  };
  auto found = std::ranges::find_if(all, [&](const BoundAggregate& other) {
    return other.function == aggregate.function && other.distinct == aggregate.distinct &&
           other.separator == aggregate.separator && same(other.argument, aggregate.argument) &&
           same(other.filter, aggregate.filter);
  });
  const ExprType type = aggregate.type;
  if (found == all.end()) {
    all.push_back(std::move(aggregate));
    found = all.end() - 1;
  }
  return MakeColumn({scope.core->results, static_cast<std::uint32_t>(found - all.begin())}, type,
                    span);
}

// The function of that name for that many arguments; null after failing.
const Function* BindContext::KnownFunction(const Call& call, Span span) {
  const Function* function = FindFunction(call.function.text);
  if (function == nullptr) {
    std::vector<std::string_view> names = {"count",     "sum",     "total",      "avg",
                                           "min",       "max",     "now",        "bool_and",
                                           "conflicts", "bool_or", "string_agg", "array_agg"};
    for (const Function& each : AllFunctions()) names.push_back(each.name);
    Fail(call.function.span, ErrorCode::kUnknownFunction,
         StrCat("there is no function \"", call.function.text, "\""),
         NearestNameHint(call.function.text, names));
    return nullptr;
  }
  const Arity arity = ArityOf(function->signature);
  if (call.arguments.size() < arity.least || call.arguments.size() > arity.most) {
    const std::string most = arity.most == SIZE_MAX      ? "or more"
                             : arity.most == arity.least ? ""
                                                         : StrCat("to ", arity.most);
    Fail(span, ErrorCode::kInvalidArgument,
         StrCat(function->name, "(...) takes ", arity.least, most.empty() ? "" : " ", most,
                arity.least == 1 && most.empty() ? " argument, not " : " arguments, not ",
                call.arguments.size()));
    return nullptr;
  }
  return function;
}

BoundExpr BindContext::BindFunction(const Call& call, Span span, Scope* scope) {
  if (EqualIgnoringCase(call.function.text, "now") && call.arguments.empty()) {
    const std::uint32_t number = ParameterNumber(kNowParameter, 0);
    parameter(number).type = {.kind = ValueKind::kTimestamp};
    return {.node = ParameterRef{number}, .type = parameter(number).type, .span = span};
  }
  if (EqualIgnoringCase(call.function.text, "conflicts")) return BindConflicts(call, span, scope);
  const bool is_cast_to_date = EqualIgnoringCase(call.function.text, "date");
  if ((is_cast_to_date || EqualIgnoringCase(call.function.text, "timestamp")) &&
      call.arguments.size() == 1) {
    const ValueKind kind = is_cast_to_date ? ValueKind::kDate : ValueKind::kTimestamp;
    return CastTo(BindExpr(call.arguments[0], scope), {.kind = kind});
  }
  const Function* function = KnownFunction(call, span);
  if (function == nullptr) return MakeConstant(Value(), span);
  std::vector<BoundExpr> arguments;
  ExprType common;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    BoundExpr argument = BindExpr(call.arguments[i], scope);
    const char wanted = ArgumentClass(function->signature, i);
    const ValueKind kind = argument.type.is_set ? ValueKind::kList : argument.type.kind;
    if (!Accepts(wanted, kind)) {
      Fail(argument.span, ErrorCode::kTypeMismatch,
           StrCat("argument ", i + 1, " of ", function->name, "(...) is ", ClassName(wanted),
                  ", but this is ", TypeText(argument.type)));
    }
    if (ResultClass(function->signature) == 'u' && !failed()) {
      if (i > 0) Align(arguments[0], argument, argument.span);
      common = i == 0 ? argument.type : Unify(common, argument.type, argument.span);
    }
    arguments.push_back(std::move(argument));
  }
  const ExprType type = ResultType(*function, arguments, common);
  return {.node = FunctionCall{function, std::move(arguments)}, .type = type, .span = span};
}

}  // namespace trefoil::query
