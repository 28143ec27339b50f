// Large values through the whole store.
#include <gtest/gtest.h>

#include <map>

#include "base/env_memory.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/file_names.h"
#include "lsm/store.h"
#include "tests/support/seed.h"

namespace trefoil::lsm {
namespace {

StoreOptions SmallOptions() {
  StoreOptions options;
  options.background_work = false;
  options.file_bytes = 64 << 10;
  options.level1_bytes = 128 << 10;
  return options;
}

std::string ValueOf(std::uint64_t number, std::size_t size_bytes) {
  std::string value(size_bytes, '\0');
  Random random(number);
  random.Fill(value);
  return value;
}

void Settle(Store& store) {
  ASSERT_TRUE(store.Flush().has_value());
  while (store.Step(1 << 20).value()) {
  }
}

// Bytes of the files of one kind.
std::uint64_t BytesOf(Env& env, FileKind kind) {
  std::uint64_t bytes = 0;
  const std::vector<std::string> names = env.List("db").value();
  for (const std::string& name : names) {
    const std::optional<NumberedFile> file = ParseFileName(name);
    if (!file || file->kind != kind) continue;
    bytes += env.Open(StrCat("db/", name), Env::OpenMode::kRead).value()->Size().value();
  }
  return bytes;
}

using Model = std::map<std::string, std::string>;

void ExpectSame(const Store& store, const Model& model, const Snapshot& snapshot) {
  const std::unique_ptr<Iterator> iterator = store.NewIterator({}, snapshot);
  iterator->SeekToFirst();
  for (const auto& [key, value] : model) {
    ASSERT_TRUE(iterator->Valid()) << key;
    ASSERT_EQ(iterator->key(), Slice(key));
    ASSERT_EQ(iterator->value(), Slice(value));
    ASSERT_EQ(store.Get(key, snapshot).value(), value);
    iterator->Next();
  }
  ASSERT_FALSE(iterator->Valid());
  ASSERT_TRUE(iterator->status().has_value());
}

TEST(StoreBlobTest, LargeValuesLieInBlobFilesAndComeBackAfterReopening) {
  MemoryEnv env;
  Model model;
  {
    const std::unique_ptr<Store> store = Store::Open(env, "db", SmallOptions()).value();
    for (std::uint64_t i = 0; i < 200; ++i) {
      const std::string key = StrCat("key", 1000 + i);
      model[key] = ValueOf(i, i % 3 == 0 ? 100 : 1025 + i * 20);
      WriteBatch batch;
      batch.Put(key, model[key]);
      ASSERT_TRUE(store->Write(batch, Durability::kRelaxed).has_value());
    }
    ASSERT_NO_FATAL_FAILURE(Settle(*store));
    EXPECT_LT(BytesOf(env, FileKind::kSst), 100'000U);
    EXPECT_GT(BytesOf(env, FileKind::kBlob), 300'000U);
    ExpectSame(*store, model, store->GetSnapshot());
  }
  const std::unique_ptr<Store> store = Store::Open(env, "db", SmallOptions()).value();
  ExpectSame(*store, model, store->GetSnapshot());
}

TEST(StoreBlobTest, RandomHistoriesKeepEveryValueAndCollectGarbage) {
  Random random(testing::TestSeed());
  MemoryEnv env;
  std::unique_ptr<Store> store = Store::Open(env, "db", SmallOptions()).value();
  Model model;
  std::vector<std::pair<Snapshot, Model>> held;
  std::uint64_t live_bytes = 0;
  for (int round = 0; round < 150 * testing::TestScale(); ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = StrCat("key", 100 + random.Uniform(300));
      WriteBatch batch;
      if (random.OneIn(5)) {
        batch.Delete(key);
        model.erase(key);
      } else {
        model[key] = ValueOf(random.Next(), random.Uniform(4000));
        batch.Put(key, model[key]);
      }
      ASSERT_TRUE(store->Write(batch, Durability::kRelaxed).has_value());
    }
    if (random.OneIn(6)) held.emplace_back(store->GetSnapshot(), model);
    if (held.size() > 3) held.erase(held.begin());
    if (random.OneIn(3)) {
      ASSERT_TRUE(store->Flush().has_value());
    }
    if (random.OneIn(3)) {
      ASSERT_TRUE(store->Step(20'000).has_value());
    }
    if (random.OneIn(20)) {
      held.clear();
      store.reset();
      store = Store::Open(env, "db", SmallOptions()).value();
    }
    if (!random.OneIn(10)) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*store, model, store->GetSnapshot()));
    for (const auto& [snapshot, then] : held) {
      ASSERT_NO_FATAL_FAILURE(ExpectSame(*store, then, snapshot));
    }
  }
  held.clear();
  ASSERT_TRUE(store->Compact({}).has_value());
  ASSERT_NO_FATAL_FAILURE(Settle(*store));
  ASSERT_NO_FATAL_FAILURE(ExpectSame(*store, model, store->GetSnapshot()));
  for (const auto& [key, value] : model) live_bytes += value.size() > 1024 ? value.size() : 0;
  EXPECT_LT(BytesOf(env, FileKind::kBlob), 2 * live_bytes + 20'000);
}

}  // namespace
}  // namespace trefoil::lsm
