// An import that is stopped in the middle: what was committed stays, the rest is absent.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>

#include "tests/support/program.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

constexpr int kRows = 400'000;
constexpr std::int64_t kBatch = 500;

class ImportStopTest : public ::testing::Test {
 protected:
  ImportStopTest() {
    std::filesystem::create_directories(folder_);
    std::ofstream csv(folder_ + "/item.csv");
    csv << "id,name\n";
    for (int i = 1; i <= kRows; ++i) csv << i << ",name " << i << "\n";
  }
  ~ImportStopTest() override { std::filesystem::remove_all(folder_); }

  // Rows that a second process sees; -1 before there is a table.
  std::int64_t CountRows() const {
    Result<Database> database = Database::Open(path_, {.create = false, .read_only = true});
    if (!database) return -1;
    const Result<Query> query =
        database->Prepare("SELECT count(*) AS n, max(id) AS last FROM item");
    if (!query) return -1;
    const Result<Rows> rows = database->snapshot().Run(*query);
    if (!rows) return -1;
    const std::int64_t count = (*rows)[0][0].AsInt();
    // The rows are a beginning of the file.
    if (count > 0) {
      EXPECT_EQ((*rows)[0][1], Value::Int(count));
    }
    return count;
  }

  void WaitUntilItAdds() const {
    while (CountRows() <= 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  const std::string folder_ = ::testing::TempDir() + "import_stop_" + std::to_string(::getpid());
  const std::string path_ = folder_ + "/shop.db";
  const Program::Settings import_ = {
      .arguments = {"import", path_, folder_ + "/item.csv", "--batch", std::to_string(kBatch)}};
};

TEST_F(ImportStopTest, CtrlCKeepsTheCommittedBatchesAndSaysHowMany) {
  Program program(import_);
  WaitUntilItAdds();
  program.Signal(SIGINT);
  std::string output;
  const Program::Ended ended = program.Wait(&output);
  EXPECT_EQ(ended.exit_code, 1);
  const std::int64_t count = CountRows();
  EXPECT_GT(count, 0);
  EXPECT_LT(count, kRows);
  EXPECT_EQ(count % kBatch, 0);
  std::smatch said;
  ASSERT_TRUE(std::regex_search(
      output, said, std::regex("the first ([0-9,]+) rows of item are committed and stay")))
      << output;
  EXPECT_EQ(std::regex_replace(said.str(1), std::regex(","), ""), std::to_string(count));
}

TEST_F(ImportStopTest, AKilledImportLeavesWholeBatches) {
  Program program(import_);
  WaitUntilItAdds();
  program.Signal(SIGKILL);
  std::string output;
  EXPECT_EQ(program.Wait(&output).signal, SIGKILL);
  const std::int64_t count = CountRows();
  EXPECT_GT(count, 0);
  EXPECT_LT(count, kRows);
  EXPECT_EQ(count % kBatch, 0);
  Result<Database> database = Database::Open(path_, {.create = false});
  ASSERT_TRUE(database.has_value()) << ToString(database.error());
  const Result<CheckReport> report = database->Check();
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->problems, std::vector<std::string>());
}

}  // namespace
}  // namespace trefoil::testing
