// LiveQueries keeps the live queries of one database: one dataflow graph for all of them, one view
// for each query with its parameters, any number of listeners on a view.
//
//   commit -> OnCommit: rows of the touched types, before and after
//          -> graph.Step -> deltas of the roots -> view.Step -> one Change
//          -> every listener of the view, after all views stand at the new version
//
// L1: between calls the graph, all views and `source_` stand at version_; commits that the engine
//     has published but not yet told of are not seen.
// L2: a listener gets its Changes in the order of versions, one call at a time; each begins at the
//     version at which the one before ended. A listener that is behind gets their exact sum.
//
// Locks: mutex_ guards graph and views and is never held while a listener's callback runs; a
// listener's own mutex guards what it is owed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "dataflow/functions.h"
#include "dataflow/graph.h"
#include "dataflow/view.h"
#include "db/commit_delta.h"
#include "db/live_listener.h"
#include "db/triple_source.h"
#include "query/prepare.h"
#include "trefoil/change.h"
#include "trefoil/database.h"

namespace trefoil::db {

class Engine;

using PreparedRef = std::shared_ptr<const Query::Plan>;

class LiveQueries final : public CommitObserver {
 public:
  explicit LiveQueries(Engine& engine);
  // All listeners are gone or cancelled.
  ~LiveQueries() override;

  // Registers a listener; its first Change, if it wants one, is delivered before the return when
  // it asks for kOnCommit. Errors: those of the query; kLimit for the memory budget.
  Result<std::shared_ptr<Listener>> Watch(const PreparedRef& query, const Params& params,
                                          OnChange on_change, WatchOptions options);
  // No call begins afterwards; waits for a running one, unless it is the caller.
  void Cancel(const std::shared_ptr<Listener>& listener);
  // Delivers what kManual listeners are owed until the budget is spent; returns how many Changes.
  std::size_t Pump(std::chrono::microseconds budget);

  void OnCommit(const CommitDelta& delta) override;

  // The operators and views as JSON.
  std::string ToJson();

 private:
  // One query with its parameters, kept.
  struct LiveView {
    std::string key;  // in views_
    PreparedRef query;
    Params params;
    dataflow::Installed installed;
    std::unique_ptr<dataflow::View> view;
    std::vector<std::shared_ptr<Listener>> listeners;
  };
  using Listeners = std::vector<std::shared_ptr<Listener>>;

  // The following need mutex_.
  void StartObserving();
  void MakeGraph();
  Result<LiveView*> FindOrInstall(const PreparedRef& query, const Params& params);
  Status Install(LiveView& live);
  Status Start(LiveView& live, Listener& listener);
  Result<std::optional<Change>> ChangeSince(LiveView& live, Version since);
  Status StepGraph(const CommitDelta& delta);
  void StepViews(Version from, Origin origin, Listeners& owed);
  void StepView(LiveView& live, Version from, Origin origin, Listeners& owed);
  void InstallAllAgain(Origin origin, Listeners& owed);
  void FailAll(const Error& error, Listeners& owed);
  static void Fail(LiveView& live, const Error& error, Listeners& owed);
  void Uninstall(LiveView& live);
  void Drop(LiveView& live);
  std::size_t StateBytes() const;

  void Deliver(const Listeners& owed);

  Engine& engine_;
  std::unique_ptr<ThreadExecutor> background_;  // made when first asked for

  std::mutex mutex_;
  bool observing_ = false;
  Version version_{};
  std::unique_ptr<TripleSource> source_;
  std::unique_ptr<dataflow::Graph> graph_;
  std::map<std::string, std::unique_ptr<LiveView>> views_;
  std::map<dataflow::NodeId, std::vector<LiveView*>> readers_;  // by root
};

}  // namespace trefoil::db
