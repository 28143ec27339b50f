// Operator: one node of the graph. Every operator answers in two forms that must agree:
//
//   step   the deltas of its inputs come in, its own delta goes out, once per version;
//   pull   somebody asks for its rows, all or those with given key values, now or before the step.
//
//            delta                    Pull(port, key, kOld | kNew)
//   inputs ---------> operator <------------------------------------ operators after it, readers
//             ^          |  \__ its own pulls go to ports of its inputs
//             |          v
//          consolidated delta
//
// What is asked of a node is fixed when the graph is built: an Ask names the columns that each pull
// fixes and the order wanted. A node that can answer at the cost of the answer offers a port for
// it; otherwise the builder puts a shared arrangement on top of the node (BuildContext::Serve). So
// a pull reaches stored data through an index of the store, or state, and never scans by accident.
//
// I1: a delta is consolidated (batch.h).
// I2: within a step, for every port and key: rows(kNew) = rows(kOld) + delta, restricted to the
// key.
//     Before its Step an operator is never pulled, as nodes step in the order of their numbers.
// I3: an operator keeps no copy of an input; state that several can use is an arrangement.
// Operators are total: what can fail is the Source, and that ends in Context::Fail.
//
// Threads: a graph and its operators belong to one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/function_ref.h"
#include "dataflow/batch.h"
#include "dataflow/source.h"
#include "trefoil/result.h"

namespace trefoil::dataflow {

class FunctionRegistry;
class Operator;

// What one node wants from another. Fixed when the graph is built.
struct Ask {
  // Each pull fixes these columns to values; empty = all rows.
  std::vector<Column> equal;
  // Each pull may bound this column (Pull::lower, Pull::upper).
  std::optional<Column> range = std::nullopt;
  // The rows of one pull come in this order; empty = any order. Ordered asks are pulled at kNew
  // only, and name enough columns to tell any two rows of one key apart.
  std::vector<SortColumn> order = {};
  // Some of `equal` may find rows of which the others are then tested, if those are few: whoever
  // asks so would else keep all rows in memory.
  bool partly = false;

  friend bool operator==(const Ask&, const Ask&) = default;
};

// One pull through a port. Everything in it is borrowed for the call.
struct Pull {
  std::span<const Value> key = {};  // one value per Ask::equal; NULL matches NULL
  When when = When::kNew;
  const Bound* lower = nullptr;  // on Ask::range
  const Bound* upper = nullptr;
  // Ordered asks: one value per Ask::order; the walk begins strictly behind that place.
  std::span<const Value> after = {};
  std::optional<std::size_t> wanted = std::nullopt;  // as Probe::wanted
};

// Receives rows; false ends the pull. The row is valid during the call.
using RowSink = FunctionRef<bool(RowView row, Weight weight)>;

// Many pulls through one port, each fixing the columns to values of its own. Borrowed for the call.
struct ManyPulls {
  std::span<const Value> keys;  // one key behind the other
  std::size_t count = 0;        // of keys
  When when = When::kNew;

  std::span<const Value> key(std::size_t i) const {
    const std::size_t width = keys.size() / count;
    return keys.subspan(i * width, width);
  }
};

// Receives the rows of many pulls, those of one key in no order among those of others; false: no
// more rows of key number `i` are wanted, though some may come.
using ManySink = FunctionRef<bool(std::size_t i, RowView row, Weight weight)>;

// Counted for explain, the work bound and the user's statistics. Never reset.
struct Counters {
  std::uint64_t steps = 0;
  std::uint64_t delta_rows = 0;    // rows of all deltas between operators
  std::uint64_t probes = 0;        // pulls through ports
  std::uint64_t pulled_rows = 0;   // rows read from the source or from state by pulls
  std::uint64_t lossy_values = 0;  // expressions that became NULL: x/0, overflow, bad CAST
};

// The rows of one type that a commit changes: -1 with the values before, +1 with those after.
// `columns` names every demanded column of the type (Graph::Demand) and may name more.
struct TypeChange {
  TypeId type{};
  std::span<const AttributeId> columns;
  const Batch* rows = nullptr;
};

// The error of what was stopped through RunOptions::stop.
Error StoppedByCaller();

// What operators share while they run: the source, the counters, the first failure, the budget.
class Context {
 public:
  explicit Context(const Source& source_in, bool once_in = false)
      : source(source_in), once(once_in) {}

  // Remembers the first failure; the step or hydration ends with it. The graph is then unusable.
  void Fail(Error error) {
    if (status.has_value()) status = std::move(error);
  }
  bool failed() const { return !status.has_value(); }
  // Whether the run has to end: it failed, or its caller set `stop`.
  bool Ends() {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) Fail(StoppedByCaller());
    return failed();
  }

  const Source& source;
  const bool once;                      // nothing is kept for steps to come
  std::span<const TypeChange> changes;  // of the current step
  Counters counters;
  Status status;
  // What the state of the operator that hydrates now may weigh; more is kLimit.
  std::size_t hydration_budget_bytes = std::numeric_limits<std::size_t>::max();
  const std::atomic<bool>* stop = nullptr;  // null: nobody stops it
};

// The error of live queries that would outgrow GraphOptions::budget_bytes.
Error OverBudget(const Context& context);

// A way to ask one operator, made by Operator::Offer. Valid while the operator lives.
struct Port {
  Operator* node = nullptr;
  std::uint32_t slot = 0;

  // Returns false if the sink ended the pull.
  bool Read(const Pull& pull, Context& context, RowSink sink) const;
  // The same as a Read for each key, at less cost. For asks without order and range.
  void ReadMany(const ManyPulls& pulls, Context& context, ManySink sink) const;
};

class Operator {
 public:
  // `inputs` outlive the operator.
  Operator(std::vector<ValueKind> columns, std::vector<Operator*> inputs)
      : columns_(std::move(columns)), inputs_(std::move(inputs)), delta_(columns_.size()) {}
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  virtual ~Operator() = default;

  // The kind of each column; kNull = any kind.
  const std::vector<ValueKind>& columns() const { return columns_; }
  const std::vector<Operator*>& inputs() const { return inputs_; }

  // The delta of the current step; empty if nothing changed here.
  const Batch& delta() const { return *delta_view_; }

  // Computes delta() from the deltas of the inputs, and moves state from old to new. Called once
  // per step if an input has a delta. Derived classes fill `out` (empty, of the right width) and
  // consolidate it.
  void Step(Context& context) { StepInto(context, delta_); }
  // The step is over for everybody: old = new from here on. Called if Step was.
  void Finish();

  // A port for `ask`, or nothing if the answer would cost more than it is worth. The full ask
  // (everything empty) is always answered. The same ask gives the same port.
  std::optional<Port> Offer(const Ask& ask);

  // Operators that the caller feeds (feed.h): where changes wait for the next step. Others: null.
  virtual Batch* pending() { return nullptr; }

  // Whether the rows of the output that come from a row of this input enter and leave with it,
  // whatever else is there: so for filters and joins, not for groups. Loops need it (fixpoint.h).
  virtual bool follows_rows_of(std::size_t) const { return false; }

  // About how many stored rows are read for all rows, where somebody knows; cheap, to choose by.
  virtual std::optional<std::uint64_t> about_rows() const {
    if (inputs_.size() != 1 || !follows_rows_of(0)) return std::nullopt;
    return inputs_[0]->about_rows();
  }

  // Whether a pull at kNew may show a row with a negative weight that another row makes good for.
  virtual bool may_show_negative() const;

  // Builds state from the inputs, which are hydrated. Called before anything else runs.
  virtual void Hydrate(Context&) {}

  // For graphs that run again and again (Graph::Restart). Drops the state that Hydrate built, so
  // that it can be called anew; false: it cannot be. Whoever overrides Hydrate overrides this.
  virtual bool Forget() { return true; }
  // Puts these values in the place of the parameters that the spec names; before Hydrate.
  virtual void Bind(std::span<const Value>) {}

  // Memory of the state, and how many rows or groups it holds.
  virtual std::size_t state_bytes() const { return 0; }
  virtual std::size_t state_rows() const { return 0; }

 protected:
  friend struct Port;

  virtual void StepInto(Context& context, Batch& out) = 0;
  virtual void FinishState() {}

  // Says whether `ask` can be answered as slot number `slot`, and prepares for it. Slot 0 is the
  // full ask.
  virtual bool Prepare(const Ask& ask, std::uint32_t slot) = 0;
  virtual bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) = 0;
  // Pulls key after key. Overridden where many keys together cost less.
  virtual void PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                        ManySink sink);

  // For operators that answer from state: their PullRows reads the state as it is now, and this
  // gives the rows at kOld by taking the delta back. Order is lost.
  bool PullOldFromNew(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink);

  // The ask that slot number `slot` answers.
  const Ask& ask(std::uint32_t slot) const { return asks_[slot]; }
  // Rows in, rows out: delta() is that of `input`, without a copy.
  void ForwardDeltaOf(const Operator& input) { delta_view_ = input.delta_view_; }
  // Pulls everything from `port` for Hydrate, and fails with kLimit when the state outgrows its
  // budget.
  void HydrateFrom(const Port& port, Context& context, RowSink sink);

 private:
  // Positions of the rows of delta() whose key columns equal `key`, ascending.
  std::span<const std::uint32_t> DeltaRowsWithKey(std::uint32_t slot, std::span<const Value> key);

  std::vector<ValueKind> columns_;
  std::vector<Operator*> inputs_;
  Batch delta_;
  const Batch* delta_view_ = &delta_;  // lives as long as the inputs
  std::vector<Ask> asks_;              // by slot
  // By slot: the rows of a large delta in the order of that slot's key columns; built on demand.
  std::vector<std::vector<std::uint32_t>> delta_orders_;
  std::vector<std::uint32_t> matches_;
};

}  // namespace trefoil::dataflow
