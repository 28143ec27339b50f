// What is not reading and writing: bad input at open, history, bulk loading, copies, checks,
// repair.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/env_fault.h"
#include "base/str_cat.h"
#include "lsm/store.h"

namespace trefoil::lsm {
namespace {

constexpr std::uint64_t kSeed = 7;

StoreOptions SmallOptions() {
  StoreOptions options;
  options.background_work = false;
  options.memtable_bytes = std::size_t{64} << 10;
  options.file_bytes = std::size_t{8} << 10;
  return options;
}

std::unique_ptr<Store> MustOpen(Env& env, const std::string& path) {
  Result<std::unique_ptr<Store>> store = Store::Open(env, path, SmallOptions());
  if (!store) {
    ADD_FAILURE() << ToString(store.error());
    return nullptr;
  }
  return *std::move(store);
}

SequenceNumber MustPut(Store& store, Slice key, Slice value) {
  WriteBatch batch;
  batch.Put(key, value);
  const Result<SequenceNumber> written = store.Write(batch, Durability::kDurable);
  EXPECT_TRUE(written) << ToString(written.error());
  return written ? *written : 0;
}

void Fill(Store& store, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = StrCat("key", 1000 + i);
    const std::string value = StrCat("value ", i, std::string(50, 'v'));
    MustPut(store, key, value);
  }
}

std::string Scan(Store& store, const Snapshot& snapshot) {
  std::string text;
  const std::unique_ptr<Iterator> iterator = store.NewIterator({}, snapshot);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    text += StrCat(iterator->key(), "=", iterator->value(), "\n");
  }
  EXPECT_TRUE(iterator->status()) << ToString(iterator->status().error());
  return text;
}

ErrorCode OpenError(Env& env, const std::string& path, const StoreOptions& options) {
  const Result<std::unique_ptr<Store>> store = Store::Open(env, path, options);
  EXPECT_FALSE(store);
  EXPECT_TRUE(store || !store.error().message.empty());
  return store ? ErrorCode::kInvalidArgument : store.error().code;
}

void WriteFile(Env& env, const std::string& path, Slice bytes) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kCreate);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->WriteAt(0, bytes));
}

std::vector<std::string> Names(Env& env, const std::string& directory) {
  Result<std::vector<std::string>> names = env.List(directory);
  EXPECT_TRUE(names);
  return names ? *std::move(names) : std::vector<std::string>();
}

// The only file of the directory whose name ends so.
std::string FileWithEnd(Env& env, const std::string& directory, std::string_view end) {
  for (const std::string& name : Names(env, directory)) {
    if (name.ends_with(end)) return StrCat(directory, "/", name);
  }
  ADD_FAILURE() << "no file ends with " << end;
  return {};
}

class StoreCareTest : public ::testing::Test {
 protected:
  FaultEnv env_{{.seed = kSeed}};
};

TEST_F(StoreCareTest, AnOpenThatFailsSaysWhyAndChangesNothing) {
  StoreOptions keep = SmallOptions();
  keep.create = false;
  EXPECT_EQ(OpenError(env_, "none", keep), ErrorCode::kNotFound);
  StoreOptions reader = SmallOptions();
  reader.read_only = true;
  EXPECT_EQ(OpenError(env_, "none", reader), ErrorCode::kNotFound);
  EXPECT_FALSE(*env_.Exists("none"));

  ASSERT_TRUE(env_.CreateDirectory("foreign"));
  WriteFile(env_, "foreign/letter.txt", "dear");
  EXPECT_EQ(OpenError(env_, "foreign", SmallOptions()), ErrorCode::kForeignDatabase);
  EXPECT_EQ(env_.List("foreign")->size(), 1u);
}

TEST_F(StoreCareTest, AFileWhereTheDirectoryShouldBeIsRefused) {
  WriteFile(env_, "file", "bytes");
  const Result<std::unique_ptr<Store>> store = Store::Open(env_, "file", SmallOptions());
  EXPECT_FALSE(store);
}

TEST_F(StoreCareTest, ASecondWriterIsKeptOutAndAReaderIsNot) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  MustPut(*store, "a", "1");
  EXPECT_EQ(OpenError(env_, "db", SmallOptions()), ErrorCode::kLocked);
  StoreOptions reader = SmallOptions();
  reader.read_only = true;
  const Result<std::unique_ptr<Store>> beside = Store::Open(env_, "db", reader);
  ASSERT_TRUE(beside) << ToString(beside.error());
  EXPECT_EQ(Scan(**beside, (*beside)->GetSnapshot()), "a=1\n");
  const Result<SequenceNumber> written = (*beside)->Write(WriteBatch(), Durability::kRelaxed);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kReadOnly);
  EXPECT_FALSE((*beside)->Flush());
  EXPECT_FALSE((*beside)->Step(1));
}

TEST_F(StoreCareTest, AMissingSuperblockManifestOrSortedFileIsNamed) {
  for (const std::string_view end : {"super", ".man", ".sst"}) {
    const std::string path = StrCat("db", end);
    {
      const std::unique_ptr<Store> store = MustOpen(env_, path);
      Fill(*store, 100);
      ASSERT_TRUE(store->Flush());
    }
    const std::string victim = FileWithEnd(env_, path, end);
    ASSERT_TRUE(env_.Remove(victim));
    const Result<std::unique_ptr<Store>> store = Store::Open(env_, path, SmallOptions());
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorruption) << ToString(store.error());
    EXPECT_NE(store.error().message.find(end), std::string::npos) << ToString(store.error());
  }
}

TEST_F(StoreCareTest, AKeyOrBatchBeyondItsLimitIsRefusedByName) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  WriteBatch batch;
  batch.Put(std::string_view(std::string(std::size_t{64} << 10, 'k')), "at the limit");
  EXPECT_TRUE(store->Write(batch, Durability::kRelaxed));
  batch.Clear();
  batch.Put(std::string_view(std::string((std::size_t{64} << 10) + 1, 'k')), "above it");
  const Result<SequenceNumber> written = store->Write(batch, Durability::kRelaxed);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kLimit);
  EXPECT_EQ(store->last_sequence(), 1u);
}

TEST_F(StoreCareTest, WritesResumeWhenTheDiskHasRoomAgain) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  MustPut(*store, "a", "1");
  env_.SetCapacity(1);
  ErrorCode code = ErrorCode::kInvalidArgument;
  for (int i = 0; i < 1000 && code != ErrorCode::kNoSpace; ++i) {
    WriteBatch batch;
    batch.Put("b", std::string_view(std::string(1000, 'b')));
    const Result<SequenceNumber> written = store->Write(batch, Durability::kRelaxed);
    if (!written) code = written.error().code;
  }
  EXPECT_EQ(code, ErrorCode::kNoSpace);
  EXPECT_EQ(*store->Get("a", store->GetSnapshot()), "1");
  env_.SetCapacity(std::uint64_t{1} << 30);
  MustPut(*store, "c", "3");
  EXPECT_EQ(*store->Get("c", store->GetSnapshot()), "3");
}

TEST_F(StoreCareTest, AFailedSyncStopsWritesButNotReads) {
  std::unique_ptr<Store> store = MustOpen(env_, "db");
  MustPut(*store, "a", "1");
  env_.Inject({.operation = FileOperation::kSync, .path_part = ".log"});
  WriteBatch batch;
  batch.Put("b", "2");
  EXPECT_FALSE(store->Write(batch, Durability::kDurable));
  const Result<SequenceNumber> written = store->Write(batch, Durability::kRelaxed);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kPoisoned);
  EXPECT_EQ(store->durable_sequence(), 1u);
  EXPECT_EQ(*store->Get("a", store->GetSnapshot()), "1");
  store.reset();
  store = MustOpen(env_, "db");
  EXPECT_TRUE(store->recovered());
  MustPut(*store, "c", "3");
  EXPECT_EQ(*store->Get("a", store->GetSnapshot()), "1");
}

TEST_F(StoreCareTest, VersionsFromTheHorizonOnCanBeReadAgain) {
  std::unique_ptr<Store> store = MustOpen(env_, "db");
  MustPut(*store, "a", "1");
  MustPut(*store, "a", "2");
  store->SetHistoryHorizon(2);
  EXPECT_EQ(store->history_horizon(), 2u);
  MustPut(*store, "a", "3");
  MustPut(*store, "b", "4");
  ASSERT_TRUE(store->Compact({}));
  EXPECT_EQ(Scan(*store, *store->SnapshotAt(2)), "a=2\n");
  EXPECT_EQ(Scan(*store, *store->SnapshotAt(3)), "a=3\n");
  const Result<Snapshot> old = store->SnapshotAt(1);
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, ErrorCode::kTooOld);
  EXPECT_EQ(store->SnapshotAt(5).error().code, ErrorCode::kInvalidArgument);
  store.reset();
  store = MustOpen(env_, "db");
  EXPECT_EQ(store->history_horizon(), 2u);
  EXPECT_EQ(Scan(*store, *store->SnapshotAt(2)), "a=2\n");
}

Store::EntrySource Numbers(int from, int to) {
  return [next = from, to](std::string* key, std::string* value) mutable {
    if (next == to) return false;
    *key = StrCat("n", 10'000 + next);
    *value = StrCat(next++);
    return true;
  };
}

TEST_F(StoreCareTest, ASortedRunIsOneBatchAndSurvivesAPowerCut) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  MustPut(*store, "a", "1");
  const Snapshot before = store->GetSnapshot();
  EXPECT_EQ(store->IngestSorted(Numbers(0, 5000)).value(), 2u);
  EXPECT_EQ(store->durable_sequence(), 2u);
  EXPECT_EQ(Scan(*store, before), "a=1\n");
  EXPECT_EQ(MustPut(*store, "n10000", "new"), 3u);
  const std::unique_ptr<FaultEnv> left = env_.Crash(CrashMode::kLoseAll, kSeed);
  const std::unique_ptr<Store> again = MustOpen(*left, "db");
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(Scan(*again, again->GetSnapshot()), Scan(*store, store->GetSnapshot()));
  EXPECT_EQ(again->ApproximateCount({}), 5002u);
}

TEST_F(StoreCareTest, ARunThatIsNotSortedIsRefusedAndLeavesNothing) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  int calls = 0;
  const Result<SequenceNumber> ingested = store->IngestSorted([&](std::string* key, std::string*) {
    *key = calls++ == 1 ? "a" : "b";
    return calls < 4;
  });
  ASSERT_FALSE(ingested);
  EXPECT_EQ(ingested.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(store->last_sequence(), 0u);
  for (const std::string& name : Names(env_, "db")) EXPECT_FALSE(name.ends_with(".sst")) << name;
}

TEST_F(StoreCareTest, ACheckpointIsAStoreOfItsOwn) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  Fill(*store, 300);
  const std::string then = Scan(*store, store->GetSnapshot());
  ASSERT_TRUE(store->Checkpoint("copy"));
  MustPut(*store, "later", "1");
  ASSERT_TRUE(store->Compact({}));
  const std::unique_ptr<Store> copy = MustOpen(env_, "copy");
  ASSERT_NE(copy, nullptr);
  EXPECT_FALSE(copy->recovered());
  EXPECT_EQ(copy->last_sequence(), 300u);
  EXPECT_EQ(Scan(*copy, copy->GetSnapshot()), then);
  EXPECT_EQ(MustPut(*copy, "mine", "1"), 301u);
  const Status twice = store->Checkpoint("copy");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(StoreCareTest, VerifyFindsNothingInASoundStoreAndNamesADamagedPage) {
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  Fill(*store, 300);
  ASSERT_TRUE(store->Compact({}));
  for (const VerifyDepth depth : {VerifyDepth::kFast, VerifyDepth::kFull, VerifyDepth::kDeep}) {
    EXPECT_TRUE(store->Verify(depth)->empty());
  }
  const std::string victim = FileWithEnd(env_, "db", ".sst");
  ASSERT_TRUE(env_.FlipBit(victim, (4096 + 100) * 8));
  const Result<std::vector<Damage>> damages = store->Verify(VerifyDepth::kFull);
  ASSERT_TRUE(damages);
  ASSERT_FALSE(damages->empty());
  EXPECT_NE(damages->front().file.find(".sst"), std::string::npos);
  ASSERT_TRUE(env_.FlipBit("db/super", 40 * 8));
}

TEST_F(StoreCareTest, RepairSavesWhatIsReadable) {
  std::string all;
  {
    const std::unique_ptr<Store> store = MustOpen(env_, "db");
    Fill(*store, 200);
    WriteBatch batch;
    batch.DeleteRange("key1050", "key1060");
    batch.Delete("key1070");
    ASSERT_TRUE(store->Write(batch, Durability::kDurable));
    ASSERT_TRUE(store->Flush());
    MustPut(*store, "key1055", "back");
    MustPut(*store, "log", "only");
    all = Scan(*store, store->GetSnapshot());
  }
  ASSERT_TRUE(env_.Remove("db/super"));
  ASSERT_TRUE(env_.Remove(FileWithEnd(env_, "db", ".man")));
  const Result<RepairReport> report = Repair(env_, "db", "saved");
  ASSERT_TRUE(report) << ToString(report.error());
  EXPECT_FALSE(report->damages.empty());
  const std::unique_ptr<Store> saved = MustOpen(env_, "saved");
  ASSERT_NE(saved, nullptr);
  EXPECT_EQ(Scan(*saved, saved->GetSnapshot()), all);
  EXPECT_EQ(Repair(env_, "db", "saved").error().code, ErrorCode::kAlreadyExists);
}

TEST_F(StoreCareTest, RepairOfADamagedPageLosesThatPageAndSaysSo) {
  {
    const std::unique_ptr<Store> store = MustOpen(env_, "db");
    Fill(*store, 500);
    ASSERT_TRUE(store->Flush());
  }
  ASSERT_TRUE(env_.FlipBit(FileWithEnd(env_, "db", ".sst"), (4096 + 100) * 8));
  const Result<RepairReport> report = Repair(env_, "db", "saved");
  ASSERT_TRUE(report) << ToString(report.error());
  EXPECT_FALSE(report->damages.empty());
  EXPECT_GT(report->entries_saved, 400u);
  EXPECT_LT(report->entries_saved, 500u);
}

// The log goes on in a new segment that links to a record which a clean open does not read.
TEST_F(StoreCareTest, WhatIsWrittenAfterCleanReopensSurvivesAPowerCut) {
  std::string expected;
  for (int round = 0; round < 4; ++round) {
    const std::unique_ptr<Store> store = MustOpen(env_, "db");
    EXPECT_EQ(Scan(*store, store->GetSnapshot()), expected);
    const std::string key = StrCat("round", round);
    MustPut(*store, key, "flushed");
    if (round % 2 == 0) {
      ASSERT_TRUE(store->Flush());
    }
    if (round == 3) MustPut(*store, "last", "in the log");
    expected = Scan(*store, store->GetSnapshot());
    if (round != 3) continue;
    const std::unique_ptr<FaultEnv> after = env_.Crash(CrashMode::kLoseAll, kSeed);
    const std::unique_ptr<Store> again = MustOpen(*after, "db");
    ASSERT_NE(again, nullptr);
    EXPECT_TRUE(again->recovered());
    EXPECT_EQ(Scan(*again, again->GetSnapshot()), expected);
  }
}

TEST_F(StoreCareTest, ACleanOpenReadsTheLogAsFarAsItsLastBatch) {
  StoreOptions options = SmallOptions();
  options.memtable_bytes = std::size_t{16} << 20;
  std::string expected;
  {
    const std::unique_ptr<Store> store = *Store::Open(env_, "db", options);
    const std::string large(std::size_t{900} << 10, 'l');
    MustPut(*store, "large", large);
    ASSERT_TRUE(store->Flush());
    Fill(*store, 20);
    expected = Scan(*store, store->GetSnapshot());
  }
  // The last batches lie behind the large one, further back than a clean open reads at first.
  const std::string log = FileWithEnd(env_, "db", ".log");
  const std::uint64_t size = *(*env_.Open(log, Env::OpenMode::kRead))->Size();
  ASSERT_GT(size, std::uint64_t{800} << 10);
  ASSERT_TRUE(env_.FlipBit(log, (size - 100) * 8));
  const Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", options);
  ASSERT_TRUE(store) << ToString(store.error());
  EXPECT_FALSE((*store)->recovered());
  EXPECT_EQ(Scan(**store, (*store)->GetSnapshot()), expected);
}

TEST_F(StoreCareTest, ACloseLeavesNoLongLogBehind) {
  StoreOptions options = SmallOptions();
  options.memtable_bytes = std::size_t{64} << 20;
  const std::string large(std::size_t{500} << 10, 'l');
  for (int round = 0; round < 3; ++round) {
    const Result<std::unique_ptr<Store>> store = Store::Open(env_, "db", options);
    ASSERT_TRUE(store) << ToString(store.error());
    EXPECT_FALSE((*store)->recovered());
    EXPECT_EQ((*store)->last_sequence(), 11U * static_cast<unsigned>(round));
    for (int i = 0; i < 10; ++i) MustPut(**store, "large", large);
    const std::string key = StrCat("round", round);
    MustPut(**store, key, "small");
    // What is in the log of the first session only, after a power cut of the second.
    const std::unique_ptr<FaultEnv> after = env_.Crash(CrashMode::kLoseAll, kSeed);
    const Result<std::unique_ptr<Store>> again = Store::Open(*after, "db", options);
    ASSERT_TRUE(again) << ToString(again.error());
    EXPECT_EQ((*again)->last_sequence(), (*store)->last_sequence());
  }
  std::uint64_t log_bytes = 0;
  for (const std::string& name : Names(env_, "db")) {
    if (!name.ends_with(".log")) continue;
    log_bytes += *(*env_.Open(StrCat("db/", name), Env::OpenMode::kRead))->Size();
  }
  EXPECT_EQ(log_bytes, 0U);
}

TEST_F(StoreCareTest, ACloseCutsOffWhatTheLogDoesNotHold) {
  {
    const std::unique_ptr<Store> store = MustOpen(env_, "db");
    Fill(*store, 3);
  }
  const std::string log = FileWithEnd(env_, "db", ".log");
  EXPECT_EQ(*(*env_.Open(log, Env::OpenMode::kRead))->Size(), 2 * 4096U);
  const std::unique_ptr<Store> store = MustOpen(env_, "db");
  EXPECT_EQ(store->last_sequence(), 3U);
}

// One bit of one byte in so many is flipped; under the sanitizers each try costs ten times as much.
constexpr std::uint64_t kFlipStride = kVerifyBuild ? 97 : 13;

TEST_F(StoreCareTest, AFlippedBitIsFoundOrHarmless) {
  std::string truth;
  {
    StoreOptions options = SmallOptions();
    options.compression = Compression::kZstd;
    const std::unique_ptr<Store> store = *Store::Open(env_, "db", options);
    Fill(*store, 120);
    ASSERT_TRUE(store->Compact({}));
    EXPECT_GT(store->Stats().levels[1].files, 0U);
    Fill(*store, 20);
    truth = Scan(*store, store->GetSnapshot());
  }
  int found = 0;
  for (const std::string& name : Names(env_, "db")) {
    const std::string path = StrCat("db/", name);
    const std::uint64_t size = *(*env_.Open(path, Env::OpenMode::kRead))->Size();
    for (std::uint64_t byte = 0; byte < size; byte += kFlipStride) {
      const std::unique_ptr<FaultEnv> damaged = env_.Crash(CrashMode::kKeepAll, kSeed);
      ASSERT_TRUE(damaged->FlipBit(path, byte * 8 + byte % 8));
      StoreOptions reader = SmallOptions();
      reader.read_only = true;
      const Result<std::unique_ptr<Store>> store = Store::Open(*damaged, "db", reader);
      if (!store) {
        ++found;
        continue;
      }
      const std::unique_ptr<Iterator> iterator = (*store)->NewIterator({}, (*store)->GetSnapshot());
      std::string text;
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        text += StrCat(iterator->key(), "=", iterator->value(), "\n");
      }
      if (!iterator->status()) {
        ++found;
      } else {
        ASSERT_TRUE(text == truth) << "byte " << byte << " of " << path;
      }
    }
  }
  EXPECT_GT(found, 100);
}

}  // namespace
}  // namespace trefoil::lsm
