// Any bytes: the parser ends, and what it accepts prints to text that parses to the same text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "query/parser.h"
#include "query/printer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trefoil;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const query::Statement& statement : query::Parse(text).statements) {
    if (std::holds_alternative<std::monostate>(statement.node)) continue;
    const std::string printed = query::Print(statement);
    const query::ParsedScript again = query::Parse(printed);
    Check(again.diagnostics.empty(), "printed text parses");
    Check(query::Print(again.statements.at(0)) == printed, "parse-print-parse is the identity");
  }
  return 0;
}
