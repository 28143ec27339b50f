// The laws of deltas, for every operator alone and for random graphs of them: how changes are cut
// into steps, and in which order they come, makes no difference.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "dataflow/operators/project.h"
#include "tests/dataflow/relational_shapes.h"
#include "tests/support/operator_harness.h"
#include "tests/support/seed.h"

namespace trefoil::dataflow {
namespace {

using testing::Subject;
using testing::ZSet;

class LawsTest : public ::testing::TestWithParam<std::size_t> {};

// About 650 steps for each operator, so that all of them together pass 20,000 in one run.
TEST_P(LawsTest, HoldForAnySplitAndOrderOfTheChanges) {
  Subject subject = SmallSubject(AllShapes()[GetParam()]);
  for (auto& domain : subject.domains) domain = LargePairs(4, 4);
  testing::CheckLaws(subject, 60);
}

INSTANTIATE_TEST_SUITE_P(EachOperator, LawsTest,
                         ::testing::Range(std::size_t{0}, AllShapes().size()));

// One node of a random graph: a shape, and which earlier nodes it reads; the inputs come first.
struct ChosenNode {
  Shape shape;
  std::vector<std::size_t> reads;
};

template <typename Node>
std::vector<Node> Pick(const std::vector<Node>& nodes, const std::vector<std::size_t>& numbers) {
  std::vector<Node> picked;
  for (const std::size_t number : numbers) picked.push_back(nodes[number]);
  return picked;
}

ZSet Projected(const ZSet& rows, const std::vector<Column>& columns) {
  ZSet out;
  for (const auto& [row, weight] : rows) {
    Weight& stored = out[{row[columns[0]], row[columns[1]]}];
    if ((stored += weight) == 0) out.erase({row[columns[0]], row[columns[1]]});
  }
  return out;
}

// `size` operators over two inputs, each over what stands before it; the last is looked at.
Subject RandomGraph(std::mt19937_64& random, std::size_t size) {
  std::vector<Shape> shapes = AllShapes();
  std::erase_if(shapes, [](const Shape& shape) { return shape.pair.empty(); });
  constexpr std::size_t kInputs = 2;
  std::vector<ChosenNode> nodes;
  std::string name = "graph of";
  for (std::size_t i = 0; i < size; ++i) {
    ChosenNode node{shapes[random() % shapes.size()], {}};
    for (std::size_t input = 0; input < node.shape.inputs; ++input) {
      // The newest comes first, so that the graph is deep.
      node.reads.push_back(input == 0 ? kInputs + i - 1 : random() % (kInputs + i));
    }
    name += " | " + node.shape.name;
    for (const std::size_t read : node.reads) name += " <" + std::to_string(read);
    nodes.push_back(std::move(node));
  }
  const auto input_kinds = std::vector(kInputs, std::vector(2, ValueKind::kInt));
  return {.name = name,
          .input_kinds = input_kinds,
          .domains = std::vector(kInputs, LargePairs(4, 3)),
          .build =
              [nodes](Plan& plan, const std::vector<NodeNumber>& inputs) {
                std::vector<NodeNumber> made = inputs;
                for (const ChosenNode& node : nodes) {
                  const NodeNumber rows = node.shape.build(plan, Pick(made, node.reads));
                  made.push_back(plan.Add(Project{.columns = node.shape.pair}, {rows}));
                }
                return made.back();
              },
          .reference =
              [nodes](const std::vector<ZSet>& inputs) {
                std::vector<ZSet> made = inputs;
                for (const ChosenNode& node : nodes) {
                  const ZSet rows = node.shape.reference(Pick(made, node.reads));
                  made.push_back(Projected(rows, node.shape.pair));
                }
                return made.back();
              }};
}

TEST(RandomGraphTest, EqualsItsReferenceWhateverIsBuiltOnWhat) {
  std::mt19937_64 random(testing::TestSeed());
  for (int graph = 0; graph < 60 * testing::TestScale(); ++graph) {
    const Subject subject = RandomGraph(random, 2 + random() % 2);
    SCOPED_TRACE(subject.name);
    testing::CheckLaws(subject, 3);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace trefoil::dataflow
