// Bound expressions as the engine's: columns by position, functions by name.
#pragma once

#include <functional>

#include "dataflow/expression.h"
#include "query/bound.h"

namespace trefoil::query {

// Where a column stands in the rows that the expression is computed over.
using ColumnPlace = std::function<dataflow::Column(ColumnRef)>;

// `expr` holds no parameters and no nested selects.
dataflow::Expression ToExpression(const BoundExpr& expr, const ColumnPlace& place);

// Every scalar function and aggregate of TreeSQL, for programs and graphs. Lives for ever.
const dataflow::FunctionRegistry& Functions();

// The value of an expression without columns; what cannot be represented is NULL.
Value Evaluate(const BoundExpr& expr);
// As above, over one row; column i of source 0 is row[i].
Value EvaluateOver(const BoundExpr& expr, std::span<const Value> row);

}  // namespace trefoil::query
