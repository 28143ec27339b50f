// The demos of `trefoil demo NAME`: each self-contained, seeded, and ending in a verdict line.
#pragma once

#include <string>

namespace trefoil::cli {

struct DemoSettings {
  std::string data;  // deps: a dpkg status file; store: the folder with the Chinook CSV files
};

// Each returns an exit code: 0 when every live result equalled its fresh run.
int RunDepsDemo(const DemoSettings& settings);
int RunBoardDemo(const DemoSettings& settings);
int RunStoreDemo(const DemoSettings& settings);

}  // namespace trefoil::cli
