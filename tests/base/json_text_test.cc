#include "base/json_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "trefoil/value.h"

namespace trefoil {
namespace {

TEST(CanonicalJsonTest, DropsBlanksAndSortsNames) {
  EXPECT_EQ(CanonicalJson(" { \"b\" : [ 1 , 2.50 , -0 ] , \"a\" : null , \"b\" : true } "),
            R"({"a":null,"b":true})");
  EXPECT_EQ(CanonicalJson("[1.0, 1e2, 12345678901234567890, {}, []]"),
            "[1,100,12345678901234567168,{},[]]");
}

TEST(CanonicalJsonTest, ResolvesEscapes) {
  EXPECT_EQ(CanonicalJson(R"("\u0041\/\n\ud83d\ude00")"), "\"A/\\n\xF0\x9F\x98\x80\"");
}

TEST(CanonicalJsonTest, RefusesWhatIsNotJson) {
  for (const char* text : {"", "01", "1.", "1e", "+1", "nul", "[1,]", "{\"a\"}", "{\"a\":1,}", "\"",
                           "\"\\x\"", "\"\\ud800\"", "[1] 2", "'a'", "\"\x01\"", "\"\xff\""}) {
    EXPECT_EQ(CanonicalJson(text), std::nullopt) << text;
  }
}

TEST(CanonicalJsonTest, SaysWhereATextStopsBeingJson) {
  const std::pair<std::string, const char*> problems[] = {
      {"", "character 1: expected a value"},
      {"nul", "character 1: expected a value"},
      {"[1,]", "character 4: expected a value"},
      {"[1 2]", "character 4: expected a comma or a closing bracket"},
      {"{\"ä\":1,}", "character 8: expected a name in double quotes"},
      {"{\"a\" 1}", "character 6: expected a colon behind the name"},
      {"{\"a\":1", "character 7: expected a comma or a closing brace"},
      {"{a", "character 2: expected a name in double quotes"},
      {"\"a", "character 3: expected a closing double quote"},
      {"\"\\x\"", "character 2: expected an escape that JSON has"},
      {"\"\\ud800\"", "character 8: expected a UTF-16 code in 4 digits"},
      {"\"\x01\"", "character 2: expected \\n, \\t or \\u00NN"},
      {"\"\xff\"", "character 2: expected UTF-8"},
      {"01", "character 1: expected a number without leading zeros"},
      {"1.", "character 1: expected a number with digits behind its point"},
      {"1e", "character 1: expected a number with digits in its exponent"},
      {"1e999", "character 1: expected a number that a FLOAT can hold"},
      {"[1] 2", "character 5: expected the end, for the value is complete"},
      {std::string(258, '['), "character 258: expected no deeper nesting"},
  };
  for (const auto& [text, problem] : problems) EXPECT_EQ(DescribeJsonProblem(text), problem);
}

TEST(CanonicalJsonTest, RefusesNestingBeyondItsLimit) {
  EXPECT_TRUE(CanonicalJson(std::string(200, '[') + std::string(200, ']')).has_value());
  EXPECT_FALSE(CanonicalJson(std::string(100'000, '[')).has_value());
}

TEST(CanonicalJsonTest, IsItsOwnCanonicalForm) {
  const std::string canonical = *CanonicalJson(R"({"x":[0.1,"a\"b\\",{"y":"\u0001"}],"":-7})");
  EXPECT_EQ(CanonicalJson(canonical), canonical);
}

TEST(JsonMemberTest, FindsMembersAndElements) {
  const std::string object = *CanonicalJson(R"({"a,b":[1,"x]",{"c":2}],"d":"q\"\u0002"})");
  EXPECT_EQ(JsonMember(object, "a,b"), R"([1,"x]",{"c":2}])");
  EXPECT_EQ(JsonElement(*JsonMember(object, "a,b"), 1), R"("x]")");
  EXPECT_EQ(JsonElement(*JsonMember(object, "a,b"), 3), std::nullopt);
  EXPECT_EQ(JsonMember(object, "e"), std::nullopt);
  EXPECT_EQ(JsonMember("[1]", "a"), std::nullopt);
  EXPECT_EQ(JsonStringText(*JsonMember(object, "d")), "q\"\x02");
}

TEST(ParseValueTest, ReadsBackWhatToTextPrints) {
  const Value values[] = {
      Value::Bool(true),       Value::Int(-5),           Value::Float(0.1),
      Value::Decimal(105, 2),  Value::Date(-1),          Value::Timestamp(1'234'567),
      Value::Text("a b"),      Value::Bytes("\x00\xff"), Value::Uuid("0123456789abcdef"),
      Value::Json("{\"a\":1}")};
  for (const Value& value : values) {
    EXPECT_EQ(ParseValue(ToText(value), value.kind()), value) << ToText(value);
  }
}

TEST(ParseValueTest, RefusesTextOfAnotherKind) {
  EXPECT_EQ(ParseValue("12x", ValueKind::kInt), std::nullopt);
  EXPECT_EQ(ParseValue("yes", ValueKind::kBool), std::nullopt);
  EXPECT_EQ(ParseValue("2026-13-01", ValueKind::kDate), std::nullopt);
  EXPECT_EQ(ParseValue("x", ValueKind::kList), std::nullopt);
}

}  // namespace
}  // namespace trefoil
