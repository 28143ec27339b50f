// Rows that exist meet a constraint that is declared after them: the declaration is refused with
// the first row that breaks it. UNIQUE is looked at when its index is built (db/index_builder.cc).
#pragma once

#include "db/read_view.h"
#include "db/type_layout.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::db {

// Scans the types whose NOT NULL and CHECK in the schema of `after` are not in `before`; the others
// cost nothing. Errors: kNotNullViolation, kCheckViolation.
Status CheckDeclaredConstraints(const ReadView& view, const schema::Schema& before,
                                const Layouts& after);

}  // namespace trefoil::db
