#include <gtest/gtest.h>

#include <functional>

#include "base/coding.h"
#include "base/env_memory.h"
#include "base/str_cat.h"
#include "lsm/blob_reference.h"
#include "lsm/filter.h"
#include "lsm/sst_index.h"
#include "lsm/sst_reader.h"
#include "lsm/sst_writer.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

const std::string kUuid = "0123456789abcdef";
constexpr FileNumber kNumber{7};
const std::string kPath = "000007.sst";

// Groups are the first two bytes of a key, equality prefixes the first four.
class TwoByteGroups final : public KeyLayout {
 public:
  std::size_t GroupPrefix(Slice key) const override { return std::min<std::size_t>(2, key.size()); }
  std::size_t EqualityPrefix(Slice key) const override { return key.size() >= 4 ? 4 : 0; }
};

SstWriterOptions WriterOptions() { return {.identity = IdentityOf(kUuid, kNumber)}; }
SstReaderOptions ReaderOptions(PagePool& pool) {
  return {.identity = IdentityOf(kUuid, kNumber), .pool = &pool};
}

FileMeta WriteSst(Env& env, const std::vector<OwnedEntry>& entries,
                  const std::vector<RangeDelete>& range_deletes, const SstWriterOptions& options) {
  std::unique_ptr<SstWriter> writer = SstWriter::Create(env, kPath, options).value();
  for (const OwnedEntry& entry : entries) EXPECT_TRUE(writer->Add(entry.view()).has_value());
  for (const RangeDelete& range : range_deletes) writer->AddRangeDelete(range);
  return writer->Finish().value();
}

std::vector<OwnedEntry> WalkForward(RunCursor& cursor) {
  std::vector<OwnedEntry> walked;
  while (cursor.Valid()) {
    walked.push_back(Own(cursor.entry()));
    cursor.Next();
  }
  EXPECT_TRUE(cursor.status().has_value());
  return walked;
}

std::vector<OwnedEntry> WalkBackward(RunCursor& cursor) {
  std::vector<OwnedEntry> walked;
  while (cursor.Valid()) {
    walked.push_back(Own(cursor.entry()));
    cursor.Prev();
  }
  EXPECT_TRUE(cursor.status().has_value());
  std::reverse(walked.begin(), walked.end());
  return walked;
}

// What a lookup finds by walking all entries.
const OwnedEntry* FindPlainly(const std::vector<OwnedEntry>& entries, Slice key,
                              SequenceNumber snapshot) {
  for (const OwnedEntry& entry : entries) {
    if (Slice(entry.key) == key && entry.sequence <= snapshot) return &entry;
  }
  return nullptr;
}

void ExpectFinds(const PointLookup& lookup, const OwnedEntry* expected) {
  ASSERT_EQ(lookup.found, expected != nullptr) << lookup.key.ToString();
  if (expected == nullptr) return;
  EXPECT_EQ(lookup.sequence, expected->sequence);
  EXPECT_EQ(lookup.kind, expected->kind);
  EXPECT_EQ(lookup.value.get(), Slice(expected->value));
}

// Everything a Run offers, against the plain list.
void ExpectSameAs(const std::vector<OwnedEntry>& entries, const Run& run, Random& random) {
  const std::unique_ptr<RunCursor> cursor = run.NewCursor({.sequential = random.OneIn(2)});
  cursor->SeekToFirst();
  ASSERT_EQ(WalkForward(*cursor), entries);
  cursor->SeekToLast();
  ASSERT_EQ(WalkBackward(*cursor), entries);
  std::vector<std::string> targets;
  for (int i = 0; i < 40; ++i) targets.push_back(RandomTarget(random, entries));
  std::vector<PointLookup> lookups;
  for (const std::string& target : targets) {
    const std::size_t bound = LowerBoundOf(entries, target);
    cursor->Seek(target);
    ASSERT_EQ(cursor->Valid(), bound < entries.size());
    if (cursor->Valid()) {
      ASSERT_EQ(Own(cursor->entry()), entries[bound]);
    }
    cursor->SeekBefore(target);
    ASSERT_EQ(cursor->Valid(), bound > 0);
    if (cursor->Valid()) {
      ASSERT_EQ(Own(cursor->entry()), entries[bound - 1]);
    }
    PointLookup lookup{.key = target, .hash = Hash64(target)};
    lookup.snapshot = random.OneIn(3) ? kLatestSequence : random.Uniform(75000);
    lookups.push_back(lookup);
    ASSERT_TRUE(run.Get(lookup).has_value());
    ExpectFinds(lookup, FindPlainly(entries, target, lookup.snapshot));
  }
  std::vector<PointLookup*> asked;
  for (PointLookup& lookup : lookups) asked.push_back(&lookup);
  ASSERT_TRUE(run.MultiGet(asked).has_value());
  for (const PointLookup& lookup : lookups) {
    ExpectFinds(lookup, FindPlainly(entries, lookup.key, lookup.snapshot));
  }
}

TEST(SstTest, GivesBackEveryEntryInBothDirectionsAndAtEverySnapshot) {
  Random random(testing::TestSeed());
  const TwoByteGroups groups;
  for (int round = 0; round < 400 * testing::TestScale(); ++round) {
    const std::vector<OwnedEntry> entries = RandomEntries(random, RandomShape(random));
    MemoryEnv env;
    SstWriterOptions options = WriterOptions();
    if (random.OneIn(2)) options.key_layout = &groups;
    options.filter_bits_per_key = random.OneIn(5) ? 0 : 8;
    if (random.OneIn(2)) options.compression = Compression::kZstd;
    const FileMeta meta = WriteSst(env, entries, {}, options);
    EXPECT_EQ(meta.entries, entries.size());
    EXPECT_EQ(meta.smallest, entries.front().key);
    EXPECT_EQ(meta.limit, entries.back().key + '\0');
    PagePool pool(random.Uniform(std::size_t{1} << 20));
    SstReaderOptions reader_options = ReaderOptions(pool);
    reader_options.allow_map = random.OneIn(2);
    const std::unique_ptr<SstReader> reader = SstReader::Open(env, kPath, reader_options).value();
    ASSERT_NO_FATAL_FAILURE(ExpectSameAs(entries, *reader, random)) << "round " << round;
    EXPECT_EQ(reader->ReadMeta().value(), meta);
  }
}

TEST(SstTest, KeepsRangeDeletesWithoutAnyEntry) {
  MemoryEnv env;
  const std::vector<RangeDelete> ranges = {{.start = "b", .limit = "x", .sequence = 9},
                                           {.start = "b", .limit = "c", .sequence = 4}};
  const FileMeta meta = WriteSst(env, {}, ranges, WriterOptions());
  EXPECT_EQ(meta.smallest, "b");
  EXPECT_EQ(meta.limit, "x");
  EXPECT_EQ(meta.first_sequence, 4U);
  EXPECT_EQ(meta.last_sequence, 9U);
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool)).value();
  ASSERT_EQ(reader->range_deletes().size(), 2U);
  EXPECT_EQ(reader->range_deletes()[0], ranges[0]);
  EXPECT_EQ(reader->range_deletes()[1], ranges[1]);
  const std::unique_ptr<RunCursor> cursor = reader->NewCursor({});
  cursor->SeekToFirst();
  EXPECT_FALSE(cursor->Valid());
  cursor->SeekToLast();
  EXPECT_FALSE(cursor->Valid());
  cursor->Seek("c");
  EXPECT_FALSE(cursor->Valid());
  cursor->SeekBefore("c");
  EXPECT_FALSE(cursor->Valid());
  PointLookup lookup{.key = "c", .hash = Hash64("c")};
  EXPECT_TRUE(reader->Get(lookup).has_value());
  EXPECT_FALSE(lookup.found);
  EXPECT_EQ(reader->ApproximateCount("a", "z"), 0U);
}

std::vector<OwnedEntry> NumberedEntries(std::size_t count) {
  std::vector<OwnedEntry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    std::string key = "\x01\x02";
    AppendBigEndian64(key, i * 10);
    entries.push_back({.key = key, .value = StrCat("value of ", i)});
  }
  return entries;
}

TEST(SstTest, CountsWhatARangeHolds) {
  MemoryEnv env;
  const std::vector<OwnedEntry> entries = NumberedEntries(20000);
  WriteSst(env, entries, {}, WriterOptions());
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool)).value();
  const auto count = [&](std::size_t from, std::size_t to) {
    return reader->ApproximateCount(entries[from].key, entries[to].key);
  };
  EXPECT_EQ(count(0, 19999), 19999U);
  EXPECT_EQ(count(5000, 15000), 10000U);
  EXPECT_EQ(count(5000, 5010), 10U);
  EXPECT_EQ(count(5000, 5001), 1U);
  EXPECT_EQ(count(5001, 5000), 0U);
  EXPECT_EQ(reader->ApproximateCount("", ""), 20000U);
  EXPECT_NEAR(static_cast<double>(reader->ApproximateBytes("", "")),
              static_cast<double>(reader->file().pages() * kPageBytes), 30000);
}

TEST(SstTest, DirectoryCountsEveryGroupExactly) {
  MemoryEnv env;
  std::vector<OwnedEntry> entries;
  for (const char group : {'a', 'b', 'c'}) {
    for (int i = 0; i < 100 * (group - '`'); ++i) {
      entries.push_back({.key = StrCat("x", group, 1000 + i),
                         .kind = i % 10 == 0 ? EntryKind::kDelete : EntryKind::kPut,
                         .value = i % 10 == 0 ? "" : "12345"});
    }
  }
  const TwoByteGroups groups;
  SstWriterOptions options = WriterOptions();
  options.key_layout = &groups;
  WriteSst(env, entries, {}, options);
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool)).value();
  const SstProperties properties = reader->ReadProperties().value();
  ASSERT_EQ(properties.groups.size(), 3U);
  EXPECT_EQ(properties.groups[1].prefix, "xb");
  EXPECT_EQ(properties.groups[1].entries, 200U);
  EXPECT_EQ(properties.groups[1].deletes, 20U);
  EXPECT_EQ(properties.groups[1].value_bytes, 180U * 5);
  EXPECT_TRUE(reader->MayContainPrefix("xb10"));
  int passed = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string prefix = StrCat("no", i);
    passed += reader->MayContainPrefix(prefix) ? 1 : 0;
  }
  EXPECT_LT(passed, 100);
}

TEST(SstTest, CountsTheBlobBytesItRefersTo) {
  MemoryEnv env;
  std::vector<OwnedEntry> entries;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const BlobReference reference{
        .file = FileNumber{20 + i % 2}, .offset = 4096 + 8 * i, .size_bytes = 100, .sum = i};
    const std::string encoded = EncodeBlobReference(reference);
    EXPECT_EQ(DecodeBlobReference(encoded), reference);
    entries.push_back({.key = StrCat("k", i), .kind = EntryKind::kBlobPut, .value = encoded});
  }
  const FileMeta meta = WriteSst(env, entries, {}, WriterOptions());
  const std::vector<BlobUse> expected = {{FileNumber{20}, 500}, {FileNumber{21}, 500}};
  EXPECT_EQ(meta.blobs, expected);
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool)).value();
  EXPECT_EQ(reader->ReadMeta().value(), meta);
}

// Reads everything a reader offers; the first error, or nothing.
std::optional<Error> ReadAll(Env& env, const FileIdentity& identity,
                             const std::vector<OwnedEntry>& entries) {
  PagePool pool(1 << 20);
  Result<std::unique_ptr<SstReader>> reader =
      SstReader::Open(env, kPath, {.identity = identity, .pool = &pool});
  if (!reader) return reader.error();
  const std::unique_ptr<RunCursor> cursor = (*reader)->NewCursor({});
  std::vector<OwnedEntry> walked;
  for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
    walked.push_back(Own(cursor->entry()));
  }
  Status status = cursor->status();
  if (!status) return status.error();
  EXPECT_EQ(walked, entries);
  for (const OwnedEntry& entry : entries) {
    PointLookup lookup{.key = entry.key, .hash = Hash64(entry.key), .snapshot = kLatestSequence};
    if (Status got = (*reader)->Get(lookup); !got) return got.error();
    EXPECT_TRUE(lookup.found) << entry.key;
    EXPECT_EQ(lookup.value.get(), Slice(entry.value));
  }
  Result<SstProperties> properties = (*reader)->ReadProperties();
  if (!properties) return properties.error();
  return std::nullopt;
}

// Every byte of a file lies under a sum or is never looked at.
void ExpectFlipsAreReportedOrHarmless(const SstWriterOptions& options,
                                      const std::vector<OwnedEntry>& entries) {
  Random random(testing::TestSeed());
  MemoryEnv env;
  const FileMeta meta = WriteSst(env, entries, {}, options);
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  int reported = 0;
  for (int round = 0; round < 600 * testing::TestScale(); ++round) {
    const std::uint64_t at = random.Uniform(meta.size_bytes);
    char good = 0;
    ASSERT_TRUE(file->ReadAt(at, {&good, 1}).has_value());
    const char bad = static_cast<char>(good ^ (1 << random.Uniform(8)));
    ASSERT_TRUE(file->WriteAt(at, Slice(&bad, 1)).has_value());
    const std::optional<Error> error = ReadAll(env, IdentityOf(kUuid, kNumber), entries);
    if (error.has_value()) {
      ++reported;
      EXPECT_NE(error->message.find(kPath), std::string::npos) << error->message;
    }
    ASSERT_TRUE(file->WriteAt(at, Slice(&good, 1)).has_value());
  }
  EXPECT_GT(reported, 300 * testing::TestScale());  // most bytes are under a sum
  EXPECT_FALSE(ReadAll(env, IdentityOf(kUuid, kNumber), entries).has_value());
}

TEST(SstTest, FlippedBytesAreReportedOrHarmless) {
  ExpectFlipsAreReportedOrHarmless(WriterOptions(), NumberedEntries(600));
}

SstWriterOptions ZstdOptions() {
  SstWriterOptions options = WriterOptions();
  options.compression = Compression::kZstd;
  return options;
}

TEST(SstTest, FlippedBytesOfACompressedFileAreReportedOrHarmless) {
  const std::vector<OwnedEntry> entries = NumberedEntries(4000);
  ExpectFlipsAreReportedOrHarmless(ZstdOptions(), entries);
}

TEST(SstTest, ACompressedFileIsSmallerAndSaysSo) {
  const std::vector<OwnedEntry> entries = NumberedEntries(20000);
  MemoryEnv plain_env;
  MemoryEnv env;
  const FileMeta plain = WriteSst(plain_env, entries, {}, WriterOptions());
  const FileMeta meta = WriteSst(env, entries, {}, ZstdOptions());
  EXPECT_LT(meta.size_bytes, plain.size_bytes / 2);
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool)).value();
  EXPECT_EQ(reader->footer().compression, Compression::kZstd);
  // A page is inflated when it is first read, and no other with it; then it is in the pool.
  for (const std::uint64_t hits : {0U, 1U}) {
    reader->NewCursor({})->SeekToFirst();
    EXPECT_EQ(pool.misses(), 1U);
    EXPECT_EQ(pool.hits(), hits);
  }
}

TEST(SstTest, WhatDoesNotCompressIsStoredAsItIs) {
  Random random(testing::TestSeed());
  std::vector<OwnedEntry> entries = NumberedEntries(2000);
  for (OwnedEntry& entry : entries) entry.value = RandomBytesOf(random, 100, 256);
  MemoryEnv plain_env;
  MemoryEnv env;
  const FileMeta plain = WriteSst(plain_env, entries, {}, WriterOptions());
  const FileMeta meta = WriteSst(env, entries, {}, ZstdOptions());
  EXPECT_EQ(meta, plain);
  EXPECT_FALSE(ReadAll(env, IdentityOf(kUuid, kNumber), entries).has_value());
}

TEST(SstTest, AnUnknownCompressionIsRefusedByName) {
  MemoryEnv env;
  WriteSst(env, NumberedEntries(10), {}, WriterOptions());
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  const std::uint64_t last = file->Size().value() / kPageBytes - 1;
  std::string page(kPageBytes, '\0');
  ASSERT_TRUE(file->ReadAt(last * kPageBytes, page).has_value());
  page[20] = 9;
  const std::uint64_t sum = PageSum(page, FileSeed(IdentityOf(kUuid, kNumber)), last);
  StoreFixed64(page.data(), sum);
  ASSERT_TRUE(file->WriteAt(last * kPageBytes, page).has_value());
  const std::optional<Error> error = ReadAll(env, IdentityOf(kUuid, kNumber), NumberedEntries(10));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kNewerFormat);
  // Compressed pages in a file that says it has none.
  page[20] = 0;
  page[156] = 1;
  StoreFixed64(page.data(), PageSum(page, FileSeed(IdentityOf(kUuid, kNumber)), last));
  ASSERT_TRUE(file->WriteAt(last * kPageBytes, page).has_value());
  const std::optional<Error> odd = ReadAll(env, IdentityOf(kUuid, kNumber), NumberedEntries(10));
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->message, "000007.sst: the footer counts 1 compressed pages");
}

TEST(SstTest, PagesThatStandInAnotherPlaceAreReported) {
  MemoryEnv env;
  const std::vector<OwnedEntry> entries = NumberedEntries(2000);
  WriteSst(env, entries, {}, WriterOptions());
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  std::string page(kPageBytes, '\0');
  ASSERT_TRUE(file->ReadAt(2 * kPageBytes, page).has_value());
  ASSERT_TRUE(file->WriteAt(kPageBytes, page).has_value());
  const std::optional<Error> error = ReadAll(env, IdentityOf(kUuid, kNumber), entries);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kCorruption);
  EXPECT_EQ(error->message,
            "000007.sst: page 1 at offset 4096: checksum mismatch; the file was damaged");
}

TEST(SstTest, FilesOfAnotherDatabaseOrNumberAndCutFilesAreRefused) {
  MemoryEnv env;
  const std::vector<OwnedEntry> entries = NumberedEntries(500);
  WriteSst(env, entries, {}, WriterOptions());
  const auto code_of = [&](const FileIdentity& identity) {
    const std::optional<Error> error = ReadAll(env, identity, entries);
    return error.has_value() ? error->code : ErrorCode::kSyntax;
  };
  EXPECT_EQ(code_of(IdentityOf("another database", kNumber)), ErrorCode::kForeignDatabase);
  EXPECT_EQ(code_of(IdentityOf(kUuid, FileNumber{8})), ErrorCode::kCorruption);
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  const std::uint64_t size_bytes = file->Size().value();
  ASSERT_TRUE(file->Truncate(size_bytes - kPageBytes).has_value());
  EXPECT_EQ(code_of(IdentityOf(kUuid, kNumber)), ErrorCode::kCorruption);
  ASSERT_TRUE(file->Truncate(1000).has_value());
  EXPECT_EQ(code_of(IdentityOf(kUuid, kNumber)), ErrorCode::kCorruption);
}

TEST(SstTest, AFileOfANewerFormatIsRefusedByName) {
  MemoryEnv env;
  WriteSst(env, NumberedEntries(10), {}, WriterOptions());
  const std::unique_ptr<File> file = env.Open(kPath, Env::OpenMode::kReadWrite).value();
  const std::uint64_t footer = file->Size().value() - kPageBytes;
  ASSERT_TRUE(file->WriteAt(footer + 16, Slice("\x02", 1)).has_value());
  PagePool pool(1 << 20);
  const Result<std::unique_ptr<SstReader>> reader =
      SstReader::Open(env, kPath, ReaderOptions(pool));
  ASSERT_FALSE(reader.has_value());
  EXPECT_EQ(reader.error().code, ErrorCode::kNewerFormat);
}

TEST(SstTest, TheSameEntriesGiveTheSameBytes) {
  MemoryEnv one;
  MemoryEnv two;
  const std::vector<OwnedEntry> entries = NumberedEntries(3000);
  const FileMeta a = WriteSst(one, entries, {}, WriterOptions());
  const FileMeta b = WriteSst(two, entries, {}, WriterOptions());
  EXPECT_EQ(a, b);
}

TEST(SstIndexTest, FindsTheSamePageFromAnyOther) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 300 * testing::TestScale(); ++round) {
    // Long common beginnings, and so equal heads, in a part of the rounds; keys that continue.
    const std::string middle = random.OneIn(3) ? "a long common part " : "";
    const auto key = [&](std::uint64_t number) { return StrCat("k", middle, 1000 + number); };
    SstIndex index;
    std::uint64_t number = random.Uniform(20);
    for (std::uint64_t pages = 1 + random.Uniform(300); pages > 0; --pages) {
      const bool continues = index.size() > 0 && random.OneIn(5);
      if (!continues) number += 1 + random.Uniform(5);
      const std::string separator = key(number);
      index.Add(Slice(separator),
                {.page = index.size(),
                 .pages = 1,
                 .entries = 1,
                 .flags = static_cast<std::uint8_t>(continues ? kIndexContinues : 0)});
    }
    index.Finish();
    for (int i = 0; i < 50; ++i) {
      const std::string target = random.OneIn(10) ? "z" : key(random.Uniform(number + 20));
      const auto near = static_cast<std::uint32_t>(random.Uniform(index.size()));
      ASSERT_EQ(index.FirstPageNear(near, Slice(target)), index.FirstPageOf(Slice(target)))
          << "round " << round << " from page " << near << " for " << target;
    }
  }
}

TEST(FilterTest, NeverExcludesAKeyAndExcludesMostOthers) {
  Random random(testing::TestSeed());
  for (const std::size_t bits : {8U, 10U, 16U}) {
    std::vector<std::uint64_t> hashes(20000);
    for (std::uint64_t& hash : hashes) hash = random.Next();
    const std::uint32_t buckets = FilterBuckets(hashes.size(), bits);
    const std::string pages = BuildFilter(hashes, buckets);
    const auto passes = [&](std::uint64_t hash) {
      const FilterPlace place = PlaceInFilter(hash, buckets);
      return BucketMayContain(pages.data() + place.page * kPageBytes + place.offset, hash);
    };
    for (const std::uint64_t hash : hashes) ASSERT_TRUE(passes(hash));
    int wrong = 0;
    for (int i = 0; i < 20000; ++i) wrong += passes(random.Next()) ? 1 : 0;
    EXPECT_LT(wrong, bits == 16 ? 200 : bits == 10 ? 600 : 1200);
  }
}

TEST(PagePoolTest, KeepsWithinItsBoundAndNeverReplacesAHeldPage) {
  Random random(testing::TestSeed());
  PagePool pool(64 * kPageBytes);
  std::vector<std::pair<std::uint32_t, PageRef>> held;
  for (int round = 0; round < 20000; ++round) {
    const std::uint32_t page = static_cast<std::uint32_t>(random.Uniform(500));
    const PagePool::Key key{.file = FileNumber{random.Uniform(3)}, .page = page};
    const char letter = static_cast<char>(page * 7 + ToNumber(key.file));
    PageRef ref = pool.Find(key);
    if (!ref) ref = pool.Insert(key, std::string(kPageBytes, letter));
    ASSERT_EQ(ref.data()[random.Uniform(kPageBytes)], letter);
    if (random.OneIn(3)) held.emplace_back(static_cast<unsigned char>(letter), std::move(ref));
    if (held.size() > 100) held.erase(held.begin() + static_cast<long>(random.Uniform(100)));
    for (const auto& [expected, kept] : held) {
      ASSERT_EQ(static_cast<unsigned char>(kept.data()[100]), expected);
    }
  }
  EXPECT_GT(pool.hits(), 0U);
  EXPECT_GT(pool.misses(), 0U);
}

}  // namespace
}  // namespace trefoil::lsm
