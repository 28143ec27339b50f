// What every Env promises, held against each world.
#include "base/env.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/env_fault.h"
#include "base/env_memory.h"

namespace trefoil {
namespace {

using OpenMode = Env::OpenMode;

struct World {
  std::string name;
  std::function<std::unique_ptr<Env>()> make;  // empty: the machine's own

  friend void PrintTo(const World& world, std::ostream* out) { *out << world.name; }
};

class EnvTest : public ::testing::TestWithParam<World> {
 protected:
  void SetUp() override {
    if (GetParam().make) {
      made_ = GetParam().make();
      env_ = made_.get();
      directory_ = "/test";
      ASSERT_TRUE(env_->CreateDirectory(directory_));
      return;
    }
    std::string pattern = (std::filesystem::temp_directory_path() / "trefoil-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    env_ = &Env::Posix();
  }
  void TearDown() override {
    if (!GetParam().make) std::filesystem::remove_all(directory_);
  }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::unique_ptr<File> MustOpen(const std::string& name, OpenMode mode) {
    Result<std::unique_ptr<File>> file = env_->Open(Path(name), mode);
    EXPECT_TRUE(file.has_value()) << (file ? "" : ToString(file.error()));
    return file ? *std::move(file) : nullptr;
  }
  void Write(const std::string& name, const std::string& bytes) {
    std::unique_ptr<File> file = MustOpen(name, OpenMode::kCreate);
    ASSERT_TRUE(file->WriteAt(0, bytes));
    ASSERT_TRUE(file->Sync());
  }
  std::string Read(const std::string& name) {
    std::unique_ptr<File> file = MustOpen(name, OpenMode::kRead);
    std::string bytes(file->Size().value(), '\0');
    EXPECT_TRUE(file->ReadAt(0, bytes));
    return bytes;
  }

  std::unique_ptr<Env> made_;
  Env* env_ = nullptr;
  std::string directory_;
};

// The error says what was tried, where, and why.
template <typename T>
void ExpectError(const Result<T>& result, ErrorCode code, const std::string& operation,
                 const std::string& path) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_TRUE(result.error().message.starts_with(operation + " " + path + ": "))
      << result.error().message;
  EXPECT_GT(result.error().message.size(), operation.size() + path.size() + 3);
}

TEST_P(EnvTest, ReadsBackWhatWasWrittenAtAnyOffset) {
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(5, "hello"));
  EXPECT_EQ(file->Size().value(), 10u);
  ASSERT_TRUE(file->WriteAt(7, "LL"));
  std::string bytes(10, '?');
  ASSERT_TRUE(file->ReadAt(0, bytes));
  EXPECT_EQ(bytes, std::string(5, '\0') + "heLLo");
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(file->path(), Path("a"));
}

TEST_P(EnvTest, ReportsCorruptionWhenTheFileEndsBeforeTheRead) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kRead);
  std::string bytes(6, '\0');
  ExpectError(file->ReadAt(0, bytes), ErrorCode::kCorruption, "read", Path("a"));
  ExpectError(file->ReadAt(100, bytes), ErrorCode::kCorruption, "read", Path("a"));
}

TEST_P(EnvTest, OpensByModeOnly) {
  ExpectError(env_->Open(Path("a"), OpenMode::kRead), ErrorCode::kNotFound, "open", Path("a"));
  ExpectError(env_->Open(Path("a"), OpenMode::kReadWrite), ErrorCode::kNotFound, "open", Path("a"));
  Write("a", "x");
  ExpectError(env_->Open(Path("a"), OpenMode::kCreate), ErrorCode::kAlreadyExists, "open",
              Path("a"));
  ExpectError(env_->Open(Path("no/a"), OpenMode::kCreate), ErrorCode::kNotFound, "open",
              Path("no/a"));
  ExpectError(env_->Open(directory_, OpenMode::kRead), ErrorCode::kIo, "open", directory_);
  ExpectError(MustOpen("a", OpenMode::kRead)->WriteAt(0, "y"), ErrorCode::kPermission, "write",
              Path("a"));
  EXPECT_EQ(Read("a"), "x");
}

TEST_P(EnvTest, AllocateGrowsWithZerosAndKeepsBytes) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_TRUE(file->Allocate(3'000'000));
  ASSERT_TRUE(file->Allocate(7));
  EXPECT_EQ(Read("a"), "hello" + std::string(3'000'000 - 5, '\0'));
}

TEST_P(EnvTest, TruncateCutsAndGrows) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_TRUE(file->Truncate(2));
  ASSERT_TRUE(file->Truncate(4));
  EXPECT_EQ(Read("a"), std::string("he\0\0", 4));
}

TEST_P(EnvTest, StoresThroughAMapAreWrites) {
  Write("a", std::string(10'000, 'a'));
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kReadWrite);
  const Result<std::span<char>> bytes = file->Map(10'000, true);
  ASSERT_TRUE(bytes.has_value());
  file->WillNeed(0, 10'000);
  (*bytes)[9'999] = 'z';
  ASSERT_TRUE(file->WriteAt(0, "b"));
  EXPECT_EQ((*bytes)[0], 'b');
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(Read("a"), "b" + std::string(9'998, 'a') + "z");
}

TEST_P(EnvTest, MapsOnlyWhatTheFileHas) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kRead);
  ExpectError(file->Map(6, false), ErrorCode::kInvalidArgument, "map", Path("a"));
  ExpectError(file->Map(0, false), ErrorCode::kInvalidArgument, "map", Path("a"));
  ExpectError(file->Map(5, true), ErrorCode::kPermission, "map", Path("a"));
  const Result<std::span<char>> bytes = file->Map(5, false);
  ASSERT_TRUE(bytes.has_value());
  file->WillNeed(2, 100);
  file->WillNeed(200, 100);
  EXPECT_EQ(std::string(bytes->begin(), bytes->end()), "hello");
}

TEST_P(EnvTest, AMappedFileKeepsItsSize) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_TRUE(file->Map(5, true).has_value());
  ExpectError(file->Truncate(2), ErrorCode::kInvalidArgument, "truncate", Path("a"));
  ExpectError(file->Allocate(9), ErrorCode::kInvalidArgument, "allocate", Path("a"));
  ExpectError(file->WriteAt(4, "xy"), ErrorCode::kInvalidArgument, "write", Path("a"));
  EXPECT_TRUE(file->WriteAt(3, "xy"));
  file.reset();
  EXPECT_TRUE(MustOpen("a", OpenMode::kReadWrite)->Truncate(2));
}

TEST_P(EnvTest, ListsSortedNamesOfADirectory) {
  ASSERT_TRUE(env_->CreateDirectory(Path("d")));
  Write("d/b", "");
  Write("d/a", "");
  ASSERT_TRUE(env_->CreateDirectory(Path("d/c")));
  EXPECT_EQ(env_->List(Path("d")).value(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(env_->SyncDirectory(Path("d")));
  ExpectError(env_->List(Path("no")), ErrorCode::kNotFound, "list", Path("no"));
  ExpectError(env_->List(Path("d/a")), ErrorCode::kNotFound, "list", Path("d/a"));
  ExpectError(env_->SyncDirectory(Path("no")), ErrorCode::kNotFound, "sync directory", Path("no"));
}

TEST_P(EnvTest, RemovesFilesAndEmptyDirectories) {
  ASSERT_TRUE(env_->CreateDirectory(Path("d")));
  Write("d/a", "");
  EXPECT_TRUE(env_->Exists(Path("d/a")).value());
  EXPECT_FALSE(env_->Exists(Path("d/b")).value());
  EXPECT_FALSE(env_->Exists(Path("d/a/b")).value());
  ExpectError(env_->CreateDirectory(Path("d")), ErrorCode::kAlreadyExists, "create directory",
              Path("d"));
  ExpectError(env_->CreateDirectory(Path("no/d")), ErrorCode::kNotFound, "create directory",
              Path("no/d"));
  ExpectError(env_->RemoveDirectory(Path("d")), ErrorCode::kIo, "remove directory", Path("d"));
  ExpectError(env_->RemoveDirectory(Path("no")), ErrorCode::kNotFound, "remove directory",
              Path("no"));
  ExpectError(env_->Remove(Path("d")), ErrorCode::kIo, "remove", Path("d"));
  ExpectError(env_->Remove(Path("no")), ErrorCode::kNotFound, "remove", Path("no"));
  EXPECT_TRUE(env_->Remove(Path("d/a")));
  EXPECT_TRUE(env_->RemoveDirectory(Path("d")));
  EXPECT_FALSE(env_->Exists(Path("d")).value());
}

TEST_P(EnvTest, AnOpenFileOutlivesItsName) {
  Write("a", "hello");
  std::unique_ptr<File> file = MustOpen("a", OpenMode::kReadWrite);
  ASSERT_TRUE(env_->Remove(Path("a")));
  std::string bytes(5, '\0');
  EXPECT_TRUE(file->ReadAt(0, bytes));
  EXPECT_TRUE(file->WriteAt(0, "x"));
  EXPECT_FALSE(env_->Exists(Path("a")).value());
}

TEST_P(EnvTest, ALinkIsASecondNameForOneFile) {
  Write("a", "hello");
  ASSERT_TRUE(env_->Link(Path("a"), Path("b")));
  ASSERT_TRUE(MustOpen("b", OpenMode::kReadWrite)->WriteAt(0, "J"));
  ASSERT_TRUE(env_->Remove(Path("a")));
  EXPECT_EQ(Read("b"), "Jello");
  Write("c", "");
  const Status exists = env_->Link(Path("b"), Path("c"));
  ASSERT_FALSE(exists);
  EXPECT_EQ(exists.error().code, ErrorCode::kAlreadyExists);
  const Status missing = env_->Link(Path("no"), Path("d"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_P(EnvTest, ALockKeepsASecondOpenOfThisProcessOut) {
  Result<std::unique_ptr<FileLock>> lock = env_->Lock(Path("lock"));
  ASSERT_TRUE(lock.has_value());
  EXPECT_TRUE(env_->Exists(Path("lock")).value());
  ExpectError(env_->Lock(Path("lock")), ErrorCode::kLocked, "lock", Path("lock"));
  lock->reset();
  EXPECT_TRUE(env_->Lock(Path("lock")).has_value());
  ExpectError(env_->Lock(Path("no/lock")), ErrorCode::kNotFound, "lock", Path("no/lock"));
}

TEST_P(EnvTest, FillsIdentitiesWithDifferentBytes) {
  std::string first(16, '\0');
  std::string second(16, '\0');
  env_->RandomBytes(first);
  env_->RandomBytes(second);
  EXPECT_NE(first, second);
  EXPECT_NE(first, std::string(16, '\0'));
}

TEST_P(EnvTest, ServesManyThreads) {
  Write("shared", std::string(4096, 's'));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const std::string name = "t" + std::to_string(t);
      for (int i = 0; i < 50; ++i) {
        Write(name, std::string(100, static_cast<char>('a' + t)));
        EXPECT_EQ(Read(name), std::string(100, static_cast<char>('a' + t)));
        EXPECT_EQ(Read("shared"), std::string(4096, 's'));
        EXPECT_TRUE(env_->Remove(Path(name)));
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, EnvTest,
                         ::testing::Values(World{"Posix", {}},
                                           World{"Memory",
                                                 [] { return std::make_unique<MemoryEnv>(); }}),
                         [](const auto& world) { return world.param.name; });

TEST(PosixEnvTest, ReportsAFullDevice) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Result<std::unique_ptr<File>> file = Env::Posix().Open("/dev/full", OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value());
  ExpectError((*file)->WriteAt(0, "x"), ErrorCode::kNoSpace, "write", "/dev/full");
}

TEST(PosixEnvTest, CopiesWhereALinkWouldLeaveTheDevice) {
  struct stat here;
  struct stat there;
  const std::string temporary = std::filesystem::temp_directory_path().string();
  if (stat(temporary.c_str(), &here) != 0 || stat("/dev/shm", &there) != 0 ||
      here.st_dev == there.st_dev) {
    GTEST_SKIP() << "needs two file systems";
  }
  std::string from = temporary + "/trefoil-XXXXXX";
  const int descriptor = mkstemp(from.data());
  ASSERT_GE(descriptor, 0);
  close(descriptor);
  const std::string to = "/dev/shm/" + std::filesystem::path(from).filename().string();
  Env& env = Env::Posix();
  const std::string content(2'500'000, 'x');
  ASSERT_TRUE((*env.Open(from, OpenMode::kReadWrite))->WriteAt(0, content));
  ASSERT_TRUE(env.Link(from, to));
  std::string copied(content.size(), '\0');
  EXPECT_TRUE((*env.Open(to, OpenMode::kRead))->ReadAt(0, copied));
  EXPECT_TRUE(copied == content);
  ExpectError(env.Link(from, to), ErrorCode::kAlreadyExists, "link", from + " -> " + to);
  EXPECT_TRUE(env.Remove(from));
  EXPECT_TRUE(env.Remove(to));
}

TEST(PosixEnvTest, ADirectoryKeepsItsIdentityThroughARenameAndACopyHasAnother) {
  namespace fs = std::filesystem;
  const fs::path directory =
      fs::temp_directory_path() / ("trefoil-identity-" + std::to_string(getpid()));
  fs::remove_all(directory);
  fs::create_directories(directory / "a");
  Env& env = Env::Posix();
  const Result<std::string> first = env.DirectoryIdentity(directory / "a");
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_EQ(first->size(), Env::kIdentityBytes);

  fs::rename(directory / "a", directory / "b");
  EXPECT_EQ(*env.DirectoryIdentity(directory / "b"), *first);
  fs::copy(directory / "b", directory / "a", fs::copy_options::recursive);
  EXPECT_NE(*env.DirectoryIdentity(directory / "a"), *first);
  ExpectError(env.DirectoryIdentity(directory / "c"), ErrorCode::kNotFound, "identify",
              directory / "c");
  fs::remove_all(directory);
}

}  // namespace
}  // namespace trefoil
