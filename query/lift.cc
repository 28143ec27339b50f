#include "query/lift.h"

#include <algorithm>
#include <functional>

#include "base/str_cat.h"
#include "dataflow/scalar.h"
#include "query/lexer.h"
#include "query/plan.h"

namespace trefoil::query {

namespace {

bool IsSlotType(const ExprType& type) { return !type.is_any() && !type.is_set; }

// `value` as a value of `type` that equals it; nothing if there is none.
std::optional<Value> InType(const Value& value, const ExprType& type) {
  if (value.is_null() || !IsSlotType(type)) return std::nullopt;
  if (!dataflow::AreComparable(value.kind(), type.kind)) return std::nullopt;
  dataflow::CastTarget target{.kind = type.kind};
  if (type.precision != 0) {
    target.precision = type.precision;
    target.scale = type.scale;
  }
  std::optional<Value> cast = dataflow::Cast(value, target);
  if (!cast || CompareAsSql(*cast, value) != 0) return std::nullopt;
  return cast;
}

bool ComparesForSlots(Operator op) {
  return op == Operator::kEqual || op == Operator::kIsNotDistinct ||
         (op >= Operator::kLess && op <= Operator::kGreaterEqual);
}

// Finds the slots of a statement, always in the same order. `Visit` is called with the expression
// that is a slot, and its type.
template <typename Visit>
class SlotWalk {
 public:
  SlotWalk(const std::vector<BoundParameter>& parameters, const Visit& visit)
      : parameters_(parameters), visit_(visit) {}

  void WalkSelect(auto& select) {
    // A name of WITH is planned once, so its literals stay.
    ++named_depth_;
    for (auto& cte : select.ctes) WalkSelect(*cte.select);
    --named_depth_;
    for (auto& core : select.cores) WalkCore(core);
    for (auto& value : select.after) WalkExpr(value);
  }

 private:
  void WalkCore(auto& core) {
    for (auto& join : core.from) {
      if (join.source.select) WalkSelect(*join.source.select);
      if (join.on) WalkCondition(*join.on);
    }
    if (core.where) WalkCondition(*core.where);
    for (auto& key : core.group_keys) WalkExpr(key);
    for (auto& aggregate : core.aggregates) {
      if (aggregate.argument) WalkExpr(*aggregate.argument);
      if (aggregate.filter) WalkExpr(*aggregate.filter);
    }
    if (core.having) WalkExpr(*core.having);
    for (auto& output : core.outputs) WalkExpr(output);
  }

  void WalkCondition(auto& expr) {
    auto* operation = std::get_if<Operation>(&expr.node);
    if (operation == nullptr) return WalkExpr(expr);
    auto& operands = operation->operands;
    if (operation->op == Operator::kAnd || operation->op == Operator::kOr) {
      for (auto& operand : operands) WalkCondition(operand);
    } else if (ComparesForSlots(operation->op)) {
      // Known before the first visit, which may change what it visits.
      const bool with_right = IsColumn(operands[1]);
      const bool with_left = IsColumn(operands[0]);
      const ExprType left = operands[0].type;
      WalkSide(operands[0], operands[1].type, with_right);
      WalkSide(operands[1], left, with_left);
    } else if (operation->op == Operator::kIn) {
      const bool is_short = operands.size() - 1 <= kLiftedItemsMax && IsColumn(operands[0]);
      const ExprType left = operands[0].type;
      WalkExpr(operands[0]);
      for (std::size_t i = 1; i < operands.size(); ++i) WalkSide(operands[i], left, is_short);
    } else {
      WalkExpr(expr);
    }
  }

  static bool IsColumn(const BoundExpr& expr) {
    return std::holds_alternative<ColumnRef>(expr.node) && IsSlotType(expr.type);
  }

  // One side of a comparison whose other side has type `other`.
  void WalkSide(auto& side, const ExprType& type, bool with_column) {
    if (with_column && std::holds_alternative<ParameterRef>(side.node)) {
      visit_(side, type);
      return;
    }
    const auto* constant = std::get_if<Constant>(&side.node);
    const bool lifts = constant != nullptr && with_column && named_depth_ == 0 &&
                       side.span.begin < side.span.end && InType(constant->value, type).has_value();
    if (lifts) return visit_(side, type);
    WalkExpr(side);
  }

  void WalkExpr(auto& expr) {
    if (const auto* ref = std::get_if<ParameterRef>(&expr.node)) {
      const ExprType type = expr.type.is_any() ? parameters_[ref->parameter].type : expr.type;
      visit_(expr, type);
    } else if (auto* operation = std::get_if<Operation>(&expr.node)) {
      for (auto& operand : operation->operands) WalkExpr(operand);
    } else if (auto* cast = std::get_if<BoundCast>(&expr.node)) {
      WalkExpr(*cast->operand);
    } else if (auto* call = std::get_if<FunctionCall>(&expr.node)) {
      for (auto& argument : call->arguments) WalkExpr(argument);
    } else if (auto* object = std::get_if<ObjectOf>(&expr.node)) {
      WalkExpr(*object->presence);
      for (auto& item : object->items) WalkExpr(item);
    } else if (auto* subselect = std::get_if<BoundSubselect>(&expr.node)) {
      if (subselect->operand) WalkExpr(*subselect->operand);
      WalkSelect(*subselect->select);
    }
  }

  const std::vector<BoundParameter>& parameters_;
  const Visit& visit_;
  int named_depth_ = 0;
};

// Everything that the planner takes from `select` beside the tokens of the text: names of columns,
// which may spell what was lifted, and the parameters that count rows.
void CollectRest(const BoundSelect& select, LiftedQuery& lifted) {
  for (const BoundColumn& column : select.columns) {
    lifted.key += StrCat('\1', column.name);
  }
  for (const auto* count : {&select.limit, &select.offset}) {
    if (!*count) continue;
    if (const auto* ref = std::get_if<ParameterRef>(&(*count)->node)) {
      lifted.counts.push_back(ref->parameter);
    }
  }
  const auto visit = [&](const BoundExpr& expr) {
    ForEachExpr(expr, [&](const BoundExpr& part) {
      if (const auto* subselect = std::get_if<BoundSubselect>(&part.node)) {
        CollectRest(*subselect->select, lifted);
      }
    });
  };
  for (const BoundCte& cte : select.ctes) CollectRest(*cte.select, lifted);
  for (const BoundCore& core : select.cores) {
    for (const BoundJoin& join : core.from) {
      if (join.source.select) CollectRest(*join.source.select, lifted);
      if (join.on) visit(*join.on);
    }
    for (const auto* condition : {&core.where, &core.having}) {
      if (*condition) visit(**condition);
    }
    for (const BoundExpr& key : core.group_keys) visit(key);
    for (const BoundAggregate& aggregate : core.aggregates) {
      if (aggregate.argument) visit(*aggregate.argument);
      if (aggregate.filter) visit(*aggregate.filter);
    }
    for (const BoundExpr& output : core.outputs) visit(output);
  }
}

// The tokens of the text, a slot as one question mark.
std::string TextWithout(std::vector<Span> slots, std::string_view text) {
  std::ranges::sort(slots, {}, &Span::begin);
  std::string key;
  std::size_t next = 0;
  for (const Token& token : Lex(text)) {
    while (next < slots.size() && slots[next].end <= token.span.begin) ++next;
    const bool in_slot = next < slots.size() && slots[next].begin <= token.span.begin &&
                         token.kind != TokenKind::kEnd;
    if (!in_slot) {
      key += StrCat(text.substr(token.span.begin, token.span.end - token.span.begin), ' ');
    } else if (slots[next].begin == token.span.begin) {
      key += "? ";
    }
  }
  return key;
}

}  // namespace

LiftedQuery Lift(const BoundQuery& bound, std::string_view text) {
  LiftedQuery lifted;
  std::vector<Span> spans;
  std::string kinds;
  const auto add = [&](const BoundExpr& expr, const ExprType& type) {
    Slot slot{.type = type, .parameter = {}, .literal = {}};
    if (const auto* ref = std::get_if<ParameterRef>(&expr.node)) {
      slot.parameter = ref->parameter;
    } else {
      slot.literal = *InType(std::get<Constant>(expr.node).value, type);
    }
    spans.push_back(expr.span);
    kinds += StrCat('\1', static_cast<int>(type.kind), '.', static_cast<int>(type.precision), '.',
                    static_cast<int>(type.scale), type.is_set ? "s" : "");
    lifted.slots.push_back(std::move(slot));
  };
  SlotWalk<decltype(add)>(bound.parameters, add).WalkSelect(bound.select);
  lifted.key = TextWithout(std::move(spans), text) + kinds + '\2';
  CollectRest(bound.select, lifted);
  return lifted;
}

std::string PlanKey(const LiftedQuery& lifted, std::span<const Value> parameters) {
  std::string key = lifted.key;
  for (const std::uint32_t count : lifted.counts) key += StrCat('\1', ToJson(parameters[count]));
  return key;
}

std::optional<std::vector<Value>> SlotValues(const LiftedQuery& lifted,
                                             std::span<const Value> parameters) {
  std::vector<Value> values;
  values.reserve(lifted.slots.size());
  for (const Slot& slot : lifted.slots) {
    const Value& value = slot.parameter ? parameters[*slot.parameter] : slot.literal;
    const ValueKind kind = KindOfType(slot.type);
    const bool as_it_is = value.kind() == kind && kind != ValueKind::kDecimal;
    if (value.is_null() || kind == ValueKind::kNull || as_it_is) {
      values.push_back(value);
    } else if (std::optional<Value> fitted = InType(value, slot.type)) {
      values.push_back(*std::move(fitted));
    } else {
      return std::nullopt;
    }
  }
  return values;
}

void ReplaceSlots(BoundQuery& bound, SourceId bindings) {
  std::uint32_t column = 0;
  const auto replace = [&](BoundExpr& expr, const ExprType& type) {
    expr.node = ColumnRef{bindings, ++column};
    expr.type = type;
  };
  SlotWalk<decltype(replace)>(bound.parameters, replace).WalkSelect(bound.select);
}

}  // namespace trefoil::query
