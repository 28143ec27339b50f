// Transcripts of the program: each step of a script in tests/golden/cli is what a person types into
// bash, and what the real program prints. Every script begins in an empty folder. Both outputs of
// the program are in the transcript; an exit code other than 0 is its last line. What differs from
// run to run is masked: times, rates, digests, names of replicas.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <string>
#include <utility>

#include "tests/support/script_runner.h"

namespace trefoil::testing {
namespace {

const std::string kScripts = std::string(TREFOIL_SOURCE_DIR) + "/tests/golden/cli";

std::string Masked(std::string text) {
  static const std::pair<std::regex, const char*> kMasks[] = {
      {std::regex(R"(in [0-9]+ ms \([0-9,]+ rows/s\))"), "in T ms (R rows/s)"},
      {std::regex(R"([0-9]+\.[0-9]{3} ms)"), "T ms"},
      {std::regex(R"(in [0-9]+ us)"), "in T us"},
      {std::regex(R"(\b[0-9]{6}\.(sst|blob|log|man)\b)"), "NUMBER.$1"},
      {std::regex(R"(\b[0-9a-f]{64}\b)"), "DIGEST"},
      {std::regex(R"(\b[0-9a-f]{36}\b)"), "SITE"},
      {std::regex(R"(SITE ([0-9]+) [0-9]{18}\b)"), "SITE $1 TIME"},
  };
  for (const auto& [pattern, mask] : kMasks) text = std::regex_replace(text, pattern, mask);
  // The form of a script has no room for a blank line.
  static const std::regex kBlank("(^|\n)(?=\n)");
  return std::regex_replace(text, kBlank, "$1(blank)");
}

class CliScriptsTest : public ::testing::TestWithParam<std::string> {
 protected:
  CliScriptsTest() : folder_(::testing::TempDir() + "cli_script_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
    ::setenv("FOLDER", folder_.c_str(), 1);
    ::setenv("HOME", folder_.c_str(), 1);
    ::setenv("TERM", "dumb", 1);
    ::setenv("LC_ALL", "C.UTF-8", 1);
    ::setenv("PATH", (std::string(TREFOIL_BINARY_DIR) + ":" + std::getenv("PATH")).c_str(), 1);
  }
  ~CliScriptsTest() override { std::filesystem::remove_all(folder_); }

  // Types one step into bash.
  static std::string Type(std::string_view statement) {
    ::setenv("STEP", std::string(statement).c_str(), 1);
    std::FILE* const bash = ::popen("cd \"$FOLDER\" && bash -c \"$STEP\" 2>&1 </dev/null", "r");
    if (bash == nullptr) return "bash does not start";
    std::string text;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), bash)) {
      text.append(buffer.data(), size);
    }
    const int status = ::pclose(bash);
    if (!text.empty() && !text.ends_with('\n')) text += "\n";
    if (status != 0) text += "[exit " + std::to_string(WEXITSTATUS(status)) + "]\n";
    return Masked(std::move(text));
  }

  const std::string folder_;
};

TEST_P(CliScriptsTest, PrintsWhatTheTranscriptShows) {
  const std::string difference = RunScriptFile(GetParam(), Type);
  EXPECT_TRUE(difference.empty()) << difference;
}

std::string StemOf(const ::testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(Transcripts, CliScriptsTest, ::testing::ValuesIn(ScriptFiles(kScripts)),
                         StemOf);

}  // namespace
}  // namespace trefoil::testing
