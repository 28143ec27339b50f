// SetOperation: weights on both sides, and the threshold between them.
#include "dataflow/operators/set_operation.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

Weight Shown(SetOperationKind kind, Weight a, Weight b) {
  a = std::max<Weight>(a, 0);
  b = std::max<Weight>(b, 0);
  switch (kind) {
    case SetOperationKind::kDistinct:
      return a > 0 ? 1 : 0;
    case SetOperationKind::kIntersect:
      return a > 0 && b > 0 ? 1 : 0;
    case SetOperationKind::kIntersectAll:
      return std::min(a, b);
    case SetOperationKind::kExcept:
      return a > 0 && b == 0 ? 1 : 0;
    case SetOperationKind::kExceptAll:
      return std::max<Weight>(a - b, 0);
  }
  return 0;
}

std::vector<ValueKind> KindsOf(const std::vector<Operator*>& inputs) {
  std::vector<ValueKind> kinds = inputs[0]->columns();
  for (const Operator* input : inputs) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (input->columns()[i] != kinds[i]) kinds[i] = ValueKind::kNull;
    }
  }
  return kinds;
}

class SetOperationOperator final : public Operator {
 public:
  SetOperationOperator(SetOperationKind kind, const std::vector<Operator*>& inputs,
                       std::vector<Port> all)
      : Operator(KindsOf(inputs), inputs), kind_(kind), all_(std::move(all)) {
    for (std::size_t i = 0; i < inputs.size(); ++i) sides_.emplace_back(columns().size());
  }

  void Hydrate(Context& context) override {
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      HydrateFrom(all_[side], context, [&](RowView row, Weight weight) {
        sides_[side].Add(row, weight);
        return true;
      });
    }
  }

  bool Forget() override {
    for (RowTable& side : sides_) side = RowTable(columns().size());
    return true;
  }

  bool may_show_negative() const override { return false; }
  std::size_t state_bytes() const override {
    std::size_t bytes = 0;
    for (const RowTable& side : sides_) bytes += side.bytes();
    return bytes;
  }
  std::size_t state_rows() const override {
    std::size_t rows = 0;
    for (const RowTable& side : sides_) rows += side.size();
    return rows;
  }

 protected:
  void StepInto(Context&, Batch& out) override {
    for (std::size_t side = 0; side < sides_.size(); ++side) {
      const Batch& changes = inputs()[side]->delta();
      for (std::size_t i = 0; i < changes.size(); ++i) {
        const RowView row = changes.row(i);
        const Weight other = sides_.size() == 2 ? sides_[1 - side].WeightOf(row) : 0;
        const RowTable::Change change = sides_[side].Add(row, changes.weight(i));
        const auto shown = [&](Weight weight) {
          return side == 0 ? Shown(kind_, weight, other) : Shown(kind_, other, weight);
        };
        const Weight difference = shown(change.after) - shown(change.before);
        if (difference != 0) out.Add(row, difference);
      }
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t slot) override {
    if (ask.range || !ask.order.empty()) return false;
    places_.resize(slot + 1);
    if (ask.equal.empty()) return true;
    std::vector<Column> places(columns().size(), kNone);
    for (Column i = 0; i < ask.equal.size(); ++i) {
      if (places[ask.equal[i]] != kNone) return false;
      places[ask.equal[i]] = i;
    }
    if (std::ranges::count(places, kNone) != 0) return false;
    places_[slot] = std::move(places);
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    const auto show = [&](RowView row, Weight left) {
      const Weight right = sides_.size() == 2 ? sides_[1].WeightOf(row) : 0;
      const Weight shown = Shown(kind_, left, right);
      ++context.counters.pulled_rows;
      return shown == 0 || sink(row, shown);
    };
    if (ask(slot).equal.empty()) return sides_[0].ForEach(show);
    Row row;
    for (const Column place : places_[slot]) row.push_back(pull.key[place]);
    return show(row, sides_[0].WeightOf(row));
  }

 private:
  static constexpr Column kNone = 0xffffffff;

  SetOperationKind kind_;
  std::vector<Port> all_;
  std::vector<RowTable> sides_;
  std::vector<std::vector<Column>> places_;  // by slot: where in the key each column stands
};

}  // namespace

std::string SetOperation::Describe() const {
  switch (kind) {
    case SetOperationKind::kDistinct:
      return "distinct";
    case SetOperationKind::kIntersect:
      return "intersect";
    case SetOperationKind::kIntersectAll:
      return "intersect all";
    case SetOperationKind::kExcept:
      return "except";
    case SetOperationKind::kExceptAll:
      return "except all";
  }
  Check(false, "every SetOperationKind is described");
  return {};
}

Result<std::unique_ptr<Operator>> SetOperation::Make(BuildContext& context) const {
  const std::vector<Operator*>& inputs = context.inputs();
  const std::size_t wanted = kind == SetOperationKind::kDistinct ? 1 : 2;
  if (inputs.size() != wanted) {
    return InvalidArgument("a distinct has one input, other set operations have two");
  }
  std::vector<Port> all;
  for (Operator* input : inputs) {
    if (input->columns().size() != inputs[0]->columns().size()) {
      return InvalidArgument("the inputs of a set operation have equally many columns");
    }
    Result<Port> port = context.Serve(*input, {});
    if (!port) return std::move(port).error();
    all.push_back(*port);
  }
  return std::make_unique<SetOperationOperator>(kind, inputs, std::move(all));
}

}  // namespace trefoil::dataflow
