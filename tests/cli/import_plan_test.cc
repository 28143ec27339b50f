#include "cli/import/import_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/import/distinct_values.h"
#include "cli/import/name_hints.h"

namespace trefoil::cli {
namespace {

struct File {
  std::string table;
  std::string csv;
};

std::vector<ImportSource> Open(const std::vector<File>& files) {
  std::vector<ImportSource> sources;
  for (const File& file : files) {
    Result<std::unique_ptr<RecordReader>> reader = OpenCsv(file.csv, file.table + ".csv");
    EXPECT_TRUE(reader.has_value()) << ToString(reader.error());
    sources.push_back({.table = file.table, .reader = *std::move(reader)});
  }
  return sources;
}

// The declarations that the files get, in their order.
std::vector<std::string> Declared(const std::vector<File>& files, const ImportHints& hints = {}) {
  std::vector<ImportSource> sources = Open(files);
  const Result<std::vector<TablePlan>> plans = PlanImport(sources, hints);
  EXPECT_TRUE(plans.has_value()) << ToString(plans.error());
  std::vector<std::string> declarations;
  for (const TablePlan& plan : *plans) declarations.push_back(Declaration(plan));
  return declarations;
}

TEST(ImportPlanTest, TakesTheNarrowestTypeThatFitsEveryValue) {
  EXPECT_EQ(Declared({{"t",
                       "id,b,i,d,f,day,at,zip,u\n"
                       "1,true,-5,1.50,1e3,2024-02-29,2024-02-29 10:00:00,0171,a\n"
                       "2,false,7,20.25,.5,2023-01-01,2024-03-01 00:00:00,8000,b\n"}}),
            (std::vector<std::string>{
                R"(TABLE "t" ("id" INT KEY, "b" BOOL, "i" INT, "d" DECIMAL(10, 2), "f" FLOAT, )"
                R"("day" DATE, "at" TIMESTAMP, "zip" TEXT, "u" TEXT))"}));
}

TEST(ImportPlanTest, AKeyIsUniqueAndNowhereNull) {
  EXPECT_EQ(Declared({{"t", "id,n\n1,a\n1,b\n"}}),
            (std::vector<std::string>{R"(TABLE "t" ("id" INT, "n" TEXT))"}));
  EXPECT_EQ(Declared({{"t", "id,n\n1,a\n,b\n"}}),
            (std::vector<std::string>{R"(TABLE "t" ("id" INT, "n" TEXT))"}));
}

TEST(ImportPlanTest, AReferenceIsNamedAfterATableAndHoldsOnlyItsKeys) {
  const File artist = {"Artist", "ArtistId,Name\n1,AC/DC\n2,Accept\n"};
  EXPECT_EQ(Declared({artist, {"Album", "AlbumId,ArtistId\n7,2\n8,\n"}})[1],
            R"(TABLE "Album" ("AlbumId" INT KEY, "ArtistId" REF "Artist"))");
  EXPECT_EQ(Declared({artist, {"Album", "AlbumId,ArtistId\n7,2\n8,3\n"}})[1],
            R"(TABLE "Album" ("AlbumId" INT KEY, "ArtistId" INT))");
}

TEST(ImportPlanTest, AReferenceMayBeNamedAfterARole) {
  EXPECT_EQ(Declared({{"Employee", "EmployeeId,ReportsTo\n1,\n2,1\n"},
                      {"Genre", "GenreId,Name\n1,Rock\n2,Jazz\n"},
                      {"Customer", "CustomerId,SupportRepId\n5,2\n6,1\n"}}),
            (std::vector<std::string>{
                R"(TABLE "Employee" ("EmployeeId" INT KEY, "ReportsTo" REF "Employee"))",
                R"(TABLE "Genre" ("GenreId" INT KEY, "Name" TEXT))",
                R"(TABLE "Customer" ("CustomerId" INT KEY, "SupportRepId" REF "Employee"))"}));
}

TEST(ImportPlanTest, NumbersThatHappenToBeKeysAreNoReferences) {
  EXPECT_EQ(
      Declared({{"genre", "id,name\n1,Rock\n2,Jazz\n"}, {"album", "id,stars\n1,2\n2,1\n"}})[1],
      R"(TABLE "album" ("id" INT KEY, "stars" INT))");
}

TEST(ImportPlanTest, SaysWhenARowRefersToALaterOne) {
  for (const auto& [csv, forward] :
       {std::pair("id,parent\n1,\n2,1\n", false), std::pair("id,parent\n1,2\n2,\n", true),
        std::pair("id,parent\n1,1\n2,2\n", false)}) {
    std::vector<ImportSource> sources = Open({{"node", csv}});
    const Result<std::vector<TablePlan>> plans = PlanImport(sources, {});
    ASSERT_TRUE(plans.has_value());
    EXPECT_EQ((*plans)[0].columns[1].references, "node") << csv;
    EXPECT_EQ((*plans)[0].refers_forward, forward) << csv;
  }
}

TEST(ImportPlanTest, AJunctionTableHasAllItsColumnsAsKey) {
  EXPECT_EQ(Declared({{"list_track", "list_id,track_id\n1,1\n1,2\n2,1\n"}})[0],
            R"(TABLE "list_track" ("list_id" INT, "track_id" INT, KEY ("list_id", "track_id")))");
}

TEST(ImportPlanTest, NamesTheLineWhereAWantedKeyIsRepeated) {
  std::vector<ImportSource> sources = Open({{"t", "a,b\n1,x\n1,y\n"}});
  const Result<std::vector<TablePlan>> plans = PlanImport(sources, {.key = "a"});
  ASSERT_FALSE(plans.has_value());
  EXPECT_EQ(plans.error().message, "t.csv:3: the key of t is missing, or stands there twice");
  EXPECT_EQ(Declared({{"t", "a,b\n1,x\n1,y\n"}}, {.key = "A,B"})[0],
            R"(TABLE "t" ("a" INT, "b" TEXT, KEY ("a", "b")))");
}

TEST(ImportPlanTest, NamesAWantedKeyThatIsNoColumn) {
  std::vector<ImportSource> sources = Open({{"t", "a\n1\n"}});
  const Result<std::vector<TablePlan>> plans = PlanImport(sources, {.key = "z"});
  ASSERT_FALSE(plans.has_value());
  EXPECT_EQ(plans.error().code, ErrorCode::kUnknownColumn);
}

TEST(DistinctValuesTest, KnowsRepeatedValuesAndInclusion) {
  DistinctValues all;
  for (const char* text : {"7", "b", "c"}) all.See(text);
  DistinctValues part;
  for (const char* text : {"c", "7", "c"}) part.See(text);
  EXPECT_TRUE(all.all_distinct());
  EXPECT_FALSE(part.all_distinct());
  EXPECT_TRUE(all.Includes(part));
  EXPECT_FALSE(part.Includes(all));
}

TEST(DistinctValuesTest, NeedsNoMemoryForNumbersThatRise) {
  constexpr std::size_t kMax = 100;
  DistinctValues rising(kMax);
  DistinctValues mixed(kMax);
  for (std::uint64_t i = 0; i <= kMax + 1; ++i) {
    rising.See(std::to_string(i));
    mixed.See(std::to_string(i ^ 1));
  }
  EXPECT_TRUE(rising.all_distinct());
  EXPECT_FALSE(mixed.all_distinct());
  EXPECT_FALSE(rising.Includes(DistinctValues()));
  rising.See("5");
  EXPECT_FALSE(rising.all_distinct());
}

TEST(NameHintsTest, CutsNamesIntoWords) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(WordsOf("SupportRepId"), (Words{"support", "rep", "id"}));
  EXPECT_EQ(WordsOf("support_rep_id"), (Words{"support", "rep", "id"}));
  EXPECT_EQ(WordsOf("HTMLPage"), (Words{"html", "page"}));
  EXPECT_EQ(WordsOf("ReportsTo"), (Words{"reports", "to"}));
}

TEST(NameHintsTest, FindsTablesByNameRoleAndHierarchy) {
  const std::vector<std::string> tables = {"customers", "Employee", "invoice_line"};
  using Names = std::vector<std::string>;
  EXPECT_EQ(HintedTables("customer_id", "x", tables), (Names{"customers"}));
  EXPECT_EQ(HintedTables("BillingCustomerId", "x", tables), (Names{"customers"}));
  EXPECT_EQ(HintedTables("InvoiceLineId", "x", tables), (Names{"invoice_line"}));
  EXPECT_EQ(HintedTables("parent_id", "x", tables), (Names{"x"}));
  EXPECT_EQ(HintedTables("assigned_to", "x", tables), (Names{"Employee", "customers"}));
  EXPECT_EQ(HintedTables("quantity", "x", tables), Names());
}

}  // namespace
}  // namespace trefoil::cli
