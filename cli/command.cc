#include "cli/command.h"

#include <algorithm>
#include <cstdio>

#include "cli/error_text.h"

namespace trefoil::cli {

std::string HelpText(const Command& command) {
  std::string text(command.synopsis);
  text += "\n\n";
  text += command.summary;
  text += "\n";
  if (!command.help.empty()) {
    text += "\n";
    text += command.help;
  }
  return text;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "%s\n", ToString(error).c_str());
  return kExitFailed;
}

int FailUsage(const Command& command, const Error& error) {
  std::fprintf(stderr, "trefoil %s: %s", std::string(command.name).c_str(), error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "; %s", error.hint.c_str());
  std::fprintf(stderr, "\nusage: %s\n", std::string(command.synopsis).c_str());
  return kExitUsage;
}

int FailUsage(std::string_view command, const Error& error) {
  const std::span<const Command> all = Commands();
  return FailUsage(*std::ranges::find(all, command, &Command::name), error);
}

int FailQuery(const Error& error, std::string_view query) {
  std::fputs(ErrorText(error, query).c_str(), stderr);
  return kExitFailed;
}

}  // namespace trefoil::cli
