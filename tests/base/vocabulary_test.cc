// The small words that everything is said with: Slice, Result, errors, StrCat, Clock, Random.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/errors.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil {
namespace {

TEST(SliceTest, ComparesAsUnsignedBytes) {
  EXPECT_LT(Slice("a"), Slice("b"));
  EXPECT_LT(Slice("a"), Slice("aa"));
  EXPECT_LT(Slice("\x7f"), Slice("\x80"));
  EXPECT_LT(Slice(""), Slice("\0", 1));
  EXPECT_EQ(Slice("ab"), Slice("abc").Prefix(2));
  EXPECT_EQ(Slice("\xff")[0], 255);
}

TEST(SliceTest, CutsWithoutCopying) {
  const std::string bytes = "prefix rest";
  Slice slice(bytes);
  EXPECT_TRUE(slice.StartsWith("prefix"));
  EXPECT_FALSE(Slice("pre").StartsWith("prefix"));
  EXPECT_EQ(slice.Without(7).data(), bytes.data() + 7);
  slice.RemovePrefix(7);
  EXPECT_EQ(slice.ToString(), "rest");
  EXPECT_EQ(slice.Prefix(100).size(), 4u);
  EXPECT_TRUE(slice.Without(4).empty());
}

TEST(ResultTest, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(*good, 7);
  const Result<int> bad = NotFound("no such thing");
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Result<int>(InvalidArgument("x")).value_or(3), 3);
  EXPECT_EQ(Result<int>(5).value_or(3), 5);
}

TEST(ResultTest, HandsOverWhatCanOnlyMove) {
  Result<std::unique_ptr<std::string>> result = std::make_unique<std::string>("moved");
  EXPECT_EQ(**result, "moved");
  const std::unique_ptr<std::string> taken = *std::move(result);
  EXPECT_EQ(*taken, "moved");
}

TEST(ResultTest, AStatusIsSuccessUnlessItHoldsAnError) {
  EXPECT_TRUE(Ok().has_value());
  const Status failed = IoError("disk", "buy another");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(),
            (Error{.code = ErrorCode::kIo, .message = "disk", .hint = "buy another"}));
}

TEST(ErrorTest, EveryCodeHasAStableNameOfItsOwn) {
  std::set<std::string_view> names;
  constexpr int kCodes = static_cast<int>(ErrorCode::kSchemaConflict) + 1;
  for (int code = 0; code < kCodes; ++code) {
    const std::string_view name = ErrorCodeName(static_cast<ErrorCode>(code));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || c == '-';
    })) << name;
  }
  EXPECT_EQ(ErrorCodeName(ErrorCode::kUnknownColumn), "unknown-column");
}

TEST(ErrorTest, PrintsCodeMessageAndHint) {
  EXPECT_EQ(ToString(NotFound("no file")), "error[not-found]: no file");
  EXPECT_EQ(ToString(LimitError("too long", "shorten it")), "error[limit]: too long; shorten it");
}

TEST(StrCatTest, JoinsTextAndNumbers) {
  const std::string text = "text";
  EXPECT_EQ(StrCat("a", text, std::string_view("v"), Slice("s"), 'c'), "atextvsc");
  EXPECT_EQ(StrCat(std::numeric_limits<std::int64_t>::min(), ' ',
                   std::numeric_limits<std::uint64_t>::max(), ' ', 0.1),
            "-9223372036854775808 18446744073709551615 0.1");
  EXPECT_EQ(StrCat(), "");
}

TEST(ClockTest, AManualClockMovesWhenTold) {
  ManualClock clock(1'000);
  clock.Advance(5);
  EXPECT_EQ(clock.NowMicros(), 1'005);
  EXPECT_EQ(clock.MonotonicMicros(), 5u);
  clock.SetNow(3);
  EXPECT_EQ(clock.NowMicros(), 3);
  EXPECT_EQ(clock.MonotonicMicros(), 5u);
}

TEST(ClockTest, TheSystemClockIsPast2020AndDoesNotGoBack) {
  EXPECT_GT(Clock::System().NowMicros(), 1'577'836'800'000'000);
  const std::uint64_t first = Clock::System().MonotonicMicros();
  EXPECT_GE(Clock::System().MonotonicMicros(), first);
}

TEST(RandomTest, RepeatsFromItsSeedAndDiffersBetweenSeeds) {
  Random a(1);
  Random b(1);
  Random c(2);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  std::string bytes(13, '\0');
  a.Fill(bytes);
  EXPECT_NE(bytes, std::string(13, '\0'));
}

TEST(RandomTest, StaysInItsBoundsAndReachesThem) {
  Random random(7);
  std::set<std::uint64_t> uniform;
  std::set<std::int64_t> between;
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) {
    uniform.insert(random.Uniform(5));
    between.insert(random.Between(-2, 1));
    hits += random.OneIn(10) ? 1 : 0;
    ASSERT_GE(random.Fraction(), 0);
    ASSERT_LT(random.Fraction(), 1);
  }
  EXPECT_EQ(uniform, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(between, (std::set<std::int64_t>{-2, -1, 0, 1}));
  EXPECT_GT(hits, 800);
  EXPECT_LT(hits, 1'200);
  random.Between(std::numeric_limits<std::int64_t>::min(),
                 std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace trefoil
