// Route: from rows to bindings by the router, from bindings to rows by ports.
#include "dataflow/operators/route.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/join_path.h"
#include "dataflow/operators/route_reach.h"
#include "dataflow/program.h"
#include "dataflow/scratch.h"

namespace trefoil::dataflow {

namespace {

class RouteOperator final : public Operator {
 public:
  RouteOperator(const Route& spec, const std::vector<Operator*>& inputs,
                std::vector<ValueKind> kinds, std::optional<Program> condition)
      : Operator(std::move(kinds), inputs),
        spec_(spec),
        binding_width_(inputs[0]->columns().size()),
        condition_(std::move(condition)),
        router_(binding_width_, spec.alternatives) {}

  // Finds the ways to the rows and to the bindings.
  Status Connect(BuildContext& context) {
    for (const RouteAlternative& alternative : spec_.alternatives) {
      RouteReach reach = ReachOf(alternative, *inputs()[0], *inputs()[1]);
      std::optional<Port> port = inputs()[1]->Offer(AskOf(reach, {}));
      if (!port) {
        // A range that no index serves is tested on the rows that the key finds, or a part of the
        // key; without a key the rows are read one and all, as an arrangement for a range would
        // cost more than it brings.
        reach.DropRange();
        Ask ask = AskOf(reach, {});
        ask.partly = true;
        port = inputs()[1]->Offer(ask);
      }
      if (!port) {
        Result<Port> served = context.Serve(*inputs()[1], AskOf(reach, {}));
        if (!served) return std::move(served).error();
        port = *served;
      }
      reach.port = *port;
      reaches_.push_back(std::move(reach));
    }
    Result<Port> all = context.Serve(*inputs()[0], {});
    if (!all) return std::move(all).error();
    all_bindings_ = *all;
    return Ok();
  }

  bool Forget() override { return false; }
  void Hydrate(Context& context) override {
    HydrateFrom(all_bindings_, context, [&](RowView binding, Weight weight) {
      router_.Add(binding, weight);
      return true;
    });
  }
  std::size_t state_bytes() const override { return router_.bytes(); }
  std::size_t state_rows() const override { return router_.bindings().rows().size(); }

 protected:
  void StepInto(Context& context, Batch& out) override {
    const auto collect = [&](RowView row, Weight weight) {
      out.Add(row, weight);
      return true;
    };
    // B_old * dR, then dB * R_new: the router is at old until the rows are through.
    const Batch& rows = inputs()[1]->delta();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RouteRow(rows.row(i), rows.weight(i), context, collect);
    }
    const Batch& bindings = inputs()[0]->delta();
    for (std::size_t i = 0; i < bindings.size(); ++i) {
      router_.Add(bindings.row(i), bindings.weight(i));
      for (std::size_t k = 0; k < reaches_.size(); ++k) {
        ReadRows(reaches_[k],
                 {.number = k, .binding = bindings.row(i), .weight = bindings.weight(i)}, context,
                 collect);
      }
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    Entry entry;
    if (ask == Ask{} || !ByBinding(ask, entry)) {
      entry = {};
      if (ask != Ask{} && !ByRow(ask, entry)) return false;
    }
    entries_.push_back(std::move(entry));
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    // The router stands at new; both inputs may have moved.
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    const Entry& entry = entries_[slot];
    const auto test = [&](RowView row, Weight weight) {
      for (std::size_t i = 0; i < pull.key.size(); ++i) {
        if (!(row[ask(slot).equal[i]] == pull.key[i])) return true;
      }
      return sink(row, weight);
    };
    if (entry.row_port) {
      Row key;
      for (const Column place : entry.key_places) key.push_back(pull.key[place]);
      return entry.row_port->Read(
          {.key = key, .when = When::kNew}, context,
          [&](RowView row, Weight weight) { return RouteRow(row, weight, context, test); });
    }
    const auto read = [&](RowView binding, Weight weight) {
      for (std::size_t k = 0; k < reaches_.size(); ++k) {
        const RouteReach& reach = entry.reaches.empty() ? reaches_[k] : entry.reaches[k];
        const Selection selection{
            .number = k, .binding = binding, .weight = weight, .after = pull.after};
        if (!ReadRows(reach, selection, context, test)) return false;
      }
      return true;
    };
    if (!entry.id_place) return router_.bindings().rows().ForEach(read);
    return router_.bindings().ForEachWithKey({&pull.key[*entry.id_place], 1}, read);
  }

 private:
  // How an ask is answered: all, from one binding, or from the rows.
  struct Entry {
    std::optional<Column> id_place;   // in the key of the pull
    std::vector<RouteReach> reaches;  // of an ordered ask: by alternative
    std::optional<Port> row_port;
    std::vector<Column> key_places;
  };
  struct Frame {
    Row bound;
    Row output;
    ReachBounds bounds;
  };

  bool ByBinding(const Ask& ask, Entry& entry) {
    for (Column i = 0; i < ask.equal.size(); ++i) {
      if (spec_.outputs[ask.equal[i]] == 0) entry.id_place = i;
    }
    if (!entry.id_place || ask.range) return false;
    if (ask.order.empty()) return true;
    // Several alternatives or items would have to be merged.
    if (reaches_.size() != 1 || reaches_[0].in) return false;
    std::vector<SortColumn> order;
    for (const SortColumn& sort : ask.order) {
      const Column column = spec_.outputs[sort.column];
      if (column < binding_width_) return false;
      order.push_back(
          {.column = static_cast<Column>(column - binding_width_), .descending = sort.descending});
    }
    RouteReach reach = ReachOf(spec_.alternatives[0], *inputs()[0], *inputs()[1]);
    std::optional<Port> port = inputs()[1]->Offer(AskOf(reach, order));
    if (!port) {
      reach.DropRange();
      port = inputs()[1]->Offer(AskOf(reach, order));
    }
    if (!port) return false;
    reach.port = *port;
    entry.reaches.push_back(std::move(reach));
    return true;
  }

  bool ByRow(const Ask& ask, Entry& entry) {
    if (ask.range || !ask.order.empty()) return false;
    Ask asked;
    for (Column i = 0; i < ask.equal.size(); ++i) {
      const Column column = spec_.outputs[ask.equal[i]];
      if (column < binding_width_) continue;
      asked.equal.push_back(static_cast<Column>(column - binding_width_));
      entry.key_places.push_back(i);
    }
    if (asked.equal.empty()) return false;
    entry.row_port = inputs()[1]->Offer(asked);
    return entry.row_port.has_value();
  }

  bool RouteRow(RowView row, Weight weight, Context& context, RowSink sink) {
    bool go_on = true;
    router_.Route(row, [&](RowView binding, Weight found) {
      if (go_on) go_on = Emit(binding, row, weight * found, context, sink);
    });
    return go_on;
  }

  // What one alternative selects for one binding, behind a place in the order.
  struct Selection {
    std::size_t number = 0;  // of the alternative
    RowView binding;
    Weight weight = 0;
    std::span<const Value> after = {};
  };

  // The rows of a selection, without those that an earlier alternative selects too.
  bool ReadRows(const RouteReach& reach, const Selection& selection, Context& context,
                RowSink sink) {
    const auto [number, binding, weight, after] = selection;
    auto frame = frames_.Take();
    ReachBounds& bounds = frame->bounds;
    if (!SetBounds(reach, binding, bounds)) return true;
    const auto visit = [&](RowView row, Weight found) {
      if (!Passes(spec_.alternatives[number], binding, row)) return true;
      for (std::size_t before = 0; before < number; ++before) {
        if (Passes(spec_.alternatives[before], binding, row)) return true;
      }
      return Emit(binding, row, weight * found, context, sink);
    };
    const auto pull = [&] { return ReadReach(reach, bounds, after, context, visit); };
    if (!reach.in) return pull();
    return std::ranges::all_of(ListItems(binding[reach.in->binding]), [&](const Value& item) {
      bounds.key[reach.in_place] = item;
      return pull();
    });
  }

  bool Emit(RowView binding, RowView row, Weight weight, Context& context, RowSink sink) {
    auto frame = frames_.Take();
    frame->output.resize(spec_.outputs.size());
    if (condition_) {
      frame->bound.assign(binding.begin(), binding.end());
      frame->bound.insert(frame->bound.end(), row.begin(), row.end());
      if (!condition_->IsTrue(frame->bound, context.counters.lossy_values)) return true;
    }
    for (std::size_t i = 0; i < spec_.outputs.size(); ++i) {
      const Column column = spec_.outputs[i];
      frame->output[i] = column < binding_width_ ? binding[column] : row[column - binding_width_];
    }
    return sink(frame->output, weight);
  }

  Route spec_;
  std::size_t binding_width_;
  std::optional<Program> condition_;
  Router router_;
  std::vector<RouteReach> reaches_;  // by alternative
  Port all_bindings_;
  std::vector<Entry> entries_;  // by slot
  ScratchStack<Frame> frames_;
};

}  // namespace

std::string Route::Describe() const {
  std::string text = "route";
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    text += i == 0 ? " " : " or ";
    for (std::size_t k = 0; k < alternatives[i].size(); ++k) {
      text += StrCat(k == 0 ? "" : " and ", DescribeSlot(alternatives[i][k]));
    }
  }
  if (condition) text += StrCat(" where ", dataflow::Describe(*condition));
  return StrCat(text, " -> ", DescribeColumns(outputs));
}

Result<std::unique_ptr<Operator>> Route::Make(BuildContext& context) const {
  const std::vector<Operator*>& inputs = context.inputs();
  if (inputs.size() != 2 || alternatives.empty()) {
    return InvalidArgument("a route has bindings and rows, and an alternative that joins them");
  }
  for (const RouteAlternative& alternative : alternatives) {
    for (const RouteSlot& slot : alternative) {
      if (Status fits = CheckSlot(slot, *inputs[0], *inputs[1]); !fits) {
        return std::move(fits).error();
      }
    }
  }
  const std::vector<ValueKind> all = AllKinds(inputs);
  std::vector<ValueKind> kinds;
  for (const Column column : outputs) {
    if (column >= all.size()) return InvalidArgument("route: no such output column");
    kinds.push_back(all[column]);
  }
  std::optional<Program> program;
  if (condition) {
    Result<Program> compiled = Program::Compile({&*condition, 1}, all, context.functions());
    if (!compiled) return std::move(compiled).error();
    program = *std::move(compiled);
  }
  auto route = std::make_unique<RouteOperator>(*this, inputs, std::move(kinds), std::move(program));
  if (Status connected = route->Connect(context); !connected) return std::move(connected).error();
  return route;
}

}  // namespace trefoil::dataflow
