// Graph: the network of operators of all live queries of one database, or of one query that runs
// once. Plans are installed into it and share the nodes that they have in common; one Step takes
// one commit through it.
//
//   Graph graph(source, functions, {});
//   Result<Installed> query = graph.Install(plan, {root});      // hydrated at the source's kNew
//   graph.Read(query->roots[0], sink);                          // the result now
//   graph.Step(changes);                                        // after the source has moved on
//   graph.delta(query->roots[0]);                               // what this commit did to it
//   graph.Release(*query);
//
// A step visits only nodes with a changed input, in the order in which they were made, which is
// topological: a node can read only nodes that exist. Everything is a function of the sequence of
// calls: no hash order, clock or address decides anything.
//
// I1: between calls every node's state equals what Hydrate would build from the source at kNew.
// I2: a node lives while an installed plan or another node refers to it.
//
// A run-once query is the same: Install, Read, Release on a graph of its own.
// Threads: one at a time. The source must stand still during a call; before Step the caller moves
// it so that kOld is the state of the last call and kNew the state after `changes`.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"
#include "trefoil/result.h"

namespace trefoil::dataflow {

// Names a node of a graph for as long as it lives; grows in topological order, never reused.
enum class NodeId : std::uint64_t {};

// A plan that stands in the graph. A plain value: give it back to Release exactly once.
struct Installed {
  std::vector<NodeId> roots;  // as asked for
};

struct GraphOptions {
  // State of all operators together; installing more is refused with kLimit. A step is never
  // refused, as its commit already happened.
  std::size_t budget_bytes = std::numeric_limits<std::size_t>::max();
  // The graph is read and never steps: what only steps need is left out.
  bool once = false;
  // Values of the parameters that specs name; borrowed during Install.
  std::span<const Value> parameters = {};
  // If set, explain shows time per node. Nanoseconds from any origin.
  std::uint64_t (*now_ns)() = nullptr;
  // If it becomes true, installing and reading end with kCancelled. For graphs of queries that run
  // once: a step cannot be taken back. Outlives the graph.
  const std::atomic<bool>* stop = nullptr;
};

// One node, for explain.
struct NodeReport {
  NodeId id{};
  std::string description;
  std::vector<NodeId> inputs;        // whose deltas it takes
  std::vector<NodeId> arrangements;  // shared state that it probes, made for it
  std::uint64_t steps = 0;
  std::uint64_t delta_rows = 0;  // rows of all its deltas so far
  std::size_t state_rows = 0;
  std::size_t state_bytes = 0;
  std::uint64_t time_ns = 0;  // in its steps, inputs not included
};

class Graph {
 public:
  // Both outlive the graph.
  Graph(const Source& source, const FunctionRegistry& functions, GraphOptions options);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Adds what is missing of the plan, and hydrates it. On error the graph is as before.
  // Errors: kTypeMismatch, kInvalidArgument, kUnsupported from a spec; kLimit for the budget;
  // whatever the source returns.
  Result<Installed> Install(const Plan& plan, const std::vector<NodeNumber>& roots);
  // For a graph that runs once and again. Forget drops all state; false: some of it cannot be built
  // anew, and the graph is useless. Restart builds it from the source as it is now, with these
  // values of the parameters and this GraphOptions::stop. Errors: those of Install; then the graph
  // is useless too.
  bool Forget();
  Status Restart(std::span<const Value> parameters, const std::atomic<bool>* stop = nullptr);
  // Drops the nodes that nobody else uses.
  void Release(const Installed& installed);

  // Adds a change to the next step of a node that is fed by the caller (operators/feed.h).
  void Feed(NodeId node, RowView row, Weight weight);

  // One commit: `changes` has one entry per changed type that Demand names. Afterwards the deltas
  // can be read until the next call of Step, Install or Release.
  // Errors: what the source returns. The graph is then broken: every later call returns the error.
  Status Step(std::span<const TypeChange> changes);
  // The roots that have a delta, in topological order.
  std::span<const NodeId> changed() const { return changed_; }
  const Batch& delta(NodeId node) const;

  // All rows of a node at kNew, in no order.
  Status Read(NodeId node, RowSink sink);
  // For readers with keys or orders (views): a port that stays valid while the node is installed,
  // then reads through it. Nothing if the node has no such offer.
  std::optional<Port> Offer(NodeId node, const Ask& ask);
  Status Read(const Port& port, const Pull& pull, RowSink sink);

  const std::vector<ValueKind>& columns(NodeId node) const;
  // Whether every way from `source` to `node` leads through operators that follow its rows only.
  bool Follows(NodeId node, NodeId source) const;
  // Columns of `type` that some node reads, ascending; empty if none.
  std::span<const AttributeId> Demand(TypeId type) const;
  // All types that some node reads, ascending.
  std::vector<TypeId> DemandedTypes() const;

  std::size_t state_bytes() const;
  const Counters& counters() const { return context_.counters; }
  // The nodes that the roots need, in topological order; of everything for an empty list.
  std::vector<NodeReport> Report(std::span<const NodeId> roots) const;

 private:
  struct Node;
  class Builder;

  Node& At(NodeId id) const;
  struct Ways;
  static Ways WaysTo(const Node& node, const Node& source);
  void Wake(Node& node);
  void FinishStep();
  Status HydrateNew(const std::vector<NodeId>& made);
  void Unreference(Node& node);
  void Remove(Node& node);
  void CollectDemand(TypeId type);

  GraphOptions options_;
  const FunctionRegistry& functions_;
  Context context_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  std::map<std::string, Node*> registry_;  // by canonical text
  std::map<TypeId, std::vector<Node*>> readers_;
  std::map<TypeId, std::vector<AttributeId>> demand_;
  std::vector<Node*> fed_;      // nodes with pending changes
  std::vector<Node*> awake_;    // heap by id
  std::vector<Node*> stepped_;  // in this step
  std::vector<NodeId> changed_;
  std::vector<Node*> ordered_;  // all nodes, while Restart needs them
};

}  // namespace trefoil::dataflow
