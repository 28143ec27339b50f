// All stored facts of one row, declared or not: one seek per attribute of the type that has facts.
#pragma once

#include "base/function_ref.h"
#include "db/read_view.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"
#include "trefoil/version.h"

namespace trefoil::db {

// Calls `visit` with key and cell of each fact of the row but its row cell; valid during the call.
Status ForRowFacts(const ReadView& view, TypeId type, Slice subject,
                   FunctionRef<void(Slice key, Slice cell)> visit);

}  // namespace trefoil::db
