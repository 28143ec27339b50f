#include "cli/script_splitter.h"

#include <algorithm>
#include <utility>

namespace trefoil::cli {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Position behind the quoted text, comment or single character that begins at `at`.
std::size_t SkipToken(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '\'' || c == '"') {
    const std::size_t end = text.find(c, at + 1);
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  if (text.substr(at).starts_with("--")) return std::min(text.find('\n', at), text.size());
  if (text.substr(at).starts_with("/*")) {
    const std::size_t end = text.find("*/", at + 2);
    return end == std::string_view::npos ? text.size() : end + 2;
  }
  return at + 1;
}

// Position of the ';' that ends the statement at `at`, or npos.
std::size_t FindEnd(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] != ';') at = SkipToken(text, at);
  return at < text.size() ? at : std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// True when only space and comments are left, so that nothing waits for its ';'.
bool IsBlank(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool comment = text.substr(at).starts_with("--") || text.substr(at).starts_with("/*");
    if (!comment && kSpace.find(text[at]) == std::string_view::npos) return false;
    at = SkipToken(text, at);
  }
  return true;
}

// Where a dot command ends: at the line's end, or for `.live NAME query` at the query's ';'.
std::size_t FindDotEnd(std::string_view text, std::size_t at) {
  const std::size_t line_end = std::min(text.find('\n', at), text.size());
  const std::string_view line = text.substr(at, line_end - at);
  if (!line.starts_with(".live ")) return line_end;
  const std::string_view name_and_query = Trim(line.substr(6));
  if (name_and_query.find_first_of(kSpace) == std::string_view::npos) return line_end;
  const std::size_t end = FindEnd(text, at);
  // Without a ';' the query ends with its paragraph.
  if (end == std::string_view::npos || text.substr(at, end - at).find("\n\n") != text.npos) {
    return std::min(text.find("\n\n", at), text.size());
  }
  return end;
}

}  // namespace

SplitScript Split(std::string_view script) {
  SplitScript split;
  std::size_t at = 0;
  int line = 1;
  const auto advance = [&](std::size_t to) {
    line += static_cast<int>(std::count(script.begin() + at, script.begin() + to, '\n'));
    at = to;
  };
  while (true) {
    advance(std::min(script.find_first_not_of(kSpace, at), script.size()));
    if (at == script.size()) return split;
    if (script[at] == '#') {
      advance(std::min(script.find('\n', at), script.size()));
      continue;
    }
    const bool dot = script[at] == '.';
    const std::size_t end = dot ? FindDotEnd(script, at) : FindEnd(script, at);
    const std::string_view text = script.substr(at, end == script.npos ? end : end - at);
    ScriptPiece piece{.text = std::string(Trim(text)), .line = line, .is_dot_command = dot};
    if (end == std::string_view::npos) {
      if (!IsBlank(text)) split.rest = std::move(piece);
      return split;
    }
    if (!IsBlank(piece.text)) split.pieces.push_back(std::move(piece));
    advance(std::min(end + (end < script.size() && script[end] == ';' ? 1 : 0), script.size()));
  }
}

std::vector<ScriptPiece> SplitWhole(std::string_view script) {
  SplitScript split = Split(script);
  if (!split.rest.text.empty()) split.pieces.push_back(std::move(split.rest));
  return std::move(split.pieces);
}

}  // namespace trefoil::cli
