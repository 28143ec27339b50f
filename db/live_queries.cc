#include "db/live_queries.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "db/engine.h"
#include "db/violations.h"
#include "query/to_expression.h"
#include "schema/catalogue.h"

namespace trefoil::db {

namespace {

using dataflow::Batch;

std::string KeyOf(std::span<const Value> values) {
  std::string key;
  for (const Value& value : values) key += StrCat('\0', KindName(value.kind()), '=', ToJson(value));
  return key;
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

// Down to the keys, by which a listener that is behind finds its way back.
bool AreSame(const std::vector<Row>& a, const std::vector<Row>& b) {
  return std::ranges::equal(
      a, b, [](const Row& x, const Row& y) { return x == y && x.key() == y.key(); });
}

}  // namespace

LiveQueries::LiveQueries(Engine& engine) : engine_(engine) {
  engine_.SetLiveTables([this](TypeId type, const VisitRow& visit) { Scan(type, visit); });
}

LiveQueries::~LiveQueries() {
  if (observing_) engine_.RemoveObserver(this);
}

void LiveQueries::StartObserving() {
  if (observing_) return;
  // First the observer, then the pin: a commit in between is told of, and skipped by its version.
  engine_.AddObserver(this);
  now_ = engine_.Pin();
  version_ = now_->version();
  source_ = std::make_unique<TripleSource>(now_, &engine_);
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
  Listeners owed;
  Status added = Add(query, params, listener, owed);
  if (added && deliver == trefoil::Deliver::kBackground) StartBackground();
  Deliver(owed);
  if (!added) return std::move(added).error();
  return listener;
}

Status LiveQueries::Add(const PreparedRef& query, const Params& params,
                        const std::shared_ptr<Listener>& listener, Listeners& owed) {
  const std::lock_guard lock(mutex_);
  StartObserving();
  const Result<Request> request = Read(query, params);
  if (!request) return request.error();
  Result<LiveView*> found = FindOrAdd(*request, params, owed);
  if (!found) return std::move(found).error();
  LiveView& live = **found;
  if (Status started = Start(live, *request, *listener); !started) {
    if (live.listeners.empty()) Drop(live, owed);
    return started;
  }
  live.listeners.push_back(listener);
  view_of_[listener.get()] = &live;
  owed.push_back(listener);
  return Ok();
}

void LiveQueries::StartBackground() {
  const std::lock_guard lock(mutex_);
  if (background_ == nullptr) background_ = std::make_unique<ThreadExecutor>();
}

// What the listener is owed at first.
Status LiveQueries::Start(LiveView& live, const Request& request, Listener& listener) {
  const WatchOptions& options = listener.options();
  const auto now = [&] { return live.plan->Snapshot(live.binding); };
  if (options.since) {
    Result<std::optional<Change>> change = ChangeSince(request, *options.since);
    if (!change) return std::move(change).error();
    if (*change) {
      listener.StartAt(*options.since);
      listener.Owe(**std::move(change), now);
      return Ok();
    }
  } else if (!options.initial) {
    listener.StartAt(version_);
    return Ok();
  }
  listener.OweReset(Reset(now(), version_, Origin::kLocal), {});
  return Ok();
}

// A query that was prepared before a change of the schema is bound again, as its names may mean
// something else now.
Result<LiveQueries::Request> LiveQueries::Read(const PreparedRef& query,
                                               const Params& params) const {
  Request request{.query = query};
  if (query->schema != now_->schema()) {
    Result<PreparedRef> again = query::Prepare(query->text, now_->schema());
    if (!again) return std::move(again).error();
    request.query = *std::move(again);
  }
  Result<std::vector<Value>> parameters = query::BindLive(*request.query, params);
  if (!parameters) return std::move(parameters).error();
  request.parameters = *std::move(parameters);
  const query::LiftedQuery& lifted = request.query->lifted;
  request.plan_key = query::PlanKey(lifted, request.parameters);
  request.slots = query::SlotValues(lifted, request.parameters);
  request.key = request.slots ? request.plan_key + KeyOf(*request.slots)
                              : request.query->text + KeyOf(request.parameters);
  return request;
}

// The request of a view after a change of the schema. When another query of its shape is of that
// shape still, this one is too, with the same values, and need not be prepared again.
Result<LiveQueries::Request> LiveQueries::ReadAgain(const LiveView& live) const {
  const auto shape = shapes_.find(live.plan_key);
  if (!live.slots.empty() && shape != shapes_.end() && shape->second.plan != nullptr) {
    return Request{.query = shape->second.query,
                   .parameters = {},
                   .plan_key = live.plan_key,
                   .slots = live.slots,
                   .key = live.key};
  }
  const Result<PreparedRef> again = query::Prepare(live.text, now_->schema());
  if (!again) return again.error();
  return Read(*again, live.params);
}

Result<LiveView*> LiveQueries::FindOrAdd(const Request& request, const Params& params,
                                         Listeners& owed) {
  const auto found = views_.find(request.key);
  if (found != views_.end() && found->second->plan != nullptr) return found->second.get();
  if (found != views_.end()) MakeRoom(request.key);
  auto live = std::make_unique<LiveView>();
  live->key = request.key;
  live->text = request.query->text;
  live->params = params;
  if (Status placed = Place(*live, request); !placed) {
    if (graph_broken_) FailAll(placed.error(), owed);
    return std::move(placed).error();
  }
  return views_.emplace(request.key, std::move(live)).first->second.get();
}

// Gives the view at `key`, which could not be kept, another key.
void LiveQueries::MakeRoom(const std::string& key) {
  auto view = views_.extract(key);
  while (views_.contains(view.key())) view.key() += '\3';
  if (view.key() == key) view.key() += '\3';
  view.mapped()->key = view.key();
  views_.insert(std::move(view));
}

Status LiveQueries::Place(LiveView& live, const Request& request) {
  const auto [entry, is_first] = shapes_.try_emplace(request.plan_key);
  Shape& shape = entry->second;
  if (is_first) {
    shape.query = request.query;
    shape.parameters = request.parameters;
  }
  live.plan_key = request.plan_key;
  Status placed = is_first || shape.is_refused || !request.slots
                      ? PlaceAlone(live, request)
                      : PlaceShared(live, shape, request);
  if (placed) {
    ++shape.views;
  } else if (shape.views == 0) {
    shapes_.erase(entry);
  }
  return placed;
}

Result<std::unique_ptr<LivePlan>> LiveQueries::MakePlan(Result<query::Compiled> compiled) {
  if (!compiled) return std::move(compiled).error();
  Result<std::unique_ptr<LivePlan>> plan =
      LivePlan::Install(*graph_, *std::move(compiled), ++plan_count_);
  if (!plan) return plan;
  view_bytes_ += (*plan)->state_bytes();
  for (const dataflow::NodeId root : (*plan)->roots()) readers_[root].push_back(plan->get());
  engine_.Watch(graph_->DemandedTypes());
  return plan;
}

void LiveQueries::RemovePlan(std::unique_ptr<LivePlan> plan) {
  view_bytes_ -= plan->state_bytes();
  for (const dataflow::NodeId root : plan->roots()) {
    std::erase(readers_[root], plan.get());
    if (readers_[root].empty()) readers_.erase(root);
  }
  plan.reset();
  engine_.Watch(graph_->DemandedTypes());
}

Status LiveQueries::PlaceAlone(LiveView& live, const Request& request) {
  Result<std::unique_ptr<LivePlan>> plan =
      MakePlan(query::CompileLive(*request.query, request.parameters));
  if (!plan) return std::move(plan).error();
  if (Status fits = CheckBudget(); !fits) {
    RemovePlan(*std::move(plan));
    return fits;
  }
  live.own = *std::move(plan);
  live.plan = live.own.get();
  live.binding = {};
  live.plan->SetView(live.binding, &live);
  return Ok();
}

Status LiveQueries::PlaceShared(LiveView& live, Shape& shape, const Request& request) {
  if (shape.plan == nullptr) {
    Result<std::unique_ptr<LivePlan>> plan = MakePlan(
        query::CompileShared(*shape.query, shape.parameters, StrCat("bindings ", plan_count_ + 1)));
    shape.is_refused = !plan && plan.error().code == ErrorCode::kUnsupported;
    if (shape.is_refused) return PlaceAlone(live, request);
    if (!plan) return std::move(plan).error();
    shape.plan = *std::move(plan);
  }
  live.slots = *request.slots;
  live.plan = shape.plan.get();
  live.binding = live.plan->Stage(live.slots);
  live.plan->SetView(live.binding, &live);
  Status placed = StepBindings(*live.plan);
  if (!placed) return placed;
  placed = CheckBudget();
  if (placed) return placed;
  live.plan->Unstage(live.binding, live.slots);
  if (Status undone = StepBindings(*live.plan); !undone) return undone;
  if (shape.plan->view_count() == 0) RemovePlan(std::move(shape.plan));
  return placed;
}

// The staged bindings come and go, while the stored data stands still.
Status LiveQueries::StepBindings(LivePlan& plan) {
  source_->Move(now_, now_);
  const std::size_t before = plan.state_bytes();
  Status stepped = graph_->Step({});
  graph_broken_ = !stepped;
  if (!stepped) return stepped;
  plan.Load();
  view_bytes_ += plan.state_bytes() - before;
  return Ok();
}

Status LiveQueries::CheckBudget() const {
  const std::size_t limit = engine_.options().live_memory_bytes;
  if (graph_->state_bytes() + view_bytes_ <= limit) return Ok();
  return LimitError(StrCat("the live queries would need more than live_memory_bytes = ", limit));
}

// The difference between the result at `since` and now, both computed afresh; nothing when that
// state is gone.
Result<std::optional<Change>> LiveQueries::ChangeSince(const Request& request, Version since) {
  const Result<PinnedRef> pinned = engine_.PinAt(since);
  if (!pinned) {
    if (pinned.error().code == ErrorCode::kTooOld) return std::optional<Change>();
    return pinned.error();
  }
  Result<query::Compiled> compiled = query::CompileLive(*request.query, request.parameters);
  if (!compiled) return std::move(compiled).error();
  std::vector<std::vector<Batch>> results;
  for (const PinnedRef& state : {*pinned, now_}) {
    const TripleSource source(state, &engine_);
    dataflow::Graph graph(source, query::Functions(), {});
    const Result<dataflow::Installed> installed = graph.Install(compiled->plan, compiled->levels);
    if (!installed) return installed.error();
    Result<std::vector<Batch>> levels = ReadLevels(graph, *installed);
    if (!levels) return std::move(levels).error();
    results.push_back(*std::move(levels));
  }
  dataflow::View view(std::move(compiled->shape));
  view.Load(Pointers(results[0]));
  std::vector<dataflow::ListChange> lists =
      view.Step(Pointers(Difference(results[0], std::move(results[1]))));
  if (lists.empty()) return std::optional(Change{.from = since, .to = version_});
  return std::optional(ToChange(std::move(lists[0]), since, version_, Origin::kBoth));
}

void LiveQueries::OnCommit(const CommitDelta& delta) {
  Listeners owed;
  {
    const std::lock_guard lock(mutex_);
    if (delta.version() <= version_) return;
    source_->Move(delta.before, delta.after);
    now_ = delta.after;
    const Version from = std::exchange(version_, delta.version());
    const Origin origin = delta.merged ? Origin::kMerged : Origin::kLocal;
    if (delta.schema_changed()) {
      PlaceAllAgain(origin, owed);
    } else if (const Status stepped = StepGraph(delta); !stepped) {
      FailAll(stepped.error(), owed);
    } else {
      StepViews(from, origin, owed);
    }
  }
  Deliver(owed);
}

Status LiveQueries::StepGraph(const CommitDelta& delta) {
  constexpr std::size_t kKeptRows = 1 << 14;  // the memory of a batch of more is given back
  boost::container::small_vector<dataflow::TypeChange, 8> changes;
  const auto read = [&](TypeId type) -> Status {
    const std::span<const AttributeId> columns = graph_->Demand(type);
    if (columns.empty()) return Ok();
    Batch& rows = changed_rows_[type];
    if (rows.width() != columns.size()) rows = Batch(columns.size());
    Status done = ReadChanges(delta, type, columns, rows);
    if (done && !rows.empty()) changes.push_back({.type = type, .columns = columns, .rows = &rows});
    return done;
  };
  Status stepped = Ok();
  for (const TypeId type : TouchedTypes(delta)) {
    if (stepped) stepped = read(type);
  }
  for (const TypeId type : {schema::kSysViolation, schema::kSysSite}) {
    if (stepped) stepped = read(type);
  }
  if (stepped) stepped = graph_->Step(changes);
  for (auto& [type, rows] : changed_rows_) {
    if (rows.size() > kKeptRows) rows = Batch(rows.width());
    rows.Clear();
  }
  return stepped;
}

Status LiveQueries::ReadChanges(const CommitDelta& delta, TypeId type,
                                std::span<const AttributeId> columns, Batch& rows) const {
  if (type != schema::kSysViolation && type != schema::kSysSite) {
    return AppendRowChanges(delta, type, columns, rows);
  }
  Status read = type == schema::kSysSite ? AppendSiteChanges(engine_, delta, columns, rows)
                                         : AppendViolationChanges(delta, columns, rows);
  if (read) rows.Consolidate();
  return read;
}

void LiveQueries::StepViews(Version from, Origin origin, Listeners& owed) {
  boost::container::small_vector<LivePlan*, 16> plans;
  for (const dataflow::NodeId root : graph_->changed()) {
    const std::vector<LivePlan*>& readers = readers_[root];
    plans.insert(plans.end(), readers.begin(), readers.end());
  }
  // By age, whatever the addresses are.
  std::ranges::sort(plans, {}, &LivePlan::number);
  plans.erase(std::unique(plans.begin(), plans.end()), plans.end());
  boost::container::small_vector<std::pair<LiveView*, dataflow::ListChange>, 8> changes;
  for (LivePlan* plan : plans) {
    const std::size_t before = plan->state_bytes();
    for (dataflow::ListChange& list : plan->Step()) {
      LiveView* live = plan->ViewOf(list);
      changes.emplace_back(live, std::move(list));
    }
    view_bytes_ += plan->state_bytes() - before;
  }
  std::ranges::sort(changes, {}, [](const auto& c) -> const std::string& { return c.first->key; });
  for (auto& [live, list] : changes) {
    Change change = ToChange(std::move(list), from, version_, origin);
    if (change.empty()) continue;
    const auto now = [view = live] { return view->plan->Snapshot(view->binding); };
    owed.insert(owed.end(), live->listeners.begin(), live->listeners.end());
    // Mostly there is one, which gets the Change itself.
    for (std::size_t i = 1; i < live->listeners.size(); ++i) live->listeners[i]->Owe(change, now);
    live->listeners.front()->Owe(std::move(change), now);
  }
}

// Names may mean something else now, so every query is bound again. Who sees another result than
// before begins anew.
void LiveQueries::PlaceAllAgain(Origin origin, Listeners& owed) {
  std::map<std::string, std::unique_ptr<LiveView>> views = std::exchange(views_, {});
  std::vector<std::pair<std::unique_ptr<LiveView>, dataflow::ViewSnapshot>> before;
  for (auto& [key, live] : views) {
    if (live->plan == nullptr) {
      views_.emplace(key, std::move(live));
      continue;
    }
    dataflow::ViewSnapshot result = live->plan->Snapshot(live->binding);
    before.emplace_back(std::move(live), std::move(result));
  }
  for (auto& [live, result] : before) {
    live->plan = nullptr;
    live->own.reset();
  }
  ClearPlans();
  std::optional<Error> broken;
  for (auto& [owned, result] : before) {
    LiveView& live = *owned;
    const Result<Request> request = ReadAgain(live);
    const Status placed = request ? Place(live, *request) : Status(request.error());
    if (placed) live.key = request->key;
    // Two texts may have come to mean the same.
    if (views_.contains(live.key)) MakeRoom(live.key);
    views_.emplace(live.key, std::move(owned));
    if (!placed) {
      live.plan = nullptr;
      if (graph_broken_) broken = placed.error();
      Fail(live, placed.error(), result, owed);
      continue;
    }
    const dataflow::ViewSnapshot after = live.plan->Snapshot(live.binding);
    if (AreSame(result.ToRows(), after.ToRows())) continue;
    const Change change = Reset(after, version_, origin);
    for (const std::shared_ptr<Listener>& listener : live.listeners) {
      listener->OweReset(change, result);
      owed.push_back(listener);
    }
  }
  if (broken) FailAll(*broken, owed);
}

void LiveQueries::Fail(LiveView& live, const Error& error, const dataflow::ViewSnapshot& last,
                       Listeners& owed) {
  for (const std::shared_ptr<Listener>& listener : live.listeners) {
    listener->OweError(error, last);
    owed.push_back(listener);
  }
}

// A graph that failed within a step is of no further use. Its queries can be watched anew.
void LiveQueries::FailAll(const Error& error, Listeners& owed) {
  for (auto& [key, live] : views_) {
    const bool is_kept = live->plan != nullptr;
    Fail(*live, error, is_kept ? live->plan->Snapshot(live->binding) : dataflow::ViewSnapshot(),
         owed);
  }
  views_.clear();
  ClearPlans();
  view_of_.clear();
  graph_broken_ = false;
  MakeGraph();
}

// Of plans that nobody shows.
void LiveQueries::ClearPlans() {
  shapes_.clear();
  readers_.clear();
  view_bytes_ = 0;
  engine_.Watch({});
}

void LiveQueries::Deliver(const Listeners& owed) {
  Listeners manual;
  for (const std::shared_ptr<Listener>& listener : owed) {
    if (listener->deliver() == trefoil::Deliver::kOnCommit) listener->Deliver();
    if (listener->deliver() == trefoil::Deliver::kBackground) {
      background_->Post([listener] { listener->Deliver(); });
    }
    if (listener->deliver() == trefoil::Deliver::kManual) manual.push_back(listener);
  }
  if (manual.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Listener>& listener : manual) {
    if (!listener->SetDue(true)) due_.push_back(listener);
  }
}

Rows LiveQueries::Current(const Listener& listener) {
  const std::lock_guard lock(mutex_);
  const auto found = view_of_.find(&listener);
  const LiveView* live = found == view_of_.end() ? nullptr : found->second;
  return listener.Delivered(live != nullptr && live->plan != nullptr
                                ? live->plan->Snapshot(live->binding)
                                : dataflow::ViewSnapshot());
}

void LiveQueries::Cancel(const std::shared_ptr<Listener>& listener) {
  Listeners owed;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = view_of_.find(listener.get()); found != view_of_.end()) {
      LiveView& live = *found->second;
      view_of_.erase(found);
      std::erase(live.listeners, listener);
      if (live.listeners.empty()) Drop(live, owed);
    }
  }
  listener->Cancel();
  Deliver(owed);
}

void LiveQueries::Drop(LiveView& live, Listeners& owed) {
  const std::unique_ptr<LiveView> dropped = std::move(views_.extract(live.key).mapped());
  if (live.plan == nullptr) return;
  const auto entry = shapes_.find(live.plan_key);
  Shape& shape = entry->second;
  Status left = Ok();
  if (live.own != nullptr) {
    RemovePlan(std::move(live.own));
  } else if (live.plan->view_count() == 1) {
    RemovePlan(std::move(shape.plan));
  } else {
    live.plan->Unstage(live.binding, live.slots);
    left = StepBindings(*live.plan);
  }
  if (--shape.views == 0) shapes_.erase(entry);
  if (!left) FailAll(left.error(), owed);
}

std::size_t LiveQueries::Pump(std::chrono::microseconds budget) {
  const auto take = [this](std::size_t& due) -> std::shared_ptr<Listener> {
    const std::lock_guard lock(mutex_);
    due = due_.size();
    if (due_.empty()) return nullptr;
    std::shared_ptr<Listener> listener = std::move(due_.front());
    due_.pop_front();
    listener->SetDue(false);
    return listener;
  };
  const auto put_back = [this](std::shared_ptr<Listener> listener) {
    const std::lock_guard lock(mutex_);
    if (!listener->SetDue(true)) due_.push_front(std::move(listener));
  };
  const std::uint64_t start = engine_.clock().MonotonicMicros();
  const auto allowed = static_cast<std::uint64_t>(std::max<std::int64_t>(budget.count(), 0));
  std::size_t delivered = 0;
  std::size_t left = 0;  // callbacks that write may make others due, which wait
  std::size_t due = 0;
  for (std::shared_ptr<Listener> listener = take(left); listener != nullptr;
       listener = --left > 0 ? take(due) : nullptr) {
    if (engine_.clock().MonotonicMicros() - start >= allowed && delivered > 0) {
      put_back(std::move(listener));
      break;
    }
    delivered += listener->Deliver();
  }
  return delivered;
}

std::string LiveQueries::ToJson() {
  const std::lock_guard lock(mutex_);
  std::string json = "{\"views\":[";
  for (const auto& [key, live] : views_) {
    if (json.back() != '[') json += ',';
    json += StrCat("{\"query\":", trefoil::ToJson(Value::Text(live->text)),
                   ",\"listeners\":", live->listeners.size());
    if (live->plan != nullptr) {
      json += StrCat(",\"rows\":", live->plan->Snapshot(live->binding).size(),
                     ",\"bytes\":", live->plan->state_bytes() / live->plan->view_count(),
                     ",\"plan\":", live->plan->number());
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
