// `trefoil demo NAME`.
#include "cli/demo/demo.h"

#include <algorithm>

#include "cli/commands/commands.h"

namespace trefoil::cli {

int RunDemo(const Arguments& arguments) {
  const DemoSettings settings{.data = arguments.Get("data").value_or("")};
  const std::string& name = arguments.positional()[0];
  if (name == "deps") return RunDepsDemo(settings);
  if (name == "board") return RunBoardDemo(settings);
  if (name == "store") return RunStoreDemo(settings);
  return Fail({.message = "there is no demo '" + name + "'", .hint = "deps, board or store"}),
         kExitUsage;
}

}  // namespace trefoil::cli
