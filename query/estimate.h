// Estimates: how many rows each node of a plan has, from what the store says for nothing: about how
// many entries a range has. How many rows share one value of an indexed column is measured on a few
// values from both ends of the index; of other columns nothing is known. Good enough to choose an
// order by, never needed to be right.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "dataflow/source.h"
#include "query/plan.h"
#include "schema/schema.h"

namespace trefoil::query {

// What is known of stored rows. One for one compilation: it remembers what it has asked.
class Statistics {
 public:
  // Both outlive the object.
  Statistics(const dataflow::Source& source, const schema::Schema& schema)
      : source_(source), schema_(schema) {}

  // Rows in the range of the scan.
  double Rows(const ScanNode& scan) const;
  // Different values of a column among all rows of the table.
  double Distinct(TypeId type, AttributeId attribute);

  const schema::Schema& schema() const { return schema_; }

 private:
  double SampleDistinct(TypeId type, AttributeId attribute, const dataflow::AccessPath& path,
                        double rows) const;

  const dataflow::Source& source_;
  const schema::Schema& schema_;
  std::map<std::pair<TypeId, AttributeId>, double> distinct_;
};

// The rows of each node, by number.
class Estimate {
 public:
  Estimate(const Plan& plan, Statistics& statistics);

  double Rows(PlanNumber node) const { return rows_[node]; }
  // Different values of a column of the node, at most its rows.
  double Distinct(PlanNumber node, ColumnRef column) const;
  // Rows of `node` for one combination of values of these columns of it.
  double RowsPerKey(PlanNumber node, const std::vector<ColumnRef>& columns) const;

 private:
  double RowsOf(PlanNumber number) const;
  double RowsOfSet(const PlanNode& node, SetKind kind) const;
  double Selectivity(PlanNumber input, const BoundExpr& conjunct) const;
  double Joined(const PlanNode& node, const std::vector<PlanEquality>& on,
                std::size_t condition_count) const;

  const Plan& plan_;
  Statistics& statistics_;
  std::vector<double> rows_;
};

// The index of the table (null: its key) by which rows with given values of `columns` are found, if
// the node shows stored rows as they are, filtered at most.
std::optional<const schema::Index*> ProbedIndex(const Plan& plan, PlanNumber node,
                                                const std::vector<ColumnRef>& columns,
                                                const schema::Schema& schema);

}  // namespace trefoil::query
