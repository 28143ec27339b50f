// Constant.
#include "dataflow/operators/constant.h"

#include <algorithm>

#include "base/errors.h"
#include "dataflow/describe.h"

namespace trefoil::dataflow {

namespace {

class ConstantOperator final : public Operator {
 public:
  explicit ConstantOperator(const Constant& spec) : Operator(spec.kinds, {}), rows_(spec.rows) {}

 protected:
  void StepInto(Context&, Batch&) override {}
  bool Prepare(const Ask& ask, std::uint32_t) override { return ask == Ask{}; }
  bool PullRows(std::uint32_t, const Pull&, Context& context, RowSink sink) override {
    return std::ranges::all_of(rows_, [&](const Row& row) {
      ++context.counters.pulled_rows;
      return sink(row, 1);
    });
  }

 private:
  std::vector<Row> rows_;
};

}  // namespace

std::string Constant::Describe() const {
  std::string text = "constant";
  for (const Row& row : rows) {
    text += " (";
    for (const Value& value : row) text += StrCat(DescribeValue(value), " ");
    text += ")";
  }
  return text;
}

Result<std::unique_ptr<Operator>> Constant::Make(BuildContext&) const {
  for (const Row& row : rows) {
    if (row.size() != kinds.size()) return InvalidArgument("a constant row has all its columns");
  }
  return std::make_unique<ConstantOperator>(*this);
}

}  // namespace trefoil::dataflow
