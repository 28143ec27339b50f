// `trefoil demo NAME`.
#include "cli/demo/demo.h"

#include "cli/commands/commands.h"

namespace trefoil::cli {

int RunDemo(const Arguments& arguments) {
  const DemoSettings settings{.data = arguments.Get("data").value_or("")};
  const std::string& name = arguments.positional()[0];
  if (name == "deps") return RunDepsDemo(settings);
  if (name == "board") return RunBoardDemo(settings);
  if (name == "store") return RunStoreDemo(settings);
  return FailUsage("demo", {.message = "there is no demo '" + name + "'"});
}

}  // namespace trefoil::cli
