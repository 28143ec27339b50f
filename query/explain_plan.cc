#include "query/explain_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/str_cat.h"
#include "query/printer.h"

namespace trefoil::query {

namespace {

std::string RowsText(double rows) {
  const auto count = static_cast<std::uint64_t>(std::llround(std::min(rows, 1e18)));
  return StrCat("~", count, count == 1 ? " row" : " rows");
}

bool OnlyRenames(const PlanNode& node) {
  const auto* map = std::get_if<MapNode>(&node.op);
  return map != nullptr && std::ranges::all_of(map->outputs, [](const BoundExpr& output) {
           return std::holds_alternative<ColumnRef>(output.node);
         });
}

// Operator by operator.
class NodeText {
 public:
  NodeText(const ExplainInput& input, const PlanNode& node) : input_(input), node_(node) {}

  std::string operator()(const ScanNode& scan) const {
    const schema::Type* type = input_.schema.FindType(scan.type);
    std::string text = StrCat("scan ", type == nullptr ? std::string("?") : type->name);
    const std::string alias = input_.names.SourceName(node_);
    if (!alias.empty() && type != nullptr && alias != type->name) text += StrCat(" ", alias);
    if (scan.only) text += RangeText(scan, *type);
    return text;
  }
  std::string operator()(const OneRowNode&) const { return "one row"; }
  std::string operator()(const BindingsNode&) const { return "bindings"; }
  std::string operator()(const RouteNode& route) const {
    std::vector<PlanEquality> on;
    for (const PlanRouteTest& test : route.alternatives[0]) on.push_back({test.row, test.binding});
    return StrCat("route", OnText(on, route.conditions));
  }
  std::string operator()(const FilterNode& filter) const {
    return StrCat("filter ", input_.names.Text(filter.conjuncts));
  }
  std::string operator()(const MapNode& map) const {
    std::string text;
    for (std::size_t i = 0; i < map.outputs.size(); ++i) {
      if (std::holds_alternative<ColumnRef>(map.outputs[i].node)) continue;
      const std::string name = input_.names.Of(node_.columns[i].ref);
      const std::string value = input_.names.Text(map.outputs[i]);
      text += StrCat(text.empty() ? "" : ", ", value, name == value ? "" : StrCat(" as ", name));
    }
    return StrCat("compute ", text);
  }
  std::string operator()(const JoinNode& join) const {
    return StrCat(join.on.empty() ? "cross join" : "join", OnText(join.on, join.conditions));
  }
  std::string operator()(const LeftJoinNode& join) const {
    return StrCat("left join", OnText(join.on, join.conditions));
  }
  std::string operator()(const SemiJoinNode& join) const {
    const char* kind = join.kind == SemiKind::kSemi   ? "semi join"
                       : join.kind == SemiKind::kAnti ? "anti join"
                                                      : "mark join";
    return StrCat(kind, OnText(join.on, join.conditions));
  }
  std::string operator()(const GroupNode& group) const {
    std::string text = group.keys.empty() ? "aggregate" : StrCat("group by ", Columns(group.keys));
    for (std::size_t i = group.keys.size(); i < node_.columns.size(); ++i) {
      text += StrCat(i == group.keys.size() ? ": " : ", ", input_.names.Of(node_.columns[i].ref));
    }
    return text;
  }
  std::string operator()(const SetNode& set) const {
    switch (set.kind) {
      case SetKind::kDistinct:
        return StrCat("distinct ", Columns(Refs()));
      case SetKind::kUnionAll:
        return "union all";
      case SetKind::kIntersect:
        return "intersect";
      case SetKind::kExcept:
        return "except";
    }
    return {};
  }
  std::string operator()(const TopNode& top) const {
    std::string text = top.limit ? StrCat("top ", *top.limit) : std::string("skip");
    if (top.offset > 0) text += StrCat(top.limit ? " behind " : " ", top.offset);
    for (std::size_t i = 0; i < top.order.size(); ++i) {
      text += StrCat(i == 0 ? " by " : ", ", input_.names.Of(top.order[i].column),
                     top.order[i].descending ? " desc" : "");
    }
    if (!top.partition.empty()) text += StrCat(" for each ", Columns(top.partition));
    return text;
  }
  std::string operator()(const LoopNode&) const { return "rows found so far"; }
  std::string operator()(const FixpointNode& fixpoint) const {
    std::string names;
    for (const FixpointNode::Relation& relation : fixpoint.relations) {
      names += StrCat(names.empty() ? "" : ", ", relation.name);
    }
    return StrCat("recursion ", names);
  }

 private:
  std::vector<ColumnRef> Refs() const {
    std::vector<ColumnRef> refs;
    for (const PlanColumn& column : node_.columns) refs.push_back(column.ref);
    return refs;
  }
  std::string Columns(const std::vector<ColumnRef>& refs) const { return input_.names.Of(refs); }

  std::string OnText(const std::vector<PlanEquality>& on,
                     const std::vector<BoundExpr>& conditions) const {
    std::string text;
    for (const PlanEquality& equality : on) {
      text += StrCat(text.empty() ? " on " : " AND ", input_.names.Of(equality.left),
                     equality.nulls_equal ? " is " : " = ", input_.names.Of(equality.right));
    }
    if (!conditions.empty()) {
      text += StrCat(text.empty() ? " on " : " AND ", input_.names.Text(conditions));
    }
    return text;
  }

  std::string RangeText(const ScanNode& scan, const schema::Type& type) const {
    const dataflow::Probe& probe = *scan.only;
    const schema::Index* index =
        probe.path.index ? input_.schema.FindIndex(*probe.path.index) : nullptr;
    std::string text =
        index == nullptr ? std::string(" by key") : StrCat(" by index ", index->name);
    std::string tests;
    const auto add = [&](std::size_t place, std::string_view op, const Value& value) {
      const schema::Attribute* attribute = type.Find(scan.range_attributes[place]);
      tests +=
          StrCat(tests.empty() ? " where " : " AND ", attribute->name, op, PrintLiteral(value));
    };
    for (std::size_t i = 0; i < probe.prefix.size(); ++i) add(i, " = ", probe.prefix[i]);
    const std::size_t next = probe.prefix.size();
    if (probe.lower && !probe.lower->value.is_null()) {
      add(next, probe.lower->inclusive ? " >= " : " > ", probe.lower->value);
    }
    if (probe.upper) add(next, probe.upper->inclusive ? " <= " : " < ", probe.upper->value);
    return text + tests;
  }

  const ExplainInput& input_;
  const PlanNode& node_;
};

// How the rows of input `number` of a join are found for a row of another input.
std::string ProbeText(const ExplainInput& input, const PlanNode& node, PlanNumber number,
                      const std::vector<PlanEquality>& on) {
  std::vector<ColumnRef> columns;
  for (const PlanEquality& equality : on) {
    for (const ColumnRef& side : {equality.left, equality.right}) {
      if (HasColumn(input.plan.nodes[number], side)) columns.push_back(side);
    }
  }
  const bool is_start = std::holds_alternative<JoinNode>(node.op) && node.inputs[0] == number;
  const bool is_left = !std::holds_alternative<JoinNode>(node.op) && node.inputs[0] == number;
  if (columns.empty() || is_start || is_left) return {};
  const auto index = ProbedIndex(input.plan, number, columns, input.schema);
  if (!index) return {};
  return *index == nullptr ? std::string(", probed by key")
                           : StrCat(", probed by index ", (*index)->name);
}

const std::vector<PlanEquality>* EqualitiesOf(const PlanNode& node) {
  if (const auto* join = std::get_if<JoinNode>(&node.op)) return &join->on;
  if (const auto* left = std::get_if<LeftJoinNode>(&node.op)) return &left->on;
  if (const auto* semi = std::get_if<SemiJoinNode>(&node.op)) return &semi->on;
  return nullptr;
}

class TreePrinter {
 public:
  explicit TreePrinter(const ExplainInput& input)
      : input_(input), readers_(input.plan.nodes.size()) {
    for (const PlanNode& node : input_.plan.nodes) {
      for (const PlanNumber number : node.inputs) ++readers_[number];
    }
  }

  std::string Print() {
    for (std::size_t i = 0; i < input_.plan.levels.size(); ++i) {
      text_ += StrCat(LevelText(i), "\n");
      PrintNode(input_.plan.levels[i].node, 1, {});
    }
    return std::move(text_);
  }

 private:
  std::string LevelText(std::size_t number) const {
    const PlanLevel& level = input_.plan.levels[number];
    std::string order;
    std::set<ColumnRef> sorted;
    for (const PlanSort& sort : level.order) {
      if (!sorted.insert(sort.column).second) continue;
      order += StrCat(order.empty() ? " by " : ", ", input_.names.Of(sort.column),
                      sort.descending ? " desc" : "");
    }
    if (number == 0) return StrCat("answer", order);
    std::string name;
    for (const PlanLevel& outer : input_.plan.levels) {
      for (const PlanField& field : outer.fields) {
        if (field.child == number) name = field.name;
      }
    }
    const std::string bucket = input_.names.Of(level.bucket);
    return StrCat("list ", name, bucket.empty() ? std::string() : StrCat(" for each ", bucket),
                  order);
  }

  void PrintNode(PlanNumber number, std::size_t depth, const std::string& suffix) {
    while (OnlyRenames(input_.plan.nodes[number])) number = input_.plan.nodes[number].inputs[0];
    const PlanNode& node = input_.plan.nodes[number];
    text_ += std::string(depth * 2, ' ');
    if (const auto shown = shared_.find(number); shown != shared_.end()) {
      text_ += StrCat("(", shown->second, ")", suffix, "\n");
      return;
    }
    text_ += StrCat(OperatorText(input_, number), suffix);
    if (readers_[number] > 1 && !node.inputs.empty()) {
      const std::size_t name = shared_.size() + 1;
      shared_.emplace(number, name);
      text_ += StrCat(" (", name, ")");
    }
    text_ += StrCat("  ", RowsText(input_.estimate.Rows(number)));
    if (number < input_.notes.size()) text_ += input_.notes[number];
    text_ += "\n";
    if (number < input_.below.size()) {
      for (const std::string& line : input_.below[number]) {
        text_ += StrCat(std::string(depth * 2 + 2, ' '), line, "\n");
      }
    }
    const std::vector<PlanEquality>* on = EqualitiesOf(node);
    const auto* fixpoint = std::get_if<FixpointNode>(&node.op);
    const std::size_t loops = fixpoint == nullptr ? 0 : fixpoint->relations.size();
    for (std::size_t i = 0; i + loops < node.inputs.size(); ++i) {  // loops stand in the bodies
      PrintNode(node.inputs[i], depth + 1,
                on == nullptr ? std::string() : ProbeText(input_, node, node.inputs[i], *on));
    }
  }

  const ExplainInput& input_;
  std::vector<int> readers_;
  std::map<PlanNumber, std::size_t> shared_;
  std::string text_;
};

std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) quoted += c == '"' || c == '\\' ? StrCat("\\", c) : std::string(1, c);
  return quoted;
}

// Rows that come out of a node when `rows` of its input number `place` changed.
double RowsOut(const ExplainInput& input, const PlanNode& node, PlanNumber number,
               std::size_t place, double rows) {
  const double ratio = input.estimate.Rows(number) / input.estimate.Rows(node.inputs[place]);
  if (std::holds_alternative<GroupNode>(node.op)) return std::min(2.0, rows * 2);
  const bool is_join = std::holds_alternative<JoinNode>(node.op);
  const bool is_right = place > 0 && !is_join && EqualitiesOf(node) != nullptr;
  if (is_join || is_right || std::holds_alternative<FilterNode>(node.op) ||
      std::holds_alternative<TopNode>(node.op)) {
    return rows * (is_right ? std::max(ratio, 1.0) : is_join ? ratio : std::min(ratio, 1.0));
  }
  return rows;
}

}  // namespace

std::string OperatorText(const ExplainInput& input, PlanNumber number) {
  const PlanNode& node = input.plan.nodes[number];
  return std::visit(NodeText(input, node), node.op);
}

std::string ExplainTree(const ExplainInput& input) { return TreePrinter(input).Print(); }

std::string ExplainPicture(const ExplainInput& input) {
  std::string text = "digraph plan {\n  rankdir=BT;\n  node [shape=box];\n";
  const auto skip = [&](PlanNumber number) {
    while (OnlyRenames(input.plan.nodes[number])) number = input.plan.nodes[number].inputs[0];
    return number;
  };
  std::set<PlanNumber> reached;
  std::vector<PlanNumber> open;
  for (std::size_t i = 0; i < input.plan.levels.size(); ++i) {
    const PlanNumber root = skip(input.plan.levels[i].node);
    text += StrCat("  level", i, " [label=\"", i == 0 ? "answer" : StrCat("list ", i),
                   "\", shape=ellipse];\n  n", root, " -> level", i, ";\n");
    open.push_back(root);
  }
  while (!open.empty()) {
    const PlanNumber number = open.back();
    open.pop_back();
    if (!reached.insert(number).second) continue;
    const std::string note = number < input.notes.size() ? input.notes[number] : std::string();
    text += StrCat("  n", number, " [label=\"", Quoted(OperatorText(input, number)), "\\n",
                   RowsText(input.estimate.Rows(number)), Quoted(note), "\"];\n");
    for (const PlanNumber read : input.plan.nodes[number].inputs) {
      text += StrCat("  n", skip(read), " -> n", number, ";\n");
      open.push_back(skip(read));
    }
  }
  return text + "}\n";
}

std::vector<ChangeCost> CostsOfAChange(const ExplainInput& input) {
  std::map<std::string, ChangeCost> costs;
  for (PlanNumber start = 0; start < input.plan.nodes.size(); ++start) {
    const auto* scan = std::get_if<ScanNode>(&input.plan.nodes[start].op);
    const schema::Type* type = scan == nullptr ? nullptr : input.schema.FindType(scan->type);
    if (type == nullptr) continue;
    ChangeCost& cost = costs.try_emplace(type->name, ChangeCost{.table = type->name}).first->second;
    std::vector<double> changed(input.plan.nodes.size());
    changed[start] = 1;
    for (PlanNumber i = start + 1; i < input.plan.nodes.size(); ++i) {
      const PlanNode& node = input.plan.nodes[i];
      for (std::size_t place = 0; place < node.inputs.size(); ++place) {
        const double rows = changed[node.inputs[place]];
        if (rows == 0) continue;
        if (EqualitiesOf(node) != nullptr) {
          cost.probes += rows * static_cast<double>(node.inputs.size() - 1);
        } else if (std::holds_alternative<GroupNode>(node.op) ||
                   std::holds_alternative<SetNode>(node.op) ||
                   std::holds_alternative<TopNode>(node.op)) {
          cost.probes += rows;
        }
        const double out = RowsOut(input, node, i, place, rows);
        changed[i] += out;
        cost.rows += OnlyRenames(node) ? 0 : out;
      }
    }
  }
  std::vector<ChangeCost> list;
  for (auto& [table, cost] : costs) list.push_back(std::move(cost));
  return list;
}

}  // namespace trefoil::query
