#include "lsm/log_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/env_memory.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {
namespace {

TEST(LogWriterTest, SegmentsThatAreFreedInBunchesAreUsedAgain) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("db").has_value());
  const Sometimes sometimes(0);
  std::uint64_t files = 0;
  LogWriter log({.env = &env,
                 .directory = "db",
                 .uuid = std::string(16, 'u'),
                 .segment_bytes = 64 << 10,
                 .new_file_number = [&] { return FileNumber{++files}; },
                 .sometimes = &sometimes},
                0, {});
  const std::string payload(1000, 'p');
  for (std::uint64_t segment = 1; segment < 100;) {
    ASSERT_TRUE(log.Append(0, Slice(payload)).has_value());
    if (log.wants_spare()) {
      ASSERT_TRUE(log.PrepareSpare().has_value());
    }
    if (log.current_segment() < segment + 3) continue;
    ASSERT_TRUE(log.Sync().has_value());
    segment = log.current_segment();
    log.Retire(segment);
  }
  EXPECT_LE(files, 3 + kLogSparesMax);
  log.Trim();
  EXPECT_EQ(env.List("db")->size(), 1u);
}

std::string ReadWhole(Env& env, const std::string& path) {
  const std::unique_ptr<File> file = *env.Open(path, Env::OpenMode::kRead);
  std::string bytes(*file->Size(), '\0');
  EXPECT_TRUE(file->ReadAt(0, std::span(bytes.data(), bytes.size())).has_value());
  return bytes;
}

TEST(LogWriterTest, PopulatingAheadChangesNoByteWhereverTheSegmentEnds) {
  std::string directory = (std::filesystem::temp_directory_path() / "trefoil-log-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  Env& env = Env::Posix();
  const Sometimes sometimes(0);
  std::uint64_t files = 0;
  {
    LogWriter log({.env = &env,
                   .directory = directory,
                   .uuid = std::string(16, 'u'),
                   .segment_bytes = 64 << 10,
                   .new_file_number = [&] { return FileNumber{++files}; },
                   .sometimes = &sometimes},
                  0, {});
    log.PopulateAhead(1 << 20);  // there is no segment yet
    const std::string payload(1000, 'p');
    while (files < 3) {
      ASSERT_TRUE(log.Append(0, Slice(payload)).has_value());
      const std::string path =
          FilePath(directory, {.kind = FileKind::kLog, .number = FileNumber{files}});
      const std::string before = ReadWhole(env, path);
      log.PopulateAhead(3000);
      log.PopulateAhead(1 << 20);
      ASSERT_EQ(ReadWhole(env, path), before);
    }
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace trefoil::lsm
