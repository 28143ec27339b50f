// A command of the command line: its name, what --help prints, its options, and what runs it.
// Exit codes: 0 it worked, 1 the operation failed, 2 it was called wrongly.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "trefoil/result.h"

namespace trefoil::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

struct Command {
  std::string_view name;
  std::string_view summary;   // one line of `trefoil help`
  std::string_view synopsis;  // "trefoil run DB [SQL | -f FILE]"
  std::string_view help;      // options and an example; the whole --help fits a screen
  std::vector<OptionSpec> options;
  std::size_t positional_min = 0;
  std::size_t positional_max = 0;
  int (*run)(const Arguments& arguments) = nullptr;
};

// All commands, in the order of `trefoil help`.
std::span<const Command> Commands();

// What `trefoil NAME --help` prints.
std::string HelpText(const Command& command);

// Prints the error to standard error and returns kExitFailed (kExitUsage for a wrong call).
int Fail(const Error& error);
int FailUsage(const Command& command, const Error& error);
int FailUsage(std::string_view command, const Error& error);
// As Fail, with the place in `query` that the error points at.
int FailQuery(const Error& error, std::string_view query);

}  // namespace trefoil::cli
