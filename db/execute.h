// Executes TreeSQL statements: takes each as it is bound against the schema in force, runs what it
// reads as a query, and hands what it writes to a transaction as edits of rows. This is where the
// query layer and the write path meet.
#pragma once

#include "db/engine.h"
#include "db/read_view.h"
#include "db/statement_cache.h"
#include "db/write_transaction.h"
#include "query/prepare.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::db {

// Runs statements one after the other, those outside BEGIN ... COMMIT as commits of their own.
// Stops at the first error; what was committed before it stays.
Result<ExecuteSummary> ExecuteScript(Engine& engine, const CachedScript& script,
                                     const Params& params, const RunOptions& options);

// The same inside a transaction, which the statements cannot end. A failed statement wrote nothing.
Result<ExecuteSummary> ExecuteIn(Engine& engine, WriteTransaction& transaction,
                                 const CachedScript& script, const Params& params,
                                 const RunOptions& options);

// What a run that begins at this moment knows.
query::RunContext ContextOf(const Clock& clock, const RunOptions& options);

// A state to read, with the schema in force there.
struct StateToRead {
  const ReadView& view;
  const schema::SchemaRef& schema;
};

// Runs a prepared query at a state; binds it again if the schema is another.
Result<Rows> RunAt(const Query::Plan& query, const Params& params, const Engine& engine,
                   const StateToRead& state, const RunOptions& options);

// Makes the DEFAULT and CHECK expressions of the catalogue ready. The clock outlives what it makes.
ExpressionCompiler MakeExpressionCompiler(const Clock& clock);

}  // namespace trefoil::db
