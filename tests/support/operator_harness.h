// OperatorHarness: runs one operator, or a small plan, next to a naive reference that computes the
// result from the whole content of the inputs, and compares the two after every step in all the
// ways in which an operator can be asked.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dataflow/functions.h"
#include "dataflow/graph.h"
#include "tests/support/model_source.h"

namespace trefoil::testing {

// Content of a relation, or a difference of two; no entry has weight 0.
using ZSet = std::map<dataflow::Row, dataflow::Weight>;

ZSet Minus(const ZSet& a, const ZSet& b);
std::string ToString(const ZSet& rows);

// What is under test.
struct Subject {
  std::string name;
  std::vector<std::vector<ValueKind>> input_kinds;
  // Rows that may be in each input.
  std::vector<std::vector<dataflow::Row>> domains;
  // Adds nodes over the inputs to the plan and returns the one to look at.
  std::function<dataflow::NodeNumber(dataflow::Plan&, const std::vector<dataflow::NodeNumber>&)>
      build;
  std::function<ZSet(const std::vector<ZSet>&)> reference;
};

class OperatorHarness {
 public:
  explicit OperatorHarness(Subject subject);

  // One step to this content of the inputs; checks the delta, and reads before and after it through
  // every port that the operator offers for one column, for all, and for none.
  // Returns false after a difference, which is reported to the test framework.
  bool MoveTo(const std::vector<ZSet>& inputs);
  // One step in which these rows come and go again; nothing may be emitted.
  bool ComeAndGo(const std::vector<ZSet>& rows);
  // Drops the operator and installs it again: hydration must give what the steps gave.
  void Reattach();

  const std::vector<ZSet>& inputs() const { return inputs_; }
  dataflow::Graph& graph() { return graph_; }

 private:
  bool CheckReads(dataflow::When when, const ZSet& expected, const ZSet& keys);
  ZSet ReadPort(const dataflow::Port& port, const dataflow::Row& key, dataflow::When when);
  void Install();

  Subject subject_;
  ModelSource source_;
  dataflow::FunctionRegistry functions_;
  dataflow::Graph graph_;
  dataflow::Installed feeds_;
  dataflow::Installed installed_;
  std::vector<ZSet> inputs_;
};

// Steps between all pairs of contents in which each domain row is there or not (each row of the
// first input also twice), and reattaches now and then. Domains must be small.
void CheckExhaustively(const Subject& subject);
// Random contents, random batches, from a printed seed. Prints how many steps that were.
void CheckRandomly(const Subject& subject, std::size_t steps);
// The same random changes as one step, as one step for each, and in batches of any size, in any
// order, each step against the reference; and once more to and fro within one step.
void CheckLaws(const Subject& subject, std::size_t rounds);

}  // namespace trefoil::testing
