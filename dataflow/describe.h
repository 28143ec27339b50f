// Text for explain and for the keys under which the graph shares nodes: canonical, and readable.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "dataflow/row.h"

namespace trefoil::dataflow {

// "#0, #3"
inline std::string DescribeColumns(std::span<const Column> columns) {
  std::string text;
  for (const Column column : columns) text += StrCat(text.empty() ? "" : ", ", "#", column);
  return text;
}

// "#2 desc, #0"
inline std::string DescribeOrder(std::span<const SortColumn> order) {
  std::string text;
  for (const SortColumn& sort : order) {
    text += StrCat(text.empty() ? "#" : ", #", sort.column, sort.descending ? " desc" : "");
  }
  return text;
}

// Differs for values that differ: INT 1, FLOAT 1, DECIMAL 10/10^1, TEXT 'it''s'.
std::string DescribeValue(const Value& value);

}  // namespace trefoil::dataflow
