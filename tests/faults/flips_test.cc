// One bit flipped in each kind of file of a real database directory: open refuses it, or `check`
// finds it, or it lies where nothing counts (room that was written ahead, a spare copy) and nothing
// changes. Never does a database answer otherwise than before without being told of, but for the
// newest commit of a log: its damaged record is not to be told from one that a power cut left half
// written, so it is dropped as that.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/random.h"
#include "base/str_cat.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kFlipsPerFile = 12;
constexpr int kRows = 1500;
constexpr int kLogged = 30;  // commits that stand in the log only

struct Counts {
  int found = 0;
  int no_effect = 0;  // as before, and check finds nothing
  int torn = 0;       // the newest commit is missing
};

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void WriteByte(const fs::path& path, std::size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
  ASSERT_TRUE(file.good());
}

class FlipsTest : public ::testing::Test {
 protected:
  FlipsTest() : folder_(StrCat(::testing::TempDir(), "flips_", ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    MakeDatabase();
    before_ = DumpOf();
  }
  ~FlipsTest() override { fs::remove_all(folder_); }

  std::string Path() const { return folder_ + "/db"; }

  // Sorted files, blobs, a manifest, and commits that are in the log only.
  void MakeDatabase() {
    Options options;
    options.durability = Durability::kDurable;
    Result<Database> database = Database::Open(Path(), options);
    ASSERT_TRUE(database) << ToString(database.error());
    ASSERT_TRUE(database->Execute("TABLE item (id INT KEY, part INT INDEX, text TEXT)"));
    Add(*database, 0, kRows);
    ASSERT_TRUE(database->Compact());
    for (int i = 0; i < kLogged; ++i) {
      before_last_ = *database->DumpText();
      Add(*database, kRows + i * 10, kRows + (i + 1) * 10);
    }
    // A copy of an open database, as a power cut leaves it: its log is not yet empty.
    fs::copy(Path(), folder_ + "/cut", fs::copy_options::recursive);
    const Result<Database> closing = std::move(database);
  }
  static void Add(Database& database, int from, int to) {
    ASSERT_TRUE(database.Write([&](Transaction& transaction) -> Status {
      for (int id = from; id < to; ++id) {
        // Every hundredth is long enough to be stored apart.
        const std::string text(id % 100 == 0 ? 20'000 : 40, static_cast<char>('a' + id % 26));
        Result<std::vector<Value>> key = transaction.Insert(
            "item",
            {{"id", Value::Int(id)}, {"part", Value::Int(id % 50)}, {"text", Value::Text(text)}});
        if (!key) return std::move(key).error();
      }
      return Ok();
    }));
  }

  // Everything that stands in the database; empty where open or check refuses it.
  std::string DumpOf() const {
    Options options;
    options.read_only = true;
    const Result<Database> database = Database::Open(folder_ + "/cut", options);
    if (!database) return {};
    const Result<CheckReport> report = database->Check();
    if (!report || !report->problems.empty()) return {};
    const Result<std::string> dump = database->DumpText();
    return dump ? *dump : std::string();
  }

  const std::string folder_;
  std::string before_;
  std::string before_last_;  // without the newest commit
};

TEST_F(FlipsTest, IsFoundInEveryKindOfFile) {
  ASSERT_FALSE(before_.empty());
  Random random(TestSeed());
  std::map<std::string, Counts> counts;  // by ending
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ + "/cut")) {
    const std::string kind = entry.path().extension().empty() ? entry.path().filename().string()
                                                              : entry.path().extension().string();
    const std::string bytes = ReadAll(entry.path());
    if (bytes.empty()) continue;
    const int flips = static_cast<int>(kFlipsPerFile * TestScale());
    for (int i = 0; i < flips; ++i) {
      // Half of them near the start: a log is mostly zeros that are written ahead.
      const std::size_t range =
          i % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 20'000);
      const std::size_t at = random.Uniform(range);
      const int bit = static_cast<int>(random.Uniform(8));
      WriteByte(entry.path(), at, static_cast<char>(bytes[at] ^ (1 << bit)));
      const std::string after = DumpOf();
      WriteByte(entry.path(), at, bytes[at]);
      if (after.empty()) {
        ++counts[kind].found;
      } else {
        const bool is_torn = kind == ".log" && after == before_last_;
        EXPECT_TRUE(is_torn || after == before_)
            << entry.path() << ": bit " << bit << " of byte " << at << " changed what is stored";
        ++(is_torn ? counts[kind].torn : counts[kind].no_effect);
      }
    }
  }
  for (const auto& [kind, count] : counts) {
    std::printf("%-6s found %d, without effect %d, the newest commit is dropped %d\n", kind.c_str(),
                count.found, count.no_effect, count.torn);
  }
  // Every byte of these is under a checksum that check reads.
  for (const char* kind : {".sst", ".blob"}) {
    EXPECT_GT(counts[kind].found, 0) << kind;
    EXPECT_EQ(counts[kind].no_effect, 0) << kind;
  }
  // These end in room that was written ahead. The superblock stands there four times, so that one
  // flip of it costs nothing.
  for (const char* kind : {".man", ".log"}) EXPECT_GT(counts[kind].found, 0) << kind;
  EXPECT_GT(counts["super"].no_effect, 0);
}

}  // namespace
}  // namespace trefoil::testing
