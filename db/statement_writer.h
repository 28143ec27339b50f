// INSERT, UPSERT, UPDATE and DELETE as edits of rows in a transaction.
#pragma once

#include "db/statement_cache.h"
#include "db/write_transaction.h"
#include "query/prepare.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::db {

// `statement` is no SELECT. Errors: kCancelled when the context says stop, those of the query and
// of the writes.
// `affected` counts the rows written; RETURNING fills `rows`. On an error some of the statement's
// rows may be written in the transaction: the caller ends or undoes it.
Result<StatementResult> RunWrite(ReadyStatement& statement, const Params& params,
                                 WriteTransaction& transaction, const query::RunContext& context);

}  // namespace trefoil::db
