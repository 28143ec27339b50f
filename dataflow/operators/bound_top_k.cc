// BoundTopK: groups by the values of their slots, numbered by a RowTable.
#include "dataflow/operators/bound_top_k.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/join_path.h"
#include "dataflow/operators/route_reach.h"
#include "dataflow/operators/top_k_window.h"
#include "dataflow/program.h"
#include "dataflow/row_ref.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

void Ignore(RowView, Weight) {}

class BoundTopKOperator final : public Operator {
 public:
  BoundTopKOperator(const BoundTopK& spec, const std::vector<Operator*>& inputs,
                    std::vector<ValueKind> kinds, std::optional<Program> condition)
      : Operator(std::move(kinds), inputs),
        spec_(spec),
        binding_width_(inputs[0]->columns().size()),
        condition_(std::move(condition)),
        order_(spec.order),
        slots_(binding_width_ - 1),
        router_(binding_width_, {spec.slots}) {}

  // Finds the ways to the rows and to the bindings.
  Status Connect(BuildContext& context);

  void Hydrate(Context& context) override {
    HydrateFrom(all_bindings_, context, [&](RowView binding, Weight weight) {
      Enter(binding, weight, context);
      if (state_bytes() > context.hydration_budget_bytes) context.Fail(OverBudget(context));
      return !context.failed();
    });
  }
  std::size_t state_bytes() const override {
    return bytes_ + slots_.bytes() + router_.bytes() +
           groups_.capacity() * sizeof(std::unique_ptr<Group>);
  }
  std::size_t state_rows() const override { return rows_; }

 protected:
  void StepInto(Context& context, Batch& out) override {
    // Who leaves takes what was shown; who comes, or comes again, gets what is shown then.
    const Batch& bindings = inputs()[0]->delta();
    for (std::size_t i = 0; i < bindings.size(); ++i) {
      if (bindings.weight(i) < 0) Leave(bindings.row(i), bindings.weight(i), out);
    }
    ChangeRows(context, out);
    for (std::size_t i = 0; i < bindings.size(); ++i) {
      if (bindings.weight(i) < 0) continue;
      const Group& group = Enter(bindings.row(i), bindings.weight(i), context);
      EmitShown(group, {.id = bindings.row(i)[0], .weight = bindings.weight(i)}, out);
    }
    out.Consolidate();
  }
  bool Prepare(const Ask& ask, std::uint32_t) override { return ask == Ask{}; }
  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override;

 private:
  struct Member {
    Value id;
    Weight weight = 0;
  };
  // The bindings with equal slots. `binding` is one of them, with the number of the group as id.
  struct Group {
    Row binding;
    TopKWindow window;
    std::vector<Member> members;  // by id
    bool touched = false;
  };

  Group& GroupOf(RowView binding) { return *groups_[static_cast<std::size_t>(binding[0].AsInt())]; }
  Group& Enter(RowView binding, Weight weight, Context& context);
  void Leave(RowView binding, Weight weight, Batch& out);
  void ChangeRows(Context& context, Batch& out);
  void Fill(Group& group, Context& context);
  bool Selects(RowView binding, RowView row, Context& context) {
    return Passes(spec_.slots, binding, row) && PassesCondition(binding, row, context);
  }
  bool PassesCondition(RowView binding, RowView row, Context& context);

  // Where a window reads on.
  auto ReaderOf(const Group& group, Context& context) {
    return [&](std::span<const Value> after, std::optional<std::size_t> wanted, RowSink sink) {
      bounds_.wanted = wanted;
      return !SetBounds(reach_, group.binding, bounds_) ||
             ReadReach(reach_, bounds_, after, context, [&](RowView row, Weight weight) {
               return !Selects(group.binding, row, context) || sink(row, weight);
             });
    };
  }
  static std::vector<Member>::iterator PlaceOf(Group& group, const Value& id) {
    return std::ranges::lower_bound(group.members, id, {}, &Member::id);
  }
  // Runs `change` and keeps the sums over all groups.
  template <typename Function>
  void Account(const Group& group, const Function& change) {
    bytes_ -= BytesOf(group);
    rows_ -= group.window.size();
    change();
    bytes_ += BytesOf(group);
    rows_ += group.window.size();
  }
  static std::size_t BytesOf(const Group& group) {
    return sizeof(Group) + group.binding.capacity() * sizeof(Value) +
           group.members.capacity() * sizeof(Member) + group.window.bytes();
  }

  void Show(const Group& group, const Value& id, RowView row, std::span<Value> cells) const {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Column column = spec_.outputs[i];
      cells[i] = column == 0               ? id
                 : column < binding_width_ ? group.binding[column]
                                           : row[column - binding_width_];
    }
  }
  // What a change of the window is for its members.
  auto EmitterOf(const Group& group, Batch& out) const {
    return [this, &group, &out](RowView row, Weight weight) {
      for (const Member& member : group.members) {
        Show(group, member.id, row, out.AddRow(weight * member.weight));
      }
    };
  }
  void EmitShown(const Group& group, const Member& member, Batch& out) const {
    group.window.ForEachShown([&](RowView row, Weight weight) {
      Show(group, member.id, row, out.AddRow(weight * member.weight));
      return true;
    });
  }

  const BoundTopK spec_;
  const std::size_t binding_width_;
  std::optional<Program> condition_;
  const RowOrder order_;
  RouteReach reach_;
  bool is_ordered_ = true;  // the rows come in order; otherwise windows keep all that they select
  Port all_bindings_;
  RowTable slots_;  // of the bindings; a slot of the table is the number of a group
  std::vector<std::unique_ptr<Group>> groups_;
  Router router_;  // of the groups
  std::vector<Group*> touched_;
  std::size_t bytes_ = 0;
  std::size_t rows_ = 0;
  Row bound_;           // scratch
  ReachBounds bounds_;  // scratch
};

Status BoundTopKOperator::Connect(BuildContext& context) {
  Operator& rows = *inputs()[1];
  Result<Port> all = context.Serve(*inputs()[0], {});
  if (!all) return std::move(all).error();
  all_bindings_ = *all;
  reach_ = ReachOf(spec_.slots, *inputs()[0], rows);
  RouteReach by_key = reach_;
  by_key.DropRange();
  // Rows that come to be taken back at once have no place in an order.
  const bool may_offer = !rows.may_show_negative();
  const auto offers = [&](const RouteReach& reach, const std::vector<SortColumn>& order) {
    const Ask ask = AskOf(reach, order);
    const std::optional<Port> port =
        may_offer && ask != Ask{} ? rows.Offer(ask) : std::optional<Port>();
    if (!port) return false;
    reach_ = reach;
    reach_.port = *port;
    return true;
  };
  const RouteReach widest = reach_;
  if (offers(widest, spec_.order) || offers(by_key, spec_.order)) return Ok();
  if (offers(widest, {}) || offers(by_key, {})) {
    is_ordered_ = false;
    return Ok();
  }
  Result<Port> served = context.Serve(rows, AskOf(by_key, spec_.order));
  if (!served) return std::move(served).error();
  reach_ = std::move(by_key);
  reach_.port = *served;
  return Ok();
}

bool BoundTopKOperator::PassesCondition(RowView binding, RowView row, Context& context) {
  if (!condition_) return true;
  bound_.assign(binding.begin(), binding.end());
  bound_.insert(bound_.end(), row.begin(), row.end());
  return condition_->IsTrue(bound_, context.counters.lossy_values);
}

void BoundTopKOperator::Fill(Group& group, Context& context) {
  const auto reader = ReaderOf(group, context);
  if (is_ordered_) {
    group.window.Fill(reader, context.once);
    return;
  }
  reader({}, {}, [&](RowView row, Weight weight) {
    group.window.Change(row, weight, Ignore);
    return true;
  });
}

BoundTopKOperator::Group& BoundTopKOperator::Enter(RowView binding, Weight weight,
                                                   Context& context) {
  const RowTable::Change change = slots_.Add(binding.subspan(1), weight);
  if (groups_.size() <= change.slot) groups_.resize(change.slot + 1);
  std::unique_ptr<Group>& group = groups_[change.slot];
  if (change.before == 0) {
    group = std::make_unique<Group>(
        Group{.binding = Row(binding.begin(), binding.end()),
              .window = TopKWindow(order_, {}, {spec_.offset, spec_.limit}, {}),
              .members = {}});
    group->binding[0] = Value::Int(change.slot);
    router_.Add(group->binding, 1);
    bytes_ += BytesOf(*group);
    Account(*group, [&] { Fill(*group, context); });
  }
  const auto place = PlaceOf(*group, binding[0]);
  if (place != group->members.end() && place->id == binding[0]) {
    place->weight += weight;
  } else {
    Account(*group, [&] { group->members.insert(place, {.id = binding[0], .weight = weight}); });
  }
  return *group;
}

void BoundTopKOperator::Leave(RowView binding, Weight weight, Batch& out) {
  const RowTable::Change change = slots_.Add(binding.subspan(1), weight);
  std::unique_ptr<Group>& group = groups_[change.slot];
  Check(change.after >= 0 && group != nullptr, "a binding leaves as often as it came");
  EmitShown(*group, {.id = binding[0], .weight = weight}, out);
  const auto place = PlaceOf(*group, binding[0]);
  Check(place != group->members.end() && place->id == binding[0], "a group knows its members");
  place->weight += weight;
  if (place->weight == 0) group->members.erase(place);
  if (change.after > 0) return;
  router_.Add(group->binding, -1);
  bytes_ -= BytesOf(*group);
  rows_ -= group->window.size();
  group.reset();
}

void BoundTopKOperator::ChangeRows(Context& context, Batch& out) {
  const Batch& changes = inputs()[1]->delta();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const RowView row = changes.row(i);
    router_.Route(row, [&](RowView binding, Weight) {
      if (!PassesCondition(binding, row, context)) return;
      Group& group = GroupOf(binding);
      if (!std::exchange(group.touched, true)) touched_.push_back(&group);
      Account(group, [&] { group.window.Change(row, changes.weight(i), EmitterOf(group, out)); });
    });
  }
  for (Group* group : touched_) {
    group->touched = false;
    if (!is_ordered_) continue;
    Account(*group,
            [&] { group->window.Settle(ReaderOf(*group, context), EmitterOf(*group, out)); });
    Verify([&] { return context.failed() || group->window.IsSettled(); },
           "the window of a group keeps I1, I2");
  }
  touched_.clear();
}

bool BoundTopKOperator::PullRows(std::uint32_t slot, const Pull& pull, Context& context,
                                 RowSink sink) {
  if (pull.when == When::kOld && !delta().empty()) {
    return PullOldFromNew(slot, pull, context, sink);
  }
  Row shown(columns().size());
  for (const std::unique_ptr<Group>& group : groups_) {
    if (group == nullptr) continue;
    for (const Member& member : group->members) {
      const bool go_on = group->window.ForEachShown([&](RowView row, Weight weight) {
        ++context.counters.pulled_rows;
        Show(*group, member.id, row, shown);
        return sink(shown, weight * member.weight);
      });
      if (!go_on) return false;
    }
  }
  return true;
}

Status CheckSpec(const BoundTopK& spec, const std::vector<Operator*>& inputs) {
  if (inputs.size() != 2 || inputs[0]->columns().size() < 2) {
    return InvalidArgument("bound top-k: the inputs are bindings with slots, and rows");
  }
  for (const RouteSlot& slot : spec.slots) {
    if (slot.test == RouteTest::kIn || slot.binding == 0) {
      return InvalidArgument("bound top-k: a slot is a single value behind the binding's number");
    }
    if (Status fits = CheckSlot(slot, *inputs[0], *inputs[1]); !fits) return fits;
  }
  if (spec.order.empty()) return InvalidArgument("bound top-k: an order has at least one column");
  const std::size_t binding_width = inputs[0]->columns().size();
  const std::size_t row_width = inputs[1]->columns().size();
  const auto is_row_column = [&](const SortColumn& sort) { return sort.column < row_width; };
  const auto is_column = [&](Column column) { return column < binding_width + row_width; };
  if (!std::ranges::all_of(spec.order, is_row_column) ||
      !std::ranges::all_of(spec.outputs, is_column)) {
    return InvalidArgument("bound top-k: no such column");
  }
  return Ok();
}

}  // namespace

std::string BoundTopK::Describe() const {
  std::string text = StrCat("top-k by ", DescribeOrder(order), " of bindings");
  for (std::size_t i = 0; i < slots.size(); ++i) {
    text += StrCat(i == 0 ? " " : " and ", DescribeSlot(slots[i]));
  }
  if (condition) text += StrCat(" where ", dataflow::Describe(*condition));
  if (limit != kNoLimit) text += StrCat(" limit ", limit);
  if (offset != 0) text += StrCat(" offset ", offset);
  return StrCat(text, " -> ", DescribeColumns(outputs));
}

Result<std::unique_ptr<Operator>> BoundTopK::Make(BuildContext& context) const {
  const std::vector<Operator*>& inputs = context.inputs();
  if (Status valid = CheckSpec(*this, inputs); !valid) return std::move(valid).error();
  const std::vector<ValueKind> all = AllKinds(inputs);
  std::vector<ValueKind> kinds;
  for (const Column column : outputs) kinds.push_back(all[column]);
  std::optional<Program> program;
  if (condition) {
    Result<Program> compiled = Program::Compile({&*condition, 1}, all, context.functions());
    if (!compiled) return std::move(compiled).error();
    program = *std::move(compiled);
  }
  auto made =
      std::make_unique<BoundTopKOperator>(*this, inputs, std::move(kinds), std::move(program));
  if (Status connected = made->Connect(context); !connected) return std::move(connected).error();
  return made;
}

}  // namespace trefoil::dataflow
