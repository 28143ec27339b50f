// Binder: syntax tree + schema -> bound tree (bound.h). Names become ids, stars become columns,
// every expression gets a type, parameters get the type that their place wants, and the key of the
// row becomes the last sort key. Pure; the schema is only read.
//
// All errors carry line and column in `text`, the text that was parsed: kUnknownTable,
// kUnknownColumn, kUnknownFunction (each with the nearest name), kAmbiguousName, kTypeMismatch,
// kInvalidArgument, kUnsupported.
#pragma once

#include <string_view>

#include "query/ast.h"
#include "query/bound.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::query {

// What is bound, and against what; all borrowed for the call.
struct BindInput {
  std::string_view text;
  const schema::Schema& schema;
};

// The name of the parameter behind the function now; a run fills it in with its time.
inline constexpr std::string_view kNowParameter = "now()";

Result<BoundQuery> Bind(const BindInput& input, const Select& select);
Result<BoundInsert> Bind(const BindInput& input, const InsertStatement& insert);
Result<BoundUpdate> Bind(const BindInput& input, const UpdateStatement& update);
Result<BoundDelete> Bind(const BindInput& input, const DeleteStatement& statement);

// An expression over one row of `type`, whose columns are those of source 0 in declaration order:
// CHECK; or over nothing if `type` is null: DEFAULT. `text` is what was parsed.
Result<BoundExpr> BindRowExpression(const BindInput& input, const Expr& expr,
                                    const schema::Type* type);

// The value of the kind of `type` that `text` spells, for literals like '2026-01-02' in the place
// of a DATE; nothing if it does not spell one.
std::optional<Value> ValueFromText(std::string_view text, const ExprType& type);

// "INT", "DECIMAL", "LIST of TEXT", ...
std::string TypeText(const ExprType& type);

}  // namespace trefoil::query
