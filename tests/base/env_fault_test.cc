#include "base/env_fault.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"

namespace trefoil {
namespace {

using OpenMode = Env::OpenMode;

std::unique_ptr<File> MustOpen(Env& env, const std::string& path, OpenMode mode) {
  Result<std::unique_ptr<File>> file = env.Open(path, mode);
  EXPECT_TRUE(file.has_value()) << (file ? "" : ToString(file.error()));
  return file ? *std::move(file) : nullptr;
}

// A file with `bytes`, durable together with its name.
std::unique_ptr<File> MakeDurable(Env& env, const std::string& path, const std::string& bytes) {
  std::unique_ptr<File> file = MustOpen(env, path, OpenMode::kCreate);
  EXPECT_TRUE(file->WriteAt(0, bytes));
  EXPECT_TRUE(file->Sync());
  EXPECT_TRUE(env.SyncDirectory("/"));
  return file;
}

// The content of a file, or nothing when it is not there.
std::optional<std::string> Content(Env& env, const std::string& path) {
  Result<std::unique_ptr<File>> file = env.Open(path, OpenMode::kRead);
  if (!file) return std::nullopt;
  std::string bytes((*file)->Size().value(), '\0');
  EXPECT_TRUE((*file)->ReadAt(0, bytes));
  return bytes;
}

// Every content of `path` that crashes of `mode` leave.
std::set<std::optional<std::string>> Outcomes(const FaultEnv& env, const std::string& path,
                                              CrashMode mode) {
  std::set<std::optional<std::string>> outcomes;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    outcomes.insert(Content(*env.Crash(mode, seed), path));
  }
  return outcomes;
}

using Contents = std::set<std::optional<std::string>>;
constexpr CrashMode kLossyModes[] = {CrashMode::kLoseAll, CrashMode::kSectors, CrashMode::kTorn};

TEST(FaultEnvCrashTest, KeepsWhatWasSynced) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "hello");
  for (const CrashMode mode : kLossyModes) EXPECT_EQ(Outcomes(env, "a", mode), Contents{"hello"});
}

TEST(FaultEnvCrashTest, LosesOrKeepsEachUnsyncedSector) {
  FaultEnv env;
  const std::string old_bytes(1024, 'o');
  const std::unique_ptr<File> file = MakeDurable(env, "a", old_bytes);
  const std::string new_bytes(1024, 'n');
  ASSERT_TRUE(file->WriteAt(0, new_bytes));
  const std::string o(512, 'o');
  const std::string n(512, 'n');
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kLoseAll), Contents{o + o});
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kKeepAll), Contents{n + n});
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors), (Contents{o + o, o + n, n + o, n + n}));
  EXPECT_GT(Outcomes(env, "a", CrashMode::kTorn).size(), 100u);
}

TEST(FaultEnvCrashTest, LosesAnyPartOfAnUnsyncedSize) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "ab");
  ASSERT_TRUE(file->WriteAt(2, "cd"));
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors),
            (Contents{"ab", "abc", "abcd", std::string("ab\0", 3), std::string("ab\0\0", 4)}));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(file->Truncate(0));
  EXPECT_TRUE(Outcomes(env, "a", CrashMode::kSectors).contains("abcd"));
  EXPECT_TRUE(Outcomes(env, "a", CrashMode::kSectors).contains(""));
}

TEST(FaultEnvCrashTest, BytesCutOffAndGrownBackAreChangedBytes) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "abcd");
  ASSERT_TRUE(file->Truncate(1));
  ASSERT_TRUE(file->Allocate(4));
  const std::string zeros("a\0\0\0", 4);
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors), (Contents{"abcd", zeros}));
  ASSERT_TRUE(file->Sync());
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors), Contents{zeros});
}

TEST(FaultEnvCrashTest, TearsOnlyTheBytesThatChanged) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "synced");
  ASSERT_TRUE(file->WriteAt(6, " and not"));
  for (const std::optional<std::string>& content : Outcomes(env, "a", CrashMode::kTorn)) {
    ASSERT_TRUE(content.has_value());
    EXPECT_TRUE(content->starts_with("synced"));
  }
}

TEST(FaultEnvCrashTest, LosesOrKeepsEachUnsyncedName) {
  FaultEnv env;
  const std::unique_ptr<File> durable = MakeDurable(env, "removed", "r");
  ASSERT_TRUE(env.Link("removed", "linked"));
  ASSERT_TRUE(env.Remove("removed"));
  const std::unique_ptr<File> created = MustOpen(env, "created", OpenMode::kCreate);
  ASSERT_TRUE(created->WriteAt(0, "c"));
  ASSERT_TRUE(created->Sync());
  for (const char* name : {"removed", "linked", "created"}) {
    EXPECT_EQ(Outcomes(env, name, CrashMode::kSectors),
              (Contents{std::nullopt, std::string(1, name[0] == 'c' ? 'c' : 'r')}))
        << name;
  }
  EXPECT_EQ(Outcomes(env, "removed", CrashMode::kLoseAll), Contents{"r"});
  ASSERT_TRUE(env.SyncDirectory("/"));
  EXPECT_EQ(Outcomes(env, "removed", CrashMode::kSectors), Contents{std::nullopt});
  EXPECT_EQ(Outcomes(env, "linked", CrashMode::kSectors), Contents{"r"});
  EXPECT_EQ(Outcomes(env, "created", CrashMode::kSectors), Contents{"c"});
}

TEST(FaultEnvCrashTest, ADirectoryIsLostWithAllInItUntilItsParentIsSynced) {
  FaultEnv env;
  ASSERT_TRUE(env.CreateDirectory("d"));
  const std::unique_ptr<File> file = MustOpen(env, "d/a", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, "x"));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(env.SyncDirectory("d"));
  EXPECT_EQ(Outcomes(env, "d/a", CrashMode::kSectors), (Contents{std::nullopt, "x"}));
  ASSERT_TRUE(env.SyncDirectory("/"));
  EXPECT_EQ(Outcomes(env, "d/a", CrashMode::kSectors), Contents{"x"});
}

TEST(FaultEnvCrashTest, AFileWithTwoNamesStaysOneFile) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "x");
  ASSERT_TRUE(env.Link("a", "b"));
  ASSERT_TRUE(env.SyncDirectory("/"));
  const std::unique_ptr<FaultEnv> after = env.Crash(CrashMode::kSectors, 1);
  ASSERT_TRUE(MustOpen(*after, "a", OpenMode::kReadWrite)->WriteAt(0, "y"));
  EXPECT_EQ(Content(*after, "b"), "y");
}

TEST(FaultEnvCrashTest, StoresThroughAMapAreUnsyncedWrites) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", std::string(1024, 'o'));
  const std::span<char> bytes = file->Map(1024, true).value();
  bytes[0] = 'n';
  bytes[600] = 'n';
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors).size(), 4u);
  ASSERT_TRUE(file->Sync());
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kTorn).size(), 1u);
  bytes[1] = 'n';
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors).size(), 2u);
}

TEST(FaultEnvCrashTest, WhatADeadProcessWroteIsStillUnsynced) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  ASSERT_TRUE(file->WriteAt(0, "new"));
  const std::unique_ptr<FaultEnv> restarted = env.Crash(CrashMode::kKeepAll, 1);
  EXPECT_EQ(Content(*restarted, "a"), "new");
  EXPECT_EQ(Outcomes(*restarted, "a", CrashMode::kLoseAll), Contents{"old"});
}

TEST(FaultEnvCrashTest, AnImageHoldsNoLocksAndIsIndependent) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  const std::unique_ptr<FileLock> lock = env.Lock("lock").value();
  const std::unique_ptr<FaultEnv> after = env.Crash(CrashMode::kKeepAll, 1);
  EXPECT_TRUE(after->Lock("lock").has_value());
  ASSERT_TRUE(file->WriteAt(0, "new"));
  EXPECT_EQ(Content(*after, "a"), "old");
}

TEST(FaultEnvPowerTest, EveryCallFailsAfterThePowerOffAndNothingChanges) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  const std::span<char> bytes = file->Map(3, true).value();
  env.PowerOffAt(env.events() + 2);
  ASSERT_TRUE(file->WriteAt(0, "new"));
  const Status sync = file->Sync();
  ASSERT_FALSE(sync);
  EXPECT_EQ(sync.error().code, ErrorCode::kIo);
  EXPECT_EQ(sync.error().message, "sync a: the power is off");
  EXPECT_TRUE(env.is_off());
  bytes[0] = '?';
  EXPECT_FALSE(file->WriteAt(0, "x"));
  EXPECT_FALSE(file->ReadAt(0, bytes));
  EXPECT_FALSE(env.Remove("a"));
  EXPECT_FALSE(env.Open("a", OpenMode::kRead).has_value());
  EXPECT_EQ(Outcomes(env, "a", CrashMode::kSectors), (Contents{"old", "new"}));
}

TEST(FaultEnvPowerTest, TheObserverSeesEveryEventBeforeItsEffect) {
  FaultEnv env;
  std::vector<std::string> seen;
  env.Observe([&](const FileEvent& event) {
    seen.push_back(StrCat(event.number, " ", FileOperationName(event.operation), " ", event.path,
                          " ", Content(*env.Crash(CrashMode::kLoseAll, 0), "a").value_or("none")));
  });
  MakeDurable(env, "a", "x");
  ASSERT_TRUE(env.Remove("a"));
  EXPECT_EQ(seen, (std::vector<std::string>{"1 open a none", "2 write a none", "3 sync a none",
                                            "4 sync directory / none", "5 remove a x"}));
}

TEST(FaultEnvFaultTest, FailsTheNthCallOnceOrForEver) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "x");
  env.Inject({.operation = FileOperation::kWrite, .skip = 1});
  EXPECT_TRUE(file->WriteAt(0, "1"));
  const Status failed = file->WriteAt(0, "2");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "write a: injected fault");
  EXPECT_TRUE(file->WriteAt(0, "3"));
  env.Inject({.operation = FileOperation::kRead,
              .path_part = "a",
              .times = Fault::kForever,
              .code = ErrorCode::kPermission});
  std::string byte(1, '\0');
  for (int i = 0; i < 3; ++i) {
    const Status read = file->ReadAt(0, byte);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kPermission);
  }
  env.ClearFaults();
  EXPECT_TRUE(file->ReadAt(0, byte));
  EXPECT_EQ(byte, "3");
  EXPECT_EQ(env.calls(FileOperation::kWrite), 4u);
}

TEST(FaultEnvFaultTest, FailsEveryKindOfCall) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "x");
  for (std::size_t i = 0; i < kFileOperations; ++i) {
    env.Inject({.operation = static_cast<FileOperation>(i), .times = Fault::kForever});
  }
  std::string byte(1, '\0');
  EXPECT_FALSE(env.Open("a", OpenMode::kRead).has_value());
  EXPECT_FALSE(env.Open("b", OpenMode::kCreate).has_value());
  EXPECT_FALSE(file->ReadAt(0, byte));
  EXPECT_FALSE(file->WriteAt(0, "y"));
  EXPECT_FALSE(file->Sync());
  EXPECT_FALSE(file->Allocate(9));
  EXPECT_FALSE(file->Truncate(0));
  EXPECT_FALSE(file->Map(1, false).has_value());
  EXPECT_FALSE(env.Remove("a"));
  EXPECT_FALSE(env.Exists("a").has_value());
  EXPECT_FALSE(env.CreateDirectory("d"));
  EXPECT_FALSE(env.RemoveDirectory("d"));
  EXPECT_FALSE(env.List("/").has_value());
  EXPECT_FALSE(env.SyncDirectory("/"));
  EXPECT_FALSE(env.Link("a", "b"));
  EXPECT_FALSE(env.Lock("lock").has_value());
  env.ClearFaults();
  EXPECT_EQ(env.List("/").value(), std::vector<std::string>{"a"});
  EXPECT_EQ(Content(env, "a"), "x");
}

TEST(FaultEnvFaultTest, AShortWriteLeavesAPrefixAndATornOneSomeSectors) {
  std::set<std::string> shortened;
  std::set<std::string> torn;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FaultEnv env({.seed = seed});
    const std::unique_ptr<File> a = MustOpen(env, "a", OpenMode::kCreate);
    env.Inject({.operation = FileOperation::kWrite, .effect = FaultEffect::kShort});
    EXPECT_FALSE(a->WriteAt(0, "abc"));
    shortened.insert(*Content(env, "a"));
    const std::unique_ptr<File> b = MakeDurable(env, "b", std::string(1024, '.'));
    env.Inject({.operation = FileOperation::kWrite, .effect = FaultEffect::kTear});
    const std::string full(600, 'n');
    EXPECT_FALSE(b->WriteAt(100, full));
    torn.insert(*Content(env, "b"));
  }
  EXPECT_EQ(shortened, (std::set<std::string>{"", "a", "ab"}));
  EXPECT_EQ(torn.size(), 4u);
}

TEST(FaultEnvFaultTest, AFailedSyncKeepsWhatNoLaterSyncWrites) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", std::string(1024, 'o'));
  env.Inject({.operation = FileOperation::kSync});
  ASSERT_TRUE(file->WriteAt(0, "n"));
  EXPECT_FALSE(file->Sync());
  EXPECT_EQ(Content(env, "a")->front(), 'n');
  ASSERT_TRUE(file->WriteAt(600, "n"));
  EXPECT_TRUE(file->Sync());
  const std::string after = *Content(*env.Crash(CrashMode::kLoseAll, 0), "a");
  EXPECT_EQ(after[0], 'o');
  EXPECT_EQ(after[600], 'n');
  ASSERT_TRUE(file->WriteAt(1, "n"));
  EXPECT_TRUE(file->Sync());
  EXPECT_TRUE(Content(*env.Crash(CrashMode::kLoseAll, 0), "a")->starts_with("nno"));
}

TEST(FaultEnvFaultTest, ARevertedSyncTakesTheCacheWithIt) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  env.Inject({.operation = FileOperation::kSync, .effect = FaultEffect::kRevert});
  ASSERT_TRUE(file->WriteAt(0, "new+"));
  EXPECT_FALSE(file->Sync());
  EXPECT_EQ(Content(env, "a"), std::string("old\0", 4));
}

TEST(FaultEnvFaultTest, ALostCallSaysItSucceeded) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  env.Inject({.operation = FileOperation::kWrite, .effect = FaultEffect::kLose});
  env.Inject({.operation = FileOperation::kSync, .effect = FaultEffect::kLose});
  env.Inject({.operation = FileOperation::kRemove, .effect = FaultEffect::kLose});
  EXPECT_TRUE(file->WriteAt(0, "new"));
  EXPECT_EQ(Content(env, "a"), "old");
  EXPECT_TRUE(file->WriteAt(0, "two"));
  EXPECT_TRUE(file->Sync());
  EXPECT_TRUE(env.Remove("a"));
  EXPECT_EQ(Content(*env.Crash(CrashMode::kLoseAll, 0), "a"), "old");
}

TEST(FaultEnvFaultTest, ADelayMovesTheClockAndDoesTheWork) {
  ManualClock clock;
  FaultEnv env({.seed = 1, .clock = &clock});
  const std::unique_ptr<File> file = MakeDurable(env, "a", "old");
  env.Inject(
      {.operation = FileOperation::kSync, .effect = FaultEffect::kDelay, .delay_micros = 500});
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(clock.MonotonicMicros(), 500u);
}

TEST(FaultEnvFaultTest, AFullDiskTakesWhatFitsAndWorksAgainWhenThereIsRoom) {
  FaultEnv env;
  env.SetCapacity(10);
  const std::unique_ptr<File> a = MustOpen(env, "a", OpenMode::kCreate);
  const std::unique_ptr<File> b = MustOpen(env, "b", OpenMode::kCreate);
  ASSERT_TRUE(a->WriteAt(0, "123456"));
  const Status full = b->WriteAt(0, "123456");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(Content(env, "b"), "1234");
  EXPECT_TRUE(a->WriteAt(0, "654321"));
  EXPECT_FALSE(a->Allocate(7));
  ASSERT_TRUE(env.Remove("b"));
  EXPECT_TRUE(a->Allocate(10));
}

TEST(FaultEnvFaultTest, FlipsABitAsSeenAndAsSynced) {
  FaultEnv env;
  const std::unique_ptr<File> file = MakeDurable(env, "a", "a");
  ASSERT_TRUE(env.FlipBit("a", 1));
  EXPECT_EQ(Content(env, "a"), "c");
  EXPECT_EQ(Content(*env.Crash(CrashMode::kTorn, 0), "a"), "c");
  const Status beyond = env.FlipBit("a", 8);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::kInvalidArgument);
  const Status missing = env.FlipBit("b", 0);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST(FaultEnvFaultTest, TheSameSeedGivesTheSameRun) {
  const auto run = [](std::uint64_t seed) {
    FaultEnv env({.seed = seed});
    std::string log;
    const std::unique_ptr<File> file = MustOpen(env, "a", OpenMode::kCreate);
    env.SetRates({.fail_one_in = 5, .short_one_in = 5, .tear_one_in = 5});
    for (int i = 0; i < 50; ++i) {
      const std::string bytes(700, static_cast<char>('a' + i % 26));
      log += file->WriteAt(static_cast<std::uint64_t>(i) * 100, bytes) ? '.' : 'F';
    }
    return log + *Content(env, "a") + Content(*env.Crash(CrashMode::kTorn, seed), "a").value_or("");
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

}  // namespace
}  // namespace trefoil
