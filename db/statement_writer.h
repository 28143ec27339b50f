// StatementWriter turns INSERT, UPSERT, UPDATE and DELETE into edits of rows in a transaction.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "db/write_transaction.h"
#include "query/ast.h"
#include "query/bound.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::db {

class StatementWriter {
 public:
  // All borrowed for the writer's life.
  StatementWriter(std::string_view text, const Params& params, const Clock& clock,
                  const RunOptions& options)
      : text_(text), params_(params), clock_(clock), options_(options) {}

  // Errors: kCancelled when `options` say stop, those of the query and of the writes.
  // `affected` counts the rows written; RETURNING fills `rows`. On an error some of the statement's
  // rows may be written in the transaction: the caller ends or undoes it.
  Result<StatementResult> Run(const query::Statement& statement, WriteTransaction& transaction);

 private:
  Result<StatementResult> Insert(query::BoundInsert insert, WriteTransaction& transaction);
  Result<StatementResult> Update(const query::BoundUpdate& update, WriteTransaction& transaction);
  Result<StatementResult> Delete(const query::BoundDelete& statement,
                                 WriteTransaction& transaction);

  std::string_view text_;
  const Params& params_;
  const Clock& clock_;
  const RunOptions options_;
};

}  // namespace trefoil::db
