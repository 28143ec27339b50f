#include "cli/error_text.h"

#include <algorithm>
#include <cctype>

#include "cli/render.h"

namespace trefoil::cli {

namespace {

// Line number `line` (from 1) of `text`, without its end.
std::string_view LineOf(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

bool IsNameByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// How much of the line the caret underlines: a whole word, or one character.
std::size_t CaretWidth(std::string_view from) {
  const auto end = std::ranges::find_if_not(from, IsNameByte);
  return std::max<std::size_t>(1, static_cast<std::size_t>(end - from.begin()));
}

}  // namespace

std::string ErrorText(const Error& error, std::string_view text, int first_line) {
  const std::string_view line = error.line > 0 ? LineOf(text, error.line) : std::string_view{};
  const auto column = static_cast<std::size_t>(std::max(error.column, 1)) - 1;
  if (line.empty() || column > line.size()) return ToString(error) + "\n";
  Error head = error;
  head.hint.clear();
  const std::string number = std::to_string(error.line + first_line - 1);
  std::string out = ToString(head) + "\n  " + number + " | " + std::string(line) + "\n";
  out += std::string(number.size() + 5 + DisplayWidth(line.substr(0, column)), ' ');
  out += std::string(CaretWidth(line.substr(column)), '^');
  if (!error.hint.empty()) out += " " + error.hint;
  return out + "\n";
}

}  // namespace trefoil::cli
