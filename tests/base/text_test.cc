// Values to text and back: numbers, base64, uuids, dates, JSON.
#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/text_format.h"
#include "base/text_parse.h"
#include "base/time_text.h"
#include "base/utf8.h"
#include "tests/support/seed.h"
#include "trefoil/value.h"

namespace trefoil {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::string DateText(std::int64_t days) {
  std::string text;
  AppendDate(text, days);
  return text;
}

std::string TimestampText(std::int64_t micros) {
  std::string text;
  AppendTimestamp(text, micros);
  return text;
}

std::string DecimalText(std::int64_t unscaled, int scale) {
  std::string text;
  AppendDecimal(text, {unscaled, scale});
  return text;
}

// Any number of bits, so that small and large numbers are equally likely.
std::int64_t AnyInt(Random& random) {
  return static_cast<std::int64_t>(random.Next()) >> random.Uniform(64);
}

TEST(TimeTextTest, PrintsIsoDatesAndTimestamps) {
  EXPECT_EQ(DateText(0), "1970-01-01");
  EXPECT_EQ(DateText(-1), "1969-12-31");
  EXPECT_EQ(TimestampText(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(TimestampText(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(TimestampText(1'767'323'045'000'006), "2026-01-02T03:04:05.000006Z");
}

TEST(TimeTextTest, SignsYearsThatDoNotHaveFourDigits) {
  EXPECT_EQ(DateText(*DaysFromCivil({0, 2, 29})), "0000-02-29");
  EXPECT_EQ(DateText(*DaysFromCivil({-44, 3, 15})), "-0044-03-15");
  EXPECT_EQ(DateText(*DaysFromCivil({12'345, 6, 7})), "+12345-06-07");
  EXPECT_EQ(ParseDate("-0044-03-15"), DaysFromCivil({-44, 3, 15}));
  EXPECT_EQ(ParseDate("+12345-06-07"), DaysFromCivil({12'345, 6, 7}));
}

TEST(TimeTextTest, AgreesWithTheStandardCalendar) {
  using std::chrono::year, std::chrono::month, std::chrono::day;
  for (std::int64_t days = *DaysFromCivil({-9'999, 1, 1}); days <= *DaysFromCivil({9'999, 12, 31});
       days += 13) {
    const std::chrono::year_month_day expected{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
    const CivilDate date = CivilFromDays(days);
    ASSERT_EQ(date.year, static_cast<int>(expected.year()));
    ASSERT_EQ(date.month, static_cast<int>(static_cast<unsigned>(expected.month())));
    ASSERT_EQ(date.day, static_cast<int>(static_cast<unsigned>(expected.day())));
    ASSERT_EQ(DaysFromCivil(date), days);
  }
}

TEST(TimeTextTest, ReadsBackEveryDateAndTimestamp) {
  Random random(testing::TestSeed());
  std::vector<std::int64_t> numbers = {kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax};
  for (int i = 0; i < 20'000; ++i) numbers.push_back(AnyInt(random));
  for (const std::int64_t number : numbers) {
    ASSERT_EQ(ParseDate(DateText(number)), number) << DateText(number);
    ASSERT_EQ(ParseTimestamp(TimestampText(number)), number) << TimestampText(number);
  }
}

TEST(TimeTextTest, ReadsTheUsualFormsOfATimestamp) {
  const std::int64_t micros = 1'767'323'045'000'000;
  for (const char* text : {"2026-01-02T03:04:05Z", "2026-01-02 03:04:05", "2026-01-02t03:04:05z",
                           "2026-01-02T05:04:05+02:00", "2026-01-02T05:04:05+0200",
                           "2026-01-02T05:04:05+02", "2026-01-01T23:34:05.000000999-03:30"}) {
    EXPECT_EQ(ParseTimestamp(text), micros) << text;
  }
  EXPECT_EQ(ParseTimestamp("2026-01-02"), micros - (3 * 3600 + 4 * 60 + 5) * 1'000'000LL);
  EXPECT_EQ(ParseTimestamp("2026-01-02T03:04"), micros - 5'000'000);
  EXPECT_EQ(ParseTimestamp("2026-01-02T03:04:05.25"), micros + 250'000);
}

TEST(TimeTextTest, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "-", "2026", "2026-1-2", "2026-13-01", "2026-00-01", "2026-02-30", "2025-02-29",
        "1900-02-29", "12345-01-01", "+999-01-01", "2026-01-02x", "2026/01/02", " 2026-01-02",
        "+99999999999999999-01-01", "+999999999999999999-01-01"}) {
    EXPECT_EQ(ParseDate(text), std::nullopt) << text;
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
  for (const char* text :
       {"2026-01-02T", "2026-01-02T24:00:00", "2026-01-02T03:60:00", "2026-01-02T03:04:60",
        "2026-01-02T03:04:05.", "2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05+2",
        "2026-01-02T03:04:05+02:", "2026-01-02T03", "2026-01-02T3:04", "+300000-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

TEST(TextParseTest, ReadsIntegersOfTheFullRange) {
  EXPECT_EQ(ParseInt("-9223372036854775808"), kMin);
  EXPECT_EQ(ParseInt("+9223372036854775807"), kMax);
  EXPECT_EQ(ParseInt("007"), 7);
  for (const char* text : {"", "+", "-", "+-1", "9223372036854775808", "1 ", " 1", "1.0", "0x1"}) {
    EXPECT_EQ(ParseInt(text), std::nullopt) << text;
  }
}

TEST(TextParseTest, ReadsBackEveryFloat) {
  Random random(testing::TestSeed());
  for (int i = 0; i < 20'000; ++i) {
    const double number = std::bit_cast<double>(random.Next());
    std::string text;
    AppendFloat(text, number);
    const std::optional<double> read = ParseFloat(text);
    ASSERT_TRUE(read.has_value()) << text;
    ASSERT_TRUE(*read == number || (std::isnan(*read) && std::isnan(number))) << text;
  }
}

TEST(TextParseTest, ReadsFloatsAsPeopleWriteThem) {
  EXPECT_EQ(ParseFloat("+.5"), 0.5);
  EXPECT_EQ(ParseFloat("5."), 5);
  EXPECT_EQ(ParseFloat("-1.5E+3"), -1500);
  EXPECT_EQ(ParseFloat("-INFINITY"), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ParseFloat("NaN")));
  EXPECT_EQ(ParseFloat("1e-999"), 0);
  EXPECT_EQ(ParseFloat("0.00001e-320"), 0);
  for (const char* text : {"", ".", "e5", "1e", "1e+", "+-1", "0x1p3", "1e999", "123456e305", "1 ",
                           "nan(1)", "1,5", "infinit"}) {
    EXPECT_EQ(ParseFloat(text), std::nullopt) << text;
  }
}

TEST(TextParseTest, ReadsBackEveryDecimal) {
  EXPECT_EQ(DecimalText(5, 2), "0.05");
  EXPECT_EQ(DecimalText(-5, 0), "-5");
  EXPECT_EQ(DecimalText(kMin, 18), "-9.223372036854775808");
  Random random(testing::TestSeed());
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t unscaled = std::max(AnyInt(random), -kMax);
    const int scale = static_cast<int>(random.Uniform(19));
    const std::optional<Decimal> read = ParseDecimal(DecimalText(unscaled, scale), scale);
    ASSERT_TRUE(read.has_value()) << DecimalText(unscaled, scale);
    ASSERT_EQ(read->unscaled, unscaled);
    ASSERT_EQ(read->scale, scale);
  }
}

TEST(TextParseTest, RoundsDecimalsHalfAwayFromZero) {
  const auto unscaled = [](const char* text, int scale) -> std::optional<std::int64_t> {
    const std::optional<Decimal> decimal = ParseDecimal(text, scale);
    return decimal ? std::optional(decimal->unscaled) : std::nullopt;
  };
  EXPECT_EQ(unscaled("1.005", 2), 101);
  EXPECT_EQ(unscaled("-1.005", 2), -101);
  EXPECT_EQ(unscaled("1.00499", 2), 100);
  EXPECT_EQ(unscaled("0.5", 0), 1);
  EXPECT_EQ(unscaled("0.05", 0), 0);
  EXPECT_EQ(unscaled("12e-1", 0), 1);
  EXPECT_EQ(unscaled("1.5e3", 2), 150'000);
  EXPECT_EQ(unscaled("000000000000000000000000000001", 0), 1);
  EXPECT_EQ(unscaled("0e999999999999", 2), 0);
  EXPECT_EQ(unscaled("1e-999999999999", 2), 0);
  EXPECT_EQ(unscaled("9223372036854775807", 0), kMax);
  for (const char* text :
       {"9223372036854775808", "99999999999999999999", "1e999999999999", "", "1e", "nan", "--1"}) {
    EXPECT_EQ(unscaled(text, 0), std::nullopt) << text;
  }
}

TEST(TextParseTest, ReadsBackBase64AndUuids) {
  Random random(testing::TestSeed());
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, '\0');
    random.Fill(bytes);
    std::string text;
    AppendBase64(text, bytes);
    ASSERT_EQ(text.size() % 4, 0u);
    ASSERT_EQ(ParseBase64(text), bytes);
    while (text.ends_with('=')) text.pop_back();
    ASSERT_EQ(ParseBase64(text), bytes);
  }
  std::string uuid;
  AppendUuid(uuid, "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10");
  EXPECT_EQ(uuid, "01234567-89ab-cdef-fedc-ba9876543210");
  EXPECT_EQ(ParseUuid(uuid), ParseUuid("0123456789ABCDEFFEDCBA9876543210"));
  EXPECT_EQ(ParseUuid(uuid)->size(), 16u);
}

TEST(TextParseTest, RefusesBase64AndUuidsOutOfForm) {
  for (const char* text : {"A", "A===", "AA=A", "AB==", "A A=", "AAAAA", "====", "AA=", "AAA=="}) {
    EXPECT_EQ(ParseBase64(text), std::nullopt) << text;
  }
  for (const char* text :
       {"", "01234567-89ab-cdef-fedc-ba987654321", "0123456789abcdeffedcba987654321g",
        "01234567-89abc-def-fedc-ba9876543210", "01234567089ab0cdef0fedc0ba9876543210"}) {
    EXPECT_EQ(ParseUuid(text), std::nullopt) << text;
  }
}

TEST(Utf8Test, AcceptsExactlyTheWellFormed) {
  EXPECT_TRUE(IsUtf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf"));
  for (const char* text :
       {"\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\x80", "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1", "\xe2\x82\x28"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(ValueTextTest, PrintsEveryKindAsJson) {
  const auto names =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "q\""});
  const std::vector<std::pair<Value, std::string>> cases = {
      {Value(), "null"},
      {Value::Bool(true), "true"},
      {Value::Int(kMin), "-9223372036854775808"},
      {Value::Float(0.1), "0.1"},
      {Value::Float(std::nan("")), "\"NaN\""},
      {Value::Float(-std::numeric_limits<double>::infinity()), "\"-Infinity\""},
      {Value::Decimal(-1'050, 3), "-1.050"},
      {Value::Date(1), "\"1970-01-02\""},
      {Value::Timestamp(1), "\"1970-01-01T00:00:00.000001Z\""},
      {Value::Text("a\"\\\n\x01\xc3\xa4\xff"), "\"a\\\"\\\\\\n\\u0001\xc3\xa4\xef\xbf\xbd\""},
      {Value::Bytes("hi"), "\"aGk=\""},
      {Value::Uuid(std::string(16, '\x11')), "\"11111111-1111-1111-1111-111111111111\""},
      {Value::Json("{\"x\":[1,2]}"), "{\"x\":[1,2]}"},
      {Value::Ref({Value::Int(1), Value::Text("x")}), "[1,\"x\"]"},
      {Value::List({}), "[]"},
      {Value::Object(names, {Value::List({Value::Int(1), Value()}), Value::Text("t")}),
       "{\"a\":[1,null],\"q\\\"\":\"t\"}"},
  };
  for (const auto& [value, json] : cases) EXPECT_EQ(ToJson(value), json);
}

TEST(ValueTextTest, PrintsTextWithoutQuotes) {
  EXPECT_EQ(ToText(Value::Text("a\"\n")), "a\"\n");
  EXPECT_EQ(ToText(Value::Date(1)), "1970-01-02");
  EXPECT_EQ(ToText(Value::Float(std::nan(""))), "NaN");
  EXPECT_EQ(ToText(Value::Bytes("hi")), "aGk=");
  EXPECT_EQ(ToText(Value::Json("[\"a\"]")), "[\"a\"]");
  EXPECT_EQ(ToText(Value::List({Value::Text("x")})), "[\"x\"]");
}

}  // namespace
}  // namespace trefoil
