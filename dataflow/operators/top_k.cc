#include "dataflow/operators/top_k.h"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/top_k_window.h"
#include "dataflow/row_key.h"
#include "dataflow/row_ref.h"

namespace trefoil::dataflow {

namespace {

std::vector<ValueKind> OutputKinds(const TopK& spec, const std::vector<Operator*>& inputs) {
  std::vector<ValueKind> kinds = inputs[0]->columns();
  if (!spec.windows) return kinds;
  for (const Column column : spec.windows->id) kinds.push_back(inputs[1]->columns()[column]);
  return kinds;
}

class TopKOperator final : public Operator {
 public:
  struct Ports {
    Port ordered;  // rows of one partition, in order
    Port all;      // all windows if there is an input of them; otherwise all rows
    // Of one window that never changes: the first who reads is shown rows as they come, and only
    // whoever reads again has them kept.
    bool streams = false;
  };

  TopKOperator(const TopK& spec, const std::vector<Operator*>& inputs, Ports ports)
      : Operator(OutputKinds(spec, inputs), inputs),
        spec_(spec),
        ports_(ports),
        order_(spec.order),
        row_width_(inputs[0]->columns().size()) {}

  void Hydrate(Context& context) override;
  bool Forget() override {
    was_read_ = false;
    partitions_.clear();
    bytes_ = 0;
    rows_ = 0;
    return true;
  }
  std::size_t state_bytes() const override {
    return bytes_ + partitions_.size() * (sizeof(Partition) + 32);
  }
  std::size_t state_rows() const override { return rows_; }

 protected:
  void StepInto(Context& context, Batch& out) override;
  bool Prepare(const Ask& ask, std::uint32_t) override {
    return ask == Ask{} || ask == Ask{.equal = spec_.partition};
  }
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  // A window, how often its row is there, and what this step makes of it.
  struct Watched {
    std::unique_ptr<TopKWindow> window;
    Weight count = 0;
    bool is_new = false;
    WindowBounds next_bounds = {};
    Row next_after = {};
  };
  struct Partition {
    Row key;
    boost::container::small_vector<Watched, 1> windows;
    bool touched = false;
  };

  void FillOnly(Context& context);
  bool Stream(Context& context, RowSink sink) const;
  Partition& At(RowView key);
  void Touch(Partition& partition) {
    if (!std::exchange(partition.touched, true)) touched_.push_back(&partition);
  }
  void Locate(const Batch& changes);
  void ChangeRows(Context& context, Batch& out);
  void ChangeWindows(Context& context, Batch& out);
  void Announce(RowView row, Weight weight);
  void Resolve(Partition& partition, Watched& watched, Context& context, Batch& out);
  void DropUnused(Partition& partition);

  std::unique_ptr<TopKWindow> NewWindow(Row id, WindowBounds bounds, Row after) const {
    return std::make_unique<TopKWindow>(order_, std::move(id), bounds, std::move(after));
  }
  // Where a window reads on.
  auto ReaderOf(const Partition& partition, Context& context) const {
    return [this, &partition, &context](std::span<const Value> after, std::size_t wanted,
                                        RowSink sink) {
      return ports_.ordered.Read({.key = partition.key, .after = after, .wanted = wanted}, context,
                                 sink);
    };
  }
  // Runs `change` and keeps the sums over all windows.
  template <typename Function>
  void Account(const TopKWindow& window, const Function& change) {
    bytes_ -= window.bytes();
    rows_ -= window.size();
    change();
    bytes_ += window.bytes();
    rows_ += window.size();
  }
  void Emit(const TopKWindow& window, RowView row, Weight weight, Batch& out) const {
    const std::span<Value> cells = out.AddRow(weight);
    std::ranges::copy(row, cells.begin());
    std::ranges::copy(window.id(), cells.begin() + static_cast<std::ptrdiff_t>(row_width_));
  }
  void EmitShown(const TopKWindow& window, Weight sign, Batch& out) const {
    window.ForEachShown([&](RowView row, Weight weight) {
      Emit(window, row, sign * weight, out);
      return true;
    });
  }

  const TopK spec_;
  const Ports ports_;
  const RowOrder order_;
  const std::size_t row_width_;
  boost::unordered_flat_map<Row, std::unique_ptr<Partition>, RowHash, RowEqual> partitions_;
  std::vector<Partition*> touched_;
  std::vector<Partition*> located_;  // by change of the step
  std::size_t bytes_ = 0;
  std::size_t rows_ = 0;
  bool was_read_ = false;  // if it streams
  Row key_;                // scratch
};

TopKOperator::Partition& TopKOperator::At(RowView key) {
  if (const auto found = partitions_.find(key); found != partitions_.end()) return *found->second;
  auto partition = std::make_unique<Partition>();
  partition->key.assign(key.begin(), key.end());
  Partition& made = *partition;
  partitions_.emplace(made.key, std::move(partition));
  if (!spec_.windows) {
    made.windows.push_back({.window = NewWindow({}, {spec_.offset, spec_.limit}, {}), .count = 1});
    bytes_ += made.windows[0].window->bytes();
  }
  return made;
}

void TopKOperator::Hydrate(Context& context) {
  Batch ignored(columns().size());
  if (spec_.windows) {
    HydrateFrom(ports_.all, context, [&](RowView row, Weight weight) {
      Announce(row, weight);
      return true;
    });
    for (Partition* partition : touched_) {
      for (Watched& watched : partition->windows) Resolve(*partition, watched, context, ignored);
      ignored.Clear();
      partition->touched = false;
      if (context.failed() || state_bytes() > context.hydration_budget_bytes) break;
    }
    touched_.clear();
    return;
  }
  if (ports_.streams) return;
  if (spec_.partition.empty()) return FillOnly(context);
  const auto ignore = [](RowView, Weight) {};
  HydrateFrom(ports_.all, context, [&](RowView row, Weight weight) {
    CutInto(key_, row, spec_.partition);
    Partition& partition = At(key_);
    TopKWindow& window = *partition.windows[0].window;
    Account(window, [&] {
      window.Change(row, weight, ignore);
      window.Settle(ReaderOf(partition, context), ignore);
    });
    return true;
  });
}

void TopKOperator::FillOnly(Context& context) {
  Partition& only = At({});
  TopKWindow& window = *only.windows[0].window;
  Account(window, [&] { window.Fill(ReaderOf(only, context), context.once); });
}

bool TopKOperator::Stream(Context& context, RowSink sink) const {
  const WindowBounds bounds{.offset = spec_.offset, .limit = spec_.limit};
  if (bounds.end() == 0) return true;
  bool go_on = true;
  Weight at = 0;
  const auto show = [&](RowView row, Weight weight) {
    const Weight start = std::max(at, bounds.start());
    at = std::min(at + weight, bounds.end());
    if (at > start) {
      ++context.counters.pulled_rows;
      go_on = sink(row, at - start);
    }
    return go_on && at < bounds.end();
  };
  ports_.ordered.Read({.wanted = static_cast<std::size_t>(bounds.end())}, context, show);
  return go_on;
}

void TopKOperator::StepInto(Context& context, Batch& out) {
  ChangeRows(context, out);
  if (spec_.windows) ChangeWindows(context, out);
  out.Consolidate();
}

// Finds the partition of each change, null if nobody watches it. All are found before the first is
// changed, so that their cache misses overlap.
void TopKOperator::Locate(const Batch& changes) {
  located_.clear();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CutInto(key_, changes.row(i), spec_.partition);
    const auto found = partitions_.find(RowView(key_));
    Partition* partition = found == partitions_.end() ? nullptr : found->second.get();
    if (partition == nullptr && !spec_.windows) partition = &At(key_);
    if (partition != nullptr) __builtin_prefetch(partition);
    located_.push_back(partition);
  }
  if (changes.size() < 4) return;
  for (const Partition* partition : located_) {
    if (partition != nullptr) __builtin_prefetch(partition->windows[0].window.get());
  }
}

void TopKOperator::ChangeRows(Context& context, Batch& out) {
  const Batch& changes = inputs()[0]->delta();
  Locate(changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (located_[i] == nullptr) continue;
    const RowView row = changes.row(i);
    Partition& partition = *located_[i];
    Touch(partition);
    for (Watched& watched : partition.windows) {
      TopKWindow& window = *watched.window;
      Account(window, [&] {
        window.Change(row, changes.weight(i),
                      [&](RowView shown, Weight weight) { Emit(window, shown, weight, out); });
      });
    }
  }
  for (Partition* partition : touched_) {
    partition->touched = false;
    for (Watched& watched : partition->windows) {
      TopKWindow& window = *watched.window;
      Account(window, [&] {
        window.Settle(ReaderOf(*partition, context),
                      [&](RowView shown, Weight weight) { Emit(window, shown, weight, out); });
      });
      Verify([&] { return context.failed() || window.IsSettled(); }, "a top-k window keeps I1, I2");
    }
    if (!spec_.windows) DropUnused(*partition);
  }
  touched_.clear();
}

void TopKOperator::ChangeWindows(Context& context, Batch& out) {
  const Batch& changes = inputs()[1]->delta();
  for (std::size_t i = 0; i < changes.size(); ++i) Announce(changes.row(i), changes.weight(i));
  for (Partition* partition : touched_) {
    partition->touched = false;
    for (Watched& watched : partition->windows) Resolve(*partition, watched, context, out);
    DropUnused(*partition);
  }
  touched_.clear();
}

// Notes what a row of the windows input says; Resolve acts when all rows are known.
void TopKOperator::Announce(RowView row, Weight weight) {
  const TopK::Windows& names = *spec_.windows;
  CutInto(key_, row, names.partition);
  Partition& partition = At(key_);
  Touch(partition);
  CutInto(key_, row, names.id);
  auto watched = std::ranges::find_if(
      partition.windows, [&](const Watched& other) { return EqualRows(other.window->id(), key_); });
  if (watched == partition.windows.end()) {
    partition.windows.push_back({.window = NewWindow(key_, {}, {}), .is_new = true});
    watched = partition.windows.end() - 1;
    bytes_ += watched->window->bytes();
  }
  watched->count += weight;
  if (weight < 0) return;
  const auto bound = [&](std::optional<Column> column, std::uint64_t constant, std::uint64_t none) {
    if (!column) return constant;
    const Value& value = row[*column];
    const bool given = value.kind() == ValueKind::kInt && value.AsInt() >= 0;
    return given ? static_cast<std::uint64_t>(value.AsInt()) : none;
  };
  watched->next_bounds = {.offset = bound(names.offset, spec_.offset, 0),
                          .limit = bound(names.limit, spec_.limit, kNoLimit)};
  CutInto(watched->next_after, row, names.after);
}

void TopKOperator::Resolve(Partition& partition, Watched& watched, Context& context, Batch& out) {
  TopKWindow& window = *watched.window;
  const auto reader = ReaderOf(partition, context);
  if (watched.count <= 0) {
    if (!watched.is_new) EmitShown(window, -1, out);
    bytes_ -= window.bytes();
    rows_ -= window.size();
    watched.window.reset();
    return;
  }
  if (watched.is_new || watched.next_after != window.after()) {
    if (!watched.is_new) EmitShown(window, -1, out);
    bytes_ -= window.bytes();
    rows_ -= window.size();
    watched.window = NewWindow(window.id(), watched.next_bounds, watched.next_after);
    watched.window->Fill(reader, context.once);
    bytes_ += watched.window->bytes();
    rows_ += watched.window->size();
    watched.is_new = false;
    EmitShown(*watched.window, 1, out);
    return;
  }
  if (watched.next_bounds == window.bounds()) return;
  EmitShown(window, -1, out);
  Account(window, [&] { window.SetBounds(watched.next_bounds, reader); });
  EmitShown(window, 1, out);
}

// Drops windows that nobody names any more, or, where none are named, that are empty.
void TopKOperator::DropUnused(Partition& partition) {
  if (spec_.windows) {
    const auto unused = std::ranges::remove_if(
        partition.windows, [](const Watched& watched) { return !watched.window; });
    partition.windows.erase(unused.begin(), unused.end());
    if (!partition.windows.empty()) return;
  } else {
    const TopKWindow& window = *partition.windows[0].window;
    if (window.size() > 0 || spec_.partition.empty()) return;
    bytes_ -= window.bytes();
  }
  partitions_.erase(partitions_.find(RowView(partition.key)));
}

bool TopKOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) {
  if (pull.when == When::kOld && !delta().empty()) {
    return PullOldFromNew(slot, pull, context, sink);
  }
  if (ports_.streams && !std::exchange(was_read_, true)) return Stream(context, sink);
  if (ports_.streams && partitions_.empty()) FillOnly(context);
  Row shown(columns().size());
  const auto pull_partition = [&](const Partition& partition) {
    for (const Watched& watched : partition.windows) {
      std::ranges::copy(watched.window->id(),
                        shown.begin() + static_cast<std::ptrdiff_t>(row_width_));
      const bool go_on = watched.window->ForEachShown([&](RowView row, Weight weight) {
        ++context.counters.pulled_rows;
        std::ranges::copy(row, shown.begin());
        return sink(shown, weight);
      });
      if (!go_on) return false;
    }
    return true;
  };
  if (!ask(slot).equal.empty() || spec_.partition.empty()) {
    const auto found = partitions_.find(pull.key);
    return found == partitions_.end() || pull_partition(*found->second);
  }
  for (const auto& [key, partition] : partitions_) {
    if (!pull_partition(*partition)) return false;
  }
  return true;
}

Status CheckColumns(std::span<const Column> columns, const Operator& input) {
  for (const Column column : columns) {
    if (column >= input.columns().size()) {
      return InvalidArgument(StrCat("top-k: there is no column #", column, " in a row of ",
                                    input.columns().size(), " columns"));
    }
  }
  return Ok();
}

Status CheckSpec(const TopK& spec, const std::vector<Operator*>& inputs) {
  if (inputs.size() != (spec.windows ? 2U : 1U)) {
    return InvalidArgument("top-k: the input of windows is there if and only if they are named");
  }
  std::vector<Column> columns = spec.partition;
  for (const SortColumn& sort : spec.order) columns.push_back(sort.column);
  if (Status valid = CheckColumns(columns, *inputs[0]); !valid) return valid;
  if (spec.order.empty()) return InvalidArgument("top-k: an order has at least one column");
  if (!spec.windows) return Ok();
  const TopK::Windows& windows = *spec.windows;
  if (windows.partition.size() != spec.partition.size() ||
      (!windows.after.empty() && windows.after.size() != spec.order.size())) {
    return InvalidArgument("top-k: a window names one value per partition and order column");
  }
  columns = windows.partition;
  columns.insert(columns.end(), windows.id.begin(), windows.id.end());
  columns.insert(columns.end(), windows.after.begin(), windows.after.end());
  for (const std::optional<Column>& bound : {windows.offset, windows.limit}) {
    if (bound) columns.push_back(*bound);
  }
  return CheckColumns(columns, *inputs[1]);
}

}  // namespace

std::string TopK::Describe() const {
  std::string text = StrCat("top-k by ", DescribeOrder(order));
  if (!partition.empty()) text += StrCat(" per ", DescribeColumns(partition));
  if (limit != kNoLimit) text += StrCat(" limit ", limit);
  if (offset != 0) text += StrCat(" offset ", offset);
  if (!windows) return text;
  text += StrCat(" windows (", DescribeColumns(windows->partition), ")");
  if (!windows->id.empty()) text += StrCat(" id ", DescribeColumns(windows->id));
  if (windows->offset) text += StrCat(" offset #", *windows->offset);
  if (windows->limit) text += StrCat(" limit #", *windows->limit);
  if (!windows->after.empty()) text += StrCat(" after ", DescribeColumns(windows->after));
  return text;
}

Result<std::unique_ptr<Operator>> TopK::Make(BuildContext& context) const {
  const std::vector<Operator*>& inputs = context.inputs();
  if (Status valid = CheckSpec(*this, inputs); !valid) return std::move(valid).error();
  Result<Port> ordered = context.Serve(*inputs[0], {.equal = partition, .order = order});
  if (!ordered) return std::move(ordered).error();
  Result<Port> all = context.Serve(*inputs[windows ? 1 : 0], {});
  if (!all) return std::move(all).error();
  const bool streams =
      context.is_once() && partition.empty() && !windows && !inputs[0]->may_show_negative();
  return std::make_unique<TopKOperator>(*this, inputs,
                                        TopKOperator::Ports{*ordered, *all, streams});
}

}  // namespace trefoil::dataflow
