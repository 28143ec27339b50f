#include "dataflow/operators/route_reach.h"

#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::dataflow {

namespace {

RouteReach WidestReach(const RouteAlternative& alternative) {
  RouteReach reach;
  for (const RouteSlot& slot : alternative) {
    switch (slot.test) {
      case RouteTest::kEqual:
      case RouteTest::kSame:
        reach.key.push_back(slot);
        break;
      case RouteTest::kIn:
        if (reach.in) break;
        reach.in = slot;
        reach.in_place = reach.key.size();
        reach.key.push_back(slot);
        break;
      case RouteTest::kPrefix:
        if (!reach.lower && !reach.upper && !reach.prefix) reach.prefix = slot;
        break;
      case RouteTest::kGreater:
      case RouteTest::kGreaterEqual:
        if (!reach.prefix && !reach.lower && (!reach.upper || reach.upper->row == slot.row)) {
          reach.lower = slot;
        }
        break;
      case RouteTest::kLess:
      case RouteTest::kLessEqual:
        if (!reach.prefix && !reach.upper && (!reach.lower || reach.lower->row == slot.row)) {
          reach.upper = slot;
        }
        break;
    }
  }
  return reach;
}

// The least text above all texts with this prefix, if there is one.
std::optional<Value> BehindPrefix(std::string_view prefix) {
  std::string behind(prefix);
  while (!behind.empty() && behind.back() == '\xff') behind.pop_back();
  if (behind.empty()) return std::nullopt;
  behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
  return Value::Text(behind);
}

}  // namespace

void RouteReach::DropRange() {
  prefix.reset();
  lower.reset();
  upper.reset();
}

RouteReach ReachOf(const RouteAlternative& alternative, const Operator& bindings,
                   const Operator& rows) {
  RouteReach reach = WidestReach(alternative);
  for (const std::optional<RouteSlot>& slot : {reach.prefix, reach.lower, reach.upper}) {
    if (!slot) continue;
    const ValueKind kind = rows.columns()[slot->row];
    if (kind != ValueKind::kNull && kind == bindings.columns()[slot->binding]) continue;
    reach.DropRange();
    break;
  }
  return reach;
}

Ask AskOf(const RouteReach& reach, const std::vector<SortColumn>& order) {
  Ask ask;
  for (const RouteSlot& slot : reach.key) ask.equal.push_back(slot.row);
  const std::optional<RouteSlot>& bounded =
      reach.prefix ? reach.prefix : (reach.lower ? reach.lower : reach.upper);
  if (bounded) ask.range = bounded->row;
  ask.order = order;
  return ask;
}

bool SetBounds(const RouteReach& reach, RowView binding, ReachBounds& bounds) {
  bounds.key.clear();
  bounds.lower.reset();
  bounds.upper.reset();
  for (const RouteSlot& slot : reach.key) {
    const Value& value = binding[slot.binding];
    if (value.is_null() && slot.test != RouteTest::kSame) return false;
    bounds.key.push_back(value);
  }
  if (reach.prefix) {
    const Value& prefix = binding[reach.prefix->binding];
    if (prefix.kind() != ValueKind::kText) return false;
    bounds.lower = Bound{.value = prefix, .inclusive = true};
    if (auto behind = BehindPrefix(prefix.AsText())) {
      bounds.upper = Bound{.value = *std::move(behind), .inclusive = false};
    }
    return true;
  }
  for (const std::optional<RouteSlot>& slot : {reach.lower, reach.upper}) {
    if (slot && binding[slot->binding].is_null()) return false;
  }
  // NULL is below every value and passes no comparison.
  if (reach.lower || reach.upper) bounds.lower = Bound{.value = {}, .inclusive = false};
  if (reach.lower) bounds.lower = Bound{.value = binding[reach.lower->binding], .inclusive = true};
  if (reach.upper) bounds.upper = Bound{.value = binding[reach.upper->binding], .inclusive = true};
  return true;
}

bool ReadReach(const RouteReach& reach, const ReachBounds& bounds, std::span<const Value> after,
               Context& context, RowSink sink) {
  return reach.port.Read({.key = bounds.key,
                          .when = When::kNew,
                          .lower = bounds.lower ? &*bounds.lower : nullptr,
                          .upper = bounds.upper ? &*bounds.upper : nullptr,
                          .after = after,
                          .wanted = bounds.wanted},
                         context, sink);
}

Status CheckSlot(const RouteSlot& slot, const Operator& bindings, const Operator& rows) {
  if (slot.binding >= bindings.columns().size() || slot.row >= rows.columns().size()) {
    return InvalidArgument("route: no such column");
  }
  const ValueKind row = rows.columns()[slot.row];
  ValueKind binding = bindings.columns()[slot.binding];
  if (slot.test == RouteTest::kIn) {
    if (binding == ValueKind::kList || binding == ValueKind::kNull) return Ok();
  } else if (row == binding || row == ValueKind::kNull || binding == ValueKind::kNull) {
    return Ok();
  }
  return MakeError(ErrorCode::kTypeMismatch,
                   StrCat("route: a parameter of kind ", KindName(binding),
                          " is never the same as ", KindName(row)),
                   "CAST the parameter");
}

std::string DescribeSlot(const RouteSlot& slot) {
  constexpr const char* kNames[] = {"=", "is", "in", "begins with", "<", "<=", ">", ">="};
  return StrCat("#", slot.row, " ", kNames[static_cast<std::size_t>(slot.test)], " $",
                slot.binding);
}

}  // namespace trefoil::dataflow
