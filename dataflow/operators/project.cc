// Project: cutting rows, and asks translated to the columns of the input.
#include "dataflow/operators/project.h"

#include "base/errors.h"
#include "dataflow/describe.h"

namespace trefoil::dataflow {

std::optional<Ask> MapAsk(const Ask& ask, std::span<const std::optional<Column>> origin) {
  Ask mapped{.equal = {}, .partly = ask.partly};
  for (const Column column : ask.equal) {
    if (!origin[column]) return std::nullopt;
    mapped.equal.push_back(*origin[column]);
  }
  if (ask.range) {
    mapped.range = origin[*ask.range];
    if (!mapped.range) return std::nullopt;
  }
  for (const SortColumn& sort : ask.order) {
    if (!origin[sort.column]) return std::nullopt;
    mapped.order.push_back({.column = *origin[sort.column], .descending = sort.descending});
  }
  return mapped;
}

namespace {

std::vector<ValueKind> KindsOf(const Operator& input, const std::vector<Column>& columns) {
  std::vector<ValueKind> kinds;
  for (const Column column : columns) kinds.push_back(input.columns()[column]);
  return kinds;
}

class ProjectOperator final : public Operator {
 public:
  ProjectOperator(Operator& input, const std::vector<Column>& columns)
      : Operator(KindsOf(input, columns), {&input}),
        origin_(columns.begin(), columns.end()),
        project_(columns) {}

  bool follows_rows_of(std::size_t) const override { return true; }

 protected:
  void StepInto(Context&, Batch& out) override {
    const Batch& changes = inputs()[0]->delta();
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Cut(changes.row(i), out.AddRow(changes.weight(i)));
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
    Row cut(project_.size());
    return ports_[slot].Read(pull, context, [&](RowView row, Weight weight) {
      Cut(row, cut);
      return sink(cut, weight);
    });
  }

  void PullMany(std::uint32_t slot, const ManyPulls& pulls, Context& context,
                ManySink sink) override {
    Row cut(project_.size());
    ports_[slot].ReadMany(pulls, context, [&](std::size_t i, RowView row, Weight weight) {
      Cut(row, cut);
      return sink(i, cut, weight);
    });
  }

 private:
  void Cut(RowView row, std::span<Value> out) const {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = row[project_[i]];
  }

  std::vector<std::optional<Column>> origin_;
  std::vector<Column> project_;
  std::vector<Port> ports_;  // by slot
};

}  // namespace

std::string Project::Describe() const { return StrCat("project ", DescribeColumns(columns)); }

Result<std::unique_ptr<Operator>> Project::Make(BuildContext& context) const {
  Operator& input = *context.inputs()[0];
  for (const Column column : columns) {
    if (column >= input.columns().size()) {
      return InvalidArgument(StrCat("project: there is no column #", column, " in a row of ",
                                    input.columns().size(), " columns"));
    }
  }
  return std::make_unique<ProjectOperator>(input, columns);
}

}  // namespace trefoil::dataflow
