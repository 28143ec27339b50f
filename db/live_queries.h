// LiveQueries keeps the live queries of one database: one dataflow graph for all of them, one view
// for each query with its parameters, any number of listeners on a view.
//
//   commit -> OnCommit: rows of the touched types, before and after
//          -> graph.Step -> deltas of the roots -> plan.Step -> one Change for each view it touches
//          -> every listener of the view, after all views stand at the new version
//
// Queries that differ in literals and parameters only have one plan (query/lift.h). The first of
// them gets a plan of its own, with its values as constants, as most texts are watched with one set
// of values; from the second on each is a binding of a plan that they share, and costs a commit
// that does not concern it nothing.
//
// L1: between calls the graph, all views and `source_` stand at version_; commits that the engine
//     has published but not yet told of are not seen.
// L2: a view is a result of exactly one plan, which stands while it has a view.
// L3: a listener gets its Changes in the order of versions, one call at a time; each begins at the
//     version at which the one before ended. A listener that is behind gets their exact sum.
//
// Locks: mutex_ guards graph and views and is never held while a listener's callback runs; a
// listener's own mutex guards what it is owed.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "dataflow/functions.h"
#include "dataflow/graph.h"
#include "db/commit_delta.h"
#include "db/live_listener.h"
#include "db/live_plan.h"
#include "db/system_tables.h"
#include "db/triple_source.h"
#include "query/prepare.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::db {

class Engine;

using PreparedRef = std::shared_ptr<const Query::Plan>;

// One query with its parameters, kept.
struct LiveView {
  std::string key;       // in LiveQueries
  std::string plan_key;  // the same
  std::string text;
  Params params;
  std::vector<Value> slots;       // of a binding
  std::unique_ptr<LivePlan> own;  // null: the plan is shared
  LivePlan* plan = nullptr;       // null: the query can no longer be kept
  BindingId binding{};
  std::vector<std::shared_ptr<Listener>> listeners;
};

class LiveQueries final : public CommitObserver {
 public:
  explicit LiveQueries(Engine& engine);
  // All listeners are gone or cancelled.
  ~LiveQueries() override;

  // Registers a listener; its first Change, if it wants one, is delivered before the return when
  // it asks for kOnCommit. Errors: those of the query; kLimit for the memory budget.
  Result<std::shared_ptr<Listener>> Watch(const PreparedRef& query, const Params& params,
                                          OnChange on_change, WatchOptions options);
  // The result as of the Change delivered last.
  Rows Current(const Listener& listener);
  // No call begins afterwards; waits for a running one, unless it is the caller.
  void Cancel(const std::shared_ptr<Listener>& listener);
  // Delivers what kManual listeners are owed until the budget is spent; returns how many Changes.
  std::size_t Pump(std::chrono::microseconds budget);

  void OnCommit(const CommitDelta& delta) override;

  // The operators and views as JSON.
  std::string ToJson();
  // The rows of sys.live_query or sys.operator (system_tables.h), gathered before the first visit.
  void Scan(TypeId type, const VisitRow& visit);

 private:
  // Queries with one PlanKey.
  struct Shape {
    PreparedRef query;               // one of them
    std::vector<Value> parameters;   // of it
    std::unique_ptr<LivePlan> plan;  // shared; null as long as no second one came
    bool is_refused = false;         // every view has a plan of its own
    std::size_t views = 0;
  };
  // What a query asks for, taken apart.
  struct Request {
    PreparedRef query;
    std::vector<Value> parameters;
    std::string plan_key;                     // names its Shape
    std::optional<std::vector<Value>> slots;  // nothing: it cannot share
    std::string key;                          // names its view
  };
  using Listeners = boost::container::small_vector<std::shared_ptr<Listener>, 8>;

  // The following take mutex_.
  Status Add(const PreparedRef& query, const Params& params,
             const std::shared_ptr<Listener>& listener, Listeners& owed);
  void StartBackground();
  void Deliver(const Listeners& owed);

  // The following need mutex_.
  void StartObserving();
  void MakeGraph();
  Result<Request> Read(const PreparedRef& query, const Params& params) const;
  Result<Request> ReadAgain(const LiveView& live) const;
  Result<LiveView*> FindOrAdd(const Request& request, const Params& params, Listeners& owed);
  void MakeRoom(const std::string& key);
  Status Place(LiveView& live, const Request& request);
  Status PlaceAlone(LiveView& live, const Request& request);
  Status PlaceShared(LiveView& live, Shape& shape, const Request& request);
  Result<std::unique_ptr<LivePlan>> MakePlan(Result<query::Compiled> compiled);
  void RemovePlan(std::unique_ptr<LivePlan> plan);
  Status StepBindings(LivePlan& plan);
  Status CheckBudget() const;
  Status Start(LiveView& live, const Request& request, Listener& listener);
  Result<std::optional<Change>> ChangeSince(const Request& request, Version since);
  Status StepGraph(const CommitDelta& delta);
  Status ReadChanges(const CommitDelta& delta, TypeId type, std::span<const AttributeId> columns,
                     dataflow::Batch& rows) const;
  void StepViews(Version from, Origin origin, Listeners& owed);
  void PlaceAllAgain(Origin origin, Listeners& owed);
  void ClearPlans();
  void FailAll(const Error& error, Listeners& owed);
  static void Fail(LiveView& live, const Error& error, const dataflow::ViewSnapshot& last,
                   Listeners& owed);
  void Drop(LiveView& live, Listeners& owed);

  Engine& engine_;
  std::unique_ptr<ThreadExecutor> background_;  // made when first asked for

  std::mutex mutex_;
  bool observing_ = false;
  PinnedRef now_;
  Version version_{};
  std::unique_ptr<TripleSource> source_;
  std::unique_ptr<dataflow::Graph> graph_;
  std::map<std::string, Shape> shapes_;                         // by plan key
  std::map<dataflow::NodeId, std::vector<LivePlan*>> readers_;  // by root
  std::map<std::string, std::unique_ptr<LiveView>> views_;      // by key
  boost::unordered_flat_map<const Listener*, LiveView*> view_of_;
  std::map<TypeId, dataflow::Batch> changed_rows_;  // of the commit at hand; keeps its memory
  std::deque<std::shared_ptr<Listener>> due_;       // kManual listeners that Pump has to look at
  std::uint64_t plan_count_ = 0;                    // ever made
  std::size_t view_bytes_ = 0;                      // of all plans' results
  bool graph_broken_ = false;                       // a step failed; FailAll is next
};

}  // namespace trefoil::db
