// The bound tree: a statement with every name resolved and every expression typed. This is what
// the planner compiles and what the naive evaluator of the tests runs as it stands.
//
// Every place where rows come from has a SourceId of its own, unique in the statement: a table in
// FROM, a select in FROM, a name of WITH, a row reached through a REF, the groups of GROUP BY. A
// column is (source, position). So a correlated reference is nothing special: it names a source of
// a select further out. Evaluating a select binds its sources to rows, from the outside in:
//
//   from (with the ref joins of each source) -> where -> groups (source `group`) -> having
//        -> outputs -> distinct -> set operations -> order, offset, limit
//
// I1: a ColumnRef names a source of its own core, of an enclosing core, or the group of either.
// I2: behind GROUP BY, expressions name the group's two sources only (and sources further out).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/ast.h"
#include "schema/schema.h"
#include "trefoil/value.h"
#include "trefoil/version.h"

namespace trefoil::query {

struct Function;  // functions.h

enum class SourceId : std::uint32_t {};
constexpr std::uint32_t ToNumber(SourceId id) { return static_cast<std::uint32_t>(id); }

// What is known of a value before it is there. kind kNull = any kind.
struct ExprType {
  ValueKind kind = ValueKind::kNull;
  std::uint8_t precision = 0;  // DECIMAL
  std::uint8_t scale = 0;      // DECIMAL
  std::optional<TypeId> target =
      {};               // REF: the table whose key the value is; a path may go on there
  bool is_set = false;  // a SET attribute: the value is a LIST of `kind`

  bool is_any() const { return kind == ValueKind::kNull; }
  friend bool operator==(const ExprType&, const ExprType&) = default;
};

// ---- expressions ----

struct BoundExpr;
struct BoundSelect;

enum class Operator : std::uint8_t {
  kNegate,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kConcat,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsDistinct,  // two-valued, NULL equals NULL
  kIsNotDistinct,
  kIsNull,
  kNot,   // three-valued
  kAnd,   // two or more operands
  kOr,    // two or more operands
  kIn,    // first operand among the others, three-valued
  kLike,  // text, pattern
  kILike,
  kCase,     // when, then, when, then, ..., otherwise
  kList,     // a LIST of the operands
  kRefPart,  // operand REF of several fields, position: that field of the key
};

// The comparison that says the same with its operands exchanged.
Operator Mirrored(Operator op);

struct Constant {
  Value value;
  // Of a plan: the parameter whose value this is.
  std::optional<std::uint32_t> parameter = {};
};
struct ColumnRef {
  SourceId source{};
  std::uint32_t column = 0;

  friend auto operator<=>(const ColumnRef&, const ColumnRef&) = default;
};
struct ParameterRef {
  std::uint32_t parameter = 0;  // position in BoundStatement::parameters
};
struct Operation {
  Operator op{};
  std::vector<BoundExpr> operands;
};
struct BoundCast {
  std::unique_ptr<BoundExpr> operand;  // to BoundExpr::type; what does not fit becomes NULL
};
struct FunctionCall {
  const Function* function = nullptr;  // of the static table
  std::vector<BoundExpr> arguments;
};
// NULL if `presence` is NULL (a dangling REF), else an object.
struct ObjectOf {
  std::unique_ptr<BoundExpr> presence;
  std::vector<std::string> names;
  std::vector<BoundExpr> items;
};

enum class SubselectKind : std::uint8_t {
  kExists,  // BOOL: some row
  kIn,      // BOOL: `operand` among the one column, three-valued
  kScalar,  // the one column of the only row; NULL for no row
  kObject,  // the only row as an object; NULL for no row
  kList,    // LIST of the one column, in order
  kObjects  // LIST of objects, in order
};
struct BoundSubselect {
  SubselectKind kind{};
  std::unique_ptr<BoundExpr> operand;  // kIn only
  std::unique_ptr<BoundSelect> select;
};

struct BoundExpr {
  using Node = std::variant<Constant, ColumnRef, ParameterRef, Operation, BoundCast, FunctionCall,
                            ObjectOf, BoundSubselect>;
  Node node;
  ExprType type;
  Span span;
};

// ---- sources ----

struct BoundColumn {
  std::string name;
  ExprType type;
  AttributeId attribute{};  // sources that are tables only
};

// The row that `via`, a column of REF kind, refers to: a left join by key with at most one row.
struct RefJoin {
  SourceId id{};
  TypeId target{};
  ColumnRef via;  // of the source itself, or of an earlier ref join of it
  std::vector<BoundColumn> columns;
};

enum class SourceKind : std::uint8_t { kTable, kSelect, kCte };

struct BoundSource {
  SourceId id{};
  SourceKind kind{};
  std::string name;                     // the alias
  TypeId type{};                        // kTable
  std::unique_ptr<BoundSelect> select;  // kSelect
  std::uint32_t cte = 0;                // kCte: BoundCte::number
  std::vector<BoundColumn> columns;
  std::vector<RefJoin> refs;  // in the order in which they can be joined
};

struct BoundJoin {
  JoinKind kind = JoinKind::kCross;  // of the first source always kCross
  BoundSource source;
  std::optional<BoundExpr> on;
};

enum class Aggregate : std::uint8_t {
  kCount,  // without argument: rows
  kSum,    // NULL for no value
  kTotal,  // as kSum, 0 for no value
  kAvg,
  kMin,
  kMax,
  kBoolAnd,
  kBoolOr,
  kStringAgg,  // separator: a constant in `separator`
  kArrayAgg,
};

// "count", "string_agg": its name in queries and in the registry of functions.
std::string_view NameOf(Aggregate aggregate);

struct BoundAggregate {
  Aggregate function{};
  std::optional<BoundExpr> argument = {};
  bool distinct = false;
  std::optional<BoundExpr> filter = {};
  std::string separator = {};
  ExprType type = {};
};

// ---- select ----

// One SELECT. The first `visible` outputs are the columns of the answer; behind them stand the
// hidden ones: sort keys that are no output, then what tells rows apart (the key of the row).
struct BoundCore {
  std::vector<BoundJoin> from;  // empty: one row without columns
  std::optional<BoundExpr> where;
  bool grouped = false;
  SourceId group{};                   // columns: the group keys
  SourceId results{};                 // columns: the aggregates
  std::vector<BoundExpr> group_keys;  // none and grouped: one group, even of no row
  std::vector<BoundAggregate> aggregates;
  std::vector<RefJoin> group_refs;  // via columns of `group`
  std::optional<BoundExpr> having;
  std::vector<BoundExpr> outputs;
  bool distinct = false;  // then there are no hidden outputs
};

struct BoundOrderKey {
  std::uint32_t output = 0;  // position in the outputs, hidden ones included
  bool descending = false;
  bool nulls_first = true;
};

// A name of WITH. Several selects may read it.
struct BoundCte {
  std::uint32_t number = 0;  // unique in the statement
  std::string name;
  bool recursive = false;   // reads itself, directly or through others of its recursion group
  std::uint32_t group = 0;  // recursion group: ctes with equal group are one mutual recursion
  std::vector<BoundColumn> columns;
  std::unique_ptr<BoundSelect> select;
};

struct BoundSelect {
  SourceId id{};  // its visible outputs as columns
  std::vector<BoundCte> ctes;
  std::vector<BoundCore> cores;  // several: none has hidden outputs
  // As in Select: cores[0] operators[0] cores[1] ...; see SetOperatorOrder.
  std::vector<SetOperator> operators;
  std::vector<BoundColumn> columns;  // the visible outputs
  bool shaped = false;               // SELECT { ... }
  bool scalar = false;               // one flat column without a name of its own
  // Complete: ends with the key of the row, so the order is total up to equal rows.
  std::vector<BoundOrderKey> order;
  std::size_t order_by_count = 0;  // how many of `order` were written in ORDER BY
  std::vector<std::uint32_t> key;  // the outputs that are the key of the row
  std::optional<BoundExpr> limit;  // names no source
  std::optional<BoundExpr> offset;
  std::vector<BoundExpr> after;  // values for the first keys of `order`; rows strictly behind them
};

// ---- statements ----

struct BoundParameter {
  std::string name;  // empty: positional
  int ordinal = 0;   // positional, from 1
  ExprType type;     // inferred; any when nothing says
};

struct BoundStatement {
  std::vector<BoundParameter> parameters;
  std::uint32_t source_count = 0;  // SourceIds are below
};

// `value` is a constant or a parameter: INT for a version, else TIMESTAMP.
struct BoundAsOf {
  bool is_version = false;
  BoundExpr value;
};

struct BoundQuery : BoundStatement {
  BoundSelect select;
  std::optional<BoundAsOf> as_of;
};

// RETURNING: a select over the table with the key given by the last parameters of the statement,
// one for each key field, run for each row written.
struct BoundReturning {
  std::optional<BoundSelect> select;
  std::uint32_t first_key_parameter = 0;
};

// Rows to write: either expressions without sources, row after row, or a select.
struct BoundInsert : BoundStatement {
  TypeId type{};
  bool upsert = false;
  std::vector<std::vector<std::string>> columns;  // of each row; of the select: one entry
  std::vector<std::vector<BoundExpr>> rows;
  std::optional<BoundSelect> select;
  BoundReturning returning;
};

struct BoundAssignment {
  std::string column;
  AssignOperator op{};
};

// The select yields for each row to change: its key fields, then one value per assignment.
struct BoundUpdate : BoundStatement {
  TypeId type{};
  BoundSelect select;
  std::size_t key_count = 0;
  std::vector<BoundAssignment> assignments;
  std::vector<std::string> unset;
  BoundReturning returning;
};

// The select yields the key fields of each row to delete.
struct BoundDelete : BoundStatement {
  TypeId type{};
  BoundSelect select;
  BoundReturning returning;  // run before the deletion
};

// One operand of a chain of set operations, in the order of evaluation: INTERSECT first, then the
// others from left to right. `left` and `right` are positions in a list of intermediate results
// that begins with the cores; each step appends its result.
struct SetStep {
  SetOperator op{};
  std::size_t left = 0;
  std::size_t right = 0;
};
std::vector<SetStep> SetOperatorOrder(const std::vector<SetOperator>& operators);

// True if both compute the same from the same rows; false for anything with a select inside.
bool SameExpr(const BoundExpr& a, const BoundExpr& b);

// Calls visit(const BoundExpr&) for `expr` and everything below it, selects not entered.
template <typename Visit>
void ForEachExpr(const BoundExpr& expr, const Visit& visit) {
  visit(expr);
  if (const auto* operation = std::get_if<Operation>(&expr.node)) {
    for (const BoundExpr& operand : operation->operands) ForEachExpr(operand, visit);
  } else if (const auto* cast = std::get_if<BoundCast>(&expr.node)) {
    ForEachExpr(*cast->operand, visit);
  } else if (const auto* call = std::get_if<FunctionCall>(&expr.node)) {
    for (const BoundExpr& argument : call->arguments) ForEachExpr(argument, visit);
  } else if (const auto* object = std::get_if<ObjectOf>(&expr.node)) {
    ForEachExpr(*object->presence, visit);
    for (const BoundExpr& item : object->items) ForEachExpr(item, visit);
  } else if (const auto* subselect = std::get_if<BoundSubselect>(&expr.node)) {
    if (subselect->operand) ForEachExpr(*subselect->operand, visit);
  }
}

}  // namespace trefoil::query
