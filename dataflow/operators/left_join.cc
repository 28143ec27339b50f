// LeftJoin.
#include "dataflow/operators/left_join.h"

#include <utility>

#include "base/errors.h"
#include "dataflow/describe.h"
#include "dataflow/operators/pair_probe.h"

namespace trefoil::dataflow {

namespace {

class LeftJoinOperator final : public Operator {
 public:
  LeftJoinOperator(const LeftJoin& spec, const std::vector<Operator*>& inputs,
                   std::vector<ValueKind> kinds, PairProbe probe)
      : Operator(std::move(kinds), inputs),
        outputs_(spec.outputs),
        left_width_(inputs[0]->columns().size()),
        nothing_(inputs[1]->columns().size()),
        probe_(std::move(probe)) {}

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
    const Batch& right = inputs()[1]->delta();
    if (!right.empty()) {
      probe_.ForEachAffected(
          right, PairProbe::Visit::kAll, context, [&](const PairProbe::Affected& affected) {
            for (const std::uint32_t i : affected.changes) {
              if (probe_.Passes(affected.left, right.row(i), context)) {
                Show(affected.left, right.row(i), affected.weight * right.weight(i), collect);
              }
            }
            if (affected.had != affected.has) {
              Show(affected.left, nothing_, affected.has ? -affected.weight : affected.weight,
                   collect);
            }
          });
    }
    out.Consolidate();
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    Entry entry;
    Ask asked;
    for (Column i = 0; i < ask.equal.size(); ++i) {
      const Column column = outputs_[ask.equal[i]];
      if (column < left_width_) {
        asked.equal.push_back(column);
        entry.key_places.push_back(i);
      } else {
        entry.tests.push_back({.column = ask.equal[i], .key_place = i});
      }
    }
    if (asked.equal.empty() && !ask.equal.empty()) return false;
    for (const SortColumn& sort : ask.order) {
      if (outputs_[sort.column] >= left_width_) return false;
      asked.order.push_back({.column = outputs_[sort.column], .descending = sort.descending});
    }
    if (ask.range) {
      if (outputs_[*ask.range] >= left_width_) return false;
      asked.range = outputs_[*ask.range];
    }
    const std::optional<Port> port = inputs()[0]->Offer(asked);
    if (!port) return false;
    entry.port = *port;
    entries_.push_back(std::move(entry));
    return true;
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    const Entry& entry = entries_[slot];
    Row key;
    for (const Column place : entry.key_places) key.push_back(pull.key[place]);
    const auto test = [&](RowView row, Weight weight) {
      for (const Entry::Test& t : entry.tests) {
        if (!(row[t.column] == pull.key[t.key_place])) return true;
      }
      return sink(row, weight);
    };
    Pull start = pull;
    start.key = key;
    auto queue = queues_.Take();
    queue->Start(left_width_, FirstQueue(ask(slot)));
    const auto show = [&] {
      const bool go_on = ShowEach(queue->rows(), pull.when, context, test);
      queue->Clear();
      return go_on;
    };
    return entry.port.Read(start, context, [&](RowView left, Weight weight) {
      return !queue->Add(left, weight) || show();
    }) && show();
  }

 private:
  struct Entry {
    Port port;
    std::vector<Column> key_places;  // of the left's key in the key of the pull
    struct Test {
      Column column;     // of the output
      Column key_place;  // in the key of the pull
    };
    std::vector<Test> tests;
  };

  bool Show(RowView left, RowView right, Weight weight, RowSink sink) {
    auto row = rows_.Take();
    row->resize(outputs_.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Column column = outputs_[i];
      (*row)[i] = column < left_width_ ? left[column] : right[column - left_width_];
    }
    return sink(*row, weight);
  }

  // The matches of each left row, or the row with NULLs. Whether there is a match is a matter of
  // the sum, as matches may come and go within one pull.
  bool ShowEach(const Batch& lefts, When when, Context& context, RowSink sink) {
    auto sums = sums_.Take();
    sums->assign(lefts.size(), 0);
    bool go_on = true;
    probe_.MatchesOfEach(lefts, when, context, [&](std::size_t i, RowView right, Weight found) {
      (*sums)[i] += found;
      go_on = go_on && Show(lefts.row(i), right, lefts.weight(i) * found, sink);
      return go_on;
    });
    for (std::size_t i = 0; i < lefts.size() && go_on; ++i) {
      if ((*sums)[i] <= 0) go_on = Show(lefts.row(i), nothing_, lefts.weight(i), sink);
    }
    return go_on && !context.failed();
  }

  std::vector<Column> outputs_;
  std::size_t left_width_;
  Row nothing_;  // NULLs for the columns of the right
  PairProbe probe_;
  std::vector<Entry> entries_;  // by slot
  ScratchStack<ProbeQueue> queues_;
  ScratchStack<std::vector<Weight>> sums_;
  ScratchStack<Row> rows_;
};

}  // namespace

std::string LeftJoin::Describe() const {
  return "left " + Join{.on = on, .condition = condition, .outputs = outputs}.Describe();
}

Result<std::unique_ptr<Operator>> LeftJoin::Make(BuildContext& context) const {
  if (context.inputs().size() != 2) return InvalidArgument("a left join has two inputs");
  const std::vector<ValueKind> all = AllKinds(context.inputs());
  std::vector<ValueKind> kinds;
  for (const Column column : outputs) {
    if (column >= all.size()) return InvalidArgument("left join: no such output column");
    kinds.push_back(all[column]);
  }
  Result<PairProbe> probe = PairProbe::Make(on, condition, context);
  if (!probe) return std::move(probe).error();
  return std::make_unique<LeftJoinOperator>(*this, context.inputs(), std::move(kinds),
                                            *std::move(probe));
}

}  // namespace trefoil::dataflow
