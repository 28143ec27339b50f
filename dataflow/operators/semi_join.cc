// SemiJoin.
#include "dataflow/operators/semi_join.h"

#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/pair_probe.h"

namespace trefoil::dataflow {

namespace {

std::vector<ValueKind> KindsOf(SemiJoinKind kind, const Operator& left) {
  std::vector<ValueKind> kinds = left.columns();
  if (kind == SemiJoinKind::kMark) kinds.push_back(ValueKind::kBool);
  return kinds;
}

class SemiJoinOperator final : public Operator {
 public:
  SemiJoinOperator(SemiJoinKind kind, const std::vector<Operator*>& inputs, PairProbe probe)
      : Operator(KindsOf(kind, *inputs[0]), inputs), kind_(kind), probe_(std::move(probe)) {}

  bool may_show_negative() const override { return inputs()[0]->may_show_negative(); }

  bool follows_rows_of(std::size_t input) const override { return input == 0; }
  void Bind(std::span<const Value> parameters) override { probe_.Bind(parameters); }

 protected:
  void StepInto(Context& context, Batch& out) override {
    const auto collect = [&](RowView row, Weight weight) {
      out.Add(row, weight);
      return true;
    };
    if (!inputs()[0]->delta().empty()) {
      ShowEach(inputs()[0]->delta(), When::kNew, context, collect);
    }
    if (!inputs()[1]->delta().empty()) {
      probe_.ForEachAffected(inputs()[1]->delta(), PairProbe::Visit::kFlips, context,
                             [&](const PairProbe::Affected& affected) {
                               if (affected.had == affected.has) return;
                               Show(affected.left, -affected.weight, affected.had, collect);
                               Show(affected.left, affected.weight, affected.has, collect);
                             });
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    // The mark is no column of the left.
    Column most = 0;
    for (const Column column : ask.equal) most = std::max(most, column);
    for (const SortColumn& sort : ask.order) most = std::max(most, sort.column);
    if (ask.range) most = std::max(most, *ask.range);
    const bool asks_left = most < inputs()[0]->columns().size() || ask == Ask{};
    const std::optional<Port> port = asks_left ? inputs()[0]->Offer(ask) : std::nullopt;
    if (port) ports_.push_back(*port);
    return port.has_value();
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    auto queue = queues_.Take();
    queue->Start(inputs()[0]->columns().size(), FirstQueue(ask(slot)));
    const auto show = [&] {
      const bool go_on = ShowEach(queue->rows(), pull.when, context, sink);
      queue->Clear();
      return go_on;
    };
    return ports_[slot].Read(pull, context, [&](RowView left, Weight weight) {
      return !queue->Add(left, weight) || show();
    }) && show();
  }

 private:
  bool ShowEach(const Batch& lefts, When when, Context& context, RowSink sink) {
    auto has = has_.Take();
    probe_.HasEach(lefts, when, context, *has);
    for (std::size_t i = 0; i < lefts.size(); ++i) {
      if (!Show(lefts.row(i), lefts.weight(i), (*has)[i], sink)) return false;
    }
    return !context.failed();
  }

  bool Show(RowView left, Weight weight, bool has, RowSink sink) {
    if (kind_ != SemiJoinKind::kMark) {
      return has != (kind_ == SemiJoinKind::kSemi) || sink(left, weight);
    }
    auto marked = marked_.Take();
    marked->assign(left.begin(), left.end());
    marked->push_back(Value::Bool(has));
    return sink(*marked, weight);
  }

  SemiJoinKind kind_;
  PairProbe probe_;
  std::vector<Port> ports_;  // by slot
  ScratchStack<ProbeQueue> queues_;
  ScratchStack<std::vector<bool>> has_;
  ScratchStack<Row> marked_;
};

}  // namespace

std::string SemiJoin::Describe() const {
  std::string text = kind == SemiJoinKind::kSemi   ? "semi join"
                     : kind == SemiJoinKind::kAnti ? "anti join"
                                                   : "mark join";
  for (const Join::Equality& equality : on) {
    text += StrCat(" #", equality.left, equality.nulls_equal ? " is #" : " = #", equality.right);
  }
  if (condition) text += StrCat(" where ", dataflow::Describe(*condition));
  return text;
}

Result<std::unique_ptr<Operator>> SemiJoin::Make(BuildContext& context) const {
  if (context.inputs().size() != 2) return InvalidArgument("a semi join has two inputs");
  Result<PairProbe> probe = PairProbe::Make(on, condition, context);
  if (!probe) return std::move(probe).error();
  return std::make_unique<SemiJoinOperator>(kind, context.inputs(), *std::move(probe));
}

}  // namespace trefoil::dataflow
