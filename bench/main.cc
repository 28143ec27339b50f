// trefoil_bench: runs suites and prints tables and JSON lines; see bench/README.md.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/compare.h"
#include "bench/picture.h"
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
  --picture FILE   writes how the cases grow with their input as one SVG picture
  --compare A B    runs nothing: tells which results of file B differ from those of A beyond noise,
                   and ends with exit code 1 if one is worse
Without SUITE all suites run:
)";

struct Arguments {
  SuiteOptions options;
  std::vector<std::string> suites;
  std::string json;
  std::string picture;
  std::vector<std::string> compared;  // two files, or none
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
    } else if (word == "--picture") {
      arguments.picture = words[++i];
    } else if (word == "--compare" && i + 2 < words.size()) {
      arguments.compared = {words[i + 1], words[i + 2]};
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  arguments.options.rounds = rounds > 0 ? rounds : arguments.options.quick ? 1 : 3;
  return arguments;
}

// Writes to a file, as fopen's `mode` says. False when that fails.
bool WriteTo(const std::string& path, const char* mode, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), mode);
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

int RunComparison(const std::string& before, const std::string& after) {
  std::string texts[2];
  for (const auto& [path, text] : {std::pair(before, &texts[0]), std::pair(after, &texts[1])}) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "trefoil_bench: cannot read %s\n", path.c_str());
      return 2;
    }
    text->assign(std::istreambuf_iterator<char>(file), {});
  }
  const Result<std::vector<Comparison>> compared = Compare(texts[0], texts[1]);
  if (!compared) {
    std::fprintf(stderr, "trefoil_bench: %s\n", compared.error().message.c_str());
    return 2;
  }
  std::fputs(ComparisonText(*compared).c_str(), stdout);
  return std::ranges::count(*compared, Verdict::kWorse, &Comparison::verdict) > 0 ? 1 : 0;
}

int Run(Arguments arguments) {
  const bool temporary = arguments.options.directory.empty();
  if (temporary) {
    std::string name = (std::filesystem::temp_directory_path() / "trefoil_bench.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return 1;
    arguments.options.directory = name;
  }
  int failed = 0;
  std::vector<Chart> charts;
  for (const Suite& suite : AllSuites()) {
    const bool named = std::ranges::find(arguments.suites, suite.name) != arguments.suites.end();
    if (!arguments.suites.empty() && !named) continue;
    Report report(suite.name);
    suite.run(arguments.options, report);
    std::printf("%s\n", report.Table().c_str());
    std::fflush(stdout);
    for (Chart& chart : report.Charts()) charts.push_back(std::move(chart));
    if (!arguments.json.empty() && !WriteTo(arguments.json, "a", report.JsonLines())) {
      std::fprintf(stderr, "trefoil_bench: cannot write %s\n", arguments.json.c_str());
      failed = 1;
    }
  }
  if (!arguments.picture.empty() && !WriteTo(arguments.picture, "w", GrowthPicture(charts))) {
    std::fprintf(stderr, "trefoil_bench: cannot write %s\n", arguments.picture.c_str());
    failed = 1;
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
  if (!arguments->compared.empty()) {
    return trefoil::bench::RunComparison(arguments->compared[0], arguments->compared[1]);
  }
  return trefoil::bench::Run(*arguments);
}
