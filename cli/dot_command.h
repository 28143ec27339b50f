// Dot commands of the shell and of scripts, in SQLite's spelling.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trefoil/result.h"

namespace trefoil::cli {

class Session;

struct DotCommand {
  std::string_view name;      // with the dot
  std::string_view synopsis;  // what follows the name
  std::string_view summary;
  std::size_t arguments_min = 0;
  std::size_t arguments_max = 0;
  // `rest` is everything behind the name; `words` the same, split.
  Status (*run)(Session& session, const std::vector<std::string>& words,
                std::string_view rest) = nullptr;
};

std::span<const DotCommand> DotCommands();

// Errors: kInvalidArgument for an unknown command (with the nearest) or a wrong count of words;
// those of the command.
Status RunDotCommand(Session& session, std::string_view line);

}  // namespace trefoil::cli
