// Inside of the binder: the scopes, and the class whose parts stand in
// bind_*.cc. The first error is kept and binding goes on with NULLs, so that no
// part has to look at errors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/ast.h"
#include "query/binder.h"
#include "query/bound.h"

namespace trefoil::query {

// Names of WITH that are visible.
struct CteScope {
  const CteScope* outer = nullptr;
  const std::vector<BoundCte>* ctes = nullptr;
  std::size_t visible = 0;  // the first so many
};

// A column that USING or NATURAL-like joins show once.
struct MergedColumn {
  std::string name;
  std::vector<ColumnRef> parts;  // the value is the first that is not NULL
  ExprType type;
};

// One core while it is bound.
struct Scope {
  Scope* outer = nullptr;
  const CteScope* ctes = nullptr;
  BoundCore* core = nullptr;
  std::size_t sources_visible = SIZE_MAX;  // in ON: the joined sources only
  std::vector<MergedColumn> merged;
  // GROUP BY expressions as they print, in the order of core->group_keys.
  std::vector<std::string> group_texts;
  bool behind_group = false;      // names mean groups
  bool allows_aggregate = false;  // outputs, HAVING, ORDER BY
};

// A column where a walk along a path stands.
struct PathPlace {
  ColumnRef ref;
  ExprType type;
};

// Which columns of a table a name may mean: those of a LAX table that no declaration names, too?
enum class Columns : std::uint8_t { kDeclared, kAll };

class BindContext {
 public:
  BindContext(const BindInput& input, BoundStatement& statement)
      : text_(input.text), schema_(input.schema), statement_(statement) {}

  // ---- bind_select.cc ----
  BoundSelect BindSelect(const Select& select, Scope* outer, const CteScope* ctes);
  BoundSource TableSource(const schema::Type& type, const Name& alias);
  // The key of the row becomes the end of the order.
  void AddKeyOrder(BoundSelect& select);
  BoundReturning BindReturning(const Returning& returning, const schema::Type& type,
                               const Name& alias);

  // ---- bind_expression.cc ----
  BoundExpr BindExpr(const Expr& expr, Scope* scope);
  BoundExpr BindCondition(const Expr& expr, Scope* scope);  // BOOL
  BoundExpr BindArithmetic(Operator op, BoundExpr left, BoundExpr right, Span span);
  // `expr` where a value of `type` is wanted: literals and parameters take the
  // type. Fails with kTypeMismatch when the kinds can never fit. `what` names
  // the place in the message.
  BoundExpr Fit(BoundExpr expr, const ExprType& type, std::string_view what);

  // ---- bind_path.cc ----
  BoundExpr BindPath(const Path& path, Span span, Scope* scope);
  // `entries` name columns of the row that `path` refers to.
  BoundExpr BindShapeOf(const Path& path, const std::vector<Output>& entries, Span span,
                        Scope* scope);
  // conflicts(path): the concurrent values of an MV column.
  BoundExpr BindConflicts(const Call& call, Span span, Scope* scope);
  // All columns of `*` or `qualifier.*`, with their names.
  std::vector<std::pair<std::string, BoundExpr>> ExpandStar(const Output& output, Scope* scope);
  const schema::Type* FindTable(const Name& name);
  bool CheckTableHeld(const schema::Type& type, Span span);

  // ---- shared ----
  SourceId NewSource() { return SourceId{statement_.source_count++}; }
  std::uint32_t ParameterNumber(std::string_view name, int ordinal);
  BoundParameter& parameter(std::uint32_t number) { return statement_.parameters[number]; }
  void Fail(Span span, ErrorCode code, std::string message, std::string hint = {});
  bool failed() const { return error_.has_value(); }
  Error TakeError() { return *std::exchange(error_, std::nullopt); }
  std::string_view TextOf(Span span) const {
    return text_.substr(span.begin, span.end - span.begin);
  }
  const schema::Schema& schema() const { return schema_; }

 private:
  // bind_select.cc
  std::vector<BoundCte> BindCtes(const Select& select, Scope* outer, const CteScope* ctes);
  void GuessColumns(const Cte& cte, Scope* outer, const CteScope* ctes, BoundCte& bound);
  void BindCore(const Core& core, Scope& scope, BoundSelect& select);
  void BindFrom(const From& from, Scope& scope);
  BoundSource BindTableRef(const TableRef& ref, Scope& scope);
  void BindUsing(const Join& join, Scope& scope);
  void MarkRecursion(std::vector<BoundCte>& ctes);
  void BindGroupBy(const Core& core, Scope& scope);
  void BindOutputs(const std::vector<Output>& outputs, Scope& scope, BoundSelect& select);
  void BindOrder(const Select& ast, Scope* scope, BoundSelect& select);
  std::uint32_t BindOrderKey(const OrderKey& key, Scope* scope, BoundSelect& select);
  void BindLimits(const Select& ast, const CteScope* ctes, BoundSelect& select);
  void UnifyCores(BoundSelect& select, Span span);

  // bind_expression.cc
  BoundExpr BindNode(const Literal& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Path& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Parameter& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Unary& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Binary& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Logical& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const IsNull& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const In& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Between& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Like& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Case& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Cast& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Exists& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Subselect& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const Call& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const ListLiteral& node, const Expr& expr, Scope* scope);
  BoundExpr BindNode(const ShapeOf& node, const Expr& expr, Scope* scope);
  BoundExpr BindConcat(BoundExpr left, BoundExpr right, Span span);
  BoundExpr Compare(Operator op, BoundExpr left, BoundExpr right, Span span);
  // Makes two operands comparable with each other, or fails.
  void Align(BoundExpr& left, BoundExpr& right, Span span);
  ExprType Unify(const ExprType& a, const ExprType& b, Span span);

  // bind_call.cc, bind_single_row.cc
  BoundExpr BindAggregate(const Call& call, Aggregate function, Span span, Scope* scope);
  BoundExpr AddAggregate(BoundAggregate aggregate, Span span, Scope& scope);
  BoundExpr BindFunction(const Call& call, Span span, Scope* scope);
  const Function* KnownFunction(const Call& call, Span span);
  bool IsSingleRow(const BoundSelect& select);

  // bind_path.cc
  // A column that is declared in any scope goes before one that is not, so that writing a new one
  // changes the meaning of no query.
  std::optional<PathPlace> FindStart(const Path& path, Scope*& scope, std::size_t& next);
  std::optional<PathPlace> FindInScope(const Path& path, Scope& scope, Columns which,
                                       std::size_t& next);
  // Where the whole path leads, before the groups; `home` becomes the scope where it begins.
  // Nothing after failing.
  std::optional<PathPlace> FollowPath(const Path& path, Scope*& home, bool settles);
  PathPlace Step(Scope& scope, const PathPlace& from, const Name& part, std::string_view shown);
  // The place behind GROUP BY that holds the same, if it is a group key.
  std::optional<PathPlace> InGroup(const Scope& scope, const PathPlace& place);
  PathPlace Settle(Scope& scope, const PathPlace& place, Span span);
  PathPlace ColumnOfWholeKey(Scope& scope, const PathPlace& place, Span span);
  RefJoin& RefJoinFor(Scope& scope, const PathPlace& via);
  void FailUnknownColumn(const Path& path, Scope* scope);

  std::string_view text_;
  const schema::Schema& schema_;
  BoundStatement& statement_;
  std::uint32_t cte_count_ = 0;
  std::uint32_t cte_groups_ = 0;
  std::vector<std::uint32_t> open_ctes_;  // being bound, from the outside in
  std::vector<std::pair<std::uint32_t, std::uint32_t>> cte_reads_;  // reader, read
  // Expressions bound so far: places that bind an operand twice (BETWEEN, CASE)
  // must not double the work with every nesting.
  std::size_t bound_count_ = 0;
  std::optional<Error> error_;
};

// Expressions of one statement beyond those that its text spells out; more is
// kLimit.
inline constexpr std::size_t kRepeatedExpressionsMax = 1 << 20;

// True if an aggregate is called in `expr`, nested selects not counted.
bool HasAggregate(const Expr& expr);
std::optional<Aggregate> AggregateNamed(std::string_view name);

inline BoundExpr MakeColumn(ColumnRef ref, const ExprType& type, Span span = {}) {
  return {.node = ref, .type = type, .span = span};
}
inline BoundExpr MakeConstant(Value value, Span span = {}) {
  const ExprType type{.kind = value.kind()};
  return {.node = Constant{std::move(value)}, .type = type, .span = span};
}
BoundExpr MakeOperation(Operator op, std::vector<BoundExpr> operands, ExprType type, Span span);

// True for attributes of a LAX table that were written but never declared.
constexpr bool IsUndeclared(AttributeId id) { return ToNumber(id) >= 1u << 20; }

inline constexpr ExprType kBoolType{.kind = ValueKind::kBool};
inline constexpr ExprType kIntType{.kind = ValueKind::kInt};
inline constexpr ExprType kFloatType{.kind = ValueKind::kFloat};
inline constexpr ExprType kTextType{.kind = ValueKind::kText};
inline constexpr ExprType kAnyType{};

}  // namespace trefoil::query
