// ColumnNames: what people call the columns of a plan: "i.title" for a column of a table,
// "boss.name" behind a path, the text of the expression for what is computed. For EXPLAIN only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "query/bound.h"
#include "query/plan.h"

namespace trefoil::query {

class ColumnNames {
 public:
  // `plan` was made from `select`, whatever passes ran.
  ColumnNames(const BoundSelect& select, const Plan& plan);

  std::string Of(ColumnRef column) const;
  std::string Of(const std::vector<ColumnRef>& columns) const;  // "a, b"
  // The alias of a scan's source: "i"; empty if it has none.
  std::string SourceName(const PlanNode& scan) const;
  std::string Text(const BoundExpr& expr) const;
  std::string Text(const std::vector<BoundExpr>& conjuncts) const;  // "a AND b"

 private:
  void Collect(const BoundSelect& select);
  void Collect(const BoundCore& core);
  void CollectSelectsIn(const BoundExpr& expr);
  void CollectRefs(const std::vector<RefJoin>& refs);
  void NameComputed(const PlanNode& node);
  std::string OperationText(const Operation& operation) const;
  std::string Operand(const BoundExpr& expr) const;
  std::string List(const std::vector<BoundExpr>& exprs, std::size_t from) const;

  std::map<ColumnRef, std::string> names_;
  std::map<SourceId, std::string> sources_;
};

}  // namespace trefoil::query
