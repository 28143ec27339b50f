// The tables of the system that no fact holds but that are read off the keys: sys.triple shows
// every stored fact, also those that no declaration names (any more), sys.commit the commits that
// history retains, sys.violation the constraints that do not hold (db/violations.h). They are read,
// never written, and have no index: a look-up walks them.
#pragma once

#include <functional>
#include <span>

#include "dataflow/source.h"
#include "db/read_view.h"
#include "schema/catalogue.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::db {

// Every row of a computed table, all its columns in declaration order, by key, until `visit`
// returns false. Error: kCorruption.
Status ScanComputed(const ReadView& view, const schema::Schema& schema, TypeId type,
                    const std::function<bool(std::span<const Value> row)>& visit);

}  // namespace trefoil::db
