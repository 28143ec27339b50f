#include "schema/key_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/random_value.h"
#include "tests/support/seed.h"

namespace trefoil::schema {
namespace {

using testing::Below;
using testing::RandomEngine;
using testing::RandomValue;

std::string Encode(const KeyPart& part, const Value& value) {
  std::string key;
  AppendKeyPart(key, part, value);
  return key;
}

std::string Hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

KeyPart RandomPart(RandomEngine& random) {
  return {.kind = static_cast<ValueKind>(Below(random, 12)),
          .scale = 2,
          .nullable = Below(random, 2) == 1,
          .descending = Below(random, 2) == 1};
}

Value RandomFor(RandomEngine& random, const KeyPart& part) {
  if (part.nullable && Below(random, 5) == 0) return Value();
  return RandomValue(random, part.kind, part.scale);
}

constexpr int kRounds = 3000;

TEST(KeyCodecTest, KeepsTheOrderOfValuesUpAndDown) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const KeyPart part = RandomPart(random);
    for (int i = 0; i < 20; ++i) {
      const Value a = RandomFor(random, part);
      const Value b = RandomFor(random, part);
      const auto order = part.descending ? b <=> a : a <=> b;
      EXPECT_EQ(Hex(Encode(part, a)) <=> Hex(Encode(part, b)), order)
          << KindName(part.kind) << " " << ToJson(a) << " " << ToJson(b);
    }
  }
}

TEST(KeyCodecTest, ReadsBackWhatItWroteAndStopsAtItsEnd) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    std::vector<KeyPart> parts;
    std::vector<Value> values;
    std::string key;
    for (std::uint64_t n = 1 + Below(random, 4); n > 0; --n) {
      parts.push_back(RandomPart(random));
      values.push_back(RandomFor(random, parts.back()));
      AppendKeyPart(key, parts.back(), values.back());
    }
    Slice read(key);
    Slice skip(key);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Value value;
      ASSERT_TRUE(TakeKeyPart(read, parts[i], &value)) << ToJson(values[i]);
      // A dynamic NULL inside a nullable part is written as the absence that it is.
      EXPECT_EQ(value, values[i]);
      ASSERT_TRUE(SkipKeyPart(skip, parts[i]));
      EXPECT_EQ(skip, read);
    }
    EXPECT_TRUE(read.empty());
  }
}

TEST(KeyCodecTest, NoKeyIsAPrefixOfAnother) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < kRounds; ++round) {
    const KeyPart part = RandomPart(random);
    for (int i = 0; i < 20; ++i) {
      const std::string a = Encode(part, RandomFor(random, part));
      const std::string b = Encode(part, RandomFor(random, part));
      if (a != b) {
        EXPECT_FALSE(b.starts_with(a)) << Hex(a) << " " << Hex(b);
      }
    }
  }
}

TEST(KeyCodecTest, AcceptsOnlyWhatItWouldWrite) {
  RandomEngine random(testing::TestSeed());
  for (int round = 0; round < kRounds * 10; ++round) {
    const KeyPart part = RandomPart(random);
    std::string key = Encode(part, RandomFor(random, part));
    for (std::uint64_t n = Below(random, 3); n > 0 && !key.empty(); --n) {
      key[Below(random, key.size())] ^= static_cast<char>(1 << Below(random, 8));
    }
    if (Below(random, 4) == 0) key.resize(Below(random, key.size() + 1));
    Slice rest(key);
    Value value;
    if (!TakeKeyPart(rest, part, &value)) continue;
    EXPECT_EQ(Hex(Encode(part, value)), Hex(key.substr(0, key.size() - rest.size())));
  }
}

// The vectors of docs/format.md.
TEST(KeyCodecTest, WritesTheBytesOfTheFormat) {
  const auto hex = [](ValueKind kind, const Value& value) {
    return Hex(Encode({.kind = kind, .scale = 2}, value));
  };
  using enum ValueKind;
  EXPECT_EQ(hex(kBool, Value::Bool(true)), "01");
  EXPECT_EQ(hex(kInt, Value::Int(0)), "80");
  EXPECT_EQ(hex(kInt, Value::Int(1)), "8101");
  EXPECT_EQ(hex(kInt, Value::Int(256)), "820100");
  EXPECT_EQ(hex(kInt, Value::Int(-1)), "7ffe");
  EXPECT_EQ(hex(kInt, Value::Int(std::numeric_limits<std::int64_t>::min())), "787fffffffffffffff");
  EXPECT_EQ(hex(kFloat, Value::Float(1)), "bff0000000000000");
  EXPECT_EQ(hex(kFloat, Value::Float(-1)), "400fffffffffffff");
  EXPECT_EQ(hex(kDecimal, Value::Decimal(150, 2)), "8196");
  EXPECT_EQ(hex(kText, Value::Text(std::string_view("a\0b", 3))), "6100ff620001");
  EXPECT_EQ(hex(kRef, Value::Ref({Value::Int(7), Value::Text("x")})),
            "03c01c000000000000008107"
            "0578000100");
  EXPECT_EQ(hex(kNull, Value()), "01");
  EXPECT_EQ(hex(kNull, Value::Date(1)), "04810100");
  EXPECT_EQ(Hex(Encode({.kind = kInt, .nullable = true}, Value())), "00");
  EXPECT_EQ(Hex(Encode({.kind = kInt, .nullable = true, .descending = true}, Value::Int(1))),
            "fe7efe");
}

TEST(KeyCodecTest, PrefixLimitEndsThePrefix) {
  EXPECT_EQ(PrefixLimit("ab"), "ac");
  EXPECT_EQ(PrefixLimit("a\xFF\xFF"), "b");
  EXPECT_EQ(PrefixLimit("\xFF"), "");
}

TEST(KeyCodecTest, ListsAndDeepReferencesAreNoKeys) {
  EXPECT_FALSE(CanBeKey(Value::List({})));
  Value value = Value::Int(1);
  for (int i = 0; i < kMaxRefDepth; ++i) value = Value::Ref({value});
  EXPECT_TRUE(CanBeKey(value));
  EXPECT_FALSE(CanBeKey(Value::Ref({value})));
}

}  // namespace
}  // namespace trefoil::schema
