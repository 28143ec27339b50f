// What a value becomes when it is written to a declared column: itself if it fits, an equal value
// of the column's kind if there is one, an error otherwise. Nothing is ever rounded or cut.
#pragma once

#include <string>

#include "schema/schema.h"
#include "trefoil/result.h"
#include "trefoil/value.h"

namespace trefoil::schema {

// The form of `value` in a column `attribute` of `type`. NULL stays NULL.
// Error: kTypeMismatch, naming table, column, value and the kinds.
Result<Value> Convert(const Type& type, const Attribute& attribute, const Value& value);

// Whether Convert would give the value as it is. Quick; false for kinds that take a closer look.
bool FitsAsIs(const ValueType& type, const Value& value);

// "INT", "DECIMAL(10,2)", "ANY": a type as TreeSQL spells it; a REF is spelled by its kind.
std::string TypeName(const ValueType& type);

// The value for a message: its JSON, cut to some tens of bytes.
std::string Shortened(const Value& value);

}  // namespace trefoil::schema
