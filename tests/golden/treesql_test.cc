// Scripts of TreeSQL run through the session of the command line, as `trefoil run --format ndjson`
// runs them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "cli/session.h"
#include "tests/support/script_runner.h"

namespace trefoil::testing {
namespace {

// What a session prints, statement by statement.
class Output {
 public:
  Output() : file_(open_memstream(&text_, &size_)) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    std::fclose(file_);
    std::free(text_);
  }

  std::FILE* file() { return file_; }
  std::string Take() {
    std::fflush(file_);
    std::string taken(text_ + taken_, size_ - taken_);
    taken_ = size_;
    return taken;
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
  std::FILE* file_;
};

std::string RunOne(const std::string& path) {
  Output output;
  cli::Session session(*Database::Open(":memory:"), ":memory:",
                       {.format = cli::Format::kNdjson, .keep_going = true, .out = output.file()});
  return RunScriptFile(path, [&](std::string_view statement) {
    session.RunScript(statement);
    return output.Take();
  });
}

TEST(TreeSqlScriptsTest, PrintWhatTheyPromise) {
  const std::string folder = std::string(TREFOIL_SOURCE_DIR) + "/tests/golden/treesql";
  const std::vector<std::string> scripts = ScriptFiles(folder);
  EXPECT_FALSE(scripts.empty());
  for (const std::string& path : scripts) {
    const std::string difference = RunOne(path);
    EXPECT_TRUE(difference.empty()) << difference;
  }
}

}  // namespace
}  // namespace trefoil::testing
