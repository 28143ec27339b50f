#include "cli/man_page.h"

#include <gtest/gtest.h>

#include <string>

namespace trefoil::cli {
namespace {

// What the page shows: without requests, escapes undone.
std::string Shown(std::string_view page) {
  std::string shown;
  while (!page.empty()) {
    std::string_view line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(line.size() + 1, page.size()));
    if (line.starts_with('.')) continue;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '\\') {
        shown += line[i];
      } else if (line[++i] != '&') {
        shown += line[i] == 'e' ? '\\' : line[i];
      }
    }
    shown += '\n';
  }
  return shown;
}

TEST(ManPageTest, HoldsTheHelpOfEveryCommandAsItStands) {
  const std::string shown = Shown(ManPage(Commands()));
  for (const Command& command : Commands()) {
    EXPECT_NE(shown.find(HelpText(command)), std::string::npos) << command.name;
  }
}

TEST(ManPageTest, ALineThatLooksLikeARequestIsText) {
  const Command command = {.name = "x", .summary = ".de", .synopsis = "'x", .help = "a\\b --c\n"};
  const std::string page = ManPage({&command, 1});
  EXPECT_NE(page.find("\n\\&.de\n"), std::string::npos);
  EXPECT_NE(page.find("\n\\&'x\n"), std::string::npos);
  EXPECT_NE(page.find("\na\\eb \\-\\-c\n"), std::string::npos);
}

}  // namespace
}  // namespace trefoil::cli
