// Graph: building with sharing, stepping what is awake, dropping what nobody refers to.
#include "dataflow/graph.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "dataflow/arrangement.h"

namespace trefoil::dataflow {

struct Graph::Node {
  NodeId id{};
  std::string key;
  std::string description;
  std::unique_ptr<Operator> op;
  std::vector<Node*> inputs;
  std::vector<Node*> arrangements;
  std::vector<Node*> consumers;         // nodes whose input this is; with repetition
  std::vector<BaseRelation> relations;  // what it reads from the source by delta
  std::uint32_t references = 0;         // plans, consumers, users of this as an arrangement
  std::uint32_t roots = 0;              // plans that watch its delta
  bool awake = false;
  std::uint64_t steps = 0;
  std::uint64_t delta_rows = 0;
  std::uint64_t time_ns = 0;
};

// Makes nodes. Each node made or found holds one reference for the builder, given back at the end.
class Graph::Builder final : public BuildContext {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}
  ~Builder() override {
    for (auto node = held_.rbegin(); node != held_.rend(); ++node) graph_.Unreference(**node);
  }

  Result<Node*> Add(const Spec& spec, std::vector<Node*> inputs);

  const std::vector<Operator*>& inputs() const override { return making_.back()->operators; }
  const Source& source() const override { return graph_.context_.source; }
  const FunctionRegistry& functions() const override { return graph_.functions_; }
  bool is_once() const override { return graph_.options_.once; }
  Result<Port> Serve(Operator& node, const Ask& ask) override;
  void WakeOn(const BaseRelation& relation) override {
    making_.back()->node->relations.push_back(relation);
  }

  // In the order in which they were made.
  const std::vector<NodeId>& made() const { return made_; }

 private:
  struct Making {
    Node* node;
    std::vector<Operator*> operators;
  };

  void Connect(Node& node);

  Graph& graph_;
  std::vector<std::unique_ptr<Making>> making_;  // innermost last
  std::vector<Node*> held_;
  std::vector<NodeId> made_;
};

Result<Graph::Node*> Graph::Builder::Add(const Spec& spec, std::vector<Node*> inputs) {
  std::string key = spec.Describe();
  for (const Node* input : inputs) {
    key += StrCat(" <", static_cast<std::uint64_t>(input->id));
  }
  if (const auto known = graph_.registry_.find(key); known != graph_.registry_.end()) {
    ++known->second->references;
    held_.push_back(known->second);
    return known->second;
  }
  auto node = std::make_unique<Node>();
  node->key = std::move(key);
  node->description = spec.Describe();
  node->inputs = std::move(inputs);
  auto making = std::make_unique<Making>(Making{node.get(), {}});
  for (Node* input : node->inputs) making->operators.push_back(input->op.get());
  making_.push_back(std::move(making));
  Result<std::unique_ptr<Operator>> made = spec.Make(*this);
  making_.pop_back();
  if (!made) return std::move(made).error();
  node->op = *std::move(made);
  // After the arrangements that Make asked for, so that ids stay topological.
  node->id = NodeId{++graph_.last_id_};
  Node* const raw = node.get();
  graph_.nodes_.emplace(graph_.last_id_, std::move(node));
  Connect(*raw);
  made_.push_back(raw->id);
  raw->references = 1;
  held_.push_back(raw);
  return raw;
}

void Graph::Builder::Connect(Node& node) {
  graph_.registry_.emplace(node.key, &node);
  for (Node* input : node.inputs) {
    ++input->references;
    input->consumers.push_back(&node);
  }
  for (Node* arrangement : node.arrangements) ++arrangement->references;
  for (const BaseRelation& relation : node.relations) {
    graph_.readers_[relation.type].push_back(&node);
    graph_.CollectDemand(relation.type);
  }
}

Result<Port> Graph::Builder::Serve(Operator& node, const Ask& ask) {
  if (const std::optional<Port> offered = node.Offer(ask)) return *offered;
  Node& user = *making_.back()->node;
  const auto input = std::ranges::find(user.inputs, &node, [](Node* n) { return n->op.get(); });
  Check(input != user.inputs.end(), "an operator is served from its inputs");
  Result<Spec> spec = ArrangementFor(node, ask);
  if (!spec) return std::move(spec).error();
  Result<Node*> arrangement = Add(*spec, {*input});
  if (!arrangement) return std::move(arrangement).error();
  user.arrangements.push_back(*arrangement);
  const std::optional<Port> port = (*arrangement)->op->Offer(ask);
  Check(port.has_value(), "an arrangement answers the ask that it was made for");
  return *port;
}

Graph::Graph(const Source& source, const FunctionRegistry& functions, GraphOptions options)
    : options_(options), functions_(functions), context_(source, options.once) {
  context_.stop = options.stop;
}

Graph::~Graph() = default;

Graph::Node& Graph::At(NodeId id) const {
  const auto found = nodes_.find(static_cast<std::uint64_t>(id));
  Check(found != nodes_.end(), "a NodeId names a node of this graph while it is installed");
  return *found->second;
}

Result<Installed> Graph::Install(const Plan& plan, const std::vector<NodeNumber>& roots) {
  if (context_.failed()) return Error(context_.status.error());
  FinishStep();
  Installed installed;
  std::vector<NodeId> made;
  {
    Builder builder(*this);
    std::vector<Node*> nodes;
    for (const Plan::Node& planned : plan.nodes) {
      std::vector<Node*> inputs;
      for (const NodeNumber input : planned.inputs) {
        Check(input < nodes.size(), "a node of a plan reads earlier nodes only");
        inputs.push_back(nodes[input]);
      }
      Result<Node*> node = builder.Add(planned.spec, std::move(inputs));
      if (!node) return std::move(node).error();
      nodes.push_back(*node);
    }
    for (const NodeNumber root : roots) {
      Check(root < nodes.size(), "a root is a node of its plan");
      ++nodes[root]->references;
      ++nodes[root]->roots;
      installed.roots.push_back(nodes[root]->id);
    }
    made = builder.made();
  }
  if (Status hydrated = HydrateNew(made); !hydrated) {
    Release(installed);
    return std::move(hydrated).error();
  }
  return installed;
}

Status Graph::HydrateNew(const std::vector<NodeId>& made) {
  std::size_t used = 0;
  for (const auto& [id, node] : nodes_) used += node->op->state_bytes();
  for (const NodeId id : made) {
    const auto found = nodes_.find(static_cast<std::uint64_t>(id));
    if (found == nodes_.end()) continue;  // no root needs it
    Operator& op = *found->second->op;
    if (!options_.parameters.empty()) op.Bind(options_.parameters);
    context_.hydration_budget_bytes =
        options_.budget_bytes > used ? options_.budget_bytes - used : 0;
    op.Offer({});
    op.Hydrate(context_);
    if (!context_.failed() && op.state_bytes() > context_.hydration_budget_bytes) {
      context_.Fail(OverBudget(context_));
    }
    if (context_.failed()) return std::exchange(context_.status, Ok());
    used += op.state_bytes();
  }
  return Ok();
}

bool Graph::Forget() {
  bool can_restart = true;
  for (const auto& [id, node] : nodes_) can_restart = node->op->Forget() && can_restart;
  return can_restart;
}

Status Graph::Restart(std::span<const Value> parameters, const std::atomic<bool>* stop) {
  context_.stop = stop;
  if (ordered_.size() != nodes_.size()) {
    ordered_.clear();
    for (const auto& [id, node] : nodes_) ordered_.push_back(node.get());
    std::ranges::sort(ordered_, {}, &Node::id);
  }
  context_.hydration_budget_bytes = options_.budget_bytes;
  for (Node* node : ordered_) {
    node->op->Bind(parameters);
    node->op->Hydrate(context_);
    if (context_.failed()) return std::exchange(context_.status, Ok());
  }
  return Ok();
}

void Graph::Release(const Installed& installed) {
  FinishStep();
  for (const NodeId root : installed.roots) {
    Node& node = At(root);
    --node.roots;
    Unreference(node);
  }
}

void Graph::Unreference(Node& node) {
  Check(node.references > 0, "a reference is given back once");
  if (--node.references == 0) Remove(node);
}

void Graph::Remove(Node& node) {
  registry_.erase(node.key);
  std::erase(fed_, &node);
  for (const BaseRelation& relation : node.relations) {
    std::erase(readers_[relation.type], &node);
    CollectDemand(relation.type);
  }
  const std::vector<Node*> inputs = node.inputs;
  const std::vector<Node*> arrangements = node.arrangements;
  for (Node* input : inputs) {
    input->consumers.erase(std::ranges::find(input->consumers, &node));
  }
  nodes_.erase(static_cast<std::uint64_t>(node.id));
  ordered_.clear();
  for (Node* arrangement : arrangements) Unreference(*arrangement);
  for (Node* input : inputs) Unreference(*input);
}

void Graph::CollectDemand(TypeId type) {
  std::vector<AttributeId>& columns = demand_[type];
  columns.clear();
  for (const Node* reader : readers_[type]) {
    for (const BaseRelation& relation : reader->relations) {
      if (relation.type == type) {
        columns.insert(columns.end(), relation.columns.begin(), relation.columns.end());
      }
    }
  }
  std::ranges::sort(columns);
  columns.erase(std::ranges::unique(columns).begin(), columns.end());
  if (readers_[type].empty()) {
    readers_.erase(type);
    demand_.erase(type);
  }
}

std::span<const AttributeId> Graph::Demand(TypeId type) const {
  const auto found = demand_.find(type);
  if (found == demand_.end()) return {};
  return found->second;
}

std::vector<TypeId> Graph::DemandedTypes() const {
  std::vector<TypeId> types;
  for (const auto& [type, columns] : demand_) types.push_back(type);
  return types;
}

void Graph::Feed(NodeId id, RowView row, Weight weight) {
  Node& node = At(id);
  Batch* pending = node.op->pending();
  Check(pending != nullptr, "only a feed takes rows from the caller");
  if (pending->empty()) fed_.push_back(&node);
  pending->Add(row, weight);
}

void Graph::Wake(Node& node) {
  if (node.awake) return;
  node.awake = true;
  awake_.push_back(&node);
  std::ranges::push_heap(awake_, std::greater<>{}, &Node::id);
}

Status Graph::Step(std::span<const TypeChange> changes) {
  if (context_.failed()) return Error(context_.status.error());
  FinishStep();
  ++context_.counters.steps;
  context_.changes = changes;
  for (const TypeChange& change : changes) {
    const auto readers = readers_.find(change.type);
    if (readers == readers_.end()) continue;
    for (Node* reader : readers->second) Wake(*reader);
  }
  for (Node* fed : fed_) Wake(*fed);
  fed_.clear();
  while (!awake_.empty() && !context_.failed()) {
    std::ranges::pop_heap(awake_, std::greater<>{}, &Node::id);
    Node& node = *awake_.back();
    awake_.pop_back();
    node.awake = false;
    stepped_.push_back(&node);
    const std::uint64_t start_ns = options_.now_ns != nullptr ? options_.now_ns() : 0;
    node.op->Step(context_);
    if (options_.now_ns != nullptr) node.time_ns += options_.now_ns() - start_ns;
    ++node.steps;
    const std::size_t rows = node.op->delta().size();
    if (rows == 0) continue;
    node.delta_rows += rows;
    context_.counters.delta_rows += rows;
    for (Node* consumer : node.consumers) Wake(*consumer);
    if (node.roots > 0) changed_.push_back(node.id);
  }
  context_.changes = {};
  if (context_.failed()) return Error(context_.status.error());
  return Ok();
}

void Graph::FinishStep() {
  for (Node* node : stepped_) node->op->Finish();
  stepped_.clear();
  changed_.clear();
}

const Batch& Graph::delta(NodeId node) const { return At(node).op->delta(); }

std::optional<Port> Graph::Offer(NodeId node, const Ask& ask) { return At(node).op->Offer(ask); }

Status Graph::Read(NodeId node, RowSink sink) {
  return Read(*At(node).op->Offer({}), Pull{}, sink);
}

Status Graph::Read(const Port& port, const Pull& pull, RowSink sink) {
  if (context_.failed()) return Error(context_.status.error());
  port.Read(pull, context_, sink);
  return std::exchange(context_.status, Ok());
}

// How a node is reached from another.
struct Graph::Ways {
  bool exist = false;
  bool all_follow = true;
};

Graph::Ways Graph::WaysTo(const Node& node, const Node& source) {
  if (&node == &source) return {.exist = true, .all_follow = true};
  Ways ways;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Ways above = WaysTo(*node.inputs[i], source);
    if (!above.exist) continue;
    ways.exist = true;
    ways.all_follow = ways.all_follow && above.all_follow && node.op->follows_rows_of(i);
  }
  return ways;
}

bool Graph::Follows(NodeId node, NodeId source) const {
  return WaysTo(At(node), At(source)).all_follow;
}

const std::vector<ValueKind>& Graph::columns(NodeId node) const { return At(node).op->columns(); }

std::size_t Graph::state_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [id, node] : nodes_) bytes += node->op->state_bytes();
  return bytes;
}

std::vector<NodeReport> Graph::Report(std::span<const NodeId> roots) const {
  std::vector<const Node*> found;
  const auto visit = [&](const Node* node) {
    if (std::ranges::find(found, node) == found.end()) found.push_back(node);
  };
  for (const NodeId root : roots) visit(&At(root));
  if (roots.empty()) {
    for (const auto& [id, node] : nodes_) found.push_back(node.get());
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Node* input : found[i]->inputs) visit(input);
    for (const Node* arrangement : found[i]->arrangements) visit(arrangement);
  }
  std::ranges::sort(found, {}, &Node::id);
  std::vector<NodeReport> reports;
  for (const Node* node : found) {
    NodeReport& report = reports.emplace_back();
    report.id = node->id;
    report.description = node->description;
    for (const Node* input : node->inputs) report.inputs.push_back(input->id);
    for (const Node* arrangement : node->arrangements)
      report.arrangements.push_back(arrangement->id);
    report.steps = node->steps;
    report.delta_rows = node->delta_rows;
    report.state_rows = node->op->state_rows();
    report.state_bytes = node->op->state_bytes();
    report.time_ns = node->time_ns;
  }
  return reports;
}

}  // namespace trefoil::dataflow
