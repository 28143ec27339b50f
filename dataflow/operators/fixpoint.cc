#include "dataflow/operators/fixpoint.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/graph.h"
#include "dataflow/loop_table.h"

namespace trefoil::dataflow {

namespace {

using Iteration = LoopTable::Iteration;
using Slot = LoopTable::Slot;

// What the body's graph sees of the fixpoint around it.
struct Surroundings {
  std::vector<Operator*> inputs;
  std::vector<LoopTable> tables;  // one per relation
  // While the fixpoint is made: where ports of the inputs come from.
  BuildContext* building = nullptr;
  // The ports that the body asked for, by input.
  std::vector<std::vector<std::pair<Ask, Port>>> ports;
  // The change of the inputs has gone into the body; it sees them as new only.
  bool inputs_are_new = false;
};

// An input of the fixpoint, as a node of the body. No state: pulls go to the input.
class OuterOperator final : public Operator {
 public:
  OuterOperator(Surroundings& around, std::uint32_t input)
      : Operator(around.inputs[input]->columns(), {}),
        around_(around),
        input_(input),
        pending_(columns().size()) {}

  Batch* pending() override { return &pending_; }

 protected:
  void StepInto(Context&, Batch& out) override { out.Swap(pending_); }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    std::vector<std::pair<Ask, Port>>& known = around_.ports[input_];
    if (around_.building != nullptr) {
      Result<Port> served = around_.building->Serve(*around_.inputs[input_], ask);
      if (!served) return false;
      known.emplace_back(ask, *served);
    }
    const auto found = std::ranges::find(known, ask, &std::pair<Ask, Port>::first);
    if (found == known.end()) return false;
    ports_.push_back(found->second);
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (around_.building != nullptr) return true;  // nothing is hydrated yet
    Pull outer = pull;
    if (around_.inputs_are_new) outer.when = When::kNew;
    return ports_[slot].Read(outer, context, sink);
  }

 private:
  Surroundings& around_;
  std::uint32_t input_;
  Batch pending_;
  std::vector<Port> ports_;  // by slot
};

// A loop relation as a node of the body: tuples and their levels. Its state is the LoopTable.
class LoopOperator final : public Operator {
 public:
  LoopOperator(std::vector<ValueKind> kinds, const LoopTable& table)
      : Operator(std::move(kinds), {}), table_(table), pending_(columns().size()) {}

  Batch* pending() override { return &pending_; }

 protected:
  void StepInto(Context&, Batch& out) override {
    out.Swap(pending_);
    out.Consolidate();
  }
  bool Prepare(const Ask& ask, std::uint32_t) override { return ask == Ask{}; }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    Row row;
    return table_.ForEachMember([&](Slot member) {
      ++context.counters.pulled_rows;
      const RowView tuple = table_.tuple(member);
      row.assign(tuple.begin(), tuple.end());
      row.push_back(Value::Int(table_.level(member)));
      return sink(row, 1);
    });
  }

 private:
  const LoopTable& table_;
  Batch pending_;
};

// The specs of the two, for the body's graph only. They hold what outlives it.
struct Outer {
  Surroundings* around;
  std::uint32_t input;

  std::string Describe() const { return StrCat("outer ", input); }
  Result<std::unique_ptr<Operator>> Make(BuildContext&) const {
    return std::make_unique<OuterOperator>(*around, input);
  }
};
struct Loop {
  Surroundings* around;
  std::uint32_t relation;
  std::vector<ValueKind> kinds;

  std::string Describe() const { return StrCat("loop ", relation); }
  Result<std::unique_ptr<Operator>> Make(BuildContext&) const {
    std::vector<ValueKind> with_level = kinds;
    with_level.push_back(ValueKind::kInt);
    return std::make_unique<LoopOperator>(std::move(with_level), around->tables[relation]);
  }
};

std::size_t WidestRelation(const Fixpoint& spec) {
  std::size_t widest = 0;
  for (const Fixpoint::Relation& relation : spec.relations) {
    widest = std::max(widest, relation.kinds.size());
  }
  return widest;
}

std::vector<ValueKind> OutputKinds(const Fixpoint& spec) {
  std::vector<ValueKind> kinds = spec.relations[0].kinds;
  if (spec.relations.size() > 1) {
    kinds.assign(1 + WidestRelation(spec), ValueKind::kNull);
    kinds[0] = ValueKind::kInt;
  }
  if (spec.with_level) kinds.push_back(ValueKind::kInt);
  return kinds;
}

class FixpointOperator final : public Operator {
 public:
  FixpointOperator(const Fixpoint& spec, BuildContext& context)
      : Operator(OutputKinds(spec), context.inputs()),
        spec_(spec),
        functions_(context.functions()) {
    around_.inputs = context.inputs();
    around_.ports.resize(context.inputs().size());
    for (const Fixpoint::Relation& relation : spec.relations) {
      around_.tables.emplace_back(relation.kinds.size());
    }
  }

  // Checks the body and finds out which ports it needs, by building it once over nothing.
  Status Rehearse(BuildContext& context);

  void Hydrate(Context& context) override;
  bool Forget() override { return false; }
  std::size_t state_bytes() const override {
    std::size_t bytes = body_ == nullptr ? 0 : body_->state_bytes();
    for (const LoopTable& table : around_.tables) bytes += table.bytes();
    return bytes;
  }
  std::size_t state_rows() const override {
    std::size_t rows = 0;
    for (const LoopTable& table : around_.tables) rows += table.members();
    return rows;
  }

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t) override { return ask == Ask{}; }
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  // At its iteration: add to the count of a tuple, then decide whether it begins there.
  struct Task {
    std::uint32_t relation;
    Slot slot;
    Weight weight;
  };
  // A tuple that this step has looked at.
  struct Touched {
    std::uint32_t relation;
    Slot slot;
    Iteration level_before;
  };

  Result<Installed> Build(Graph& graph);
  void StepBody(Context& context);
  Iteration LevelOf(std::uint32_t relation, RowView used, Context& context) const;
  void Schedule(std::uint32_t relation, RowView tuple, Iteration iteration, Weight weight);
  void Run(Context& context);
  void Decide(const Task& task, Iteration iteration);
  void Move(const Task& task, Iteration to);
  void EmitChanges(Batch& out);
  void EndStep();
  void Show(std::uint32_t relation, RowView tuple, Iteration level, std::span<Value> cells) const;

  const Fixpoint spec_;
  const FunctionRegistry& functions_;
  Surroundings around_;
  std::vector<std::pair<std::uint32_t, Port>> bases_;  // relation and its rows
  std::unique_ptr<Graph> body_;                        // after Hydrate
  std::vector<NodeId> outers_;
  std::vector<NodeId> loops_;
  std::vector<std::pair<std::uint32_t, NodeId>> bodies_;  // relation and what derives it
  std::map<Iteration, std::vector<Task>> tasks_;
  std::vector<Touched> touched_;
  bool is_fed_ = false;  // loop rows wait for the body
  Row row_;              // scratch
};

Result<Installed> FixpointOperator::Build(Graph& graph) {
  Plan plan;
  std::vector<NodeNumber> roots;
  for (std::uint32_t i = 0; i < spec_.inputs; ++i) {
    roots.push_back(plan.Add(Outer{.around = &around_, .input = i}));
  }
  for (std::uint32_t i = 0; i < spec_.relations.size(); ++i) {
    roots.push_back(
        plan.Add(Loop{.around = &around_, .relation = i, .kinds = spec_.relations[i].kinds}));
  }
  plan.nodes.insert(plan.nodes.end(), spec_.body.begin(), spec_.body.end());
  for (const Fixpoint::Relation& relation : spec_.relations) {
    roots.insert(roots.end(), relation.bodies.begin(), relation.bodies.end());
  }
  return graph.Install(plan, roots);
}

Status FixpointOperator::Rehearse(BuildContext& context) {
  around_.building = &context;
  Graph trial(context.source(), context.functions(), {});
  Result<Installed> built = Build(trial);
  if (!built) return std::move(built).error();
  around_.building = nullptr;
  std::size_t root = spec_.inputs + spec_.relations.size();
  for (std::uint32_t i = 0; i < spec_.relations.size(); ++i) {
    const Fixpoint::Relation& relation = spec_.relations[i];
    for (std::size_t body = 0; body < relation.bodies.size(); ++body) {
      const std::size_t width = trial.columns(built->roots[root++]).size();
      if (width <= relation.kinds.size() + (spec_.weighted ? 1 : 0)) {
        return InvalidArgument(StrCat("fixpoint: a body of ", relation.name, " has ", width,
                                      " columns, but needs ", relation.kinds.size(),
                                      " and the levels of what it uses",
                                      spec_.weighted ? ", and a length" : ""));
      }
      for (std::size_t loop = 0; loop < spec_.relations.size(); ++loop) {
        if (trial.Follows(built->roots[root - 1], built->roots[spec_.inputs + loop])) continue;
        return Unsupported(
            StrCat("fixpoint: a body of ", relation.name, " aggregates rows of the loop"),
            "aggregate the result of the loop; for the least sum along a way, make the fixpoint "
            "weighted");
      }
    }
    for (const std::uint32_t base : relation.bases) {
      if (around_.inputs[base]->columns().size() != relation.kinds.size()) {
        return InvalidArgument(
            StrCat("fixpoint: a base of ", relation.name, " has the wrong number of columns"));
      }
      Result<Port> all = context.Serve(*around_.inputs[base], {});
      if (!all) return std::move(all).error();
      bases_.emplace_back(i, *all);
    }
  }
  return Ok();
}

void FixpointOperator::Hydrate(Context& context) {
  body_ = std::make_unique<Graph>(context.source, functions_, GraphOptions{.stop = context.stop});
  Result<Installed> built = Build(*body_);
  if (!built) {
    context.Fail(std::move(built).error());
    return;
  }
  auto root = built->roots.begin();
  outers_.assign(root, root + spec_.inputs);
  root += spec_.inputs;
  loops_.assign(root, root + static_cast<std::ptrdiff_t>(spec_.relations.size()));
  root += static_cast<std::ptrdiff_t>(spec_.relations.size());
  for (std::uint32_t i = 0; i < spec_.relations.size(); ++i) {
    for (std::size_t body = 0; body < spec_.relations[i].bodies.size(); ++body) {
      bodies_.emplace_back(i, *root++);
    }
  }
  for (const auto& [relation, port] : bases_) {
    HydrateFrom(port, context, [&](RowView row, Weight weight) {
      Schedule(relation, row, 0, weight);
      return true;
    });
  }
  around_.inputs_are_new = true;
  Run(context);
  EndStep();
}

void FixpointOperator::StepInto(Context& context, Batch& out) {
  around_.inputs_are_new = false;
  is_fed_ = false;
  for (std::uint32_t i = 0; i < spec_.inputs; ++i) {
    const Batch& changes = inputs()[i]->delta();
    for (std::size_t row = 0; row < changes.size(); ++row) {
      body_->Feed(outers_[i], changes.row(row), changes.weight(row));
    }
    is_fed_ = is_fed_ || !changes.empty();
  }
  if (is_fed_) StepBody(context);
  for (std::uint32_t i = 0; i < spec_.relations.size(); ++i) {
    for (const std::uint32_t base : spec_.relations[i].bases) {
      const Batch& changes = inputs()[base]->delta();
      for (std::size_t row = 0; row < changes.size(); ++row) {
        Schedule(i, changes.row(row), 0, changes.weight(row));
      }
    }
  }
  around_.inputs_are_new = true;
  Run(context);
  EmitChanges(out);
  EndStep();
}

// Takes what was fed through the body and schedules what it derives.
void FixpointOperator::StepBody(Context& context) {
  const Counters before = body_->counters();
  const Status stepped = body_->Step({});
  const Counters& after = body_->counters();
  context.counters.delta_rows += after.delta_rows - before.delta_rows;
  context.counters.probes += after.probes - before.probes;
  context.counters.pulled_rows += after.pulled_rows - before.pulled_rows;
  context.counters.lossy_values += after.lossy_values - before.lossy_values;
  if (!stepped) {
    context.Fail(stepped.error());
    return;
  }
  for (const auto& [relation, node] : bodies_) {
    const Batch& derived = body_->delta(node);
    const std::size_t width = spec_.relations[relation].kinds.size();
    for (std::size_t i = 0; i < derived.size(); ++i) {
      const Iteration level = LevelOf(relation, derived.row(i).subspan(width), context);
      if (context.failed()) return;
      Schedule(relation, derived.row(i).first(width), level, derived.weight(i));
    }
  }
}

// The iteration at which a body derives a tuple, from the levels that it used.
Iteration FixpointOperator::LevelOf(std::uint32_t relation, RowView used, Context& context) const {
  std::int64_t length = 1;
  if (spec_.weighted) {
    const Value& given = used.back();
    if (given.kind() != ValueKind::kInt || given.AsInt() < 1) {
      context.Fail(InvalidArgument(StrCat("the recursion of ", spec_.relations[relation].name,
                                          " takes a step of length ", DescribeValue(given),
                                          "; a length is an INT of 1 or more")));
      return 0;
    }
    length = given.AsInt();
    used = used.first(used.size() - 1);
  }
  std::int64_t level = 0;
  for (const Value& value : used) level = std::max(level, value.AsInt());
  if (length > std::int64_t{spec_.iterations_max} + 1 - level) {
    length = std::int64_t{spec_.iterations_max} + 1 - level;  // Run ends there
  }
  return static_cast<Iteration>(level + length);
}

void FixpointOperator::Schedule(std::uint32_t relation, RowView tuple, Iteration iteration,
                                Weight weight) {
  LoopTable& table = around_.tables[relation];
  const Slot slot = table.Locate(tuple);
  if (table.Mark(slot)) touched_.push_back({relation, slot, table.level(slot)});
  tasks_[iteration].push_back({relation, slot, weight});
}

void FixpointOperator::Run(Context& context) {
  while (!tasks_.empty() && !context.failed()) {
    const Iteration iteration = tasks_.begin()->first;
    if (iteration > spec_.iterations_max) {
      context.Fail(LimitError(
          StrCat("the recursion of ", spec_.relations[0].name,
                 " did not end within iterations_max = ", spec_.iterations_max, " iterations"),
          "bound the recursion by a condition, or raise the limit"));
      return;
    }
    const std::vector<Task> tasks = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    for (const Task& task : tasks) {
      if (task.weight == 0) continue;
      around_.tables[task.relation].AddCount(task.slot, iteration, task.weight);
    }
    is_fed_ = false;
    for (const Task& task : tasks) Decide(task, iteration);
    if (is_fed_) StepBody(context);
  }
}

// All counts up to `iteration` are final.
void FixpointOperator::Decide(const Task& task, Iteration iteration) {
  LoopTable& table = around_.tables[task.relation];
  Verify(
      [&] { return !table.HasNegativeCount(task.slot) || table.FirstCount(task.slot) > iteration; },
      "a tuple loses a derivation as often as it had it");
  const Iteration first = table.FirstCount(task.slot);
  const Iteration level = table.level(task.slot);
  if (first == iteration && level != iteration) Move(task, iteration);
  if (first > iteration && level == iteration) Move(task, LoopTable::kNever);
  // Counts further on may still go; whether the tuple begins there is decided there.
  if (first > iteration && first != LoopTable::kNever &&
      table.level(task.slot) == LoopTable::kNever) {
    tasks_[first].push_back({task.relation, task.slot, 0});
  }
}

void FixpointOperator::Move(const Task& task, Iteration to) {
  LoopTable& table = around_.tables[task.relation];
  const RowView tuple = table.tuple(task.slot);
  row_.assign(tuple.begin(), tuple.end());
  row_.emplace_back();
  for (const bool enters : {false, true}) {
    const Iteration level = enters ? to : table.level(task.slot);
    if (level == LoopTable::kNever) continue;
    row_.back() = Value::Int(level);
    body_->Feed(loops_[task.relation], row_, enters ? 1 : -1);
    is_fed_ = true;
  }
  table.set_level(task.slot, to);
}

void FixpointOperator::Show(std::uint32_t relation, RowView tuple, Iteration level,
                            std::span<Value> cells) const {
  const bool several = spec_.relations.size() > 1;
  if (several) cells[0] = Value::Int(relation);
  std::ranges::copy(tuple, cells.begin() + (several ? 1 : 0));
  if (spec_.with_level) cells.back() = Value::Int(level);
}

void FixpointOperator::EmitChanges(Batch& out) {
  for (const Touched& touched : touched_) {
    const LoopTable& table = around_.tables[touched.relation];
    const Iteration level = table.level(touched.slot);
    const bool was_in = touched.level_before != LoopTable::kNever;
    const bool is_in = level != LoopTable::kNever;
    if (was_in == is_in && (!spec_.with_level || touched.level_before == level)) continue;
    const RowView tuple = table.tuple(touched.slot);
    if (was_in) Show(touched.relation, tuple, touched.level_before, out.AddRow(-1));
    if (is_in) Show(touched.relation, tuple, level, out.AddRow(1));
  }
  out.Consolidate();
}

void FixpointOperator::EndStep() {
  for (const Touched& touched : touched_) {
    LoopTable& table = around_.tables[touched.relation];
    table.Unmark(touched.slot);
    if (table.IsIdle(touched.slot)) table.Release(touched.slot);
  }
  touched_.clear();
}

bool FixpointOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context,
                                RowSink sink) {
  if (pull.when == When::kOld && !delta().empty()) {
    return PullOldFromNew(slot, pull, context, sink);
  }
  for (std::uint32_t i = 0; i < spec_.relations.size(); ++i) {
    const LoopTable& table = around_.tables[i];
    Row row(columns().size());
    const bool go_on = table.ForEachMember([&](Slot member) {
      ++context.counters.pulled_rows;
      Show(i, table.tuple(member), table.level(member), row);
      return sink(row, 1);
    });
    if (!go_on) return false;
  }
  return true;
}

Status CheckSpec(const Fixpoint& spec, std::size_t inputs) {
  if (spec.relations.empty() || inputs != spec.inputs) {
    return InvalidArgument("fixpoint: it has a relation, and as many inputs as it says");
  }
  const std::size_t nodes = spec.inputs + spec.relations.size() + spec.body.size();
  for (const Fixpoint::Relation& relation : spec.relations) {
    const auto is_node = [&](NodeNumber node) { return node < nodes; };
    const auto is_input = [&](std::uint32_t input) { return input < inputs; };
    if (!std::ranges::all_of(relation.bodies, is_node) ||
        !std::ranges::all_of(relation.bases, is_input)) {
      return InvalidArgument(
          StrCat("fixpoint: ", relation.name, " names a node or input that is not there"));
    }
  }
  return Ok();
}

}  // namespace

std::string Fixpoint::Describe() const {
  std::string text = StrCat("fixpoint", with_level ? " with level" : "",
                            weighted ? " weighted" : "", " limit ", iterations_max);
  for (const Relation& relation : relations) {
    text += StrCat(" ", relation.name, "(", relation.kinds.size(), ") =");
    for (const std::uint32_t base : relation.bases) text += StrCat(" <", base);
    for (const NodeNumber body_node : relation.bodies) text += StrCat(" <", body_node);
  }
  text += " {";
  for (const Plan::Node& node : body) {
    text += StrCat(" ", node.spec.Describe());
    for (const NodeNumber input : node.inputs) text += StrCat(" <", input);
    text += ";";
  }
  return text + " }";
}

Result<std::unique_ptr<Operator>> Fixpoint::Make(BuildContext& context) const {
  if (Status valid = CheckSpec(*this, context.inputs().size()); !valid) {
    return std::move(valid).error();
  }
  auto made = std::make_unique<FixpointOperator>(*this, context);
  if (Status prepared = made->Rehearse(context); !prepared) return std::move(prepared).error();
  return made;
}

}  // namespace trefoil::dataflow
