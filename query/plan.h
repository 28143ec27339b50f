// Plan: what has to be computed, as relations. A plan is a list of nodes, each reading earlier
// ones, so it is a graph without cycles in which sub-plans are shared by number. Columns keep the
// names of the bound tree (ColumnRef), so a node can be put anywhere its columns exist. Nested
// selects are gone: each was planned once for all rows around it, with those columns of the outer
// rows that it mentions (its domain) as part of its own rows, and joined back by them.
//
//   SELECT i.id, (SELECT count(*) FROM comment c WHERE c.issue = i.id) FROM issue i
//
//   scan issue --+---------------------------------------> left join on i.id = d.0 --> map
//                +-> map d.0 := i.id -> distinct --+                 ^
//                                                  +-> join -> group by d.0
//                        scan comment -------------+
//
// I1: a node's inputs have smaller numbers.
// I2: every column that a node reads is a column of one of its inputs; no column stands in two.
// VerifyPlan checks both; it runs after every pass in the verify build.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dataflow/operators/input.h"
#include "dataflow/router.h"
#include "dataflow/source.h"
#include "query/bound.h"

namespace trefoil::query {

using PlanNumber = std::uint32_t;

struct PlanColumn {
  ColumnRef ref;
  ValueKind kind = ValueKind::kNull;  // kNull = any

  friend bool operator==(const PlanColumn&, const PlanColumn&) = default;
};

// Two columns of different inputs that hold the same value.
struct PlanEquality {
  ColumnRef left;
  ColumnRef right;
  bool nulls_equal = false;
};

// Rows of a table; `attributes` go with the columns of the node.
struct ScanNode {
  TypeId type{};
  std::vector<AttributeId> attributes;
  std::optional<dataflow::Probe> only = {};        // the rows in this range, by choose_ranges
  std::vector<AttributeId> range_attributes = {};  // that the range is about
  dataflow::RangeParameters parameters = {};       // that the range takes values from
};
struct OneRowNode {};  // one row without columns
// One row for each binding of a plan that several queries share: its number, then the values of
// the slots (lift.h).
struct BindingsNode {
  std::string name;  // tells the bindings of two plans apart
};
struct FilterNode {
  std::vector<BoundExpr> conjuncts;
};
struct MapNode {
  std::vector<BoundExpr> outputs;  // one for each column of the node
};
// Inner join of any number of inputs.
struct JoinNode {
  std::vector<PlanEquality> on;
  std::vector<BoundExpr> conditions;
};
// Inner join of bindings with the rows that they select, by route_bindings. Inputs: bindings, rows.
struct PlanRouteTest {
  dataflow::RouteTest test{};
  ColumnRef row;
  ColumnRef binding;
};
struct RouteNode {
  // The tests of one alternative all hold.
  std::vector<std::vector<PlanRouteTest>> alternatives;
  std::vector<BoundExpr> conditions;  // hold besides
};
struct LeftJoinNode {
  std::vector<PlanEquality> on;
  std::vector<BoundExpr> conditions;
};
enum class SemiKind : std::uint8_t { kSemi, kAnti, kMark };
// kMark: the columns of the left, then a BOOL that says whether there is a match.
struct SemiJoinNode {
  SemiKind kind{};
  std::vector<PlanEquality> on;
  std::vector<BoundExpr> conditions;
};
struct PlanAggregate {
  Aggregate function{};
  std::optional<ColumnRef> argument;
  std::optional<ColumnRef> filter;
  bool distinct = false;
  std::string separator;
};
// Columns: the keys, then one per aggregate.
struct GroupNode {
  std::vector<ColumnRef> keys;
  std::vector<PlanAggregate> aggregates;
};
enum class SetKind : std::uint8_t { kDistinct, kUnionAll, kIntersect, kExcept };
// By position; the columns are named as those of the first input.
struct SetNode {
  SetKind kind{};
};
struct PlanSort {
  ColumnRef column;
  bool descending = false;
};
struct TopNode {
  std::vector<ColumnRef> partition;
  std::vector<PlanSort> order;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> limit;
  bool of_bindings = false;  // one with the route that is its input, by bind_tops
};
// What a recursive select has found so far, inside of its own definition: the columns of the
// relation, then the level, the number of the iteration that found the row.
struct LoopNode {};
// The relations that recursion makes: one, or several that read each other. Inputs: of each one
// the nodes that start it, then those that derive rows from LoopNodes (its columns, then the level
// of each loop row that they used); behind them the LoopNode of each relation. By position. The
// columns are those of the relation; of several: the number of the relation, then as many as the
// widest has, NULL where there are fewer.
struct FixpointNode {
  struct Relation {
    std::string name;
    std::size_t bases = 0;
    std::size_t bodies = 0;
  };
  std::vector<Relation> relations;
};
struct PlanNode {
  std::variant<ScanNode, OneRowNode, BindingsNode, FilterNode, MapNode, JoinNode, RouteNode,
               LeftJoinNode, SemiJoinNode, GroupNode, SetNode, TopNode, LoopNode, FixpointNode>
      op;
  std::vector<PlanNumber> inputs;
  std::vector<PlanColumn> columns;
};

// A field of the answer: a column, or the rows of a deeper level.
struct PlanField {
  std::string name;
  ColumnRef column;
  std::optional<std::size_t> child;  // number of a level
  std::vector<ColumnRef> child_bucket;
  bool single = false;  // the child's only row instead of a list
};

// One nesting level of the answer: a flat relation whose rows belong to a row of the level around.
struct PlanLevel {
  PlanNumber node = 0;
  std::vector<ColumnRef> bucket;  // which list a row belongs to; empty for the outermost
  std::vector<PlanSort> order;
  std::vector<ColumnRef> key;  // the end of `order`: tells the rows of a list apart
  std::vector<PlanField> fields;
  bool scalar = false;  // the items are the one field itself
};

struct Plan {
  std::vector<PlanNode> nodes;
  std::vector<PlanLevel> levels;   // the outermost first
  std::uint32_t source_count = 0;  // SourceIds are below
  // Parameters that the plan holds for these values of only (LIMIT, converted values).
  std::vector<std::uint32_t> fixed_parameters;
};

// ---- helpers for planner and passes ----

// A copy of `expr` in which `replace` has replaced what it returns something for. The expression
// must hold no selects that are not replaced.
using ExprReplacement = std::function<std::optional<BoundExpr>(const BoundExpr&)>;
BoundExpr CopyExpr(const BoundExpr& expr, const ExprReplacement& replace = {});
std::vector<BoundExpr> CopyExprs(const std::vector<BoundExpr>& exprs);
PlanNode CopyNode(const PlanNode& node);

// Columns that `expr` reads, with repetition; columns of selects inside it count when they are not
// the select's own.
std::vector<ColumnRef> ColumnsOf(const BoundExpr& expr);
// Columns of sources further out that `select` mentions, each once.
std::vector<ColumnRef> FreeColumns(const BoundSelect& select);
bool HasSubselect(const BoundExpr& expr);

// The operands of a conjunction, or the expression alone.
std::vector<const BoundExpr*> ConjunctsOf(const BoundExpr& expr);

bool HasColumn(const PlanNode& node, ColumnRef ref);
std::size_t PositionOf(const PlanNode& node, ColumnRef ref);

ValueKind KindOfType(const ExprType& type);

// Calls visit(ColumnRef) for what the operation itself reads of its inputs.
void ForEachColumnRead(const PlanNode& node, const std::function<void(ColumnRef)>& visit);

// Aborts when an invariant of the plan does not hold.
void VerifyPlan(const Plan& plan);

}  // namespace trefoil::query
