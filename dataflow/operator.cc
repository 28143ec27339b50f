// Operator: ports, and the view of state before the current step.
#include "dataflow/operator.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"

namespace trefoil::dataflow {

namespace {

// Deltas up to this size are searched row by row, larger ones by a sorted order.
constexpr std::size_t kSmallDelta = 16;
// How many rows hydration reads between two looks at the budget.
constexpr std::size_t kRowsPerBudgetCheck = 1024;

std::strong_ordering CompareToKey(RowView row, std::span<const Column> columns,
                                  std::span<const Value> key) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::strong_ordering order = CompareValues(row[columns[i]], key[i]);
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

Error OverBudget(const Context& context) {
  return LimitError(StrCat("live queries may use no more memory: one needs more than the ",
                           context.hydration_budget_bytes, " bytes that are left"),
                    "raise Options::live_memory_bytes, or add an index that serves the query");
}

Error StoppedByCaller() {
  return MakeError(ErrorCode::kCancelled, "the statement was stopped; it changed nothing");
}

bool Port::Read(const Pull& pull, Context& context, RowSink sink) const {
  if (context.Ends()) return false;
  ++context.counters.probes;
  return node->PullRows(slot, pull, context, sink);
}

void Port::ReadMany(const ManyPulls& pulls, Context& context, ManySink sink) const {
  if (pulls.count == 0 || context.Ends()) return;
  context.counters.probes += pulls.count;
  if (pulls.count > 1) return node->PullMany(slot, pulls, context, sink);
  node->PullRows(slot, {.key = pulls.keys, .when = pulls.when}, context,
                 [&](RowView row, Weight weight) { return sink(0, row, weight); });
}

void Operator::PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                        ManySink sink) {
  for (std::size_t i = 0; i < pulls.count && !context.Ends(); ++i) {
    PullRows(slot, {.key = pulls.key(i), .when = pulls.when}, context,
             [&](RowView row, Weight weight) { return sink(i, row, weight); });
  }
}

std::optional<Port> Operator::Offer(const Ask& ask) {
  if (asks_.empty()) {
    asks_.emplace_back();
    Check(Prepare(asks_.back(), 0), "every operator answers the full ask");
  }
  const auto known = std::ranges::find(asks_, ask);
  if (known != asks_.end()) return Port{this, static_cast<std::uint32_t>(known - asks_.begin())};
  const auto slot = static_cast<std::uint32_t>(asks_.size());
  if (!Prepare(ask, slot)) return std::nullopt;
  Check(slot == asks_.size(), "an operator does not ask itself");
  asks_.push_back(ask);
  return Port{this, slot};
}

bool Operator::may_show_negative() const {
  return std::ranges::any_of(inputs_, [](const Operator* i) { return i->may_show_negative(); });
}

void Operator::Finish() {
  delta_.Clear();
  for (std::vector<std::uint32_t>& order : delta_orders_) order.clear();
  FinishState();
}

void Operator::HydrateFrom(const Port& port, Context& context, RowSink sink) {
  std::size_t rows = 0;
  port.Read({}, context, [&](RowView row, Weight weight) {
    if (++rows % kRowsPerBudgetCheck == 0) {
      if (state_bytes() > context.hydration_budget_bytes) context.Fail(OverBudget(context));
      if (context.Ends()) return false;
    }
    return sink(row, weight);
  });
}

std::span<const std::uint32_t> Operator::DeltaRowsWithKey(std::uint32_t slot,
                                                          std::span<const Value> key) {
  const Batch& changes = delta();
  const std::vector<Column>& columns = asks_[slot].equal;
  if (changes.size() <= kSmallDelta || columns.empty()) {
    matches_.clear();
    for (std::uint32_t i = 0; i < changes.size(); ++i) {
      if (CompareToKey(changes.row(i), columns, key) == 0) matches_.push_back(i);
    }
    return matches_;
  }
  if (delta_orders_.size() <= slot) delta_orders_.resize(slot + 1);
  std::vector<std::uint32_t>& order = delta_orders_[slot];
  if (order.empty()) {
    order.resize(changes.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
      for (const Column column : columns) {
        const auto compared = CompareValues(changes.row(a)[column], changes.row(b)[column]);
        if (compared != 0) return compared < 0;
      }
      return false;
    });
  }
  const auto first = std::ranges::partition_point(
      order, [&](std::uint32_t i) { return CompareToKey(changes.row(i), columns, key) < 0; });
  const auto last = std::partition_point(first, order.end(), [&](std::uint32_t i) {
    return CompareToKey(changes.row(i), columns, key) == 0;
  });
  return {first, last};
}

bool Operator::PullOldFromNew(std::uint32_t slot, const Pull& pull, Context& context,
                              RowSink sink) {
  Check(ask(slot).order.empty(), "an ordered ask is pulled at kNew only");
  Pull now = pull;
  now.when = When::kNew;
  // A copy, as the sink may pull here again.
  const std::span<const std::uint32_t> found = DeltaRowsWithKey(slot, pull.key);
  if (found.empty()) return PullRows(slot, now, context, sink);
  const std::vector<std::uint32_t> changed(found.begin(), found.end());
  const Batch& changes = delta();
  // A row may be shown in parts, so a row that changed is summed up and shown behind the others.
  std::vector<Weight> now_there(changed.size());
  const bool finished = PullRows(slot, now, context, [&](RowView row, Weight weight) {
    const auto place = std::ranges::partition_point(
        changed, [&](std::uint32_t i) { return CompareRows(changes.row(i), row) < 0; });
    if (place == changed.end() || !EqualRows(changes.row(*place), row)) return sink(row, weight);
    now_there[static_cast<std::size_t>(place - changed.begin())] += weight;
    return true;
  });
  if (!finished) return false;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const Weight before = now_there[i] - changes.weight(changed[i]);
    if (before != 0 && !sink(changes.row(changed[i]), before)) return false;
  }
  return true;
}

}  // namespace trefoil::dataflow
