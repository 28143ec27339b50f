// Loading records that another thread reads: commits, places of errors, what stays.
#include "cli/import/load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace trefoil::cli {
namespace {

constexpr int kRows = 2600;

class LoadTest : public ::testing::Test {
 protected:
  LoadTest() {
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(database_.Execute("TABLE item (id INT KEY, name TEXT)"));
  }
  ~LoadTest() override { std::filesystem::remove_all(folder_); }

  // Record i has the id i, but one, which has `odd`. Stands in line i + 1.
  Result<std::string> LoadItems(std::int64_t batch_rows, int odd_record, const std::string& odd) {
    {
      std::ofstream csv(path_);
      csv << "id,name\n";
      for (int i = 1; i <= kRows; ++i) {
        csv << (i == odd_record ? odd : std::to_string(i)) << ",name " << i << "\n";
      }
    }
    Result<LoadJob> job = PlanLoad({path_}, {.table = "item", .key = "", .batch_rows = batch_rows});
    if (!job) return std::move(job).error();
    return Load(database_, *job);
  }
  std::int64_t CountRows() const {
    const Result<Query> query = database_.Prepare("SELECT count(*) AS n FROM item");
    EXPECT_TRUE(query);
    return (*database_.snapshot().Run(*query))[0][0].AsInt();
  }

  const std::string folder_ = ::testing::TempDir() + "load_" + std::to_string(::getpid());
  const std::string path_ = folder_ + "/item.csv";
  Database database_ = *Database::Open(":memory:");
};

TEST_F(LoadTest, AddsAllRowsWhateverTheBatch) {
  for (const std::int64_t batch_rows : {7, 1000, 1300, 5000}) {
    database_ = *Database::Open(":memory:");
    ASSERT_TRUE(database_.Execute("TABLE item (id INT KEY, name TEXT)"));
    const Version before = database_.version();
    const Result<std::string> report = LoadItems(batch_rows, 0, "");
    ASSERT_TRUE(report) << ToString(report.error());
    EXPECT_EQ(CountRows(), kRows);
    const std::int64_t commits = (kRows + batch_rows - 1) / batch_rows;
    EXPECT_EQ(ToNumber(database_.version()) - ToNumber(before),
              static_cast<std::uint64_t>(commits));
  }
}

TEST_F(LoadTest, NamesTheLineOfARefusedRowThoughMoreIsReadAndKeepsWholeBatches) {
  const Result<std::string> report = LoadItems(1500, 2200, "3");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kDuplicateKey);
  EXPECT_TRUE(report.error().message.starts_with("item.csv:2201: ")) << report.error().message;
  EXPECT_NE(report.error().hint.find("the first 1,500 rows of item are committed and stay"),
            std::string::npos)
      << report.error().hint;
  EXPECT_EQ(CountRows(), 1500);
}

TEST_F(LoadTest, AValueThatDoesNotReadEndsTheLoadBehindTheRowsBeforeIt) {
  const Result<std::string> report = LoadItems(100, 250, "seven");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kTypeMismatch);
  EXPECT_TRUE(report.error().message.starts_with("item.csv:251: ")) << report.error().message;
  EXPECT_EQ(CountRows(), 200);
}

}  // namespace
}  // namespace trefoil::cli
