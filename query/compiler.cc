#include "query/compiler.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/check.h"
#include "dataflow/operators/bound_top_k.h"
#include "dataflow/operators/feed.h"
#include "dataflow/operators/filter.h"
#include "dataflow/operators/fixpoint.h"
#include "dataflow/operators/group_by.h"
#include "dataflow/operators/input.h"
#include "dataflow/operators/join.h"
#include "dataflow/operators/left_join.h"
#include "dataflow/operators/map.h"
#include "dataflow/operators/project.h"
#include "dataflow/operators/route.h"
#include "dataflow/operators/semi_join.h"
#include "dataflow/operators/set_operation.h"
#include "dataflow/operators/top_k.h"
#include "dataflow/operators/union_all.h"
#include "query/to_expression.h"

namespace trefoil::query {

namespace {

using dataflow::Column;
using dataflow::NodeNumber;

class Compiler {
 public:
  Compiler(const Plan& plan, Parameters parameters) : plan_(plan), parameters_(parameters) {}

  Result<Compiled> Run() {
    MarkLoops();
    MarkBoundRoutes();
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const PlanNode& node = plan_.nodes[i];
      // What depends on a loop belongs to the body of its fixpoint, a bound route to its top.
      out_.nodes.push_back(in_loop_[i] || is_bound_[i] ? 0 : EmitNode(node));
    }
    for (const PlanLevel& level : plan_.levels) EmitLevel(level);
    return std::move(out_);
  }

 private:
  Column PlaceIn(PlanNumber node, ColumnRef ref) const {
    return static_cast<Column>(PositionOf(plan_.nodes[node], ref));
  }
  // Position over the columns of all inputs, one input behind the other.
  Column PlaceInInputs(const PlanNode& node, ColumnRef ref) const {
    Column offset = 0;
    for (const PlanNumber input : node.inputs) {
      if (HasColumn(plan_.nodes[input], ref)) return offset + PlaceIn(input, ref);
      offset += static_cast<Column>(plan_.nodes[input].columns.size());
    }
    Check(false, "a plan node reads columns of its inputs");
    return 0;
  }
  ColumnPlace PlaceOver(const PlanNode& node) const {
    return [this, &node](ColumnRef ref) { return PlaceInInputs(node, ref); };
  }
  dataflow::Expression Expressed(const BoundExpr& expr, const PlanNode& node) const {
    dataflow::Expression expression = ToExpression(expr, PlaceOver(node));
    if (parameters_ == Parameters::kFixed) dataflow::FixParameters(expression);
    return expression;
  }
  std::vector<NodeNumber> InputsOf(const PlanNode& node) const {
    std::vector<NodeNumber> inputs;
    for (const PlanNumber input : node.inputs) {
      inputs.push_back(body_ != nullptr ? body_->numbers.at(input) : out_.nodes[input]);
    }
    return inputs;
  }
  dataflow::Expression Conjunction(const std::vector<BoundExpr>& conjuncts,
                                   const PlanNode& node) const {
    std::vector<dataflow::Expression> terms;
    for (const BoundExpr& conjunct : conjuncts) {
      terms.push_back(Expressed(conjunct, node));
    }
    return terms.size() == 1 ? std::move(terms[0]) : dataflow::And(std::move(terms));
  }
  std::optional<dataflow::Expression> Condition(const std::vector<BoundExpr>& conditions,
                                                const PlanNode& node) const {
    if (conditions.empty()) return std::nullopt;
    return Conjunction(conditions, node);
  }
  std::vector<dataflow::Join::Equality> Equalities(const std::vector<PlanEquality>& on,
                                                   const PlanNode& node) const {
    std::vector<dataflow::Join::Equality> equalities;
    for (const PlanEquality& equality : on) {
      equalities.push_back({.left = PlaceInInputs(node, equality.left),
                            .right = PlaceInInputs(node, equality.right),
                            .nulls_equal = equality.nulls_equal});
    }
    return equalities;
  }
  std::vector<Column> Outputs(const PlanNode& node) const {
    std::vector<Column> outputs;
    for (const PlanColumn& column : node.columns) {
      outputs.push_back(PlaceInInputs(node, column.ref));
    }
    return outputs;
  }

  NodeNumber Emit(const ScanNode& op, const PlanNode& node) {
    dataflow::Input input{
        .relation = {.type = op.type, .columns = op.attributes}, .kinds = {}, .only = op.only};
    if (parameters_ == Parameters::kBound) input.parameters = op.parameters;
    for (const PlanColumn& column : node.columns) input.kinds.push_back(column.kind);
    return AddSpec(std::move(input));
  }
  NodeNumber Emit(const OneRowNode&, const PlanNode&) {
    // The one group of an empty key is always there, even of no row.
    const NodeNumber nothing =
        AddSpec(dataflow::Feed{.name = "nothing", .kinds = {ValueKind::kInt}});
    return AddSpec(
        dataflow::GroupBy{.key = {}, .aggregates = {{.function = "count", .arguments = {}}}},
        {nothing});
  }
  NodeNumber Emit(const BindingsNode& op, const PlanNode& node) {
    dataflow::Feed feed{.name = op.name, .kinds = {}};
    for (const PlanColumn& column : node.columns) feed.kinds.push_back(column.kind);
    out_.bindings = AddSpec(std::move(feed));
    return *out_.bindings;
  }
  NodeNumber Emit(const FilterNode& op, const PlanNode& node) {
    return AddSpec(dataflow::Filter{Conjunction(op.conjuncts, node)}, InputsOf(node));
  }
  NodeNumber Emit(const MapNode& op, const PlanNode& node) {
    const bool moves_only = !std::holds_alternative<OneRowNode>(plan_.nodes[node.inputs[0]].op) &&
                            std::ranges::all_of(op.outputs, [](const BoundExpr& output) {
                              return std::holds_alternative<ColumnRef>(output.node);
                            });
    if (moves_only) {
      std::vector<Column> columns;
      for (const BoundExpr& output : op.outputs) {
        columns.push_back(PlaceIn(node.inputs[0], std::get<ColumnRef>(output.node)));
      }
      return AddSpec(dataflow::Project{std::move(columns)}, InputsOf(node));
    }
    std::vector<dataflow::Expression> outputs;
    for (const BoundExpr& output : op.outputs) {
      outputs.push_back(Expressed(output, node));
    }
    return AddSpec(dataflow::Map{std::move(outputs)}, InputsOf(node));
  }
  NodeNumber Emit(const JoinNode& op, const PlanNode& node) {
    return AddSpec(dataflow::Join{.on = Equalities(op.on, node),
                                  .condition = Condition(op.conditions, node),
                                  .outputs = Outputs(node)},
                   InputsOf(node));
  }
  NodeNumber Emit(const RouteNode& op, const PlanNode& node) {
    dataflow::Route route{
        .alternatives = {}, .condition = Condition(op.conditions, node), .outputs = Outputs(node)};
    for (const auto& tests : op.alternatives) route.alternatives.push_back(SlotsOf(tests, node));
    return AddSpec(std::move(route), InputsOf(node));
  }
  dataflow::RouteAlternative SlotsOf(const std::vector<PlanRouteTest>& tests,
                                     const PlanNode& node) const {
    dataflow::RouteAlternative slots;
    for (const PlanRouteTest& test : tests) {
      slots.push_back({.test = test.test,
                       .row = PlaceIn(node.inputs[1], test.row),
                       .binding = PlaceIn(node.inputs[0], test.binding)});
    }
    return slots;
  }
  NodeNumber Emit(const LeftJoinNode& op, const PlanNode& node) {
    return AddSpec(dataflow::LeftJoin{.on = Equalities(op.on, node),
                                      .condition = Condition(op.conditions, node),
                                      .outputs = Outputs(node)},
                   InputsOf(node));
  }
  NodeNumber Emit(const SemiJoinNode& op, const PlanNode& node) {
    const dataflow::SemiJoinKind kind = op.kind == SemiKind::kSemi ? dataflow::SemiJoinKind::kSemi
                                        : op.kind == SemiKind::kAnti
                                            ? dataflow::SemiJoinKind::kAnti
                                            : dataflow::SemiJoinKind::kMark;
    return AddSpec(dataflow::SemiJoin{.kind = kind,
                                      .on = Equalities(op.on, node),
                                      .condition = Condition(op.conditions, node)},
                   InputsOf(node));
  }
  NodeNumber Emit(const GroupNode& op, const PlanNode& node) {
    dataflow::GroupBy group;
    for (const ColumnRef& key : op.keys) group.key.push_back(PlaceInInputs(node, key));
    for (const PlanAggregate& aggregate : op.aggregates) {
      dataflow::AggregateCall call{.function = std::string(NameOf(aggregate.function)),
                                   .arguments = {},
                                   .filter = std::nullopt,
                                   .distinct = aggregate.distinct};
      if (aggregate.argument) call.arguments.push_back(PlaceInInputs(node, *aggregate.argument));
      if (aggregate.filter) call.filter = PlaceInInputs(node, *aggregate.filter);
      if (aggregate.function == Aggregate::kStringAgg) {
        call.parameters.push_back(Value::Text(aggregate.separator));
      }
      group.aggregates.push_back(std::move(call));
    }
    return AddSpec(std::move(group), InputsOf(node));
  }
  NodeNumber Emit(const SetNode& op, const PlanNode& node) {
    using dataflow::SetOperationKind;
    switch (op.kind) {
      case SetKind::kUnionAll:
        return AddSpec(dataflow::UnionAll{}, InputsOf(node));
      case SetKind::kDistinct:
        return AddSpec(dataflow::SetOperation{SetOperationKind::kDistinct}, InputsOf(node));
      case SetKind::kIntersect:
        return AddSpec(dataflow::SetOperation{SetOperationKind::kIntersect}, InputsOf(node));
      case SetKind::kExcept:
        return AddSpec(dataflow::SetOperation{SetOperationKind::kExcept}, InputsOf(node));
    }
    return 0;
  }
  NodeNumber EmitBound(const TopNode& op, const PlanNode& route_node) {
    const auto& route = std::get<RouteNode>(route_node.op);
    dataflow::BoundTopK top{.slots = SlotsOf(route.alternatives[0], route_node),
                            .condition = Condition(route.conditions, route_node),
                            .order = SortsOf(op.order, route_node.inputs[1]),
                            .offset = op.offset,
                            .limit = op.limit.value_or(dataflow::kNoLimit),
                            .outputs = Outputs(route_node)};
    return AddSpec(std::move(top), InputsOf(route_node));
  }
  NodeNumber Emit(const TopNode& op, const PlanNode& node) {
    if (op.of_bindings) return EmitBound(op, plan_.nodes[node.inputs[0]]);
    dataflow::TopK top{.offset = op.offset, .limit = op.limit.value_or(dataflow::kNoLimit)};
    for (const ColumnRef& ref : op.partition) top.partition.push_back(PlaceInInputs(node, ref));
    top.order = SortsOf(op.order, node.inputs[0]);
    return AddSpec(std::move(top), InputsOf(node));
  }

  std::vector<dataflow::SortColumn> SortsOf(const std::vector<PlanSort>& order,
                                            PlanNumber node) const {
    std::vector<dataflow::SortColumn> sorts;
    for (const PlanSort& sort : order) {
      sorts.push_back({PlaceIn(node, sort.column), sort.descending});
    }
    return sorts;
  }

  // A NULL names no list of a view, so several columns, or one that may be NULL, go boxed.
  std::vector<Column> Box(const std::vector<ColumnRef>& columns, PlanNumber node,
                          dataflow::Map& map) const {
    if (columns.empty()) return {};
    std::vector<dataflow::Expression> parts;
    for (const ColumnRef& ref : columns) {
      parts.push_back(dataflow::ColumnOf(PlaceIn(node, ref)));
    }
    map.outputs.push_back(dataflow::Apply(dataflow::Operation::kList, std::move(parts)));
    return {static_cast<Column>(map.outputs.size() - 1)};
  }

  void EmitLevel(const PlanLevel& level) {
    dataflow::Map map;
    for (Column i = 0; i < plan_.nodes[level.node].columns.size(); ++i) {
      map.outputs.push_back(dataflow::ColumnOf(i));
    }
    const std::size_t width = map.outputs.size();
    dataflow::ViewLevel shown;
    if (!out_.levels.empty()) {
      shown.bucket = Box(level.bucket, level.node, map);
    } else if (!level.bucket.empty()) {
      // The number of a binding is never NULL.
      shown.bucket = {PlaceIn(level.node, level.bucket[0])};
    }
    shown.order = SortsOf(level.order, level.node);
    for (const ColumnRef& ref : level.key) shown.key.push_back(PlaceIn(level.node, ref));
    std::vector<std::string> names;
    for (const PlanField& field : level.fields) {
      names.push_back(field.name);
      dataflow::ViewField view_field;
      if (field.child) {
        view_field.child = dataflow::ViewChild{.level = *field.child,
                                               .bucket = Box(field.child_bucket, level.node, map),
                                               .single = field.single};
      } else {
        view_field.column = PlaceIn(level.node, field.column);
      }
      shown.fields.push_back(std::move(view_field));
    }
    if (!level.scalar) {
      shown.names = std::make_shared<const std::vector<std::string>>(std::move(names));
    }
    out_.shape.levels.push_back(std::move(shown));
    const NodeNumber node = out_.nodes[level.node];
    out_.levels.push_back(map.outputs.size() == width ? node : AddSpec(std::move(map), {node}));
  }

  // ---- recursion ----

  // The inside of a fixpoint: what it reads from outside, the loop relation, its own nodes.
  struct Body {
    std::map<PlanNumber, NodeNumber> numbers;
    std::vector<dataflow::Plan::Node> nodes;
    NodeNumber first = 0;  // number of nodes[0]
  };

  NodeNumber EmitNode(const PlanNode& node) {
    return std::visit([&](const auto& op) { return Emit(op, node); }, node.op);
  }
  template <typename Spec>
  NodeNumber AddSpec(Spec spec, std::vector<NodeNumber> inputs = {}) {
    if (body_ == nullptr) return out_.plan.Add(std::move(spec), std::move(inputs));
    body_->nodes.push_back({dataflow::Spec(std::move(spec)), std::move(inputs)});
    return body_->first + static_cast<NodeNumber>(body_->nodes.size() - 1);
  }

  void MarkLoops() {
    in_loop_.assign(plan_.nodes.size(), false);
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      const PlanNode& node = plan_.nodes[i];
      in_loop_[i] = std::holds_alternative<LoopNode>(node.op) ||
                    (!std::holds_alternative<FixpointNode>(node.op) &&
                     std::ranges::any_of(node.inputs, [&](PlanNumber n) { return in_loop_[n]; }));
    }
  }

  void MarkBoundRoutes() {
    is_bound_.assign(plan_.nodes.size(), false);
    for (const PlanNode& node : plan_.nodes) {
      const auto* top = std::get_if<TopNode>(&node.op);
      if (top != nullptr && top->of_bindings) is_bound_[node.inputs[0]] = true;
    }
  }

  // Nodes below the bodies that depend on the loop, and what these read from outside.
  void CollectBody(PlanNumber number, std::set<PlanNumber>& inside,
                   std::set<PlanNumber>& outside) const {
    if (!in_loop_[number]) {
      outside.insert(number);
    } else if (inside.insert(number).second) {
      for (const PlanNumber input : plan_.nodes[number].inputs) {
        CollectBody(input, inside, outside);
      }
    }
  }

  NodeNumber Emit(const LoopNode&, const PlanNode&) {
    Check(false, "the loop relation is numbered by its fixpoint");
    return 0;
  }
  NodeNumber Emit(const FixpointNode& op, const PlanNode& node) {
    const std::size_t count = op.relations.size();
    const std::span<const PlanNumber> loops = std::span(node.inputs).last(count);
    std::span<const PlanNumber> parts = std::span(node.inputs).first(node.inputs.size() - count);
    std::set<PlanNumber> inside;
    std::set<PlanNumber> outside;
    for (const PlanNumber part : parts) CollectBody(part, inside, outside);
    for (const PlanNumber loop : loops) inside.erase(loop);
    dataflow::Fixpoint fixpoint;
    fixpoint.inputs = static_cast<std::uint32_t>(outside.size());
    Body body;
    std::vector<NodeNumber> inputs;
    for (const PlanNumber number : outside) {
      body.numbers[number] = static_cast<NodeNumber>(inputs.size());
      inputs.push_back(out_.nodes[number]);
    }
    body.first = fixpoint.inputs;
    for (const PlanNumber loop : loops) body.numbers[loop] = body.first++;
    body_ = &body;
    for (const PlanNumber number : inside) {
      const NodeNumber emitted = EmitNode(plan_.nodes[number]);
      body.numbers[number] = emitted;
    }
    body_ = nullptr;
    const auto take = [&](std::size_t part_count) {
      std::vector<NodeNumber> numbers;
      for (const PlanNumber part : parts.first(part_count)) {
        numbers.push_back(body.numbers.at(part));
      }
      parts = parts.subspan(part_count);
      return numbers;
    };
    for (std::size_t i = 0; i < count; ++i) {
      dataflow::Fixpoint::Relation relation{.name = op.relations[i].name, .kinds = {}};
      for (const PlanColumn& column : plan_.nodes[loops[i]].columns) {
        relation.kinds.push_back(column.kind);
      }
      relation.kinds.pop_back();  // the level
      relation.bases = take(op.relations[i].bases);
      relation.bodies = take(op.relations[i].bodies);
      fixpoint.relations.push_back(std::move(relation));
    }
    fixpoint.body = std::move(body.nodes);
    return AddSpec(std::move(fixpoint), std::move(inputs));
  }

  const Plan& plan_;
  const Parameters parameters_;
  Compiled out_;
  std::vector<bool> in_loop_;   // by plan number
  std::vector<bool> is_bound_;  // routes that are one with the top above them
  Body* body_ = nullptr;        // while the nodes of a fixpoint are emitted
};

}  // namespace

Result<Compiled> Compile(const Plan& plan, Parameters parameters) {
  return Compiler(plan, parameters).Run();
}

}  // namespace trefoil::query
