// Z-sets as a test sees them: ordered maps from rows to weights, that print as text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/str_cat.h"
#include "dataflow/graph.h"

namespace trefoil::testing {

using ZSet = std::map<dataflow::Row, dataflow::Weight>;

inline void AddTo(ZSet& rows, const dataflow::Row& row, dataflow::Weight weight) {
  if ((rows[row] += weight) == 0) rows.erase(row);
}

inline void AddTo(ZSet& rows, const dataflow::Batch& delta) {
  for (std::size_t i = 0; i < delta.size(); ++i) {
    AddTo(rows, dataflow::Row(delta.row(i).begin(), delta.row(i).end()), delta.weight(i));
  }
}

// One row per line.
inline std::string Show(const ZSet& rows) {
  std::string text;
  for (const auto& [row, weight] : rows) {
    text += ToJson(Value::List(row));
    if (weight != 1) text += StrCat(" x ", weight);
    text += '\n';
  }
  return text;
}

inline ZSet ReadAll(dataflow::Graph& graph, dataflow::NodeId node) {
  ZSet rows;
  const Status read = graph.Read(node, [&](dataflow::RowView row, dataflow::Weight weight) {
    AddTo(rows, dataflow::Row(row.begin(), row.end()), weight);
    return true;
  });
  EXPECT_TRUE(read.has_value());
  return rows;
}

}  // namespace trefoil::testing
