// Parser: text to syntax trees by recursive descent. It always returns what it understood together
// with the diagnostics; after an error it goes on behind the next ';'. Time and memory are linear
// in the text, recursion is bounded by kDepthMax.
#pragma once

#include <string_view>
#include <vector>

#include "query/ast.h"
#include "trefoil/result.h"

namespace trefoil::query {

struct ParsedScript {
  std::vector<Statement> statements;  // in order; one that does not parse holds monostate
  std::vector<Error> diagnostics;     // in order, at most one for each statement
};

// Parses statements separated by ';'. Errors: kSyntax, kLimit; each with line, column and hint.
ParsedScript Parse(std::string_view text);

// Parses exactly one expression: DEFAULT and CHECK texts of the catalogue.
Result<Expr> ParseExpression(std::string_view text);

}  // namespace trefoil::query
