#include "query/column_names.h"

#include <string_view>

#include "base/str_cat.h"
#include "query/functions.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

std::string_view Symbol(Operator op) {
  switch (op) {
    case Operator::kAdd:
      return " + ";
    case Operator::kSubtract:
      return " - ";
    case Operator::kMultiply:
      return " * ";
    case Operator::kDivide:
      return " / ";
    case Operator::kModulo:
      return " % ";
    case Operator::kConcat:
      return " || ";
    case Operator::kEqual:
      return " = ";
    case Operator::kNotEqual:
      return " <> ";
    case Operator::kLess:
      return " < ";
    case Operator::kLessEqual:
      return " <= ";
    case Operator::kGreater:
      return " > ";
    case Operator::kGreaterEqual:
      return " >= ";
    case Operator::kIsDistinct:
      return " IS DISTINCT FROM ";
    case Operator::kIsNotDistinct:
      return " IS NOT DISTINCT FROM ";
    case Operator::kAnd:
      return " AND ";
    case Operator::kOr:
      return " OR ";
    case Operator::kLike:
      return " LIKE ";
    case Operator::kILike:
      return " ILIKE ";
    default:
      return {};
  }
}

}  // namespace

ColumnNames::ColumnNames(const BoundSelect& select, const Plan& plan) {
  Collect(select);
  for (const PlanNode& node : plan.nodes) NameComputed(node);
}

std::string ColumnNames::Of(ColumnRef column) const {
  const auto found = names_.find(column);
  return found == names_.end() ? StrCat("#", ToNumber(column.source), ".", column.column)
                               : found->second;
}

std::string ColumnNames::Of(const std::vector<ColumnRef>& columns) const {
  std::string text;
  for (const ColumnRef& column : columns) text += StrCat(text.empty() ? "" : ", ", Of(column));
  return text;
}

std::string ColumnNames::SourceName(const PlanNode& scan) const {
  if (scan.columns.empty()) return {};
  const auto found = sources_.find(scan.columns[0].ref.source);
  return found == sources_.end() ? std::string() : found->second;
}

void ColumnNames::Collect(const BoundSelect& select) {
  for (const BoundCte& cte : select.ctes) Collect(*cte.select);
  for (const BoundCore& core : select.cores) Collect(core);
  const std::vector<BoundExpr>& outputs = select.cores[0].outputs;
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    const bool is_named = i < select.columns.size() && !select.columns[i].name.empty() &&
                          !std::holds_alternative<ColumnRef>(outputs[i].node);
    names_.emplace(ColumnRef{select.id, i}, is_named ? select.columns[i].name : Text(outputs[i]));
  }
}

void ColumnNames::Collect(const BoundCore& core) {
  for (const BoundJoin& join : core.from) {
    const BoundSource& source = join.source;
    sources_.emplace(source.id, source.name);
    for (std::uint32_t i = 0; i < source.columns.size(); ++i) {
      names_.emplace(ColumnRef{source.id, i}, StrCat(source.name, ".", source.columns[i].name));
    }
    CollectRefs(source.refs);
    if (source.select) Collect(*source.select);
  }
  for (const BoundJoin& join : core.from) {
    if (join.on) CollectSelectsIn(*join.on);
  }
  if (core.where) CollectSelectsIn(*core.where);
  for (std::uint32_t i = 0; i < core.group_keys.size(); ++i) {
    CollectSelectsIn(core.group_keys[i]);
    names_.emplace(ColumnRef{core.group, i}, Text(core.group_keys[i]));
  }
  for (std::uint32_t i = 0; i < core.aggregates.size(); ++i) {
    const BoundAggregate& aggregate = core.aggregates[i];
    if (aggregate.argument) CollectSelectsIn(*aggregate.argument);
    names_.emplace(ColumnRef{core.results, i},
                   StrCat(NameOf(aggregate.function), "(", aggregate.distinct ? "DISTINCT " : "",
                          aggregate.argument ? Text(*aggregate.argument) : "*", ")"));
  }
  CollectRefs(core.group_refs);
  if (core.having) CollectSelectsIn(*core.having);
  for (const BoundExpr& output : core.outputs) CollectSelectsIn(output);
}

void ColumnNames::CollectSelectsIn(const BoundExpr& expr) {
  ForEachExpr(expr, [&](const BoundExpr& part) {
    const auto* subselect = std::get_if<BoundSubselect>(&part.node);
    if (subselect != nullptr) Collect(*subselect->select);
  });
}

void ColumnNames::CollectRefs(const std::vector<RefJoin>& refs) {
  for (const RefJoin& ref : refs) {
    sources_.emplace(ref.id, Of(ref.via));
    for (std::uint32_t i = 0; i < ref.columns.size(); ++i) {
      names_.emplace(ColumnRef{ref.id, i}, StrCat(Of(ref.via), ".", ref.columns[i].name));
    }
  }
}

// Columns that only the planner knows.
void ColumnNames::NameComputed(const PlanNode& node) {
  if (const auto* map = std::get_if<MapNode>(&node.op)) {
    for (std::size_t i = 0; i < map->outputs.size(); ++i) {
      names_.emplace(node.columns[i].ref, Text(map->outputs[i]));
    }
  }
  const auto* semi = std::get_if<SemiJoinNode>(&node.op);
  if (semi != nullptr && semi->kind == SemiKind::kMark) {
    names_.emplace(node.columns.back().ref, "matched");
  }
  for (std::size_t i = 0; i < node.columns.size(); ++i) {
    const bool is_loop = std::holds_alternative<LoopNode>(node.op);
    if (is_loop) names_.emplace(node.columns[i].ref, StrCat("found.", i + 1));
    const auto* fixpoint = std::get_if<FixpointNode>(&node.op);
    if (fixpoint != nullptr && fixpoint->relations.size() > 1) {
      names_.emplace(node.columns[i].ref, i == 0 ? std::string("relation") : StrCat("column.", i));
    }
  }
}

std::string ColumnNames::List(const std::vector<BoundExpr>& exprs, std::size_t from) const {
  std::string text;
  for (std::size_t i = from; i < exprs.size(); ++i) {
    text += StrCat(text.empty() ? "" : ", ", Text(exprs[i]));
  }
  return text;
}

std::string ColumnNames::Operand(const BoundExpr& expr) const {
  const auto* operation = std::get_if<Operation>(&expr.node);
  const bool is_infix = operation != nullptr && !Symbol(operation->op).empty();
  return is_infix ? StrCat("(", Text(expr), ")") : Text(expr);
}

std::string ColumnNames::OperationText(const Operation& operation) const {
  const std::vector<BoundExpr>& operands = operation.operands;
  switch (operation.op) {
    case Operator::kNegate:
      return StrCat("-", Operand(operands[0]));
    case Operator::kIsNull:
      return StrCat(Operand(operands[0]), " IS NULL");
    case Operator::kNot:
      return StrCat("NOT ", Operand(operands[0]));
    case Operator::kIn:
      return StrCat(Operand(operands[0]), " IN (", List(operands, 1), ")");
    case Operator::kCase:
      return StrCat("CASE(", List(operands, 0), ")");
    case Operator::kList:
      return StrCat("[", List(operands, 0), "]");
    case Operator::kRefPart:
      return StrCat("part(", List(operands, 0), ")");
    default:
      break;
  }
  std::string text;
  for (const BoundExpr& operand : operands) {
    text += StrCat(text.empty() ? std::string_view() : Symbol(operation.op), Operand(operand));
  }
  return text;
}

std::string ColumnNames::Text(const BoundExpr& expr) const {
  if (const auto* constant = std::get_if<Constant>(&expr.node)) {
    return PrintLiteral(constant->value);
  }
  if (const auto* column = std::get_if<ColumnRef>(&expr.node)) return Of(*column);
  if (std::holds_alternative<ParameterRef>(expr.node)) return "?";
  if (const auto* operation = std::get_if<Operation>(&expr.node)) return OperationText(*operation);
  if (const auto* cast = std::get_if<BoundCast>(&expr.node)) {
    return StrCat("CAST(", Text(*cast->operand), " AS ", KindName(expr.type.kind), ")");
  }
  if (const auto* call = std::get_if<FunctionCall>(&expr.node)) {
    return StrCat(call->function->name, "(", List(call->arguments, 0), ")");
  }
  if (const auto* object = std::get_if<ObjectOf>(&expr.node)) {
    return StrCat("{", List(object->items, 0), "}");
  }
  return "(SELECT)";
}

std::string ColumnNames::Text(const std::vector<BoundExpr>& conjuncts) const {
  std::string text;
  for (const BoundExpr& conjunct : conjuncts) {
    text += StrCat(text.empty() ? "" : " AND ", Text(conjunct));
  }
  return text;
}

}  // namespace trefoil::query
