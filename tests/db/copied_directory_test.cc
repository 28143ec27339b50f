// Directories that were copied by other means than Clone: they write under another name.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "db/public_state.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

namespace fs = std::filesystem;

class CopiedDirectoryTest : public ::testing::Test {
 protected:
  CopiedDirectoryTest()
      : root_(fs::temp_directory_path() / ("trefoil-copies-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    Database first = Open("first");
    Run(first, "TABLE track (id INT KEY, title TEXT); INSERT INTO track {id: 1, title: 'a'}");
  }
  ~CopiedDirectoryTest() override { fs::remove_all(root_); }

  std::string Path(const std::string& name) const { return (root_ / name).string(); }
  Database Open(const std::string& name, const Options& options = {}) const {
    Result<Database> database = Database::Open(Path(name), options);
    EXPECT_TRUE(database) << ToString(database.error());
    return *std::move(database);
  }
  static void Run(Database& database, std::string_view script) {
    const Result<ExecuteSummary> done = database.Execute(script);
    ASSERT_TRUE(done) << ToString(done.error());
  }
  static db::SiteIdentity SiteOf(const Database& database) {
    return database.state().engine->site();
  }
  void Copy(const std::string& from, const std::string& to) const {
    fs::copy(Path(from), Path(to), fs::copy_options::recursive);
  }

  const fs::path root_;
};

TEST_F(CopiedDirectoryTest, ACopyBecomesAReplicaOfItsOwnWithItsFirstCommit) {
  Copy("first", "second");
  const Database first = Open("first");
  EXPECT_FALSE(first.is_copy());
  db::SiteIdentity site;
  {
    Database second = Open("second");
    EXPECT_TRUE(second.is_copy());
    EXPECT_NE(SiteOf(second).id, SiteOf(first).id);
    EXPECT_EQ(*second.StateDigest(), *first.StateDigest());
  }
  {
    // Nothing was written, so it is still a copy.
    Database second = Open("second");
    EXPECT_TRUE(second.is_copy());
    Run(second, "INSERT INTO track {id: 2}");
    site = SiteOf(second);
  }
  const Database second = Open("second");
  EXPECT_FALSE(second.is_copy());
  EXPECT_EQ(SiteOf(second), site);
}

TEST_F(CopiedDirectoryTest, BothWriteAndMerge) {
  Copy("first", "second");
  Database first = Open("first");
  Database second = Open("second");
  Run(first, "INSERT INTO track {id: 2, title: 'of the first'}");
  Run(second, "INSERT INTO track {id: 3, title: 'of the second'}");
  for (int round = 0; round < 2; ++round) {
    const Result<MergeSummary> to_second = second.Merge(*first.Changes(second.version_vector()));
    ASSERT_TRUE(to_second) << ToString(to_second.error());
    const Result<MergeSummary> to_first = first.Merge(*second.Changes(first.version_vector()));
    ASSERT_TRUE(to_first) << ToString(to_first.error());
  }
  EXPECT_EQ(*first.StateDigest(), *second.StateDigest());
  const Value key = Value::Int(3);
  EXPECT_TRUE(first.snapshot().Get("track", std::span(&key, 1))->has_value());
}

TEST_F(CopiedDirectoryTest, ARenamedDirectoryIsNoCopy) {
  const db::SiteIdentity site = SiteOf(Open("first"));
  fs::rename(Path("first"), Path("second"));
  const Database second = Open("second");
  EXPECT_FALSE(second.is_copy());
  EXPECT_EQ(SiteOf(second), site);
}

TEST_F(CopiedDirectoryTest, BackupsAndClonesAreCopies) {
  const Database first = Open("first");
  ASSERT_TRUE(first.Backup(Path("backup")));
  ASSERT_TRUE(first.Clone(Path("clone")));
  EXPECT_TRUE(Open("backup").is_copy());
  {
    Database clone = Open("clone");
    EXPECT_TRUE(clone.is_copy());
    EXPECT_NE(SiteOf(clone).id, SiteOf(first).id);
    Run(clone, "INSERT INTO track {id: 2}");
  }
  EXPECT_FALSE(Open("clone").is_copy());
}

TEST_F(CopiedDirectoryTest, AReaderIsToldToo) {
  Copy("first", "second");
  const Database second = Open("second", {.read_only = true});
  EXPECT_TRUE(second.is_copy());
  EXPECT_NE(second.StatsJson().find("\"is_copy\":true"), std::string::npos);
  EXPECT_NE(Open("first").StatsJson().find("\"is_copy\":false"), std::string::npos);
}

}  // namespace
}  // namespace trefoil
