// The tables of the system that no fact holds. Some are read off the keys of a state: sys.triple
// shows every stored fact, also those that no declaration names (any more), sys.commit the commits
// that history retains, sys.violation the constraints that do not hold (db/violations.h), sys.site
// whose transactions are here. The others show the process as it is when they are read, whatever
// the state: sys.level the store, sys.live_query and sys.operator what is kept for live queries.
// They are read, never written, and have no index: a look-up walks them.
#pragma once

#include <functional>
#include <span>

#include "dataflow/batch.h"
#include "db/commit_delta.h"
#include "db/read_view.h"
#include "schema/catalogue.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

class Engine;

// A state, and the engine that it is of. All borrowed.
struct SystemState {
  const Engine* engine = nullptr;  // needed for sys.site and what shows the process
  const ReadView& view;
  const schema::Schema& schema;
};

// Receives rows; returns false to end the walk. Valid during the call.
using VisitRow = std::function<bool(std::span<const Value> row)>;

// Every row of a computed table, all its columns in declaration order, by key, until `visit`
// returns false. Error: kCorruption.
Status ScanComputed(const SystemState& state, TypeId type, const VisitRow& visit);

// Adds to `batch`, which has the width of `columns` (of sys.site): -1 for each row before the
// commit that it changed, +1 for it as it is now.
Status AppendSiteChanges(const Engine& engine, const CommitDelta& delta,
                         std::span<const AttributeId> columns, dataflow::Batch& batch);

}  // namespace trefoil::db
