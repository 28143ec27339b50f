#include "cli/render.h"

#include <gtest/gtest.h>

namespace trefoil::cli {
namespace {

Table People() {
  return {.names = {"id", "name"},
          .rows = {{Value::Int(1), Value::Text("Ünï")},
                   {Value::Int(20), Value()},
                   {Value::Int(3), Value::Text("日本 \"x\"")}}};
}

TEST(RenderTest, DrawsABoxWithNumbersToTheRight) {
  EXPECT_EQ(RenderBox(People(), 0),
            "┌────┬──────────┐\n"
            "│ id │ name     │\n"
            "├────┼──────────┤\n"
            "│  1 │ Ünï      │\n"
            "│ 20 │          │\n"
            "│  3 │ 日本 \"x\" │\n"
            "└────┴──────────┘\n"
            "3 rows\n");
}

TEST(RenderTest, CutsTheWidestColumnToFitTheTerminal) {
  const Table table = {.names = {"text"}, .rows = {{Value::Text("abcdefghijklmnop")}}};
  EXPECT_EQ(RenderBox(table, 14),
            "┌────────────┐\n"
            "│ text       │\n"
            "├────────────┤\n"
            "│ abcdefghi… │\n"
            "└────────────┘\n"
            "1 row\n");
}

TEST(RenderTest, WritesJsonRowsInColumnOrder) {
  EXPECT_EQ(RenderJsonRows(People()),
            R"([{"id":1,"name":"Ünï"},{"id":20,"name":null},{"id":3,"name":"日本 \"x\""}])");
}

TEST(RenderTest, WritesCsvWithAHeaderLine) {
  EXPECT_EQ(RenderCsv(People()), "id,name\n1,Ünï\n20,\n3,\"日本 \"\"x\"\"\"\n");
}

TEST(RenderTest, NamesAnUnknownFormat) {
  EXPECT_EQ(ParseFormat("xml").error().message, "unknown format 'xml'");
}

}  // namespace
}  // namespace trefoil::cli
