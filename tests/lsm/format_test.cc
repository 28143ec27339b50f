// The bytes in docs/format.md are the bytes that we write.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/coding.h"
#include "base/env_memory.h"
#include "base/hash.h"
#include "base/str_cat.h"
#include "lsm/blob_file.h"
#include "lsm/frames.h"
#include "lsm/internal_key.h"
#include "lsm/record_format.h"
#include "lsm/sst_writer.h"
#include "lsm/superblock.h"
#include "lsm/version_edit.h"
#include "lsm/write_batch.h"

namespace trefoil::lsm {
namespace {

const std::string kUuid = "0123456789abcdef";

// 32 bytes a line; consecutive lines of zeros are one line "*".
std::string Hex(Slice bytes) {
  std::string text;
  bool skipping = false;
  for (std::size_t start = 0; start < bytes.size(); start += 32) {
    const Slice line = bytes.Without(start).Prefix(32);
    const bool zero = line.view().find_first_not_of('\0') == std::string_view::npos;
    if (zero && skipping) continue;
    skipping = zero;
    if (zero) {
      text += "*\n";
      continue;
    }
    for (const char byte : line) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(byte) + 0U);
      text += digits;
    }
    text += '\n';
  }
  return text;
}

// The block "```vector NAME" of docs/format.md.
std::string Documented(const std::string& name) {
  std::ifstream file(StrCat(TREFOIL_SOURCE_DIR, "/docs/format.md"));
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::string fence = StrCat("```vector ", name, "\n");
  const std::size_t start = all.find(fence);
  if (start == std::string::npos) return "no such vector";
  const std::size_t begin = start + fence.size();
  return all.substr(begin, all.find("```", begin) - begin);
}

// A file with the three entries of the document.
std::string ThreeEntriesFile() {
  MemoryEnv env;
  const std::unique_ptr<SstWriter> writer =
      SstWriter::Create(env, "000007.sst", {.identity = IdentityOf(kUuid, FileNumber{7})}).value();
  EXPECT_TRUE(writer->Add({.key = "book/1", .sequence = 0, .kind = EntryKind::kPut, .value = "a"})
                  .has_value());
  EXPECT_TRUE(writer->Add({.key = "book/2", .sequence = 9, .kind = EntryKind::kDelete, .value = ""})
                  .has_value());
  EXPECT_TRUE(writer->Add({.key = "book/3", .sequence = 7, .kind = EntryKind::kPut, .value = "ccc"})
                  .has_value());
  const FileMeta meta = writer->Finish().value();
  std::string bytes(meta.size_bytes, '\0');
  EXPECT_TRUE(env.Open("000007.sst", Env::OpenMode::kRead).value()->ReadAt(0, bytes).has_value());
  return bytes;
}

TEST(FormatTest, ADataPageIsAsDocumented) {
  const std::string file = ThreeEntriesFile();
  EXPECT_EQ(Hex(Slice(file).Without(kPageBytes).Prefix(kPageBytes)), Documented("page"));
}

TEST(FormatTest, AFooterIsAsDocumented) {
  const std::string file = ThreeEntriesFile();
  EXPECT_EQ(Hex(Slice(file).Without(file.size() - kPageBytes)), Documented("footer"));
}

// The bytes that Hex() shows; of zeros only so many as it shows.
std::string Unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    if (text[at] == '\n' || text[at] == '*') {
      --at;
      continue;
    }
    bytes.push_back(static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

// Frames are read and not made again: which bytes zstd writes is its own business.
TEST(FormatTest, FramesAreAsDocumented) {
  const std::string file = ThreeEntriesFile();
  const std::uint64_t seed = FileSeed(IdentityOf(kUuid, FileNumber{7}));
  std::string pages;
  std::vector<PageUnit> units;
  for (std::uint32_t number = kInflatedPages + 1; number <= kInflatedPages + 2; ++number) {
    std::string page = file.substr(kPageBytes, kPageBytes);
    StoreFixed64(page.data(), PageSum(page, seed, number));
    pages += page;
    units.push_back({.page = number});
  }
  const std::string documented = Documented("frames");
  const std::string bytes = Unhex(documented);
  const std::optional<FrameRecord> dictionary = DecodeFrameRecord(bytes, seed, kPageBytes);
  ASSERT_TRUE(dictionary) << Hex(CompressPages(pages, units, seed)->bytes);
  EXPECT_EQ(dictionary->pages, 0U);
  const auto inflater = FrameInflater::Create(dictionary->content);
  std::size_t at = dictionary->size_bytes;
  for (const PageUnit& unit : units) {
    const std::optional<FrameRecord> frame =
        DecodeFrameRecord(Slice(bytes).Without(at), seed, kPageBytes + at);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->first_page, unit.page);
    EXPECT_EQ(frame->pages, 1U);
    std::string inflated(kPageBytes, '\0');
    ASSERT_TRUE(inflater->Inflate(frame->content, inflated));
    EXPECT_EQ(Slice(inflated),
              Slice(pages).Without((unit.page - units[0].page) * kPageBytes).Prefix(kPageBytes));
    at += frame->size_bytes;
  }
}

TEST(FormatTest, ABlobRecordIsAsDocumented) {
  MemoryEnv env;
  const std::unique_ptr<BlobFileWriter> writer =
      BlobFileWriter::Create(env, "000005.blob", IdentityOf(kUuid, FileNumber{5})).value();
  const BlobReference reference = writer->Add("hello").value();
  ASSERT_TRUE(writer->Finish().has_value());
  std::string record(24, '\0');
  ASSERT_TRUE(env.Open("000005.blob", Env::OpenMode::kRead)
                  .value()
                  ->ReadAt(reference.offset, record)
                  .has_value());
  const std::string encoded = EncodeBlobReference(reference);
  EXPECT_EQ(Hex(record), Documented("blob record"));
  EXPECT_EQ(Hex(encoded), Documented("blob reference"));
}

TEST(FormatTest, ALogSegmentIsAsDocumented) {
  const std::string header =
      EncodeHeaderPage(kLogMagic, kUuid, {.number = 3, .first_sequence = 9, .previous_sum = 5});
  EXPECT_EQ(Hex(header), Documented("log header"));
  ChainEnd end = {.offset = kPageBytes, .sum = 5, .sequence = 8};
  std::string record(RecordBytes(0), '\0');
  EncodeRecord(record.data(), FileSeed(kUuid, 3), /*synced=*/7, Slice(), end);
  EXPECT_EQ(Hex(record), Documented("log record"));
}

TEST(FormatTest, ABatchIsAsDocumented) {
  WriteBatch batch;
  batch.Put("k", "v");
  batch.Delete("x");
  batch.DeleteRange("a", "b");
  EXPECT_EQ(Hex(batch.encoded()), Documented("batch"));
}

TEST(FormatTest, AnEditOfTheManifestIsAsDocumented) {
  VersionEdit edit;
  edit.log_floor = {.segment = 4, .sequence = 300};
  const std::string encoded = EncodeVersionEdit(edit);
  EXPECT_EQ(Hex(encoded), Documented("manifest edit"));
}

TEST(FormatTest, EveryFieldOfAnEditComesBack) {
  VersionEdit edit;
  FileMeta meta;
  meta.number = FileNumber{300};
  meta.size_bytes = 4096;
  meta.entries = 5;
  meta.deletes = 2;
  meta.smallest = "a";
  meta.limit = std::string("z\0", 2);
  meta.root = {.low = 1, .high = ~std::uint64_t{0}};
  meta.blobs = {{.file = FileNumber{7}, .bytes = 9}};
  edit.added = {{.level = 6, .meta = meta}};
  edit.dropped = {{.level = 0, .number = FileNumber{3}}};
  edit.added_blobs = {{.number = FileNumber{8}, .bytes = 100, .size_bytes = 4200}};
  edit.dropped_blobs = {FileNumber{1}};
  edit.log_floor = {.segment = 4, .sequence = 300};
  edit.next_file = FileNumber{301};
  edit.history_horizon = 17;
  const std::string encoded = EncodeVersionEdit(edit);
  const Result<VersionEdit> decoded = DecodeVersionEdit(encoded);
  ASSERT_TRUE(decoded) << ToString(decoded.error());
  EXPECT_TRUE(*decoded == edit);
  for (std::size_t size = 1; size < encoded.size(); ++size) {
    const Result<VersionEdit> cut = DecodeVersionEdit(Slice(encoded).Prefix(size));
    EXPECT_TRUE(!cut || !(*cut == edit)) << size;
  }
}

TEST(FormatTest, AFieldFromTheFutureIsSkippedOrRefusedByItsTag) {
  const std::string skippable = {static_cast<char>(0x80), 1, 2, 'x', 'y'};
  EXPECT_TRUE(DecodeVersionEdit(skippable));
  const std::string needed = {100, 1, 'x'};
  EXPECT_EQ(DecodeVersionEdit(needed).error().code, ErrorCode::kNewerFormat);
}

TEST(FormatTest, ANewerSuperblockIsRefusedAndAnOlderGenerationIsNot) {
  Superblock superblock = {.uuid = kUuid, .generation = 4, .manifest = FileNumber{2}};
  std::string file = EncodeSuperblock(superblock);
  superblock.generation = 5;
  file += EncodeSuperblock(superblock);
  EXPECT_EQ(DecodeSuperblock(file)->generation, 5u);
  file[2 * kPageBytes + 50] ^= 1;
  EXPECT_EQ(DecodeSuperblock(file)->generation, 5u);
  file[3 * kPageBytes + 50] ^= 1;
  EXPECT_EQ(DecodeSuperblock(file)->generation, 4u);
  EXPECT_EQ(DecodeSuperblock("not a store at all").error().code, ErrorCode::kCorruption);
  const std::string foreign(kSuperblockBytes, 'x');
  EXPECT_EQ(DecodeSuperblock(foreign).error().code, ErrorCode::kForeignDatabase);
  std::string newer = EncodeSuperblock(superblock).substr(0, kPageBytes);
  newer[8] = 2;
  const std::uint64_t sum = Hash64(Slice(newer).Prefix(kPageBytes - 8));
  StoreFixed64(newer.data() + kPageBytes - 8, sum);
  EXPECT_EQ(DecodeSuperblock(newer).error().code, ErrorCode::kNewerFormat);
}

}  // namespace
}  // namespace trefoil::lsm
