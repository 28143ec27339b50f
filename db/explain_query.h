// EXPLAIN: the operators that answer a query, as rows of text.
#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "dataflow/source.h"
#include "query/bound.h"
#include "schema/schema.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::db {

struct ExplainOptions {
  bool analyze = false;  // run it, and say what it took
  bool live = false;     // what keeping it would hold in memory, by operator
  const Clock& clock;    // for analyze
};

// One row per line, in the column `plan`.
Result<Rows> ExplainQuery(const query::BoundQuery& bound, std::span<const Value> parameters,
                          const schema::Schema& schema, const dataflow::Source& source,
                          const ExplainOptions& options);

}  // namespace trefoil::db
