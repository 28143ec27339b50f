// The command line: finds the command, sorts its words, runs it. `trefoil` and `trefoil DB` open
// the shell.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/man_page.h"
#include "trefoil/version.h"

namespace {

using trefoil::cli::Arguments;
using trefoil::cli::Command;
using trefoil::cli::Commands;

void PrintOverview(std::FILE* out) {
  std::fprintf(out, "trefoil %s: an embedded reactive database\n\nusage: trefoil [DB]\n",
               trefoil::LibraryVersion());
  std::fprintf(out, "       trefoil COMMAND ...   (trefoil COMMAND --help tells more)\n\n");
  for (const Command& command : Commands()) {
    std::fprintf(out, "  %-12s%s\n", std::string(command.name).c_str(),
                 std::string(command.summary).c_str());
  }
}

const Command* Find(const std::string& name) {
  for (const Command& command : Commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

// A word that is no command opens a database in the shell, if it looks like a path; a mistyped
// command must not make a directory.
bool LooksLikePath(const std::string& word) {
  return word == ":memory:" || word.find('/') != std::string::npos ||
         word.find('.') != std::string::npos;
}

int UnknownCommand(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : Commands()) names.emplace_back(command.name);
  const std::optional<std::string> nearest = trefoil::cli::NearestName(word, names);
  std::fprintf(stderr, "trefoil: unknown command '%s'", word.c_str());
  if (nearest) std::fprintf(stderr, "; did you mean '%s'?", nearest->c_str());
  std::fprintf(stderr,
               "\nusage: trefoil COMMAND ... (`trefoil help` lists the commands)\n"
               "       trefoil shell %s opens it as a database\n",
               word.c_str());
  return trefoil::cli::kExitUsage;
}

int RunCommand(const Command& command, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "--help" || word == "-h") {
      std::fputs(trefoil::cli::HelpText(command).c_str(), stdout);
      return trefoil::cli::kExitOk;
    }
  }
  const trefoil::Result<Arguments> arguments = Arguments::Parse(words, command.options);
  if (!arguments) return trefoil::cli::FailUsage(command, arguments.error());
  const std::size_t given = arguments->positional().size();
  if (given < command.positional_min || given > command.positional_max) {
    return trefoil::cli::FailUsage(
        command, {.message = given < command.positional_min ? "an argument is missing"
                                                            : "there are too many arguments"});
  }
  return command.run(*arguments);
}

}  // namespace

int main(int argc, char** argv) {
  // A file that reaches the limit of its size is a full device: a failed write, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return RunCommand(*Find("shell"), {});
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    if (words.size() > 1 && words[1] == "--man") {
      std::fputs(trefoil::cli::ManPage(Commands()).c_str(), stdout);
      return trefoil::cli::kExitOk;
    }
    if (words.size() > 1) {
      const Command* command = Find(words[1]);
      if (command == nullptr) return UnknownCommand(words[1]);
      return RunCommand(*command, {"--help"});
    }
    PrintOverview(stdout);
    return trefoil::cli::kExitOk;
  }
  if (words[0] == "--version") words[0] = "version";
  if (const Command* command = Find(words[0])) {
    return RunCommand(*command, {words.begin() + 1, words.end()});
  }
  if (LooksLikePath(words[0])) return RunCommand(*Find("shell"), words);
  return UnknownCommand(words[0]);
}
