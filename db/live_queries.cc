#include "db/live_queries.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/engine.h"
#include "query/to_expression.h"

namespace trefoil::db {

namespace {

using dataflow::Batch;

// Equal keys are the same query with the same parameters.
std::string KeyOf(const Query::Plan& query, const Params& params) {
  std::string key = query.text;
  for (const auto& [name, value] : params.named()) key += StrCat('\0', name, '=', ToJson(value));
  for (const Value& value : params.positional()) key += StrCat('\0', ToJson(value));
  return key;
}

// All rows of each root, as the contents of its level.
Result<std::vector<Batch>> ReadLevels(dataflow::Graph& graph,
                                      const dataflow::Installed& installed) {
  std::vector<Batch> levels;
  for (const dataflow::NodeId root : installed.roots) {
    Batch& level = levels.emplace_back(graph.columns(root).size());
    Status read = graph.Read(root, [&](dataflow::RowView row, dataflow::Weight weight) {
      level.Add(row, weight);
      return true;
    });
    if (!read) return std::move(read).error();
    level.Consolidate();
  }
  return levels;
}

std::vector<const Batch*> Pointers(const std::vector<Batch>& levels) {
  std::vector<const Batch*> pointers;
  for (const Batch& level : levels) pointers.push_back(&level);
  return pointers;
}

// What leads from `before` to `after`.
std::vector<Batch> Difference(const std::vector<Batch>& before, std::vector<Batch> after) {
  for (std::size_t level = 0; level < after.size(); ++level) {
    for (std::size_t i = 0; i < before[level].size(); ++i) {
      after[level].Add(before[level].row(i), -before[level].weight(i));
    }
    after[level].Consolidate();
  }
  return after;
}

Change Reset(const dataflow::ViewSnapshot& result, Version version, Origin origin) {
  return {.to = version, .origin = origin, .reset = true, .added = result.ToRows()};
}

}  // namespace

LiveQueries::LiveQueries(Engine& engine) : engine_(engine) {}

LiveQueries::~LiveQueries() {
  if (observing_) engine_.RemoveObserver(this);
}

void LiveQueries::StartObserving() {
  if (observing_) return;
  // First the observer, then the pin: a commit in between is told of, and skipped by its version.
  engine_.AddObserver(this);
  const PinnedRef now = engine_.Pin();
  version_ = now->version();
  source_ = std::make_unique<TripleSource>(now);
  MakeGraph();
  observing_ = true;
}

void LiveQueries::MakeGraph() {
  graph_ = std::make_unique<dataflow::Graph>(
      *source_, query::Functions(),
      dataflow::GraphOptions{.budget_bytes = engine_.options().live_memory_bytes});
}

Result<std::shared_ptr<Listener>> LiveQueries::Watch(const PreparedRef& query, const Params& params,
                                                     OnChange on_change, WatchOptions options) {
  const trefoil::Deliver deliver = options.deliver;
  auto listener = std::make_shared<Listener>(std::move(on_change), std::move(options));
  {
    const std::lock_guard lock(mutex_);
    StartObserving();
    Result<LiveView*> found = FindOrInstall(query, params);
    if (!found) return std::move(found).error();
    LiveView& live = **found;
    Status started = Start(live, *listener);
    if (!started) {
      if (live.listeners.empty()) Drop(live);
      return std::move(started).error();
    }
    live.listeners.push_back(listener);
    if (deliver == trefoil::Deliver::kBackground && background_ == nullptr) {
      background_ = std::make_unique<ThreadExecutor>();
    }
  }
  Deliver({listener});
  return listener;
}

// What the listener is owed at first.
Status LiveQueries::Start(LiveView& live, Listener& listener) {
  const WatchOptions& options = listener.options();
  const dataflow::ViewSnapshot now = live.view->Snapshot({});
  if (options.since) {
    Result<std::optional<Change>> change = ChangeSince(live, *options.since);
    if (!change) return std::move(change).error();
    if (*change) {
      listener.StartAt(*options.since, {});
      listener.Owe(**std::move(change), now);
      return Ok();
    }
  } else if (!options.initial) {
    listener.StartAt(version_, now);
    return Ok();
  }
  listener.Owe(Reset(now, version_, Origin::kLocal), now);
  return Ok();
}

Result<LiveQueries::LiveView*> LiveQueries::FindOrInstall(const PreparedRef& query,
                                                          const Params& params) {
  const std::string key = KeyOf(*query, params);
  if (const auto found = views_.find(key); found != views_.end()) return found->second.get();
  auto live = std::make_unique<LiveView>();
  live->key = key;
  live->query = query;
  live->params = params;
  if (Status installed = Install(*live); !installed) return std::move(installed).error();
  return views_.emplace(key, std::move(live)).first->second.get();
}

Status LiveQueries::Install(LiveView& live) {
  Result<query::Compiled> compiled = query::CompileLive(*live.query, live.params);
  if (!compiled) return std::move(compiled).error();
  Result<dataflow::Installed> installed = graph_->Install(compiled->plan, compiled->levels);
  if (!installed) return std::move(installed).error();
  const Result<std::vector<Batch>> levels = ReadLevels(*graph_, *installed);
  if (!levels) {
    graph_->Release(*installed);
    return levels.error();
  }
  auto view = std::make_unique<dataflow::View>(std::move(compiled->shape));
  view->Load(Pointers(*levels));
  if (StateBytes() + view->state_bytes() > engine_.options().live_memory_bytes) {
    graph_->Release(*installed);
    return LimitError(StrCat("the live queries would need more than live_memory_bytes = ",
                             engine_.options().live_memory_bytes));
  }
  live.installed = *std::move(installed);
  live.view = std::move(view);
  for (const dataflow::NodeId root : live.installed.roots) readers_[root].push_back(&live);
  return Ok();
}

std::size_t LiveQueries::StateBytes() const {
  std::size_t bytes = graph_->state_bytes();
  for (const auto& [key, live] : views_) {
    if (live->view != nullptr) bytes += live->view->state_bytes();
  }
  return bytes;
}

// The difference between the result at `since` and now; nothing when that state is gone.
Result<std::optional<Change>> LiveQueries::ChangeSince(LiveView& live, Version since) {
  const Result<PinnedRef> pinned = engine_.PinAt(since);
  if (!pinned) {
    if (pinned.error().code == ErrorCode::kTooOld) return std::optional<Change>();
    return pinned.error();
  }
  Result<query::Compiled> compiled = query::CompileLive(*live.query, live.params);
  if (!compiled) return std::move(compiled).error();
  const TripleSource source(*pinned);
  dataflow::Graph past(source, query::Functions(), {});
  const Result<dataflow::Installed> installed = past.Install(compiled->plan, compiled->levels);
  if (!installed) return installed.error();
  const Result<std::vector<Batch>> before = ReadLevels(past, *installed);
  if (!before) return before.error();
  Result<std::vector<Batch>> after = ReadLevels(*graph_, live.installed);
  if (!after) return std::move(after).error();
  dataflow::View view(std::move(compiled->shape));
  view.Load(Pointers(*before));
  std::vector<dataflow::ListChange> lists =
      view.Step(Pointers(Difference(*before, *std::move(after))));
  if (lists.empty()) return std::optional(Change{.from = since, .to = version_});
  return std::optional(ToChange(std::move(lists[0]), since, version_, Origin::kBoth));
}

void LiveQueries::OnCommit(const CommitDelta& delta) {
  Listeners owed;
  {
    const std::lock_guard lock(mutex_);
    if (delta.version() <= version_) return;
    source_->Move(delta.before, delta.after);
    const Version from = std::exchange(version_, delta.version());
    const Origin origin = delta.merged ? Origin::kMerged : Origin::kLocal;
    if (delta.schema_changed()) {
      InstallAllAgain(origin, owed);
    } else if (const Status stepped = StepGraph(delta); !stepped) {
      FailAll(stepped.error(), owed);
    } else {
      StepViews(from, origin, owed);
    }
  }
  Deliver(owed);
}

Status LiveQueries::StepGraph(const CommitDelta& delta) {
  const std::vector<TypeId> types = TouchedTypes(delta);
  std::vector<Batch> batches;
  batches.reserve(types.size());
  std::vector<dataflow::TypeChange> changes;
  for (const TypeId type : types) {
    const std::span<const AttributeId> columns = graph_->Demand(type);
    if (columns.empty()) continue;
    Batch& batch = batches.emplace_back(columns.size());
    if (Status read = AppendRowChanges(delta, type, columns, batch); !read) return read;
    batch.Consolidate();
    if (!batch.empty()) changes.push_back({.type = type, .columns = columns, .rows = &batch});
  }
  return graph_->Step(changes);
}

void LiveQueries::StepViews(Version from, Origin origin, Listeners& owed) {
  std::vector<LiveView*> touched;
  for (const dataflow::NodeId root : graph_->changed()) {
    const std::vector<LiveView*>& readers = readers_[root];
    touched.insert(touched.end(), readers.begin(), readers.end());
  }
  std::ranges::sort(touched, {}, &LiveView::key);
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (LiveView* live : touched) StepView(*live, from, origin, owed);
}

void LiveQueries::StepView(LiveView& live, Version from, Origin origin, Listeners& owed) {
  std::vector<const Batch*> deltas;
  for (const dataflow::NodeId root : live.installed.roots) {
    const bool has_delta = std::ranges::binary_search(graph_->changed(), root);
    deltas.push_back(has_delta ? &graph_->delta(root) : nullptr);
  }
  std::vector<dataflow::ListChange> lists = live.view->Step(deltas);
  if (lists.empty()) return;
  const Change change = ToChange(std::move(lists[0]), from, version_, origin);
  if (change.empty()) return;
  const dataflow::ViewSnapshot after = live.view->Snapshot({});
  for (const std::shared_ptr<Listener>& listener : live.listeners) {
    listener->Owe(change, after);
    owed.push_back(listener);
  }
}

// Names may mean something else now, so every query is bound again. Who sees another result than
// before begins anew.
void LiveQueries::InstallAllAgain(Origin origin, Listeners& owed) {
  for (auto& [key, live] : views_) {
    const Result<PreparedRef> again = query::Prepare(live->query->text, engine_.schema());
    if (!again) {
      Fail(*live, again.error(), owed);
      continue;
    }
    const dataflow::ViewSnapshot before = live->view->Snapshot({});
    Uninstall(*live);
    live->query = *again;
    if (const Status installed = Install(*live); !installed) {
      Fail(*live, installed.error(), owed);
      continue;
    }
    const dataflow::ViewSnapshot after = live->view->Snapshot({});
    if (before.ToRows() == after.ToRows()) continue;
    const Change change = Reset(after, version_, origin);
    for (const std::shared_ptr<Listener>& listener : live->listeners) {
      listener->Owe(change, after);
      owed.push_back(listener);
    }
  }
}

void LiveQueries::Fail(LiveView& live, const Error& error, Listeners& owed) {
  for (const std::shared_ptr<Listener>& listener : live.listeners) {
    listener->OweError(error);
    owed.push_back(listener);
  }
}

// A graph that failed within a step is of no further use. Its queries can be watched anew.
void LiveQueries::FailAll(const Error& error, Listeners& owed) {
  for (auto& [key, live] : views_) Fail(*live, error, owed);
  views_.clear();
  readers_.clear();
  MakeGraph();
}

void LiveQueries::Deliver(const Listeners& owed) {
  for (const std::shared_ptr<Listener>& listener : owed) {
    if (listener->deliver() == trefoil::Deliver::kOnCommit) listener->Deliver();
    if (listener->deliver() == trefoil::Deliver::kBackground) {
      background_->Post([listener] { listener->Deliver(); });
    }
  }
}

void LiveQueries::Cancel(const std::shared_ptr<Listener>& listener) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, live] : views_) {
      if (std::erase(live->listeners, listener) == 0) continue;
      if (live->listeners.empty()) Drop(*live);
      break;
    }
  }
  listener->Cancel();
}

void LiveQueries::Uninstall(LiveView& live) {
  if (live.view == nullptr) return;
  for (const dataflow::NodeId root : live.installed.roots) {
    std::erase(readers_[root], &live);
    if (readers_[root].empty()) readers_.erase(root);
  }
  graph_->Release(live.installed);
  live.installed = {};
  live.view.reset();
}

void LiveQueries::Drop(LiveView& live) {
  Uninstall(live);
  const std::string key = live.key;
  views_.erase(key);
}

std::size_t LiveQueries::Pump(std::chrono::microseconds budget) {
  Listeners manual;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, live] : views_) {
      for (const std::shared_ptr<Listener>& listener : live->listeners) {
        if (listener->deliver() == trefoil::Deliver::kManual) manual.push_back(listener);
      }
    }
  }
  const std::uint64_t start = engine_.clock().MonotonicMicros();
  const auto allowed = static_cast<std::uint64_t>(std::max<std::int64_t>(budget.count(), 0));
  std::size_t delivered = 0;
  for (const std::shared_ptr<Listener>& listener : manual) {
    if (engine_.clock().MonotonicMicros() - start >= allowed && delivered > 0) break;
    delivered += listener->Deliver();
  }
  return delivered;
}

std::string LiveQueries::ToJson() {
  const std::lock_guard lock(mutex_);
  std::string json = "{\"views\":[";
  for (const auto& [key, live] : views_) {
    if (json.back() != '[') json += ',';
    json += StrCat("{\"query\":", trefoil::ToJson(Value::Text(live->query->text)),
                   ",\"listeners\":", live->listeners.size());
    if (live->view != nullptr) {
      json +=
          StrCat(",\"rows\":", live->view->state_rows(), ",\"bytes\":", live->view->state_bytes());
    }
    json += '}';
  }
  json += "],\"operators\":[";
  if (graph_ != nullptr) {
    for (const dataflow::NodeReport& node : graph_->Report({})) {
      if (json.back() != '[') json += ',';
      json +=
          StrCat("{\"id\":", static_cast<std::uint64_t>(node.id),
                 ",\"operator\":", trefoil::ToJson(Value::Text(node.description)),
                 ",\"steps\":", node.steps, ",\"delta_rows\":", node.delta_rows,
                 ",\"state_rows\":", node.state_rows, ",\"state_bytes\":", node.state_bytes, '}');
    }
  }
  return json + "]}";
}

}  // namespace trefoil::db
