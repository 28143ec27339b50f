// A schema as the TreeSQL declarations that would make it.
#pragma once

#include <string>

#include "schema/schema.h"

namespace trefoil::db {

// TABLE and INDEX statements, each with its ';' and line end, tables that others refer to first;
// types of the system are left out. Field numbers are written, so that the declarations keep what
// was renamed.
std::string SchemaText(const schema::Schema& schema);

}  // namespace trefoil::db
