// trefoil_bench: runs suites and prints tables and JSON lines; see bench/README.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/suite.h"

namespace trefoil::bench {
namespace {

constexpr std::string_view kUsage = R"(usage: trefoil_bench [SUITE...] [OPTION...]
  --quick          small inputs, one round: seconds
  --large          also the largest inputs: many minutes
  --rounds N       rounds of which the median is shown (3; with --quick 1)
  --engine NAME    only this engine; may be repeated
  --case NAME      only this case; may be repeated
  --directory DIR  where files go (a temporary directory)
  --json FILE      appends the results as JSON lines
Without SUITE all suites run:
)";

struct Arguments {
  SuiteOptions options;
  std::vector<std::string> suites;
  std::string json;
};

void PrintUsage() {
  std::fputs(std::string(kUsage).c_str(), stderr);
  for (const Suite& suite : AllSuites()) {
    std::fprintf(stderr, "  %-10s %s\n", suite.name.c_str(), suite.about.c_str());
  }
}

// Nothing when the command line is wrong.
std::optional<Arguments> Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  int rounds = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--quick") {
      arguments.options.quick = true;
    } else if (word == "--large") {
      arguments.options.large = true;
    } else if (!word.starts_with("--")) {
      arguments.suites.push_back(word);
    } else if (i + 1 == words.size()) {
      return std::nullopt;
    } else if (word == "--rounds") {
      rounds = std::atoi(words[++i].c_str());
    } else if (word == "--engine") {
      arguments.options.engines.push_back(words[++i]);
    } else if (word == "--case") {
      arguments.options.cases.push_back(words[++i]);
    } else if (word == "--directory") {
      arguments.options.directory = words[++i];
    } else if (word == "--json") {
      arguments.json = words[++i];
    } else {
      return std::nullopt;
    }
  }
  arguments.options.rounds = rounds > 0 ? rounds : arguments.options.quick ? 1 : 3;
  return arguments;
}

// Appends to the file of --json. False when that fails.
bool AppendTo(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

int Run(Arguments arguments) {
  const bool temporary = arguments.options.directory.empty();
  if (temporary) {
    std::string name = (std::filesystem::temp_directory_path() / "trefoil_bench.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return 1;
    arguments.options.directory = name;
  }
  int failed = 0;
  for (const Suite& suite : AllSuites()) {
    const bool named = std::ranges::find(arguments.suites, suite.name) != arguments.suites.end();
    if (!arguments.suites.empty() && !named) continue;
    Report report(suite.name);
    suite.run(arguments.options, report);
    std::printf("%s\n", report.Table().c_str());
    std::fflush(stdout);
    if (!arguments.json.empty() && !AppendTo(arguments.json, report.JsonLines())) {
      std::fprintf(stderr, "trefoil_bench: cannot write %s\n", arguments.json.c_str());
      failed = 1;
    }
  }
  if (temporary) std::filesystem::remove_all(arguments.options.directory);
  return failed;
}

}  // namespace
}  // namespace trefoil::bench

int main(int argc, char** argv) {
  using trefoil::bench::AllSuites;
  using trefoil::bench::Suite;
  const std::optional<trefoil::bench::Arguments> arguments =
      trefoil::bench::Parse(std::vector<std::string>(argv + 1, argv + argc));
  const std::vector<Suite> suites = AllSuites();
  bool known = arguments.has_value();
  if (known) {
    for (const std::string& name : arguments->suites) {
      known = known && std::ranges::count(suites, name, &Suite::name) == 1;
    }
  }
  if (!known) {
    trefoil::bench::PrintUsage();
    return 2;
  }
  return trefoil::bench::Run(*arguments);
}
