// Arena, LruCache and the executors.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/arena.h"
#include "base/executor.h"
#include "base/lru_cache.h"
#include "base/random.h"
#include "tests/support/seed.h"

namespace trefoil {
namespace {

TEST(ArenaTest, PiecesAreAlignedAndDoNotOverlap) {
  Random random(testing::TestSeed());
  Arena arena(1024);
  std::vector<std::string> contents;
  std::vector<const char*> pieces;
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t alignment = std::size_t{1} << random.Uniform(5);
    std::string content(random.Uniform(random.OneIn(20) ? 3'000 : 60), '\0');
    random.Fill(content);
    char* piece = arena.Allocate(content.size(), alignment);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(piece) % alignment, 0u);
    std::memcpy(piece, content.data(), content.size());
    pieces.push_back(piece);
    contents.push_back(std::move(content));
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    ASSERT_EQ(std::string_view(pieces[i], contents[i].size()), contents[i]);
    bytes += contents[i].size();
  }
  EXPECT_GE(arena.reserved_bytes(), bytes);
  EXPECT_LT(arena.reserved_bytes(), 2 * bytes);
}

using Cache = LruCache<int, std::string>;

Cache::Handle Text(const char* text) { return std::make_shared<const std::string>(text); }

TEST(LruCacheTest, DropsTheLeastRecentlyUsedFirst) {
  Cache cache(30, 1);
  for (int key = 0; key < 3; ++key) cache.Insert(key, Text("x"), 10);
  EXPECT_NE(cache.Find(0), nullptr);
  cache.Insert(3, Text("x"), 10);
  EXPECT_NE(cache.Find(0), nullptr);
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_EQ(cache.stats().bytes, 30u);
  EXPECT_EQ(cache.stats().entries, 3u);
  EXPECT_EQ(cache.stats().dropped, 1u);
  EXPECT_EQ(cache.stats().hits, 2u);
  EXPECT_EQ(cache.stats().misses, 1u);
}

TEST(LruCacheTest, KeepsAndCountsWhatIsPinned) {
  Cache cache(20, 1);
  Cache::Handle pinned = cache.Insert(0, Text("pinned"), 10);
  for (int key = 1; key < 10; ++key) cache.Insert(key, Text("x"), 10);
  EXPECT_EQ(cache.Find(0), pinned);
  EXPECT_EQ(cache.stats().bytes, 20u);
  const Cache::Handle large = cache.Insert(10, Text("large"), 100);
  EXPECT_EQ(cache.stats().bytes, 110u);
  pinned.reset();
  cache.Insert(11, Text("x"), 10);
  EXPECT_EQ(cache.Find(0), nullptr);
  EXPECT_EQ(*large, "large");
}

TEST(LruCacheTest, TheFirstOfTwoInsertsWins) {
  Cache cache(100, 1);
  EXPECT_EQ(*cache.Insert(1, Text("first"), 10), "first");
  EXPECT_EQ(*cache.Insert(1, Text("second"), 10), "first");
  const Cache::Handle held = cache.Find(1);
  cache.Erase(1);
  cache.Erase(2);
  EXPECT_EQ(cache.Find(1), nullptr);
  EXPECT_EQ(*held, "first");
  EXPECT_EQ(cache.stats().bytes, 0u);
}

TEST(LruCacheTest, ServesManyThreads) {
  Cache cache(1'000);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&cache, t] {
        Random random(t);
        for (int i = 0; i < 5'000; ++i) {
          const int key = static_cast<int>(random.Uniform(200));
          Cache::Handle handle = cache.Find(key);
          if (handle == nullptr) handle = cache.Insert(key, Text(std::to_string(key).c_str()), 10);
          EXPECT_EQ(*handle, std::to_string(key));
          if (random.OneIn(50)) cache.Erase(key);
        }
      });
    }
  }
  EXPECT_LE(cache.stats().bytes, 1'000u + 4 * 10);
}

TEST(ThreadExecutorTest, RunsEveryTaskBeforeItIsGone) {
  std::atomic<int> ran = 0;
  {
    ThreadExecutor executor(3);
    for (int i = 0; i < 100; ++i) {
      executor.Post([&] {
        ++ran;
        executor.Post([&] { ++ran; });
      });
    }
  }
  EXPECT_EQ(ran, 200);
}

TEST(ThreadExecutorTest, OneThreadRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    ThreadExecutor executor;
    for (int i = 0; i < 100; ++i) executor.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ManualExecutorTest, RunsTasksOnlyWhenTold) {
  std::string log;
  {
    ManualExecutor executor;
    EXPECT_FALSE(executor.RunOne());
    executor.Post([&] { log += 'a'; });
    executor.Post([&] {
      log += 'b';
      executor.Post([&] { log += 'c'; });
    });
    EXPECT_EQ(log, "");
    EXPECT_EQ(executor.waiting(), 2u);
    EXPECT_TRUE(executor.RunOne());
    EXPECT_EQ(log, "a");
    EXPECT_EQ(executor.RunAll(), 2u);
    EXPECT_EQ(log, "abc");
    executor.Post([&] { log += 'd'; });
  }
  EXPECT_EQ(log, "abcd");
}

}  // namespace
}  // namespace trefoil
