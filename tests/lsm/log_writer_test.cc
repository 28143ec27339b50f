#include "lsm/log_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/env_memory.h"

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

}  // namespace
}  // namespace trefoil::lsm
