#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace trefoil::cli {
namespace {

Result<Arguments> Parse(const std::vector<std::string>& words) {
  const std::vector<OptionSpec> specs = {{.name = "format", .letter = 'F'},
                                         {.name = "param", .letter = 'p'},
                                         {.name = "quiet", .letter = 'q', .takes_value = false}};
  return Arguments::Parse(words, specs);
}

TEST(ArgumentsTest, SortsWordsIntoOptionsAndPositionals) {
  const Result<Arguments> arguments =
      Parse({"db", "--format=csv", "-p", "a=1", "--param", "b=2", "-q", "-", "--", "--quiet"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->positional(), (std::vector<std::string>{"db", "-", "--quiet"}));
  EXPECT_EQ(arguments->Get("format"), "csv");
  EXPECT_EQ(arguments->All("param"), (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_TRUE(arguments->Has("quiet"));
}

TEST(ArgumentsTest, NamesAnUnknownOptionAndTheNearest) {
  const Result<Arguments> arguments = Parse({"--formt", "csv"});
  ASSERT_FALSE(arguments.has_value());
  EXPECT_EQ(arguments.error().message, "unknown option --formt");
  EXPECT_EQ(arguments.error().hint, "did you mean --format?");
}

TEST(ArgumentsTest, RefusesAMissingAndASuperfluousValue) {
  EXPECT_EQ(Parse({"--format"}).error().message, "option --format needs a value");
  EXPECT_EQ(Parse({"--quiet=yes"}).error().message, "option --quiet takes no value");
}

TEST(ArgumentsTest, ReadsNumbersAndNamesWhatIsNone) {
  const Result<Arguments> arguments = Parse({"--format", "12x"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(*arguments->Number("param", 7), 7);
  EXPECT_EQ(arguments->Number("format", 7).error().message,
            "option --format takes a whole number of at least 0, not '12x'");
}

}  // namespace
}  // namespace trefoil::cli
