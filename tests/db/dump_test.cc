// A dump holds the whole state as text, and a database made of it is the same.
#include <gtest/gtest.h>

#include "tests/support/declare.h"
#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

class DumpTest : public ::testing::Test {
 protected:
  DumpTest() : a(1), b(2), c(3) {
    a.DeclareTable();
    a.Insert(1, {{.attribute = AttributeId{kName}, .value = Value::Int(-5)}});
    a.Insert(2);
    Sync(a, b);
    for (Replica* replica : {&a, &b}) {
      replica->Set(1, kMany, 4);
      replica->Add(1, kCount, 2);
      replica->Add(1, kTags, 7);
    }
    a.Delete(2);
    Sync(a, b);
  }
  std::string Dump(Replica& replica) {
    const Result<std::string> text = replica.database().DumpText();
    EXPECT_TRUE(text);
    return text ? *text : std::string();
  }

  Replica a;
  Replica b;
  Replica c;
};

TEST_F(DumpTest, EqualStatesAreEqualTexts) { EXPECT_EQ(Dump(a), Dump(b)); }

TEST_F(DumpTest, LoadingGivesTheSameStateAndAReplicaThatMergesOn) {
  const Status loaded = c.database().LoadText(Dump(a));
  ASSERT_TRUE(loaded) << ToString(loaded.error());
  EXPECT_EQ(c.Hex(), a.Hex());
  EXPECT_EQ(Dump(c), Dump(a));
  c.CheckSound();
  c.Reopen();
  c.Add(1, kCount, 1);
  a.Set(1, kName, 8);
  Sync(a, c);
  EXPECT_EQ(a.Hex(), c.Hex());
  EXPECT_EQ(a.Get(1, kCount), Value::Int(5));
}

TEST_F(DumpTest, AReplicaMadeOfADumpGivesItsStateToWhoeverLacksTransactions) {
  ASSERT_TRUE(c.database().LoadText(Dump(a)));
  Replica fresh(4);
  fresh.Merge(c.Changes());
  EXPECT_EQ(fresh.Hex(), a.Hex());
  EXPECT_EQ(fresh.database().version_vector(), a.database().version_vector());
}

TEST_F(DumpTest, TextsOfAllKindsComeBack) {
  const std::vector<schema::Declaration> other = {
      Table("other", {Key("id", ValueKind::kInt), Field("x", ValueKind::kNull)})};
  ASSERT_TRUE(a.engine().Declare(other));
  const std::vector<Value> values = {Value::Text("a\nb\\c\r d"),
                                     Value::Text("payload of it"),
                                     Value::Text(""),
                                     Value::Bytes(std::string_view("\0\xff", 2)),
                                     Value::Float(0.1),
                                     Value::Float(1e300),
                                     Value::Decimal(-1050, 2),
                                     Value::Bool(true),
                                     Value::Date(19000),
                                     Value::Timestamp(1'700'000'000'123'456),
                                     Value::Json("{\"a\":[1]}"),
                                     Value::Uuid("0123456789abcdef"),
                                     Value::Ref({Value::Int(1), Value::Text("x")})};
  const Result<CommitInfo> written = a.database().Write([&](Transaction& t) -> Status {
    for (std::size_t i = 0; i < values.size(); ++i) {
      Result<std::vector<Value>> key =
          t.Insert("other", {{"id", Value::Int(static_cast<std::int64_t>(i))}, {"x", values[i]}});
      if (!key) return std::move(key).error();
    }
    return Ok();
  });
  ASSERT_TRUE(written) << ToString(written.error());
  const Status loaded = c.database().LoadText(Dump(a));
  ASSERT_TRUE(loaded) << ToString(loaded.error());
  EXPECT_EQ(c.Hex(), a.Hex());
}

TEST_F(DumpTest, OnlyAnEmptyDatabaseLoadsOne) {
  EXPECT_EQ(b.database().LoadText(Dump(a)).error().code, ErrorCode::kAlreadyExists);
}

TEST_F(DumpTest, ALineThatDoesNotReadIsNamedAndNothingIsLoaded) {
  std::string text = Dump(a);
  text.replace(text.find("fact "), 5, "fict ");
  const Status loaded = c.database().LoadText(text);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "dump: line 4 does not read");
  EXPECT_TRUE(c.database().version_vector().bytes().empty());
  for (const char* bad : {"trefoil dump 2\n", "trefoil dump 1\nsite zz 1 1\n",
                          "trefoil dump 1\nfact 54 1.0 1 - - NULL\n"}) {
    EXPECT_FALSE(c.database().LoadText(bad)) << bad;
  }
}

}  // namespace
}  // namespace trefoil::testing
