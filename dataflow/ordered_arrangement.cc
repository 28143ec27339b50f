#include "dataflow/ordered_arrangement.h"

#include <utility>

#include "base/check.h"
#include "dataflow/counted_tree.h"
#include "dataflow/describe.h"
#include "dataflow/sorted_row.h"

namespace trefoil::dataflow {

namespace {

std::vector<SortColumn> KeyThenOrder(const ArrangeOrdered& spec) {
  std::vector<SortColumn> columns;
  for (const Column column : spec.key) columns.push_back({.column = column});
  columns.insert(columns.end(), spec.order.begin(), spec.order.end());
  return columns;
}

class ArrangeOrderedOperator final : public Operator {
 public:
  ArrangeOrderedOperator(Operator& input, Port all, const ArrangeOrdered& spec)
      : Operator(input.columns(), {&input}),
        all_(all),
        key_(spec.key),
        order_(spec.order),
        compare_(KeyThenOrder(spec)),
        rows_(compare_) {
    ForwardDeltaOf(input);
  }

  bool Forget() override { return false; }
  void Hydrate(Context& context) override {
    HydrateFrom(all_, context, [&](RowView row, Weight weight) {
      Add(row, weight);
      return true;
    });
  }
  std::size_t state_bytes() const override { return rows_.bytes() + row_bytes_; }
  std::size_t state_rows() const override { return rows_.size(); }

 protected:
  void StepInto(Context&, Batch&) override {
    for (std::size_t i = 0; i < delta().size(); ++i) Add(delta().row(i), delta().weight(i));
  }

  bool Prepare(const Ask& ask, std::uint32_t) override {
    if (ask == Ask{}) return true;
    if (ask.equal != key_) return false;
    const bool in_range =
        !ask.range || (!order_.empty() && order_[0].column == *ask.range && !order_[0].descending);
    return in_range && (ask.order.empty() || ask.order == order_);
  }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    for (auto cursor = Begin(pull); cursor; cursor.Next()) {
      const RowView row = cursor.key()->row();
      if (compare_(row, RowOrder::Place{pull.key}) != 0 || IsPast(row, pull.upper)) break;
      ++context.counters.pulled_rows;
      if (!sink(row, cursor.weight())) return false;
    }
    return true;
  }

 private:
  using Tree = CountedTree<SortedRow, SortedRowOrder>;

  void Add(RowView row, Weight weight) {
    const Tree::Cursor known = rows_.Find(row);
    const bool is_new = !known;
    const Weight after = rows_.Add(is_new ? compare_.Make(row) : known.key(), weight);
    if (is_new) row_bytes_ += RowBlock::BytesFor(row);
    if (after == 0) row_bytes_ -= RowBlock::BytesFor(row);
  }

  // The first row of the pull: behind `after`, or at the lower bound, or at the start of the key.
  Tree::Cursor Begin(const Pull& pull) const {
    std::vector<Value> place(pull.key.begin(), pull.key.end());
    if (!pull.after.empty()) {
      place.insert(place.end(), pull.after.begin(), pull.after.end());
      return rows_.UpperBound(RowOrder::Place{place});
    }
    if (pull.lower == nullptr) return rows_.LowerBound(RowOrder::Place{place});
    place.push_back(pull.lower->value);
    return pull.lower->inclusive ? rows_.LowerBound(RowOrder::Place{place})
                                 : rows_.UpperBound(RowOrder::Place{place});
  }

  bool IsPast(RowView row, const Bound* upper) const {
    if (upper == nullptr) return false;
    const auto order = CompareValues(row[order_[0].column], upper->value);
    return upper->inclusive ? order > 0 : order >= 0;
  }

  Port all_;
  std::vector<Column> key_;
  std::vector<SortColumn> order_;
  SortedRowOrder compare_;
  Tree rows_;
  std::size_t row_bytes_ = 0;
};

}  // namespace

std::string ArrangeOrdered::Describe() const {
  return StrCat("arrange by ", DescribeColumns(key), " in order ", DescribeOrder(order));
}

Result<std::unique_ptr<Operator>> ArrangeOrdered::Make(BuildContext& context) const {
  Check(context.inputs().size() == 1, "an arrangement has one input");
  Operator& input = *context.inputs()[0];
  Result<Port> all = context.Serve(input, {});
  if (!all) return std::move(all).error();
  return std::make_unique<ArrangeOrderedOperator>(input, *all, *this);
}

}  // namespace trefoil::dataflow
