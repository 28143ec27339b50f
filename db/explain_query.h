// EXPLAIN: how a query is answered, as rows of text (query/explain_plan.h), with what the store and
// a graph of its own say: rows and time of each operator, and the state that it would keep live.
#pragma once

#include <atomic>
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
  bool live = false;     // what keeping it would hold in memory, and what a change costs
  bool dot = false;      // as a picture for Graphviz
  const std::atomic<bool>* stop = nullptr;  // of RunOptions
  const Clock& clock;                       // for analyze
};

// One row per line, in the column `plan`.
Result<Rows> ExplainQuery(const query::BoundQuery& bound, std::span<const Value> parameters,
                          const schema::Schema& schema, const dataflow::Source& source,
                          const ExplainOptions& options);

}  // namespace trefoil::db
