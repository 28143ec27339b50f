// Filter.
#include "dataflow/operators/filter.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/program.h"

namespace trefoil::dataflow {

namespace {

class FilterOperator final : public Operator {
 public:
  FilterOperator(Operator& input, Program predicate)
      : Operator(input.columns(), {&input}), predicate_(std::move(predicate)) {}

  bool follows_rows_of(std::size_t) const override { return true; }
  void Bind(std::span<const Value> parameters) override { predicate_.Bind(parameters); }

 protected:
  void StepInto(Context& context, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t start = 0; start < changes.size(); start += Program::kMaxRows) {
      const std::size_t count = std::min(Program::kMaxRows, changes.size() - start);
      predicate_.Run(changes.row(start).data(), count, context.counters.lossy_values);
      const Program::Values passed = predicate_.output(0);
      for (std::size_t i = 0; i < count; ++i) {
        if (passed[i] == Value::Bool(true)) {
          out.Add(changes.row(start + i), changes.weight(start + i));
        }
      }
    }
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    const std::optional<Port> port = inputs()[0]->Offer(ask);
    if (port) ports_.push_back(*port);
    return port.has_value();
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    return ports_[slot].Read(pull, context, [&](RowView row, Weight weight) {
      return !predicate_.IsTrue(row, context.counters.lossy_values) || sink(row, weight);
    });
  }

  void PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                ManySink sink) override {
    ports_[slot].ReadMany(pulls, context, [&](std::size_t i, RowView row, Weight weight) {
      return !predicate_.IsTrue(row, context.counters.lossy_values) || sink(i, row, weight);
    });
  }

 private:
  Program predicate_;
  std::vector<Port> ports_;  // by slot
};

}  // namespace

std::string Filter::Describe() const { return StrCat("filter ", dataflow::Describe(predicate)); }

Result<std::unique_ptr<Operator>> Filter::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  Result<Program> program = Program::Compile({&predicate, 1}, input.columns(), context.functions());
  if (!program) return std::move(program).error();
  if (program->kinds()[0] != ValueKind::kBool && program->kinds()[0] != ValueKind::kNull) {
    return MakeError(ErrorCode::kTypeMismatch,
                     StrCat("a condition is a BOOL, this is a ", KindName(program->kinds()[0])));
  }
  return std::make_unique<FilterOperator>(input, *std::move(program));
}

}  // namespace trefoil::dataflow
