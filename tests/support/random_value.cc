#include "tests/support/random_value.h"

#include <bit>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace trefoil::testing {

namespace {

std::int64_t RandomNumber(RandomEngine& random) {
  const std::uint64_t bits = Below(random, 65);
  const std::uint64_t number = bits == 0 ? 0 : random() >> (64 - bits);
  switch (Below(random, 8)) {
    case 0:
      return std::numeric_limits<std::int64_t>::min();
    case 1:
      return std::numeric_limits<std::int64_t>::max();
    case 2:
    case 3:
      return static_cast<std::int64_t>(Below(random, 7)) - 3;
    default:
      return static_cast<std::int64_t>(number);
  }
}

double RandomFloat(RandomEngine& random) {
  switch (Below(random, 6)) {
    case 0:
      return std::numeric_limits<double>::infinity();
    case 1:
      return std::numeric_limits<double>::quiet_NaN();
    case 2:
      return static_cast<double>(RandomNumber(random));
    case 3:
      return static_cast<double>(static_cast<std::int64_t>(Below(random, 100)) - 50) / 8;
    default:
      return std::bit_cast<double>(random());
  }
}

std::string RandomText(RandomEngine& random) {
  const std::uint64_t size = Below(random, 4) == 0 ? Below(random, 40) : Below(random, 4);
  std::string text;
  for (std::uint64_t i = 0; i < size; ++i) {
    constexpr char kBytes[] = {'\0', '\x01', '\xFF', 'a', 'b', '\xFE', '\x02', 'z'};
    text.push_back(kBytes[Below(random, sizeof kBytes)]);
  }
  return text;
}

}  // namespace

Value RandomValue(RandomEngine& random, ValueKind kind, int scale) {
  switch (kind) {
    case ValueKind::kBool:
      return Value::Bool(Below(random, 2) == 1);
    case ValueKind::kInt:
      return Value::Int(RandomNumber(random));
    case ValueKind::kFloat:
      return Value::Float(RandomFloat(random));
    case ValueKind::kDecimal:
      return Value::Decimal(RandomNumber(random), scale);
    case ValueKind::kDate:
      return Value::Date(RandomNumber(random));
    case ValueKind::kTimestamp:
      return Value::Timestamp(RandomNumber(random));
    case ValueKind::kText:
      return Value::Text(RandomText(random));
    case ValueKind::kBytes:
      return Value::Bytes(RandomText(random));
    case ValueKind::kJson:
      return Value::Json(RandomText(random));
    case ValueKind::kUuid: {
      std::string bytes;
      for (int i = 0; i < 16; ++i) bytes.push_back(static_cast<char>(Below(random, 3) * 127));
      return Value::Uuid(bytes);
    }
    case ValueKind::kRef: {
      std::vector<Value> items;
      for (std::uint64_t n = Below(random, 3); n > 0; --n) {
        // No two kinds that share an order: the keys of one type never mix them either.
        constexpr ValueKind kItems[] = {ValueKind::kInt, ValueKind::kText, ValueKind::kUuid};
        items.push_back(RandomValue(random, kItems[Below(random, 3)]));
      }
      return Value::Ref(std::move(items));
    }
    default:
      break;
  }
  const auto any = static_cast<ValueKind>(Below(random, 12));
  if (any == ValueKind::kNull) return Value();
  return RandomValue(random, any, static_cast<int>(Below(random, 19)));
}

}  // namespace trefoil::testing
