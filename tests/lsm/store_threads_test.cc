// Readers and writers on threads beside flushes and compactions; meant for ThreadSanitizer. And a
// real process that is killed: what it was told is there stays there.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/memtable.h"
#include "lsm/store.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

constexpr int kKeys = 200;

double Scale() {
  const char* given = std::getenv("TREFOIL_SCALE");
  return given != nullptr ? std::strtod(given, nullptr) : 1;
}

StoreOptions BusyOptions() {
  StoreOptions options;
  options.memtable_bytes = std::size_t{256} << 10;
  options.file_bytes = std::size_t{32} << 10;
  options.level1_bytes = std::size_t{64} << 10;
  options.sync_interval_ms = 1;
  return options;
}

std::string KeyOf(int i) { return StrCat("key", 1000 + i); }

// Every batch writes one number to every key, so each state has one number everywhere.
void WriteEverywhere(Store& store, int number, Durability durability) {
  WriteBatch batch;
  const std::string value = StrCat(number);
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = KeyOf(i);
    batch.Put(key, value);
  }
  ASSERT_TRUE(store.Write(batch, durability));
}

void CheckOneState(const Store& store, bool forward) {
  const Snapshot snapshot = store.GetSnapshot();
  if (snapshot.sequence() == 0) return;
  const std::string number = std::to_string(snapshot.sequence());
  const std::unique_ptr<Iterator> iterator = store.NewIterator({}, snapshot);
  int count = 0;
  for (forward ? iterator->SeekToFirst() : iterator->SeekToLast(); iterator->Valid();
       forward ? iterator->Next() : iterator->Prev()) {
    ASSERT_EQ(iterator->value().view(), number);
    ++count;
  }
  ASSERT_TRUE(iterator->status());
  ASSERT_EQ(count, kKeys);
  const std::string key = KeyOf(static_cast<int>(snapshot.sequence() % kKeys));
  ASSERT_EQ(*store.Get(key, snapshot), number);
  const std::vector<Slice> keys = {key, "missing"};
  ASSERT_EQ((*store.MultiGet(keys, snapshot))[0], number);
}

TEST(StoreThreadsTest, ReadersSeeWholeBatchesBesideAWriterAndCompaction) {
  MemoryEnv env;
  Result<std::unique_ptr<Store>> store = Store::Open(env, "db", BusyOptions());
  ASSERT_TRUE(store);
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      while (!done && !::testing::Test::HasFailure()) CheckOneState(**store, reader % 2 == 0);
    });
  }
  const int batches = static_cast<int>(1500 * Scale());
  for (int i = 1; i <= batches && !::testing::Test::HasFailure(); ++i) {
    WriteEverywhere(**store, i, i % 50 == 0 ? Durability::kDurable : Durability::kRelaxed);
  }
  done = true;
  readers.clear();
  const StoreStats stats = (*store)->Stats();
  EXPECT_GT(stats.flushes, 0u);
  EXPECT_GT(stats.compactions + stats.trivial_moves, 0u);
}

TEST(StoreThreadsTest, AReaderOpensBesideAWriterWhoseFilesComeAndGo) {
  Env& env = Env::Posix();
  const std::string path =
      std::filesystem::temp_directory_path() / StrCat("trefoil-beside-", getpid());
  std::filesystem::remove_all(path);
  Result<std::unique_ptr<Store>> store = Store::Open(env, path, BusyOptions());
  ASSERT_TRUE(store);
  WriteEverywhere(**store, 1, Durability::kDurable);
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    for (int i = 2; !done && !::testing::Test::HasFailure(); ++i) {
      WriteEverywhere(**store, i, Durability::kRelaxed);
      if (i % 20 != 0) continue;
      ASSERT_TRUE((*store)->Flush());
      // What is renewed faster than it can be read is never opened.
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  StoreOptions reader = BusyOptions();
  reader.read_only = true;
  for (int i = 0; i < 30 && !::testing::Test::HasFailure(); ++i) {
    const Result<std::unique_ptr<Store>> beside = Store::Open(env, path, reader);
    EXPECT_TRUE(beside) << ToString(beside.error());
    if (beside) CheckOneState(**beside, /*forward=*/true);
  }
  done = true;
  writer.join();
  store->reset();  // its compaction still creates and removes files
  std::filesystem::remove_all(path);
}

TEST(StoreThreadsTest, WritersOfSeveralThreadsShareSyncs) {
  MemoryEnv env;
  Result<std::unique_ptr<Store>> store = Store::Open(env, "db", BusyOptions());
  ASSERT_TRUE(store);
  constexpr int kWriters = 4;
  constexpr int kBatches = 200;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kBatches; ++i) {
        WriteBatch batch;
        const std::string key = StrCat("writer", writer, ".", i);
        batch.Put(key, "x");
        const Result<SequenceNumber> written = (*store)->Write(batch, Durability::kDurable);
        ASSERT_TRUE(written);
        ASSERT_GE((*store)->durable_sequence(), *written);
      }
    });
  }
  writers.clear();
  EXPECT_EQ((*store)->last_sequence(), std::uint64_t{kWriters * kBatches});
  EXPECT_EQ((*store)->ApproximateCount({}), std::uint64_t{kWriters * kBatches});
}

TEST(MemtableTest, ReadersFindEveryPublishedKeyWhileNodesSplit) {
  Random random(testing::TestSeed());
  const std::uint64_t stride = random.Next() | 1;
  const auto key_of = [&](std::uint64_t i) {
    std::string key(8, '\0');
    const std::uint64_t mixed = __builtin_bswap64(i * stride);
    std::memcpy(key.data(), &mixed, 8);
    return key;
  };
  Memtable memtable;
  std::atomic<std::uint64_t> published = 0;
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      Random pick(static_cast<std::uint64_t>(reader));
      while (!done && !::testing::Test::HasFailure()) {
        const std::uint64_t last = published.load(std::memory_order_acquire);
        if (last == 0) continue;
        const std::string key = key_of(1 + pick.Uniform(last));
        PointLookup lookup;
        lookup.key = key;
        lookup.snapshot = last;
        ASSERT_TRUE(memtable.Get(lookup));
        ASSERT_TRUE(lookup.found);
        if (!pick.OneIn(1000)) continue;
        const std::unique_ptr<RunCursor> cursor = memtable.NewCursor({.snapshot = last});
        std::uint64_t count = 0;
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) ++count;
        ASSERT_EQ(count, last);
        count = 0;
        for (cursor->SeekToLast(); cursor->Valid(); cursor->Prev()) ++count;
        ASSERT_EQ(count, last);
      }
    });
  }
  const auto total = static_cast<std::uint64_t>(30'000 * Scale());
  for (std::uint64_t i = 1; i <= total; ++i) {
    const std::string key = key_of(i);
    memtable.Insert({.key = key, .sequence = i, .kind = EntryKind::kPut, .value = "v"});
    published.store(i, std::memory_order_release);
  }
  done = true;
}

// Writes batch after batch and tells the parent through the pipe, before for attempts and after
// for what is promised, until it is killed.
[[noreturn]] void WriteUntilKilled(const std::string& path, int pipe) {
  Result<std::unique_ptr<Store>> store = Store::Open(Env::Posix(), path, BusyOptions());
  if (!store) _exit(1);
  for (SequenceNumber next = (*store)->last_sequence() + 1;; ++next) {
    WriteBatch batch;
    const std::string value = StrCat(next);
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = KeyOf(i);
      batch.Put(key, value);
    }
    const auto durability = next % 8 == 0 ? Durability::kDurable : Durability::kRelaxed;
    if (!(*store)->Write(batch, durability)) _exit(2);
    if (write(pipe, &next, sizeof next) != sizeof next) _exit(3);
  }
}

// A killed process loses nothing that it was told is written: the log is mapped memory of the
// kernel, whatever the durability.
TEST(StoreKillTest, AKilledProcessLosesNoBatchThatItWasTold) {
  const std::string path =
      std::filesystem::temp_directory_path() / StrCat("trefoil-kill-", getpid());
  std::filesystem::remove_all(path);
  Random random(testing::TestSeed());
  SequenceNumber told = 0;
  const int rounds = std::max(1, static_cast<int>(8 * Scale()));
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      WriteUntilKilled(path, ends[1]);
    }
    close(ends[1]);
    const std::uint64_t batches = 1 + random.Uniform(400);
    SequenceNumber number = 0;
    for (std::uint64_t i = 0; i < batches; ++i) {
      ASSERT_EQ(read(ends[0], &number, sizeof number), static_cast<ssize_t>(sizeof number));
      told = number;
    }
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
      told = number;
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    close(ends[0]);
    StoreOptions reader = BusyOptions();
    reader.read_only = true;
    Result<std::unique_ptr<Store>> store = Store::Open(Env::Posix(), path, reader);
    ASSERT_TRUE(store) << ToString(store.error());
    ASSERT_GE((*store)->last_sequence(), told);
    CheckOneState(**store, round % 2 == 0);
  }
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace trefoil::lsm
