#include "base/file_identity.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace trefoil {
namespace {

namespace fs = std::filesystem;

TEST(FileIdentityTest, StaysWithARenameAndNotWithACopy) {
  const fs::path directory = fs::path(::testing::TempDir()) / "file_identity_test";
  fs::remove_all(directory);
  fs::create_directories(directory / "a");
  std::ofstream(directory / "a" / "file") << "bytes";
  const Result<std::string> first = FileIdentity((directory / "a").string());
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_EQ(first->size(), kFileIdentityBytes);

  fs::rename(directory / "a", directory / "b");
  EXPECT_EQ(*FileIdentity((directory / "b").string()), *first);
  fs::copy(directory / "b", directory / "a", fs::copy_options::recursive);
  EXPECT_NE(*FileIdentity((directory / "a").string()), *first);
  EXPECT_NE(*FileIdentity((directory / "a" / "file").string()),
            *FileIdentity((directory / "b" / "file").string()));
  fs::remove_all(directory);
}

TEST(FileIdentityTest, ReportsWhatIsNotThere) {
  const Result<std::string> none = FileIdentity(::testing::TempDir() + "/no/such/file");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace trefoil
