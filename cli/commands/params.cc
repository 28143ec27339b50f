// Parameters of statements, as words of the command line.
#include <utility>

#include "cli/commands/commands.h"

namespace trefoil::cli {

namespace {

Value ParseParameter(std::string_view text) {
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
    return Value::Text(text.substr(1, text.size() - 2));
  }
  if (text == "null" || text == "NULL") return {};
  for (const ValueKind kind : {ValueKind::kBool, ValueKind::kInt, ValueKind::kFloat}) {
    if (std::optional<Value> value = ParseValue(text, kind)) return *std::move(value);
  }
  return Value::Text(text);
}

}  // namespace

Result<Params> ParseParams(const std::vector<std::string>& words) {
  Params params;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .message = "a parameter is name=value, not '" + word + "'"};
    }
    params.Set(word.substr(0, equals), ParseParameter(std::string_view(word).substr(equals + 1)));
  }
  return params;
}

}  // namespace trefoil::cli
