// LivePlan: one plan of live queries that stands in the graph, with the view of its results. A plan
// of its own has one result; a shared one has a result for each of its bindings.
//
//   plan of its own:  SELECT ... WHERE done                    -> the result of one query
//   shared plan:      SELECT ... WHERE owner = ?   7 -> one result     8 -> another     ...
//
// Bindings are rows of a feed, so results come and go by steps of the graph: Stage puts a binding
// in or takes it out, a step makes its rows, Load brings them into the view.
//
// Threads: those of the graph.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/view.h"
#include "query/compiler.h"
#include "trefoil/result.h"

namespace trefoil::db {

struct LiveView;  // live_queries.h

// Tells the bindings of a plan apart; a plan of its own has the one that is 0.
enum class BindingId : std::int64_t {};

// All rows of each root, as the contents of its level.
Result<std::vector<dataflow::Batch>> ReadLevels(dataflow::Graph& graph,
                                                const dataflow::Installed& installed);
std::vector<const dataflow::Batch*> Pointers(const std::vector<dataflow::Batch>& levels);

class LivePlan {
 public:
  // Installs and hydrates the plan. `graph` outlives it. Errors: those of Graph::Install.
  static Result<std::unique_ptr<LivePlan>> Install(dataflow::Graph& graph, query::Compiled compiled,
                                                   std::uint64_t number);
  ~LivePlan();
  LivePlan(const LivePlan&) = delete;
  LivePlan& operator=(const LivePlan&) = delete;

  // As given: tells plans apart.
  std::uint64_t number() const { return number_; }
  bool is_shared() const { return feed_.has_value(); }
  const std::vector<dataflow::NodeId>& roots() const { return installed_.roots; }

  // Of a shared plan: a binding with these slot values comes or goes with the next step.
  BindingId Stage(const std::vector<Value>& slots);
  void Unstage(BindingId id, const std::vector<Value>& slots);

  // What the last step of the graph did to the results; Load when nobody asks.
  std::vector<dataflow::ListChange> Step();
  void Load();

  // Who shows a result.
  void SetView(BindingId id, LiveView* view) { views_[id] = view; }
  LiveView* ViewOf(const dataflow::ListChange& change) const;

  dataflow::ViewSnapshot Snapshot(BindingId id) const;
  std::size_t state_bytes() const;
  std::size_t view_count() const { return views_.size(); }

 private:
  LivePlan(dataflow::Graph& graph, dataflow::Installed installed, query::Compiled compiled,
           std::uint64_t number);

  // Of the last step, by level. Valid until the next call.
  std::span<const dataflow::Batch* const> Deltas();

  dataflow::Graph& graph_;
  const std::uint64_t number_;
  dataflow::Installed installed_;
  std::optional<dataflow::NodeId> feed_;  // of the bindings
  dataflow::View view_;
  boost::unordered_flat_map<BindingId, LiveView*> views_;
  std::int64_t last_id_ = 0;
  std::vector<const dataflow::Batch*> deltas_;  // scratch
};

}  // namespace trefoil::db
