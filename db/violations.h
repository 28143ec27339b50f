// sys.violation: the constraints that do not hold for a row. Local transactions are checked before
// they commit, but a merge never refuses what another replica did; so two replicas may have given
// one UNIQUE value to two rows, or one deleted the row that the other refers to. What is listed is
// a function of the state alone, so every replica with the same transactions lists the same.
//
//   unique      the claimant with the smallest stamp owns the value; every other row is listed
//   reference   the row that is referred to does not exist; a path through it reads as NULL
//   not null, check   the row as it stands does not satisfy the declaration
//
// Nothing is stored. A whole listing reads all rows of constrained tables; after a commit only the
// touched rows, the rows that refer to those that came or went, and the rows that share a UNIQUE
// value with them are looked at. A CHECK that calls now() is no function of the state and is not
// listed.
#pragma once

#include <functional>
#include <span>

#include "dataflow/batch.h"
#include "db/commit_delta.h"
#include "db/read_view.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// Every row of sys.violation, all its columns in declaration order, by key, until `visit` returns
// false. Error: kCorruption.
Status ScanViolations(const ReadView& view, const schema::Schema& schema,
                      const std::function<bool(std::span<const Value> row)>& visit);

// Adds to `batch`, which has the width of `columns` (of sys.violation): -1 for each violation that
// the commit ended, +1 for each that it brought about. The schema is the same before and after.
Status AppendViolationChanges(const CommitDelta& delta, std::span<const AttributeId> columns,
                              dataflow::Batch& batch);

}  // namespace trefoil::db
