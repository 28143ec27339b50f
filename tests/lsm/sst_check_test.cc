#include "lsm/sst_check.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/env_memory.h"
#include "base/str_cat.h"
#include "lsm/sst_writer.h"
#include "tests/lsm/entries.h"

namespace trefoil::lsm {
namespace {

const std::string kUuid = "0123456789abcdef";
constexpr FileNumber kNumber{7};
const std::string kPath = "000007.sst";

class OneByteGroups final : public KeyLayout {
 public:
  std::size_t GroupPrefix(Slice key) const override { return std::min<std::size_t>(1, key.size()); }
  std::size_t EqualityPrefix(Slice key) const override { return key.size() >= 3 ? 3 : 0; }
};

class SstCheckTest : public ::testing::Test {
 protected:
  void Write(const std::vector<OwnedEntry>& entries, Compression compression = Compression::kNone) {
    const std::unique_ptr<SstWriter> writer =
        SstWriter::Create(env_, kPath,
                          {.identity = IdentityOf(kUuid, kNumber),
                           .compression = compression,
                           .key_layout = &layout_})
            .value();
    for (const OwnedEntry& entry : entries) ASSERT_TRUE(writer->Add(entry.view()).has_value());
    writer->AddRangeDelete({.start = "a", .limit = "b", .sequence = 5});
    meta_ = writer->Finish().value();
  }
  std::vector<Damage> Check(VerifyDepth depth) {
    PagePool pool(1 << 20);
    return CheckSst(env_, kPath,
                    {.reader = {.identity = IdentityOf(kUuid, kNumber), .pool = &pool},
                     .expected = &meta_,
                     .layout = &layout_,
                     .depth = depth});
  }
  void Overwrite(std::uint64_t offset, Slice bytes) {
    const std::unique_ptr<File> file = env_.Open(kPath, Env::OpenMode::kReadWrite).value();
    ASSERT_TRUE(file->WriteAt(offset, bytes).has_value());
  }
  std::string ReadPage(std::uint64_t page) {
    const std::unique_ptr<File> file = env_.Open(kPath, Env::OpenMode::kRead).value();
    std::string bytes(kPageBytes, '\0');
    EXPECT_TRUE(file->ReadAt(page * kPageBytes, bytes).has_value());
    return bytes;
  }
  // Writes the page with a sum that fits, as a bug of ours would.
  void WriteSummedPage(std::uint64_t page, std::string bytes) {
    StoreFixed64(bytes.data(), PageSum(bytes, FileSeed(IdentityOf(kUuid, kNumber)), page));
    Overwrite(page * kPageBytes, bytes);
  }

  const OneByteGroups layout_;
  MemoryEnv env_;
  FileMeta meta_;
};

std::vector<OwnedEntry> Numbered(std::size_t count) {
  std::vector<OwnedEntry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({.key = StrCat("k", 100000 + i), .value = StrCat("value ", i)});
  }
  return entries;
}

TEST_F(SstCheckTest, FindsNothingInRandomGoodFiles) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 100 * testing::TestScale(); ++round) {
    ASSERT_NO_FATAL_FAILURE(Write(RandomEntries(random, RandomShape(random))));
    const std::vector<Damage> damages = Check(VerifyDepth::kDeep);
    ASSERT_TRUE(damages.empty()) << damages[0].offset << ": " << damages[0].what;
    ASSERT_TRUE(env_.Remove(kPath).has_value());
  }
}

TEST_F(SstCheckTest, FullFindsTheFlippedBitThatFastDoesNotRead) {
  Write(Numbered(2000));
  Overwrite(2 * kPageBytes + 100, "\x01");
  EXPECT_TRUE(Check(VerifyDepth::kFast).empty());
  const std::vector<Damage> damages = Check(VerifyDepth::kFull);
  ASSERT_FALSE(damages.empty());
  EXPECT_EQ(damages[0].offset, 2 * kPageBytes);
  EXPECT_EQ(damages[0].what, "checksum mismatch");
}

TEST_F(SstCheckTest, FastFindsAFileThatTheManifestDoesNotMean) {
  Write(Numbered(100));
  meta_.root.low ^= 1;
  const std::vector<Damage> damages = Check(VerifyDepth::kFast);
  ASSERT_EQ(damages.size(), 1U);
  EXPECT_EQ(damages[0].what, "the file is not the one that the manifest names");
}

TEST_F(SstCheckTest, FastFindsADamagedIdentity) {
  Write(Numbered(100));
  Overwrite(3000, "\x01");
  ASSERT_EQ(Check(VerifyDepth::kFast).size(), 1U);
}

TEST_F(SstCheckTest, DeepFindsAFilterThatHidesKeys) {
  Write(Numbered(1000));
  PagePool pool(1 << 20);
  const std::unique_ptr<SstReader> reader =
      SstReader::Open(env_, kPath, {.identity = IdentityOf(kUuid, kNumber), .pool = &pool}).value();
  const std::uint32_t page = reader->footer().section(SstSection::kFilter).first_page;
  std::string bytes = ReadPage(page);
  std::fill(bytes.begin() + 200, bytes.end() - 200, '\0');
  WriteSummedPage(page, bytes);
  const std::vector<Damage> full = Check(VerifyDepth::kFull);
  ASSERT_EQ(full.size(), 1U);
  EXPECT_EQ(full[0].what, "the sums of the pages do not give the root");
  const std::vector<Damage> deep = Check(VerifyDepth::kDeep);
  ASSERT_GT(deep.size(), 1U);
  EXPECT_EQ(deep[1].what, "the filter hides a key");
}

TEST_F(SstCheckTest, SalvagesEveryEntryOutsideDamagedPages) {
  Random random(testing::TestSeed());
  for (int round = 0; round < 50 * testing::TestScale(); ++round) {
    const std::vector<OwnedEntry> entries = RandomEntries(random, RandomShape(random));
    ASSERT_NO_FATAL_FAILURE(Write(entries));
    const std::uint64_t pages = meta_.size_bytes / kPageBytes;
    // Without the footer, and without some other page.
    Overwrite((pages - 1) * kPageBytes + 50, "damage");
    const std::uint64_t lost = 1 + random.Uniform(pages - 2);
    const std::string noise = RandomBytesOf(random, 8, 256);
    Overwrite(lost * kPageBytes + random.Uniform(kPageBytes - 8), noise);
    std::vector<OwnedEntry> saved;
    const SalvagedSst salvage =
        SalvageSst(env_, kPath, IdentityOf(kUuid, kNumber), [&](const Entry& entry) {
          saved.push_back(Own(entry));
        }).value();
    EXPECT_EQ(salvage.entries, saved.size());
    EXPECT_GE(salvage.damages.size(), 2U);
    ASSERT_TRUE(std::ranges::includes(entries, saved, [](const auto& a, const auto& b) {
      return CompareEntries(a.view(), b.view()) < 0;
    }));
    ASSERT_LE(salvage.range_deletes.size(), 1U);
    // A page holds at most 2,000 of these, one page is lost.
    EXPECT_GE(saved.size() + 2000, entries.size());
    ASSERT_TRUE(env_.Remove(kPath).has_value());
  }
}

TEST_F(SstCheckTest, SalvagesEveryFrameButTheDamagedOne) {
  const std::vector<OwnedEntry> entries = Numbered(20000);
  Write(entries, Compression::kZstd);
  const std::uint64_t pages = meta_.size_bytes / kPageBytes;
  Overwrite((pages - 1) * kPageBytes + 50, "damage");
  Random random(testing::TestSeed());
  // Behind the dictionary, which all frames need.
  const std::uint64_t frames_at = 6 * kPageBytes;
  const std::uint64_t at = frames_at + random.Uniform(2 * kPageBytes);
  Overwrite(at, "damage");
  std::vector<OwnedEntry> saved;
  const SalvagedSst salvage =
      SalvageSst(env_, kPath, IdentityOf(kUuid, kNumber), [&](const Entry& entry) {
        saved.push_back(Own(entry));
      }).value();
  ASSERT_EQ(salvage.damages.size(), 2U);  // the frame, the footer
  EXPECT_LE(salvage.damages[0].offset, at);
  EXPECT_NE(salvage.damages[0].what.find("a frame is lost; keys after 'k"), std::string::npos);
  EXPECT_LT(saved.size(), entries.size());
  EXPECT_GT(saved.size(), entries.size() * 2 / 3);
  ASSERT_TRUE(std::ranges::includes(entries, saved, [](const auto& a, const auto& b) {
    return CompareEntries(a.view(), b.view()) < 0;
  }));
  EXPECT_EQ(salvage.range_deletes.size(), 1U);
}

TEST_F(SstCheckTest, FullFindsAnyFlippedBitAmongFrames) {
  Write(Numbered(4000), Compression::kZstd);
  EXPECT_TRUE(Check(VerifyDepth::kDeep).empty());
  Random random(testing::TestSeed());
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t at = random.Uniform(meta_.size_bytes);
    const std::string before = ReadPage(at / kPageBytes).substr(at % kPageBytes, 1);
    const char bad = static_cast<char>(before[0] ^ (1 << random.Uniform(8)));
    Overwrite(at, Slice(&bad, 1));
    EXPECT_FALSE(Check(VerifyDepth::kFull).empty()) << "byte " << at;
    Overwrite(at, before);
  }
  EXPECT_TRUE(Check(VerifyDepth::kFull).empty());
}

TEST_F(SstCheckTest, NamesTheKeysBetweenWhichALostPageLay) {
  Write(Numbered(2000));
  Overwrite(2 * kPageBytes + 77, "damage");
  std::vector<std::string> keys;
  const SalvagedSst salvage =
      SalvageSst(env_, kPath, IdentityOf(kUuid, kNumber), [&](const Entry& entry) {
        keys.push_back(entry.key.ToString());
      }).value();
  ASSERT_EQ(salvage.damages.size(), 1U);
  std::size_t gap = 1;
  while (std::stoul(keys[gap].substr(1)) == std::stoul(keys[gap - 1].substr(1)) + 1) ++gap;
  EXPECT_EQ(salvage.damages[0].what, StrCat("a page is lost; keys after '", keys[gap - 1],
                                            "' and before '", keys[gap], "'"));
  EXPECT_EQ(salvage.damages[0].offset, 2 * kPageBytes);
  ASSERT_EQ(salvage.range_deletes.size(), 1U);
}

}  // namespace
}  // namespace trefoil::lsm
