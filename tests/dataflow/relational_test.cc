// Every relational operator against nested loops over the whole content of its inputs.
#include <gtest/gtest.h>

#include "tests/dataflow/relational_shapes.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;

Value Int(std::int64_t number) { return Value::Int(number); }

class RelationalTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  Shape shape() const { return AllShapes()[GetParam()]; }
};

TEST_P(RelationalTest, EqualsTheReferenceBetweenAllSmallContents) {
  Subject subject = SmallSubject(shape());
  // Three inputs have too many contents for all pairs.
  if (subject.domains.size() > 2) {
    for (auto& domain : subject.domains) domain = {{Int(1), Int(1)}};
    subject.domains[1].push_back({Int(1), Int(0)});
  }
  if (subject.domains.size() == 2) subject.domains[0].pop_back();
  testing::CheckExhaustively(subject);
}

TEST_P(RelationalTest, EqualsTheReferenceAlongRandomHistories) {
  testing::CheckRandomly(LargeSubject(shape()), 60);
}

INSTANTIATE_TEST_SUITE_P(EachOperator, RelationalTest,
                         ::testing::Range(std::size_t{0}, AllShapes().size()));

}  // namespace
}  // namespace trefoil::dataflow
