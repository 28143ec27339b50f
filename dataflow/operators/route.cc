// Route: from rows to bindings by the router, from bindings to rows by ports.
#include "dataflow/operators/route.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/join_path.h"
#include "dataflow/program.h"
#include "dataflow/scratch.h"

namespace trefoil::dataflow {

namespace {

// How the rows of one alternative are read for a given binding.
struct Reach {
  Port port;
  std::vector<RouteSlot> key;       // equal columns of the ask, in order
  std::optional<RouteSlot> in;      // part of the key too: one pull per item
  std::size_t in_place = 0;         // where in the key
  std::optional<RouteSlot> prefix;  // the bounds come from a prefix
  std::optional<RouteSlot> lower;
  std::optional<RouteSlot> upper;
};

Ask AskOf(const Reach& reach, const std::vector<SortColumn>& order) {
  Ask ask;
  for (const RouteSlot& slot : reach.key) ask.equal.push_back(slot.row);
  const std::optional<RouteSlot>& bounded =
      reach.prefix ? reach.prefix : (reach.lower ? reach.lower : reach.upper);
  if (bounded) ask.range = bounded->row;
  ask.order = order;
  return ask;
}

// What could be asked for at best; the port is still to be found.
Reach WidestReach(const RouteAlternative& alternative) {
  Reach reach;
  for (const RouteSlot& slot : alternative) {
    switch (slot.test) {
      case RouteTest::kEqual:
      case RouteTest::kSame:
        reach.key.push_back(slot);
        break;
      case RouteTest::kIn:
        if (reach.in) break;
        reach.in = slot;
        reach.in_place = reach.key.size();
        reach.key.push_back(slot);
        break;
      case RouteTest::kPrefix:
        if (!reach.lower && !reach.upper && !reach.prefix) reach.prefix = slot;
        break;
      case RouteTest::kGreater:
      case RouteTest::kGreaterEqual:
        if (!reach.prefix && !reach.lower && (!reach.upper || reach.upper->row == slot.row)) {
          reach.lower = slot;
        }
        break;
      case RouteTest::kLess:
      case RouteTest::kLessEqual:
        if (!reach.prefix && !reach.upper && (!reach.lower || reach.lower->row == slot.row)) {
          reach.upper = slot;
        }
        break;
    }
  }
  return reach;
}

void DropRange(Reach& reach) {
  reach.prefix.reset();
  reach.lower.reset();
  reach.upper.reset();
}

// The least text above all texts with this prefix, if there is one.
std::optional<Value> BehindPrefix(std::string_view prefix) {
  std::string behind(prefix);
  while (!behind.empty() && behind.back() == '\xff') behind.pop_back();
  if (behind.empty()) return std::nullopt;
  behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
  return Value::Text(behind);
}

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
      Reach reach = ReachOf(alternative);
      std::optional<Port> port = inputs()[1]->Offer(AskOf(reach, {}));
      if (!port) {
        // A range that no index serves is tested on the rows that the key finds; without a key the
        // rows are read one and all, as an arrangement for a range would cost more than it brings.
        DropRange(reach);
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
        const Reach& reach = entry.reaches.empty() ? reaches_[k] : entry.reaches[k];
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
    std::optional<Column> id_place;  // in the key of the pull
    std::vector<Reach> reaches;      // of an ordered ask: by alternative
    std::optional<Port> row_port;
    std::vector<Column> key_places;
  };
  struct Frame {
    Row bound;
    Row output;
    Row key;
  };

  // The bounds of a walk are in the total order of Value, which is SQL's only within one kind.
  Reach ReachOf(const RouteAlternative& alternative) const {
    Reach reach = WidestReach(alternative);
    for (const std::optional<RouteSlot>& slot : {reach.prefix, reach.lower, reach.upper}) {
      if (!slot) continue;
      const ValueKind kind = inputs()[1]->columns()[slot->row];
      if (kind != ValueKind::kNull && kind == inputs()[0]->columns()[slot->binding]) continue;
      DropRange(reach);
      break;
    }
    return reach;
  }

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
    Reach reach = ReachOf(spec_.alternatives[0]);
    std::optional<Port> port = inputs()[1]->Offer(AskOf(reach, order));
    if (!port) {
      DropRange(reach);
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
  bool ReadRows(const Reach& reach, const Selection& selection, Context& context, RowSink sink) {
    const auto [number, binding, weight, after] = selection;
    auto frame = frames_.Take();
    Row& key = frame->key;
    key.clear();
    for (const RouteSlot& slot : reach.key) {
      const Value& value = binding[slot.binding];
      if (value.is_null() && slot.test != RouteTest::kSame) return true;
      key.push_back(value);
    }
    std::optional<Bound> lower;
    std::optional<Bound> upper;
    if (!SetBounds(reach, binding, lower, upper)) return true;
    const auto visit = [&](RowView row, Weight found) {
      if (!Passes(spec_.alternatives[number], binding, row)) return true;
      for (std::size_t before = 0; before < number; ++before) {
        if (Passes(spec_.alternatives[before], binding, row)) return true;
      }
      return Emit(binding, row, weight * found, context, sink);
    };
    const auto pull = [&] {
      return reach.port.Read({.key = key,
                              .when = When::kNew,
                              .lower = lower ? &*lower : nullptr,
                              .upper = upper ? &*upper : nullptr,
                              .after = after},
                             context, visit);
    };
    if (!reach.in) return pull();
    return std::ranges::all_of(ListItems(binding[reach.in->binding]), [&](const Value& item) {
      key[reach.in_place] = item;
      return pull();
    });
  }

  // Returns false if the bounds leave nothing.
  static bool SetBounds(const Reach& reach, RowView binding, std::optional<Bound>& lower,
                        std::optional<Bound>& upper) {
    if (reach.prefix) {
      const Value& prefix = binding[reach.prefix->binding];
      if (prefix.kind() != ValueKind::kText) return false;
      lower = Bound{.value = prefix, .inclusive = true};
      if (auto behind = BehindPrefix(prefix.AsText())) {
        upper = Bound{.value = *std::move(behind), .inclusive = false};
      }
      return true;
    }
    for (const std::optional<RouteSlot>& slot : {reach.lower, reach.upper}) {
      if (slot && binding[slot->binding].is_null()) return false;
    }
    // NULL is below every value and passes no comparison.
    if (reach.lower || reach.upper) lower = Bound{.value = {}, .inclusive = false};
    if (reach.lower) lower = Bound{.value = binding[reach.lower->binding], .inclusive = true};
    if (reach.upper) upper = Bound{.value = binding[reach.upper->binding], .inclusive = true};
    return true;
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
  std::vector<Reach> reaches_;  // by alternative
  Port all_bindings_;
  std::vector<Entry> entries_;  // by slot
  ScratchStack<Frame> frames_;
};

// Slots that hash need values that can be the same; ranges in the total order of an index need
// values of one kind.
Status CheckSlot(const RouteSlot& slot, const Operator& bindings, const Operator& rows) {
  if (slot.binding >= bindings.columns().size() || slot.row >= rows.columns().size()) {
    return InvalidArgument("route: no such column");
  }
  const ValueKind row = rows.columns()[slot.row];
  ValueKind binding = bindings.columns()[slot.binding];
  if (slot.test == RouteTest::kIn) {
    if (binding == ValueKind::kList || binding == ValueKind::kNull) return Ok();
  } else if (row == binding || row == ValueKind::kNull || binding == ValueKind::kNull) {
    return Ok();
  }
  return MakeError(ErrorCode::kTypeMismatch,
                   StrCat("route: a parameter of kind ", KindName(binding),
                          " is never the same as ", KindName(row)),
                   "CAST the parameter");
}

std::string DescribeSlot(const RouteSlot& slot) {
  constexpr const char* kNames[] = {"=", "is", "in", "begins with", "<", "<=", ">", ">="};
  return StrCat("#", slot.row, " ", kNames[static_cast<std::size_t>(slot.test)], " $",
                slot.binding);
}

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
