// All stored facts of all types with what merges know of them, in the order of keys: what a digest
// is made of and a dump holds.
#pragma once

#include "base/function_ref.h"
#include "crdt/merge.h"
#include "crdt/site.h"
#include "db/read_view.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::db {

// The key is valid during the call. Error: kCorruption.
Status ForFacts(const ReadView& view, const crdt::SiteTable& sites,
                FunctionRef<void(Slice key, const crdt::FactState& state)> visit);

}  // namespace trefoil::db
