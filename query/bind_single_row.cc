// When a select can have one row only: what (SELECT ...) needs.
#include <algorithm>

#include "query/bind_context.h"

namespace trefoil::query {

namespace {

const Constant* AsConstant(const BoundExpr& expr) { return std::get_if<Constant>(&expr.node); }

}  // namespace

// True if the select has at most one row: an aggregate, LIMIT 1, or every key fixed by WHERE.
bool BindContext::IsSingleRow(const BoundSelect& select) {
  if (select.limit) {
    const Constant* limit = AsConstant(*select.limit);
    if (limit != nullptr && limit->value.kind() == ValueKind::kInt && limit->value.AsInt() <= 1) {
      return true;
    }
  }
  if (select.cores.size() != 1) return false;
  const BoundCore& core = select.cores[0];
  if (core.grouped) return core.group_keys.empty();
  // Columns that WHERE and ON make equal to something; repeated until nothing more gets fixed.
  std::vector<const BoundExpr*> conjuncts;
  const auto add = [&](const BoundExpr& condition) {
    const auto* operation = std::get_if<Operation>(&condition.node);
    if (operation != nullptr && operation->op == Operator::kAnd) {
      for (const BoundExpr& part : operation->operands) conjuncts.push_back(&part);
    } else {
      conjuncts.push_back(&condition);
    }
  };
  if (core.where) add(*core.where);
  std::vector<SourceId> open;
  for (const BoundJoin& join : core.from) {
    if (join.source.kind != SourceKind::kTable) return false;
    if (join.kind == JoinKind::kRight || join.kind == JoinKind::kFull) return false;
    if (join.on) add(*join.on);
    open.push_back(join.source.id);
  }
  std::vector<ColumnRef> fixed;
  const auto is_fixed = [&](const BoundExpr& expr) {
    bool all = true;
    ForEachExpr(expr, [&](const BoundExpr& part) {
      if (std::holds_alternative<BoundSubselect>(part.node)) all = false;
      const auto* ref = std::get_if<ColumnRef>(&part.node);
      if (ref != nullptr && std::ranges::find(open, ref->source) != open.end() &&
          std::ranges::find(fixed, *ref) == fixed.end()) {
        all = false;
      }
    });
    return all;
  };
  for (std::size_t round = 0; round <= core.from.size() && !open.empty(); ++round) {
    for (const BoundExpr* conjunct : conjuncts) {
      const auto* equal = std::get_if<Operation>(&conjunct->node);
      if (equal == nullptr || equal->op != Operator::kEqual) continue;
      for (int side : {0, 1}) {
        const auto* ref =
            std::get_if<ColumnRef>(&equal->operands[static_cast<std::size_t>(side)].node);
        if (ref != nullptr && is_fixed(equal->operands[static_cast<std::size_t>(1 - side)])) {
          fixed.push_back(*ref);
        }
      }
    }
    for (const BoundJoin& join : core.from) {
      const schema::Type* type = schema_.FindType(join.source.type);
      const bool keyed = std::ranges::all_of(type->key, [&](AttributeId id) {
        return std::ranges::any_of(fixed, [&](const ColumnRef& ref) {
          return ref.source == join.source.id && join.source.columns[ref.column].attribute == id;
        });
      });
      if (keyed) std::erase(open, join.source.id);
    }
  }
  return open.empty();
}

}  // namespace trefoil::query
