// `trefoil demo NAME...`: runs demos one after the other and ends in one verdict line.
#include "cli/demo/demo.h"

#include <cstdio>
#include <vector>

#include "cli/commands/commands.h"

namespace trefoil::cli {

namespace {

struct Demo {
  std::string_view name;
  Result<DemoVerdict> (*run)(const DemoSettings& settings);
};

constexpr Demo kDemos[] = {{"deps", RunDepsDemo}, {"board", RunBoardDemo}, {"store", RunStoreDemo}};

const Demo* Find(std::string_view name) {
  for (const Demo& demo : kDemos) {
    if (demo.name == name) return &demo;
  }
  return nullptr;
}

}  // namespace

int RunDemo(const Arguments& arguments) {
  const std::vector<std::string>& names = arguments.positional();
  for (const std::string& name : names) {
    if (Find(name) != nullptr) continue;
    return FailUsage("demo", {.message = "there is no demo '" + name + "'"});
  }
  const DemoSettings settings{.data = arguments.Get("data").value_or("")};
  bool pass = true;
  std::string summary;
  for (const std::string& name : names) {
    const Result<DemoVerdict> verdict = Find(name)->run(settings);
    if (!verdict) return Fail(verdict.error());
    std::printf("\n");
    pass = pass && verdict->pass;
    if (!summary.empty()) summary += "; ";
    summary += (names.size() > 1 ? name + ": " : "") + verdict->summary;
  }
  std::printf("verdict: %s (%s)\n", pass ? "PASS" : "FAIL", summary.c_str());
  return pass ? kExitOk : kExitFailed;
}

}  // namespace trefoil::cli
