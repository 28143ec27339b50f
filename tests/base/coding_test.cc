#include "base/coding.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/seed.h"

namespace trefoil {
namespace {

// Numbers around every boundary of a length, and random ones of every length.
std::vector<std::uint64_t> Numbers() {
  std::vector<std::uint64_t> numbers = {0, 239, 240, 241};
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    numbers.insert(numbers.end(), {power - 1, power, power + 1});
  }
  Random random(testing::TestSeed());
  for (int i = 0; i < 5'000; ++i) numbers.push_back(random.Next() >> random.Uniform(64));
  numbers.push_back(std::numeric_limits<std::uint64_t>::max());
  return numbers;
}

std::string RandomBytes(Random& random, std::size_t size_max) {
  std::string bytes(random.Uniform(size_max + 1), '\0');
  // Few different bytes, so that zeros and escapes are frequent.
  for (char& byte : bytes) byte = "\0\x01\xff\xfe\x61"[random.Uniform(5)];
  return bytes;
}

TEST(CodingTest, FixedNumbersAreLittleEndian) {
  std::string bytes;
  AppendFixed16(bytes, 0x0102);
  AppendFixed32(bytes, 0x03040506);
  AppendFixed64(bytes, 0x0708090a0b0c0d0e);
  EXPECT_EQ(bytes, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07");
  EXPECT_EQ(LoadFixed32(bytes.data() + 2), 0x03040506u);
  Slice input(bytes);
  EXPECT_EQ(ReadFixed16(input), 0x0102);
  EXPECT_EQ(ReadFixed32(input), 0x03040506u);
  EXPECT_EQ(ReadFixed64(input), 0x0708090a0b0c0d0eu);
  EXPECT_EQ(ReadFixed16(input), std::nullopt);
}

TEST(CodingTest, ReadsBackNumbersInEveryForm) {
  for (const std::uint64_t number : Numbers()) {
    std::string bytes;
    AppendVarint(bytes, number);
    ASSERT_EQ(bytes.size(), VarintSize(number));
    AppendOrderedVarint(bytes, number);
    AppendBigEndian64(bytes, number);
    Slice input(bytes);
    ASSERT_EQ(ReadVarint(input), number);
    ASSERT_EQ(ReadOrderedVarint(input), number);
    ASSERT_EQ(ReadBigEndian64(input), number);
    ASSERT_TRUE(input.empty());
    const auto as_signed = static_cast<std::int64_t>(number);
    ASSERT_EQ(UnZigZag(ZigZag(as_signed)), as_signed);
  }
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
}

TEST(CodingTest, OrderedVarintsSortAsTheirNumbersAndAreShortWhenSmall) {
  const std::vector<std::uint64_t> numbers = Numbers();
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    std::string a;
    std::string b;
    AppendOrderedVarint(a, numbers[i - 1]);
    AppendOrderedVarint(b, numbers[i]);
    ASSERT_EQ(Slice(a) <=> Slice(b), numbers[i - 1] <=> numbers[i]);
    ASSERT_EQ(b.size() == 1, numbers[i] < 240);
  }
}

TEST(CodingTest, EscapedBytesKeepTheirOrderWhateverFollows) {
  Random random(testing::TestSeed());
  for (int i = 0; i < 20'000; ++i) {
    const std::string a = RandomBytes(random, 6);
    const std::string b = RandomBytes(random, 6);
    std::string encoded_a;
    std::string encoded_b;
    AppendEscaped(encoded_a, a);
    AppendEscaped(encoded_b, b);
    encoded_a += RandomBytes(random, 3);
    encoded_b += RandomBytes(random, 3);
    if (a != b) {
      ASSERT_EQ(Slice(encoded_a) <=> Slice(encoded_b), Slice(a) <=> Slice(b));
    }
    Slice input(encoded_a);
    ASSERT_EQ(ReadEscaped(input), a);
  }
}

// No proper prefix of `encoded` is read, and a failed read moves nothing.
template <typename Read>
void ExpectNoPrefixReads(const std::string& encoded, const Read& read) {
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    Slice input = Slice(encoded).Prefix(size);
    ASSERT_FALSE(read(input).has_value());
    ASSERT_EQ(input.data(), encoded.data());
    ASSERT_EQ(input.size(), size);
  }
}

TEST(CodingTest, LeavesTheInputAloneWhenItIsCut) {
  std::string varint;
  AppendVarint(varint, std::uint64_t{1} << 60);
  ExpectNoPrefixReads(varint, ReadVarint);
  std::string ordered;
  AppendOrderedVarint(ordered, std::uint64_t{1} << 60);
  ExpectNoPrefixReads(ordered, ReadOrderedVarint);
  std::string prefixed;
  AppendLengthPrefixed(prefixed, "some text");
  ExpectNoPrefixReads(prefixed, ReadLengthPrefixed);
  std::string escaped;
  AppendEscaped(escaped, Slice("a\0b", 3));
  ExpectNoPrefixReads(escaped, ReadEscaped);
}

TEST(CodingTest, RefusesEncodingsThatNoWriterMakes) {
  const auto varint = [](Slice bytes) { return ReadVarint(bytes); };
  EXPECT_EQ(varint(Slice("\x80\x00", 2)), std::nullopt);
  EXPECT_EQ(varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), std::nullopt);
  EXPECT_EQ(varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), std::nullopt);
  const auto ordered = [](Slice bytes) { return ReadOrderedVarint(bytes); };
  EXPECT_EQ(ordered("\xf0\xef"), std::nullopt);
  EXPECT_EQ(ordered(Slice("\xf1\x00\xff", 3)), std::nullopt);
  EXPECT_EQ(ordered("\xf8........."), std::nullopt);
  const auto escaped = [](Slice bytes) { return ReadEscaped(bytes); };
  EXPECT_EQ(escaped(Slice("a\0\x02", 3)), std::nullopt);
  EXPECT_EQ(escaped(Slice("a\0\0\x01", 4)), std::nullopt);
}

TEST(CodingTest, LengthPrefixedBytesPointIntoTheInput) {
  std::string bytes;
  AppendLengthPrefixed(bytes, "hello");
  AppendLengthPrefixed(bytes, "");
  Slice input(bytes);
  const std::optional<Slice> first = ReadLengthPrefixed(input);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(*first, Slice("hello"));
  EXPECT_EQ(first->data(), bytes.data() + 1);
  EXPECT_EQ(ReadLengthPrefixed(input), Slice(""));
  EXPECT_EQ(ReadLengthPrefixed(input), std::nullopt);
}

}  // namespace
}  // namespace trefoil
