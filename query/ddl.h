// Declarations: TABLE, INDEX and DROP statements as the desired state that schema/migration.h
// compares with the schema in force.
#pragma once

#include <string_view>

#include "query/ast.h"
#include "schema/migration.h"
#include "trefoil/result.h"

namespace trefoil::query {

// DEFAULT and CHECK become text; they are bound against the table as it is declared here.
// Errors: those of the binder, with line and column in `text`.
Result<schema::Declaration> Declare(std::string_view text, const TableStatement& table);
Result<schema::Declaration> Declare(std::string_view text, const IndexStatement& index);
Result<schema::Declaration> Declare(std::string_view text, const DropStatement& drop);

}  // namespace trefoil::query
