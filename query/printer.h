// Printer: a syntax tree back to TreeSQL. Parsing the text gives the same tree again, and printing
// that tree the same text: this is how trees are compared, stored (DEFAULT, CHECK) and used as the
// identity of a statement.
#pragma once

#include <string>

#include "query/ast.h"

namespace trefoil::query {

std::string Print(const Statement& statement);
std::string Print(const Select& select);
std::string Print(const Expr& expr);
// One value as a literal that parses back to it. Kinds without a literal print as a CAST.
std::string PrintLiteral(const Value& value);

}  // namespace trefoil::query
