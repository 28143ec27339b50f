// What is whole of a damaged database comes out, what is lost is named, and nothing else happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/env_fault.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "lsm/superblock.h"
#include "tests/support/seed.h"
#include "trefoil/database.h"

namespace trefoil {
namespace {

constexpr int kRows = 2000;

class SalvageTest : public ::testing::Test {
 protected:
  SalvageTest() {
    Result<Database> database = Database::Open("db", {.env = &env_});
    EXPECT_TRUE(database.has_value());
    EXPECT_TRUE(database->Execute("TABLE item (id INT KEY, name TEXT)").has_value());
    const Result<CommitInfo> written = database->Write([](Transaction& transaction) -> Status {
      for (int i = 0; i < kRows; ++i) {
        const Result<std::vector<Value>> key = transaction.Insert(
            "item", {{"id", Value::Int(i)}, {"name", Value::Text(StrCat("the name of ", i))}});
        if (!key) return key.error();
      }
      return Ok();
    });
    EXPECT_TRUE(written.has_value());
    EXPECT_TRUE(database->Compact());
    // Some of it only in the log.
    EXPECT_TRUE(database->Execute("UPDATE item SET name = 'new' WHERE id = 7").has_value());
    EXPECT_TRUE(database->Flush());
    dump_ = *database->DumpText();
    changes_ = *database->Changes({});
    rows_ = RowsOf(*database);
  }

  static std::map<std::int64_t, std::string> RowsOf(const Database& database) {
    std::map<std::int64_t, std::string> by_id;
    const Result<Query> query = database.Prepare("SELECT id, name FROM item");
    EXPECT_TRUE(query.has_value());
    if (!query) return by_id;
    const Result<Rows> rows = database.snapshot().Run(*query);
    EXPECT_TRUE(rows.has_value());
    if (!rows) return by_id;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      by_id[(*rows)[i][0].AsInt()] = ToText((*rows)[i][1]);
    }
    return by_id;
  }

  std::string FileWithEnd(std::string_view end) {
    const Result<std::vector<std::string>> names = env_.List("db");
    EXPECT_TRUE(names.has_value());
    for (const std::string& name : *names) {
      if (name.ends_with(end)) return "db/" + name;
    }
    ADD_FAILURE() << "no file ends in " << end;
    return {};
  }

  static bool Names(const SalvageReport& report, std::string_view what) {
    return std::ranges::any_of(
        report.lost, [&](const std::string& lost) { return lost.find(what) != lost.npos; });
  }

  FaultEnv env_{{.seed = testing::TestSeed()}};
  std::string dump_;
  std::string changes_;
  std::map<std::int64_t, std::string> rows_;
};

TEST_F(SalvageTest, GivesTheWholeDumpOfAWholeDatabase) {
  const Result<SalvageReport> saved = Database::Salvage("db", {.env = &env_});
  ASSERT_TRUE(saved.has_value()) << ToString(saved.error());
  EXPECT_EQ(saved->lost, std::vector<std::string>());
  EXPECT_TRUE(saved->dump == dump_);
}

TEST_F(SalvageTest, NeedsNeitherSuperblockNorManifest) {
  ASSERT_TRUE(env_.Remove("db/super"));
  ASSERT_TRUE(env_.Remove(FileWithEnd(".man")));
  EXPECT_EQ(Database::Open("db", {.env = &env_}).error().code, ErrorCode::kCorruption);
  const Result<SalvageReport> saved = Database::Salvage("db", {.env = &env_});
  ASSERT_TRUE(saved.has_value()) << ToString(saved.error());
  EXPECT_TRUE(Names(*saved, "db/super"));
  Result<Database> loaded = Database::Open(":memory:");
  ASSERT_TRUE(loaded.has_value());
  ASSERT_TRUE(loaded->LoadText(saved->dump));
  EXPECT_EQ(RowsOf(*loaded), rows_);
}

TEST_F(SalvageTest, LosesADamagedPageWhichAnotherReplicaBringsBack) {
  const std::string sst = FileWithEnd(".sst");
  ASSERT_TRUE(env_.FlipBit(sst, (10 * 4096 + 100) * 8));
  const Result<SalvageReport> saved = Database::Salvage("db", {.env = &env_});
  ASSERT_TRUE(saved.has_value()) << ToString(saved.error());
  EXPECT_TRUE(Names(*saved, sst + " at 40960")) << saved->lost[0];
  Result<Database> loaded = Database::Open(":memory:");
  ASSERT_TRUE(loaded.has_value());
  ASSERT_TRUE(loaded->LoadText(saved->dump));
  EXPECT_LT(RowsOf(*loaded), rows_);
  ASSERT_TRUE(loaded->Merge(changes_).has_value());
  EXPECT_EQ(RowsOf(*loaded), rows_);
}

TEST_F(SalvageTest, NamesASortedFileThatIsGone) {
  const std::string sst = FileWithEnd(".sst");
  ASSERT_TRUE(env_.Remove(sst));
  const Result<SalvageReport> saved = Database::Salvage("db", {.env = &env_});
  ASSERT_TRUE(saved.has_value()) << ToString(saved.error());
  EXPECT_TRUE(Names(*saved, sst));
  EXPECT_FALSE(saved->dump.empty());
}

TEST_F(SalvageTest, SaysWhereThereIsNoDatabase) {
  EXPECT_EQ(Database::Salvage("elsewhere", {.env = &env_}).error().code, ErrorCode::kNotFound);
}

// Whatever bit of whatever file flips: what comes out is a part of what went in, or the database
// says why it cannot be loaded, and no file is changed.
TEST_F(SalvageTest, NeverGivesOutARowThatWasNotThere) {
  Random random(testing::TestSeed());
  const Result<std::vector<std::string>> names = env_.List("db");
  ASSERT_TRUE(names.has_value());
  for (int round = 0; round < 20; ++round) {
    const std::string path = "db/" + (*names)[random.Uniform(names->size())];
    const Result<std::string> before = lsm::ReadWholeFile(env_, path);
    ASSERT_TRUE(before.has_value());
    if (before->empty()) continue;
    const std::uint64_t bit = random.Uniform(before->size() * 8);
    SCOPED_TRACE(StrCat(path, " bit ", bit));
    ASSERT_TRUE(env_.FlipBit(path, bit));
    const Result<SalvageReport> saved = Database::Salvage("db", {.env = &env_});
    ASSERT_TRUE(saved.has_value()) << ToString(saved.error());
    ASSERT_TRUE(env_.FlipBit(path, bit));
    EXPECT_EQ(*lsm::ReadWholeFile(env_, path), *before);
    Result<Database> loaded = Database::Open(":memory:");
    ASSERT_TRUE(loaded.has_value());
    if (const Status done = loaded->LoadText(saved->dump); !done) {
      EXPECT_FALSE(saved->lost.empty()) << ToString(done.error());
      continue;
    }
    if (!loaded->Prepare("SELECT id, name FROM item")) {
      EXPECT_FALSE(saved->lost.empty());
      continue;
    }
    for (const auto& [id, name] : RowsOf(*loaded)) {
      ASSERT_TRUE(rows_.contains(id));
      // A lost entry lets an older one through: the first name of row 7, or none.
      const bool is_whole = name == rows_[id] || name == "NULL" || name == "null" || name.empty();
      EXPECT_TRUE(is_whole || id == 7) << id << " " << name;
    }
  }
}

}  // namespace
}  // namespace trefoil
