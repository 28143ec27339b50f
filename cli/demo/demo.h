// The demos of `trefoil demo NAME`: each self-contained and seeded, and proving what it shows.
#pragma once

#include <string>

#include "trefoil/result.h"

namespace trefoil::cli {

struct DemoSettings {
  std::string data;  // deps: a dpkg status file; store: the folder with the Chinook CSV files
};

// What a demo found: whether every live result was what it should be, and a line of figures, or the
// first difference.
struct DemoVerdict {
  bool pass = false;
  std::string summary;
};

Result<DemoVerdict> RunDepsDemo(const DemoSettings& settings);
Result<DemoVerdict> RunBoardDemo(const DemoSettings& settings);
Result<DemoVerdict> RunStoreDemo(const DemoSettings& settings);

}  // namespace trefoil::cli
