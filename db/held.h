// Refusals of writes beyond the part of the rows that a replica holds (schema/part.h).
#pragma once

#include "schema/part.h"
#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::db {

// Error: kOutsidePart for a row that is not held.
Status CheckRowHeld(const schema::Part& part, const schema::Type& type, Slice subject);
// Error: kOutsidePart for an ACYCLIC column of a table of which only some rows are held.
Status CheckColumnHeld(const schema::Part& part, const schema::Type& type,
                       const schema::Attribute& attribute);

}  // namespace trefoil::db
