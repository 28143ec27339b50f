// Ordered arrangement: the rows of a node in one counted tree, by key columns and then in an order.
// It serves what no index serves: top-k over derived columns, ranges over computed ones. Any limit
// and offset share it.
//
//   (key, sort columns, row) -> weight         CountedTree of SortedRow
//
// Change: O(log n). Pull: O(answer + log n). Made by the graph; a plan rarely names it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/plan.h"

namespace trefoil::dataflow {

struct ArrangeOrdered {
  std::vector<Column> key;
  std::vector<SortColumn> order;

  std::string Describe() const;
  Result<std::unique_ptr<Operator>> Make(BuildContext& context) const;
};

}  // namespace trefoil::dataflow
