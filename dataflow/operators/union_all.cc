// UnionAll and NegateRows.
#include "dataflow/operators/union_all.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace trefoil::dataflow {

namespace {

class UnionAllOperator final : public Operator {
 public:
  using Operator::Operator;

  bool follows_rows_of(std::size_t) const override { return true; }

 protected:
  void StepInto(Context&, Batch& out) override {
    for (const Operator* input : inputs()) {
      const Batch& changes = input->delta();
      for (std::size_t i = 0; i < changes.size(); ++i) out.Add(changes.row(i), changes.weight(i));
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    if (!ask.order.empty()) return false;
    std::vector<Port> ports;
    for (Operator* input : inputs()) {
      const std::optional<Port> port = input->Offer(ask);
      if (!port) return false;
      ports.push_back(*port);
    }
    ports_.push_back(std::move(ports));
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    return std::ranges::all_of(ports_[slot],
                               [&](const Port& port) { return port.Read(pull, context, sink); });
  }

 private:
  std::vector<std::vector<Port>> ports_;  // by slot
};

class NegateOperator final : public Operator {
 public:
  explicit NegateOperator(Operator& input) : Operator(input.columns(), {&input}) {}

  bool may_show_negative() const override { return true; }

 protected:
  void StepInto(Context&, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t i = 0; i < changes.size(); ++i) out.Add(changes.row(i), -changes.weight(i));
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    const std::optional<Port> port = inputs()[0]->Offer(ask);
    if (port) ports_.push_back(*port);
    return port.has_value();
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    return ports_[slot].Read(pull, context,
                             [&](RowView row, Weight weight) { return sink(row, -weight); });
  }

 private:
  std::vector<Port> ports_;  // by slot
};

}  // namespace

Result<std::unique_ptr<Operator>> UnionAll::Make(BuildContext& context) const {
  if (context.inputs().empty()) return InvalidArgument("a union all has an input");
  std::vector<ValueKind> kinds = context.inputs()[0]->columns();
  for (const Operator* input : context.inputs()) {
    if (input->columns().size() != kinds.size()) {
      return InvalidArgument("the inputs of a union have equally many columns");
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      if (input->columns()[i] != kinds[i]) kinds[i] = ValueKind::kNull;
    }
  }
  return std::make_unique<UnionAllOperator>(std::move(kinds), context.inputs());
}

Result<std::unique_ptr<Operator>> NegateRows::Make(BuildContext& context) const {
  return std::make_unique<NegateOperator>(*context.inputs()[0]);
}

}  // namespace trefoil::dataflow
