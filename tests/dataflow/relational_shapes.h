// Every operator as a small plan over inputs of pairs, with its meaning as nested loops.
#pragma once

#include <string>
#include <vector>

#include "tests/support/operator_harness.h"

namespace trefoil::dataflow {

// A plan over inputs of two INT columns: a key that may be NULL, and a payload.
struct Shape {
  std::string name;
  std::size_t inputs;
  decltype(testing::Subject::build) build;
  decltype(testing::Subject::reference) reference;
  // Columns of the output that are such a pair again; empty if there are none.
  std::vector<Column> pair = {0, 1};
};

std::vector<Shape> AllShapes();
// Those of them that keep orders, routes or recursions.
std::vector<Shape> OrderedAndRecursiveShapes();

// The shape over a few rows, and over many.
testing::Subject SmallSubject(const Shape& shape);
testing::Subject LargeSubject(const Shape& shape);

// Pairs of `keys` keys, the first of which is NULL, and `payloads` payloads.
std::vector<Row> LargePairs(int keys, int payloads);

}  // namespace trefoil::dataflow
