#include "cli/man_page.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "trefoil/version.h"

namespace trefoil::cli {

namespace {

// A line of literal text: backslashes, minus signs and a first dot or quote mean themselves.
std::string Escaped(std::string_view line) {
  std::string escaped;
  if (line.starts_with('.') || line.starts_with('\'')) escaped += "\\&";
  for (const char c : line) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Lines as they are, in a block that is not filled.
std::string Literal(std::string_view text) {
  std::string block = ".nf\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    block += Escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return block + ".fi\n";
}

}  // namespace

std::string ManPage(std::span<const Command> commands) {
  std::string page = ".TH TREFOIL 1 \"\" \"trefoil " + std::string(LibraryVersion()) + "\"\n";
  page += ".SH NAME\ntrefoil \\- an embedded reactive database\n";
  page += ".SH SYNOPSIS\n" + Literal("trefoil [DB]\ntrefoil COMMAND ...");
  page +=
      ".SH DESCRIPTION\n"
      "A database is a directory. Without a command, trefoil opens one in a shell; without DB, "
      "one\n"
      "in memory. What a command prints into a pipe is NDJSON where it is data.\n"
      ".SH COMMANDS\n";
  for (const Command& command : commands) {
    page += ".SS " + std::string(command.name) + "\n" + Literal(HelpText(command));
  }
  page +=
      ".SH EXIT STATUS\n"
      "0: it worked. 1: the operation failed; standard error says why. 2: it was called wrongly.\n"
      ".SH FILES\n"
      "~/.trefoil_history: what was typed into the shell.\n";
  return page;
}

}  // namespace trefoil::cli
