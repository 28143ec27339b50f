// Feed: pending changes become the delta of the next step.
#include "dataflow/operators/feed.h"

#include "dataflow/describe.h"
#include "dataflow/row_table.h"

namespace trefoil::dataflow {

namespace {

class FeedOperator final : public Operator {
 public:
  explicit FeedOperator(const std::vector<ValueKind>& kinds)
      : Operator(kinds, {}), pending_(kinds.size()), rows_(kinds.size()) {}

  Batch* pending() override { return &pending_; }
  std::size_t state_bytes() const override { return rows_.bytes(); }
  std::size_t state_rows() const override { return rows_.size(); }

 protected:
  void StepInto(Context&, Batch& out) override {
    out.Swap(pending_);
    out.Consolidate();
    for (std::size_t i = 0; i < out.size(); ++i) rows_.Add(out.row(i), out.weight(i));
  }

  bool Prepare(const Ask& ask, std::uint32_t) override { return ask == Ask{}; }

  bool PullRows(std::uint32_t slot, const Pull& pull, Context& context, RowSink sink) override {
    if (pull.when == When::kOld && !delta().empty()) {
      return PullOldFromNew(slot, pull, context, sink);
    }
    return rows_.ForEach([&](RowView row, Weight weight) {
      ++context.counters.pulled_rows;
      return sink(row, weight);
    });
  }

 private:
  Batch pending_;
  RowTable rows_;
};

}  // namespace

std::string Feed::Describe() const {
  std::string text = StrCat("feed ", name, " (");
  for (const ValueKind kind : kinds) text += StrCat(text.back() == '(' ? "" : ", ", KindName(kind));
  return text + ")";
}

Result<std::unique_ptr<Operator>> Feed::Make(BuildContext&) const {
  return std::make_unique<FeedOperator>(kinds);
}

}  // namespace trefoil::dataflow
