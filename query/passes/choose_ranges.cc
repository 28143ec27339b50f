// A filter directly above a scan that fixes the first columns of an index, and may bound the next
// one, becomes the range of the scan. The longest chain of equalities wins, then a bound, then the
// primary order.
#include <algorithm>
#include <array>

#include "dataflow/scalar.h"
#include "query/bind_context.h"
#include "query/optimizer.h"

namespace trefoil::query {

namespace {

// column op constant, the constant as a value of the column's kind.
struct Test {
  std::size_t conjunct = 0;
  AttributeId attribute{};
  Operator op{};
  Value value;
  std::optional<std::uint32_t> parameter = {};  // that the value is
  bool or_null = false;                         // NULL passes as well
};

// Whether every value of the kind stands in a column of this type as it is, so that a range made
// for one value is right for another.
bool IsPlain(ValueKind kind, const schema::ValueType& type) {
  constexpr std::array kPlain = {ValueKind::kBool,  ValueKind::kInt,       ValueKind::kText,
                                 ValueKind::kBytes, ValueKind::kTimestamp, ValueKind::kDate,
                                 ValueKind::kUuid};
  return kind == type.kind && std::ranges::find(kPlain, kind) != kPlain.end();
}

bool IsRange(Operator op) { return op >= Operator::kLess && op <= Operator::kGreaterEqual; }

// The value that stands in the column when it equals `value`; nothing if none does exactly.
std::optional<Value> InColumn(const Value& value, const schema::ValueType& type) {
  if (value.is_null() || type.is_any()) return std::nullopt;
  std::optional<Value> cast =
      dataflow::Cast(value, {.kind = type.kind, .precision = type.precision, .scale = type.scale});
  if (!cast || !dataflow::AreComparable(value.kind(), type.kind)) return std::nullopt;
  if (CompareAsSql(*cast, value) != 0) return std::nullopt;
  return cast;
}

// "column <= constant OR column IS NULL" is one range: NULL is less than everything.
const BoundExpr* WithoutNullCase(const BoundExpr& conjunct) {
  const auto* either = std::get_if<Operation>(&conjunct.node);
  if (either == nullptr || either->op != Operator::kOr || either->operands.size() != 2) {
    return nullptr;
  }
  const auto* less = std::get_if<Operation>(&either->operands[0].node);
  const auto* null = std::get_if<Operation>(&either->operands[1].node);
  if (less == nullptr || null == nullptr || null->op != Operator::kIsNull) return nullptr;
  if (less->op != Operator::kLess && less->op != Operator::kLessEqual) return nullptr;
  const auto* column = std::get_if<ColumnRef>(&less->operands[0].node);
  const auto* tested = std::get_if<ColumnRef>(&null->operands[0].node);
  const bool same = column != nullptr && tested != nullptr && *column == *tested;
  return same ? &either->operands[0] : nullptr;
}

// `node` is a scan. Parameters for other values of which the range would not be right join `fixed`.
std::optional<Test> ReadTest(const BoundExpr& conjunct, std::size_t index, const PlanNode& node,
                             const schema::Type& type, std::vector<std::uint32_t>& fixed) {
  if (const BoundExpr* less = WithoutNullCase(conjunct)) {
    std::optional<Test> test = ReadTest(*less, index, node, type, fixed);
    if (test) test->or_null = true;
    return test;
  }
  const auto* operation = std::get_if<Operation>(&conjunct.node);
  if (operation == nullptr || operation->operands.size() != 2) return std::nullopt;
  if (operation->op != Operator::kEqual && !IsRange(operation->op)) return std::nullopt;
  for (const std::size_t side : {0u, 1u}) {
    const auto* ref = std::get_if<ColumnRef>(&operation->operands[side].node);
    const auto* constant = std::get_if<Constant>(&operation->operands[1 - side].node);
    if (ref == nullptr || constant == nullptr) continue;
    const AttributeId attribute = std::get<ScanNode>(node.op).attributes[PositionOf(node, *ref)];
    const schema::Attribute* declared = type.Find(attribute);
    if (declared == nullptr || declared->merge == schema::MergeKind::kSet) return std::nullopt;
    std::optional<Value> value = InColumn(constant->value, declared->type);
    if (!value) return std::nullopt;
    std::optional<std::uint32_t> parameter = constant->parameter;
    if (parameter && !IsPlain(constant->value.kind(), declared->type)) {
      fixed.push_back(*parameter);
      parameter.reset();
    }
    return Test{index, attribute, side == 0 ? operation->op : Mirrored(operation->op),
                *std::move(value), parameter};
  }
  return std::nullopt;
}

struct Choice {
  dataflow::Probe probe;
  dataflow::RangeParameters parameters;
  std::vector<AttributeId> attributes;
  std::vector<std::size_t> used;  // conjuncts that the range settles
};

Choice Match(const dataflow::AccessPath& path, const std::vector<AttributeId>& columns,
             const std::vector<Test>& tests) {
  Choice choice;
  choice.probe.path = path;
  for (const AttributeId column : columns) {
    const auto equal = std::ranges::find_if(tests, [&](const Test& test) {
      return test.attribute == column && test.op == Operator::kEqual;
    });
    if (equal != tests.end()) {
      choice.probe.prefix.push_back(equal->value);
      choice.parameters.prefix.push_back(equal->parameter);
      choice.attributes.push_back(column);
      choice.used.push_back(equal->conjunct);
      continue;
    }
    bool with_null = false;
    for (const Test& test : tests) {
      if (test.attribute != column || !IsRange(test.op)) continue;
      const bool is_lower = test.op == Operator::kGreater || test.op == Operator::kGreaterEqual;
      std::optional<dataflow::Bound>& bound = is_lower ? choice.probe.lower : choice.probe.upper;
      if (bound) continue;
      bound = dataflow::Bound{
          test.value, test.op == Operator::kGreaterEqual || test.op == Operator::kLessEqual};
      (is_lower ? choice.parameters.lower : choice.parameters.upper) = test.parameter;
      with_null = with_null || test.or_null;
      choice.used.push_back(test.conjunct);
    }
    if (choice.probe.lower || choice.probe.upper) {
      choice.attributes.push_back(column);
      // NULL sorts first, and is not less than anything.
      if (!choice.probe.lower && !with_null) choice.probe.lower = dataflow::Bound{Value(), false};
    }
    break;
  }
  return choice;
}

std::size_t Score(const Choice& choice) {
  return choice.probe.prefix.size() * 4 + (choice.probe.lower ? 1 : 0) +
         (choice.probe.upper ? 1 : 0);
}

void ChooseFor(PlanNode& filter_node, PlanNode& scan_node, const schema::Schema& schema,
               std::vector<std::uint32_t>& fixed) {
  auto& filter = std::get<FilterNode>(filter_node.op);
  auto& scan = std::get<ScanNode>(scan_node.op);
  const schema::Type* type = schema.FindType(scan.type);
  if (type == nullptr || scan.only) return;
  std::vector<Test> tests;
  for (std::size_t i = 0; i < filter.conjuncts.size(); ++i) {
    if (auto test = ReadTest(filter.conjuncts[i], i, scan_node, *type, fixed)) {
      tests.push_back(*std::move(test));
    }
  }
  Choice best = Match({}, type->key, tests);
  for (const schema::Index* index : schema.IndexesOf(scan.type)) {
    if (!index->ready) continue;
    std::vector<AttributeId> columns;
    for (const schema::IndexColumn& column : index->columns) columns.push_back(column.attribute);
    Choice choice = Match({.index = index->id}, columns, tests);
    if (Score(choice) > Score(best)) best = std::move(choice);
  }
  if (best.used.empty()) return;
  scan.only = std::move(best.probe);
  scan.range_attributes = std::move(best.attributes);
  scan.parameters = std::move(best.parameters);
  std::ranges::sort(best.used, std::greater());
  for (const std::size_t i : best.used) {
    filter.conjuncts.erase(filter.conjuncts.begin() + static_cast<std::ptrdiff_t>(i));
  }
  // A filter without conditions lets every row pass.
  if (filter.conjuncts.empty()) {
    filter.conjuncts.push_back(MakeConstant(Value::Bool(true)));
  }
}

}  // namespace

void ChooseRanges(Plan& plan, const schema::Schema& schema) {
  std::vector<int> readers(plan.nodes.size());
  for (const PlanNode& node : plan.nodes) {
    for (const PlanNumber input : node.inputs) ++readers[input];
  }
  for (PlanNode& node : plan.nodes) {
    if (!std::holds_alternative<FilterNode>(node.op)) continue;
    PlanNode& below = plan.nodes[node.inputs[0]];
    if (std::holds_alternative<ScanNode>(below.op) && readers[node.inputs[0]] == 1) {
      ChooseFor(node, below, schema, plan.fixed_parameters);
    }
  }
}

}  // namespace trefoil::query
