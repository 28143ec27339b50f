// Parts as text, for Database::PartOf and whoever shows one:
//
//   part  = table [WHERE range] { , table [WHERE range] }
//   range = a condition that leading key fields are equal to values, and perhaps that the next one
//           is within bounds: list = 7 AND id >= 100
#pragma once

#include <string>
#include <string_view>

#include "schema/part.h"
#include "schema/schema.h"
#include "trefoil/result.h"

namespace trefoil::db {

// Errors: those of Database::PartOf.
Result<schema::Part> ParsePart(std::string_view text, const schema::Schema& schema);
// A text that gives the part again; a range that no text gives is shown in words. Empty: all rows.
std::string PartText(const schema::Part& part, const schema::Schema& schema);

}  // namespace trefoil::db
