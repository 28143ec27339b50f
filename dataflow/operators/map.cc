// Map.
#include "dataflow/operators/map.h"

#include <algorithm>
#include <utility>

#include "dataflow/describe.h"
#include "dataflow/operators/project.h"
#include "dataflow/program.h"

namespace trefoil::dataflow {

namespace {

class MapOperator final : public Operator {
 public:
  MapOperator(Operator& input, const std::vector<Expression>& outputs, Program program)
      : Operator(program.kinds(), {&input}), program_(std::move(program)) {
    for (const Expression& output : outputs) {
      origin_.push_back(output.operation == Operation::kColumn ? std::optional(output.column)
                                                               : std::nullopt);
    }
  }

  bool follows_rows_of(std::size_t) const override { return true; }
  void Bind(std::span<const Value> parameters) override { program_.Bind(parameters); }

 protected:
  void StepInto(Context& context, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t start = 0; start < changes.size(); start += Program::kMaxRows) {
      const std::size_t count = std::min(Program::kMaxRows, changes.size() - start);
      program_.Run(changes.row(start).data(), count, context.counters.lossy_values);
      for (std::size_t i = 0; i < count; ++i) Copy(i, out.AddRow(changes.weight(start + i)));
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    const std::optional<Ask> mapped = MapAsk(ask, origin_);
    const std::optional<Port> port = mapped ? inputs()[0]->Offer(*mapped) : std::nullopt;
    if (port) ports_.push_back(*port);
    return port.has_value();
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    Row mapped(columns().size());
    return ports_[slot].Read(pull, context, [&](RowView row, Weight weight) {
      program_.Run(row.data(), 1, context.counters.lossy_values);
      Copy(0, mapped);
      return sink(mapped, weight);
    });
  }

  void PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                ManySink sink) override {
    Row mapped(columns().size());
    ports_[slot].ReadMany(pulls, context, [&](std::size_t i, RowView row, Weight weight) {
      program_.Run(row.data(), 1, context.counters.lossy_values);
      Copy(0, mapped);
      return sink(i, mapped, weight);
    });
  }

 private:
  // The computed row number `i` of the last run.
  void Copy(std::size_t i, std::span<Value> out) const {
    for (std::size_t c = 0; c < out.size(); ++c) out[c] = program_.output(c)[i];
  }

  Program program_;
  std::vector<std::optional<Column>> origin_;
  std::vector<Port> ports_;  // by slot
};

}  // namespace

std::string Map::Describe() const {
  std::string text = "map";
  for (const Expression& output : outputs) text += StrCat(" ", dataflow::Describe(output), ",");
  if (!outputs.empty()) text.pop_back();
  return text;
}

Result<std::unique_ptr<Operator>> Map::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  Result<Program> program = Program::Compile(outputs, input.columns(), context.functions());
  if (!program) return std::move(program).error();
  return std::make_unique<MapOperator>(input, outputs, *std::move(program));
}

}  // namespace trefoil::dataflow
