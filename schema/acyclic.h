// Which attributes can be ACYCLIC: those that refer to their own type, so that its rows form a
// tree. Every replica has to find the row that a parent names, even one that does not know the
// type, so the kind of the value must tell how the key is written (crdt/move_tree.h).
#pragma once

#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::schema {

// `type` with resolved references. Errors: kInvalidArgument for a reference to another type,
// kUnsupported for a key of no declared kind.
Status CheckAcyclic(const Type& type);

}  // namespace trefoil::schema
