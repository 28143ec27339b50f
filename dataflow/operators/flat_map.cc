// FlatMap.
#include "dataflow/operators/flat_map.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/project.h"
#include "dataflow/program.h"
#include "dataflow/scratch.h"

namespace trefoil::dataflow {

namespace {

std::vector<ValueKind> KindsOf(const Operator& input) {
  std::vector<ValueKind> kinds = input.columns();
  kinds.push_back(ValueKind::kNull);
  return kinds;
}

class FlatMapOperator final : public Operator {
 public:
  FlatMapOperator(Operator& input, Program list)
      : Operator(KindsOf(input), {&input}), list_(std::move(list)) {
    for (Column i = 0; i < input.columns().size(); ++i) origin_.emplace_back(i);
    origin_.emplace_back(std::nullopt);
  }

  bool follows_rows_of(std::size_t) const override { return true; }
  void Bind(std::span<const Value> parameters) override { list_.Bind(parameters); }

 protected:
  void StepInto(Context& context, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Expand(changes.row(i), changes.weight(i), context, [&](RowView row, Weight weight) {
        out.Add(row, weight);
        return true;
      });
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    // Order ends with what tells rows apart, which the items do not let the input say.
    if (!ask.order.empty()) return false;
    const std::optional<Ask> mapped = MapAsk(ask, origin_);
    const std::optional<Port> port = mapped ? inputs()[0]->Offer(*mapped) : std::nullopt;
    if (port) ports_.push_back(*port);
    return port.has_value();
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    return ports_[slot].Read(pull, context, [&](RowView row, Weight weight) {
      return Expand(row, weight, context, sink);
    });
  }

 private:
  bool Expand(RowView row, Weight weight, Context& context, RowSink sink) {
    list_.Run(row.data(), 1, context.counters.lossy_values);
    const Value list = list_.output(0)[0];
    if (list.kind() != ValueKind::kList) return true;
    auto expanded = rows_.Take();
    expanded->assign(row.begin(), row.end());
    expanded->emplace_back();
    return std::ranges::all_of(list.items(), [&](const Value& item) {
      expanded->back() = item;
      return sink(*expanded, weight);
    });
  }

  Program list_;
  std::vector<std::optional<Column>> origin_;
  std::vector<Port> ports_;  // by slot
  ScratchStack<Row> rows_;
};

}  // namespace

std::string FlatMap::Describe() const { return StrCat("flat map ", dataflow::Describe(list)); }

Result<std::unique_ptr<Operator>> FlatMap::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  Result<Program> program = Program::Compile({&list, 1}, input.columns(), context.functions());
  if (!program) return std::move(program).error();
  if (program->kinds()[0] != ValueKind::kList && program->kinds()[0] != ValueKind::kNull) {
    return MakeError(ErrorCode::kTypeMismatch,
                     StrCat("a flat map takes a LIST, this is a ", KindName(program->kinds()[0])));
  }
  return std::make_unique<FlatMapOperator>(input, *std::move(program));
}

}  // namespace trefoil::dataflow
