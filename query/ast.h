// The syntax tree of TreeSQL: what the parser understood, nothing resolved. Plain structs and small
// variants; every node that a message could point at carries its Span in the text. A tree owns
// itself (unique_ptr and vectors), is at most kDepthMax deep, and prints back to text that parses
// to the same tree (printer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schema/schema.h"
#include "trefoil/value.h"

namespace trefoil::query {

// The bytes [begin, end) of the text. Spans never take part in comparing trees.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// A table, column, alias, ... as written, without its quotes.
struct Name {
  std::string text;
  Span span;

  bool empty() const { return text.empty(); }
  friend bool operator==(const Name& a, const Name& b) { return a.text == b.text; }
};

struct Expr;
struct Select;
using ExprPtr = std::unique_ptr<Expr>;
using SelectPtr = std::unique_ptr<Select>;

// ---- types ----

struct TypeName {
  ValueKind kind = ValueKind::kNull;                       // kNull = ANY; kRef = REF `target`
  std::uint8_t precision = 0;                              // DECIMAL
  std::uint8_t scale = 0;                                  // DECIMAL
  Name target;                                             // REF
  schema::MergeKind merge = schema::MergeKind::kRegister;  // SET, MV, MAX, MIN, COUNTER, ACYCLIC
  Span span;
};

// ---- expressions ----

enum class UnaryOperator : std::uint8_t { kNot, kMinus };
enum class BinaryOperator : std::uint8_t {
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
  kIsDistinct,
  kIsNotDistinct,
};

struct Literal {
  Value value;
};
// a, a.b, a.b.c: an alias, a column, or a walk through REFs; the binder decides.
struct Path {
  std::vector<Name> parts;  // at least one
};
// :name, or ? as the ordinal of its place in the statement (from 1) with an empty name.
struct Parameter {
  std::string name;
  int ordinal = 0;
};
struct Unary {
  UnaryOperator op{};
  ExprPtr operand;
};
struct Binary {
  BinaryOperator op{};
  ExprPtr left;
  ExprPtr right;
};
// AND or OR over two or more operands; chains of one kind are flat.
struct Logical {
  bool is_and = true;
  std::vector<Expr> operands;
};
struct IsNull {
  ExprPtr operand;
  bool negated = false;
};
// operand [NOT] IN (list) or (select); exactly one of the two is there.
struct In {
  ExprPtr operand;
  std::vector<Expr> list;
  SelectPtr select;
  bool negated = false;
};
struct Between {
  ExprPtr operand;
  ExprPtr low;
  ExprPtr high;
  bool negated = false;
};
struct Like {
  ExprPtr operand;
  ExprPtr pattern;
  bool ignore_case = false;  // ILIKE
  bool negated = false;
};
struct CaseBranch {
  ExprPtr when;
  ExprPtr then;
};
struct Case {
  ExprPtr operand;  // null: searched CASE
  std::vector<CaseBranch> branches;
  ExprPtr otherwise;  // null: NULL
};
struct Cast {
  ExprPtr operand;
  TypeName type;
};
struct Exists {
  SelectPtr select;
};
// (SELECT ...): a scalar or one object; [SELECT ...]: a list.
struct Subselect {
  SelectPtr select;
  bool is_list = false;
};
// A function or an aggregate.
struct Call {
  Name function;
  std::vector<Expr> arguments;
  bool star = false;  // count(*)
  bool distinct = false;
  ExprPtr filter;  // FILTER (WHERE ...); null = none
};
// [a, b, c]: a list of values, for SET attributes and IN-like functions.
struct ListLiteral {
  std::vector<Expr> items;
};

// One column of a result: an item of a flat select or an entry of a shape.
struct Output {
  bool star = false;    // *, or qualifier.*
  Name star_qualifier;  // empty: every source
  ExprPtr value;        // null exactly when star
  Name name;            // AS name, or the name before ':'; empty: derived from a path
  Span span;
};
struct Shape {
  std::vector<Output> entries;
};
// { ... } OF path: a shape of the row that `path` refers to; an entry of a shape only.
struct ShapeOf {
  Shape shape;
  Path path;
};

struct Expr {
  using Node = std::variant<Literal, Path, Parameter, Unary, Binary, Logical, IsNull, In, Between,
                            Like, Case, Cast, Exists, Subselect, Call, ListLiteral, ShapeOf>;
  Node node;
  Span span;
};

// ---- select ----

// name [[AS] alias] or (select) AS alias. `table` may be qualified: sys.type is the name
// "sys.type".
struct TableRef {
  Name table;        // empty: `select` is there
  SelectPtr select;  // null: `table` is there
  Name alias;        // may be empty
  Span span;
};

enum class JoinKind : std::uint8_t { kInner, kLeft, kRight, kFull, kCross };

// Joins everything to its left with `right`. CROSS (and the comma) has no condition.
struct Join {
  JoinKind kind{};
  TableRef right;
  ExprPtr on;                     // null: none
  std::vector<Name> using_names;  // empty: none
};

struct From {
  TableRef first;
  std::vector<Join> joins;
};

// One SELECT without its set operations and its order.
struct Core {
  bool distinct = false;
  bool shaped = false;  // SELECT { ... }
  std::vector<Output> outputs;
  std::optional<From> from;
  ExprPtr where;               // null: none
  std::vector<Expr> group_by;  // empty: none
  ExprPtr having;              // null: none
  Span span;
};

enum class SetOperator : std::uint8_t { kUnion, kUnionAll, kIntersect, kExcept };

struct OrderKey {
  Expr value;
  bool descending = false;
  std::optional<bool> nulls_first;  // nothing: first when ascending, last when descending
};

struct Cte {
  Name name;
  std::vector<Name> columns;  // empty: the names of the select
  SelectPtr select;
};

// AS OF VERSION n, or AS OF timestamp.
struct AsOf {
  bool is_version = false;
  ExprPtr value;
};

// cores[0] operators[0] cores[1] operators[1] ...; INTERSECT binds tighter than the others, which
// associate to the left.
struct Select {
  bool recursive = false;
  std::vector<Cte> ctes;
  std::vector<Core> cores;  // at least one
  std::vector<SetOperator> operators;
  std::vector<OrderKey> order_by;
  ExprPtr limit;            // null: none
  ExprPtr offset;           // null: none
  std::vector<Expr> after;  // empty: none
  std::optional<AsOf> as_of;
  Span span;
};

// ---- statements ----

struct FieldDeclaration {
  Name name;
  TypeName type;
  std::optional<std::uint32_t> number;
  bool key = false;
  bool unique = false;
  bool index = false;
  bool not_null = false;
  ExprPtr default_value;  // null: none
  ExprPtr check;          // null: none
  Span span;
};

struct TableStatement {
  Name table;
  std::optional<std::uint32_t> number;
  Name was;  // the former name; empty: none
  bool strict = false;
  std::vector<FieldDeclaration> fields;
  std::vector<std::uint32_t> reserved;
  std::vector<Name> key;                  // KEY (a, b); empty: by the fields
  std::vector<std::vector<Name>> unique;  // UNIQUE (a, b)
};

struct IndexPath {
  Path path;
  bool descending = false;
};

struct IndexStatement {
  Name index;
  Name table;
  std::vector<IndexPath> columns;
  std::vector<Name> include;
};

struct DropStatement {
  bool is_index = false;
  Name name;
};

// RETURNING: what a write statement answers for each row that it wrote.
struct Returning {
  bool shaped = false;
  std::vector<Output> outputs;  // empty: no RETURNING
};

struct ObjectEntry {
  Name name;
  Expr value;
};
struct ObjectLiteral {
  std::vector<ObjectEntry> entries;
};

// Exactly one of objects, rows and select is there.
struct InsertStatement {
  bool upsert = false;
  Name table;
  std::vector<ObjectLiteral> objects;
  std::vector<Name> columns;  // of `rows` and `select`; empty: declaration order, or the names
  std::vector<std::vector<Expr>> rows;
  SelectPtr select;
  Returning returning;
};

enum class AssignOperator : std::uint8_t { kSet, kAdd, kRemove };  // =, +=, -=

struct Assignment {
  Path target;
  AssignOperator op{};
  Expr value;
};

struct UpdateStatement {
  Name table;
  Name alias;
  std::vector<Assignment> assignments;
  std::vector<Name> unset;
  ExprPtr where;  // null: every row
  Returning returning;
};

struct DeleteStatement {
  Name table;
  Name alias;
  ExprPtr where;  // null: every row
  Returning returning;
};

enum class TransactionVerb : std::uint8_t { kBegin, kCommit, kRollback };
enum class CommitDurability : std::uint8_t { kDefault, kRelaxed, kDurable };

struct TransactionStatement {
  TransactionVerb verb{};
  CommitDurability durability = CommitDurability::kDefault;
};

struct SelectStatement {
  Select select;
};

struct ExplainStatement {
  bool analyze = false;
  bool live = false;
  bool dot = false;
  Select select;
};

struct Statement {
  // monostate: the text of this statement does not parse; a diagnostic says why.
  std::variant<std::monostate, TableStatement, IndexStatement, DropStatement, SelectStatement,
               InsertStatement, UpdateStatement, DeleteStatement, TransactionStatement,
               ExplainStatement>
      node;
  Span span;
  int parameter_count = 0;  // of ? in this statement
};

// Limits that keep any text from exhausting the stack or the memory; exceeding one is kLimit.
inline constexpr int kDepthMax = 200;                        // of nested expressions and selects
inline constexpr std::size_t kTextBytesMax = 64 << 20;       // of one script
inline constexpr std::size_t kStatementTokensMax = 4 << 20;  // of one statement

}  // namespace trefoil::query
