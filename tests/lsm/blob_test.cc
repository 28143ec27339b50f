#include <gtest/gtest.h>

#include "base/env_memory.h"
#include "base/str_cat.h"
#include "lsm/blob_file.h"
#include "lsm/blob_separator.h"
#include "lsm/file_names.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

const std::string kUuid = "0123456789abcdef";
constexpr FileNumber kNumber{5};
const std::string kPath = "000005.blob";

struct Written {
  std::vector<std::string> values;
  std::vector<BlobReference> references;
};

Written WriteBlobs(Env& env, Random& random, std::size_t count) {
  Written written;
  const std::unique_ptr<BlobFileWriter> writer =
      BlobFileWriter::Create(env, kPath, IdentityOf(kUuid, kNumber)).value();
  for (std::size_t i = 0; i < count; ++i) {
    written.values.push_back(RandomBytesOf(random, random.Uniform(5000), 256));
    written.references.push_back(writer->Add(written.values.back()).value());
  }
  EXPECT_TRUE(writer->Finish().has_value());
  return written;
}

TEST(BlobFileTest, GivesBackEveryValueByReferenceAndInOrder) {
  Random random(testing::TestSeed());
  MemoryEnv env;
  const Written written = WriteBlobs(env, random, 500);
  const std::unique_ptr<BlobFile> file =
      BlobFile::Open(env, kPath, IdentityOf(kUuid, kNumber)).value();
  EXPECT_EQ(file->records(), 500U);
  for (int i = 0; i < 500; ++i) {
    const std::size_t at = random.Uniform(written.values.size());
    ASSERT_EQ(file->Read(written.references[at]).value(), written.values[at]);
  }
  std::size_t walked = 0;
  const Status status = file->Walk([&](const BlobReference& reference, Slice value) {
    EXPECT_EQ(reference, written.references[walked]);
    EXPECT_EQ(value, Slice(written.values[walked]));
    ++walked;
  });
  EXPECT_TRUE(status.has_value());
  EXPECT_EQ(walked, 500U);
}

TEST(BlobFileTest, WrongReferencesAreReported) {
  Random random(testing::TestSeed());
  MemoryEnv env;
  const Written written = WriteBlobs(env, random, 20);
  const std::unique_ptr<BlobFile> file =
      BlobFile::Open(env, kPath, IdentityOf(kUuid, kNumber)).value();
  BlobReference reference = written.references[3];
  reference.sum ^= 1;
  EXPECT_EQ(file->Read(reference).error().message,
            StrCat(kPath, ": offset ", reference.offset,
                   ": another record stands where a reference leads; the file was damaged"));
  reference = written.references[3];
  reference.offset += 8;
  EXPECT_EQ(file->Read(reference).error().code, ErrorCode::kCorruption);
  reference.offset = file->size_bytes();
  EXPECT_EQ(file->Read(reference).error().code, ErrorCode::kCorruption);
  reference = written.references[3];
  reference.size_bytes = UINT32_MAX;
  EXPECT_EQ(file->Read(reference).error().code, ErrorCode::kCorruption);
}

// Opens and reads everything; true if all is as written.
bool ReadsWell(Env& env, const Written& written) {
  const Result<std::unique_ptr<BlobFile>> file =
      BlobFile::Open(env, kPath, IdentityOf(kUuid, kNumber));
  if (!file) return false;
  for (std::size_t i = 0; i < written.values.size(); ++i) {
    const Result<std::string> value = (*file)->Read(written.references[i]);
    if (!value) return false;
    EXPECT_EQ(*value, written.values[i]);
  }
  return (*file)->Walk([](const BlobReference&, Slice) {}).has_value();
}

TEST(BlobFileTest, FlippedBytesAreReportedOrHarmless) {
  Random random(testing::TestSeed());
  MemoryEnv env;
  const Written written = WriteBlobs(env, random, 12);
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  const std::uint64_t size_bytes = file->Size().value();
  int harmless = 0;
  for (int round = 0; round < 500 * testing::TestScale(); ++round) {
    const std::uint64_t at = random.Uniform(size_bytes);
    char good = 0;
    ASSERT_TRUE(file->ReadAt(at, {&good, 1}).has_value());
    const char bad = static_cast<char>(good ^ (1 << random.Uniform(8)));
    ASSERT_TRUE(file->WriteAt(at, Slice(&bad, 1)).has_value());
    harmless += ReadsWell(env, written) ? 1 : 0;  // padding only
    ASSERT_TRUE(file->WriteAt(at, Slice(&good, 1)).has_value());
  }
  EXPECT_LT(harmless, 20 * testing::TestScale());
  EXPECT_TRUE(ReadsWell(env, written));
  ASSERT_TRUE(file->Truncate(size_bytes - 1).has_value());
  EXPECT_FALSE(ReadsWell(env, written));
}

TEST(BlobFileTest, AFileOfAnotherDatabaseIsRefused) {
  Random random(1);
  MemoryEnv env;
  WriteBlobs(env, random, 1);
  EXPECT_EQ(BlobFile::Open(env, kPath, IdentityOf("another database", kNumber)).error().code,
            ErrorCode::kForeignDatabase);
  EXPECT_EQ(BlobFile::Open(env, kPath, IdentityOf(kUuid, FileNumber{6})).error().code,
            ErrorCode::kCorruption);
}

TEST(BlobSeparatorTest, MovesLargeValuesAndThoseOfChosenFiles) {
  MemoryEnv env;
  ASSERT_TRUE(env.CreateDirectory("db").has_value());
  std::uint64_t next_number = 10;
  const auto open = [&](FileNumber number) {
    const NumberedFile name{.kind = FileKind::kBlob, .number = number};
    return BlobFile::Open(env, FilePath("db", name), IdentityOf(kUuid, number)).value();
  };
  BlobSeparator::Options options{.env = &env,
                                 .directory = "db",
                                 .uuid = kUuid,
                                 .new_file_number = [&] { return FileNumber{next_number++}; },
                                 .relocate = {},
                                 .read = {}};
  const std::string large(kBlobValueBytesMin + 1, 'L');
  const std::string small(kBlobValueBytesMin, 's');
  std::string stored;
  {
    BlobSeparator separator(options);
    const OwnedEntry put{.key = "k", .sequence = 3, .value = large};
    const Entry moved = separator.Place(put.view()).value();
    EXPECT_EQ(moved.kind, EntryKind::kBlobPut);
    EXPECT_EQ(moved.key, Slice("k"));
    EXPECT_EQ(moved.sequence, 3U);
    stored = moved.value.ToString();
    const OwnedEntry kept{.key = "l", .value = small};
    EXPECT_EQ(Own(separator.Place(kept.view()).value()), kept);
    ASSERT_TRUE(separator.Finish().has_value());
    ASSERT_EQ(separator.outputs().size(), 1U);
    EXPECT_EQ(separator.outputs()[0].number, FileNumber{10});
    EXPECT_EQ(separator.outputs()[0].bytes, large.size());
    EXPECT_EQ(separator.outputs()[0].size_bytes, open(FileNumber{10})->size_bytes());
  }
  options.relocate = {FileNumber{10}};
  options.read = [&](Slice reference) {
    return open(FileNumber{10})->Read(*DecodeBlobReference(reference));
  };
  BlobSeparator separator(options);
  const OwnedEntry blob{.key = "k", .sequence = 3, .kind = EntryKind::kBlobPut, .value = stored};
  const Entry moved = separator.Place(blob.view()).value();
  const BlobReference reference = DecodeBlobReference(moved.value).value();
  EXPECT_EQ(reference.file, FileNumber{11});
  ASSERT_TRUE(separator.Finish().has_value());
  EXPECT_EQ(open(FileNumber{11})->Read(reference).value(), large);
}

FilePointer FileUsing(std::uint64_t number, std::vector<BlobUse> blobs) {
  FileMeta meta;
  meta.number = FileNumber{number};
  meta.blobs = std::move(blobs);
  return std::make_shared<const FileMeta>(std::move(meta));
}

TEST(BlobCollectionTest, TakesTheFileWithTheMostGarbage) {
  const std::vector<BlobMeta> blobs = {{.number = FileNumber{1}, .bytes = 100, .size_bytes = 200},
                                       {.number = FileNumber{2}, .bytes = 100, .size_bytes = 200},
                                       {.number = FileNumber{3}, .bytes = 100, .size_bytes = 200}};
  const LevelFiles tidy = {{},
                           {FileUsing(9, {{FileNumber{1}, 100}, {FileNumber{2}, 80}})},
                           {FileUsing(8, {{FileNumber{3}, 71}})}};
  EXPECT_FALSE(PickBlobCollection(blobs, tidy).has_value());
  const LevelFiles wasteful = {{FileUsing(10, {{FileNumber{3}, 30}})},
                               {FileUsing(9, {{FileNumber{1}, 100}, {FileNumber{2}, 80}})},
                               {FileUsing(8, {{FileNumber{3}, 20}})}};
  const CompactionPlan plan = PickBlobCollection(blobs, wasteful).value();
  EXPECT_EQ(plan.relocate_blobs, std::vector<FileNumber>{FileNumber{3}});
  EXPECT_EQ(plan.level, 2);
  EXPECT_EQ(plan.output_level, 2);
  ASSERT_EQ(plan.inputs.size(), 1U);
  EXPECT_EQ(plan.inputs[0]->number, FileNumber{8});
}

TEST(BlobCollectionTest, LeavesFilesWithoutAnyReferenceToTheNextEdit) {
  const std::vector<BlobMeta> blobs = {{.number = FileNumber{1}, .bytes = 100, .size_bytes = 200},
                                       {.number = FileNumber{2}, .bytes = 100, .size_bytes = 200}};
  const LevelFiles levels = {{}, {FileUsing(9, {{FileNumber{1}, 100}})}};
  EXPECT_FALSE(PickBlobCollection(blobs, levels).has_value());
}

}  // namespace
}  // namespace trefoil::lsm
