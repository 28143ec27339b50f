// Inside of the planner. The first error is kept, and planning goes on with what is there.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "query/bound.h"
#include "query/plan.h"
#include "query/planner.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::query {

// What a nested select sees of the rows around it: its domain holds each combination of the outer
// columns that it mentions once, under names of its own.
struct Environment {
  PlanNumber domain = 0;
  std::vector<PlanColumn> columns;         // of the domain
  std::map<ColumnRef, ColumnRef> renamed;  // outer column -> domain column
};

// A select that was planned as far as its limit.
struct PlannedBody {
  PlanNumber node = 0;
  std::vector<std::size_t> late;  // visible outputs that are not computed yet: they hold selects
  std::vector<PlanSort> order;
};

class PlannerContext {
 public:
  PlannerContext(std::uint32_t source_count, std::span<const Value> parameters,
                 const schema::Schema& schema)
      : parameters_(parameters), schema_(schema) {
    plan_.source_count = source_count;
  }

  // Plans `select` as a level of the answer, and the levels below it. Returns its number.
  std::size_t PlanLevelOf(const BoundSelect& select, const Environment* environment);
  // What the outermost select sees of its bindings.
  Environment EnvironmentOf(const BoundSelect& select, const PlanBindings& bindings);
  std::optional<Error>& error() { return error_; }
  Plan& plan() { return plan_; }

 private:
  // ---- planner.cc ----
  // Columns: those of the environment, then (select.id, i) for all outputs.
  PlanNumber PlanSelect(const BoundSelect& select, const Environment* environment);
  PlannedBody PlanBody(const BoundSelect& select, const Environment* environment);
  PlanNumber PlanSingle(const BoundSelect& select, const Environment* environment,
                        std::vector<std::size_t>& late);
  PlanNumber PlanSetOperations(const BoundSelect& select, const Environment* environment);
  PlanNumber AddAfter(const BoundSelect& select, PlanNumber node);
  std::optional<BoundExpr> FirstKeyBehind(const BoundSelect& select, const BoundExpr& value,
                                          ExprType type) const;
  std::vector<PlanSort> AddOrder(const BoundSelect& select, PlanNumber& node);
  std::optional<std::uint64_t> CountOf(const std::optional<BoundExpr>& expr);
  PlanNumber AddLate(const BoundSelect& select, const PlannedBody& body,
                     const Environment* environment);
  void AddChildField(const BoundSubselect& subselect, PlanNumber node,
                     const Environment* environment, PlanField& field);

  // ---- planner_core.cc ----
  // FROM, WHERE, groups, HAVING. Columns: those of the environment and of all sources in sight.
  PlanNumber PlanCore(const BoundCore& core, const Environment* environment);
  PlanNumber PlanFrom(const BoundCore& core, const Environment* environment,
                      std::vector<const BoundExpr*>& conjuncts);
  PlanNumber PlanSource(const BoundSource& source, const Environment* environment,
                        std::vector<PlanEquality>& on);
  PlanNumber PlanCte(const BoundSource& source, const Environment* environment,
                     std::vector<PlanEquality>& on);
  PlanNumber PlanCorrelatedCte(const BoundCte& cte, const BoundSource& source,
                               const Environment* environment, std::vector<PlanEquality>& on);
  // ---- planner_recursion.cc ----
  PlanNumber PlanRecursion(const BoundCte& cte);
  std::vector<const BoundCte*> RecursionGroup(const BoundCte& cte);
  PlanNumber AddLoop(const BoundSelect& select);
  FixpointNode::Relation PlanRecursionCores(const BoundCte& cte, std::vector<PlanNumber>& inputs);
  PlanNumber PickRelation(PlanNumber fixpoint, std::size_t number, const BoundSelect& select);
  PlanNumber PlanRecursionCore(const BoundSelect& select, const BoundCore& core, bool& recursive);
  // The columns of a name of WITH, made by `node` as those of `from`, for one of its readers.
  PlanNumber ReadCte(const BoundSource& source, PlanNumber node, SourceId from);
  // ---- planner_core.cc ----
  PlanNumber PlanOuterJoin(const BoundJoin& join, PlanNumber left, PlanNumber right,
                           std::vector<PlanEquality> on, const Environment* environment);
  PlanNumber BesideDomain(PlanNumber right, std::vector<PlanEquality> on,
                          const Environment& environment, std::vector<PlanEquality>& same);
  PlanNumber Padded(PlanNumber node, const std::vector<PlanColumn>& shown,
                    const std::vector<PlanEquality>& same);
  PlanNumber AddRefs(const std::vector<RefJoin>& refs, PlanNumber node);
  PlanNumber Scan(SourceId id, TypeId type, const std::vector<BoundColumn>& columns);
  PlanNumber PlanGroups(const BoundCore& core, PlanNumber node, const Environment* environment);
  PlanNumber AddEmptyGroups(const BoundCore& core, PlanNumber groups,
                            const Environment* environment);

  // ---- planner_apply.cc ----
  // A copy of `expr` over the columns of `node`; nested selects become columns that are joined to
  // it.
  BoundExpr Rewrite(const BoundExpr& expr, const Environment* environment, PlanNumber& node);
  PlanNumber AddFilter(std::span<const BoundExpr* const> conjuncts, const Environment* environment,
                       PlanNumber node);
  // True if the conjunct is an EXISTS or IN that became a semi join.
  bool ApplyAsFilter(const BoundExpr& conjunct, const Environment* environment, PlanNumber& node);
  BoundExpr Apply(const BoundSubselect& subselect, const BoundExpr& expr,
                  const Environment* environment, PlanNumber& node);
  BoundExpr ApplyIn(const BoundSubselect& subselect, const Environment* environment,
                    PlanNumber& node);
  PlanNumber Presence(PlanNumber right, const std::vector<PlanEquality>& on,
                      std::optional<BoundExpr> test);
  // The environment of `select` within the rows of `node`, and what joins the two.
  Environment MakeEnvironment(const BoundSelect& select, const Environment* outer, PlanNumber node,
                              std::vector<PlanEquality>& on);
  // `select` for the rows of `node`; `on` joins the two.
  PlanNumber PlanFor(const BoundSelect& select, const Environment* outer, PlanNumber node,
                     std::vector<PlanEquality>& on);
  ColumnRef AddMark(PlanNumber& node, PlanNumber right, std::vector<PlanEquality> on,
                    std::vector<BoundExpr> conditions);
  // `expr` as a column of `node`, added unless it is one.
  ColumnRef AsColumn(BoundExpr expr, PlanNumber& node);

  // ---- shared ----
  PlanNumber Add(PlanNode node) {
    plan_.nodes.push_back(std::move(node));
    return static_cast<PlanNumber>(plan_.nodes.size() - 1);
  }
  const PlanNode& At(PlanNumber number) const { return plan_.nodes[number]; }
  SourceId NewSource() { return SourceId{plan_.source_count++}; }
  // All columns of `node`, and these expressions behind them.
  PlanNumber AddColumns(PlanNumber node, std::vector<std::pair<ColumnRef, BoundExpr>> added);
  void Fail(ErrorCode code, std::string message, std::string hint = {});
  bool failed() const { return error_.has_value(); }

  Plan plan_;
  std::span<const Value> parameters_;
  const schema::Schema& schema_;
  std::map<std::uint32_t, const BoundCte*> ctes_;
  std::map<std::uint32_t, PlanNumber> cte_nodes_;
  std::map<std::uint32_t, PlanNumber> loops_;  // of the recursion that is being planned
  std::vector<ColumnRef> levels_;              // of the loop rows that the current core reads
  std::optional<Error> error_;
};

std::vector<PlanColumn> JoinedColumns(const PlanNode& left, const PlanNode& right);

}  // namespace trefoil::query
