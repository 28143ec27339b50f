// Value: construction, sharing, the total order and the hash that agrees with it.
#include "trefoil/value.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <new>

#include "base/check.h"
#include "base/hash.h"

namespace trefoil {

namespace {

using Int128 = __int128;

constexpr Int128 kPowersOfTen[] = {
    1,
    10,
    100,
    1'000,
    10'000,
    100'000,
    1'000'000,
    10'000'000,
    100'000'000,
    1'000'000'000,
    10'000'000'000,
    100'000'000'000,
    1'000'000'000'000,
    10'000'000'000'000,
    100'000'000'000'000,
    1'000'000'000'000'000,
    10'000'000'000'000'000,
    100'000'000'000'000'000,
    1'000'000'000'000'000'000,
};

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

// Kinds that share one order share a group.
constexpr int GroupOf(ValueKind kind) {
  switch (kind) {
    case ValueKind::kFloat:
    case ValueKind::kDecimal:
      return static_cast<int>(ValueKind::kInt);
    case ValueKind::kTimestamp:
      return static_cast<int>(ValueKind::kDate);
    default:
      return static_cast<int>(kind);
  }
}

// A FLOAT in [0, 2^64), split so that value = whole + part / 2^shift,
// 0 <= part < 2^shift.
struct SplitFloat {
  Int128 whole;
  std::uint64_t part;
  int shift;
};

SplitFloat Split(double number) {
  const double floor = std::floor(number);
  int exponent = 0;
  const double mantissa = std::frexp(number - floor, &exponent);  // in [0.5, 1) or 0
  // The fraction has at most 53 significant bits: an integer over 2^(53 - exponent).
  return {static_cast<Int128>(floor), static_cast<std::uint64_t>(std::ldexp(mantissa, 53)),
          53 - exponent};
}

// unscaled / 10^scale against `number`, exactly.
std::strong_ordering CompareScaledWithFloat(Int128 unscaled, int scale, double number) {
  if (std::isnan(number)) return std::strong_ordering::less;
  // Split is exact only from 0 up: a tiny negative number minus its floor rounds to 1.
  if (number < 0) return 0 <=> CompareScaledWithFloat(-unscaled, scale, -number);
  if (number >= 0x1p64) return std::strong_ordering::less;
  const SplitFloat split = Split(number);
  const Int128 power = kPowersOfTen[scale];
  Int128 whole = unscaled / power;
  Int128 part = unscaled % power;
  if (part < 0) {
    whole -= 1;
    part += power;
  }
  if (whole != split.whole) return whole <=> split.whole;
  // part / power <=> split.part / 2^shift  is  part <=> split.part * power / 2^shift.
  const Int128 product = static_cast<Int128>(split.part) * power;  // < 2^113
  const Int128 quotient = split.shift < 127 ? product >> split.shift : 0;
  if (part != quotient) return part <=> quotient;
  const bool has_remainder =
      split.shift < 127 ? (quotient << split.shift) != product : product != 0;
  return has_remainder ? std::strong_ordering::less : std::strong_ordering::equal;
}

std::strong_ordering CompareFloats(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  if (a == b) return std::strong_ordering::equal;
  return a < b ? std::strong_ordering::less : std::strong_ordering::greater;
}

Decimal AsScaled(const Value& value) {
  return value.kind() == ValueKind::kInt ? Decimal{value.AsInt(), 0} : value.AsDecimal();
}

std::strong_ordering CompareNumbers(const Value& a, const Value& b) {
  const bool a_float = a.kind() == ValueKind::kFloat;
  const bool b_float = b.kind() == ValueKind::kFloat;
  if (a_float && b_float) return CompareFloats(a.AsFloat(), b.AsFloat());
  if (a_float)
    return 0 <=> CompareScaledWithFloat(AsScaled(b).unscaled, AsScaled(b).scale, a.AsFloat());
  if (b_float) return CompareScaledWithFloat(AsScaled(a).unscaled, AsScaled(a).scale, b.AsFloat());
  const Decimal x = AsScaled(a);
  const Decimal y = AsScaled(b);
  return static_cast<Int128>(x.unscaled) * kPowersOfTen[y.scale] <=>
         static_cast<Int128>(y.unscaled) * kPowersOfTen[x.scale];
}

// The next 8 bytes as a number that orders as they do.
std::uint64_t BigEndian(const unsigned char* bytes) {
  std::uint64_t number;
  std::memcpy(&number, bytes, sizeof number);
  return std::endian::native == std::endian::little ? __builtin_bswap64(number) : number;
}

Int128 MicrosOf(const Value& value) {
  const Int128 number = value.AsInt();
  return value.kind() == ValueKind::kDate ? number * kMicrosPerDay : number;
}

}  // namespace

std::string_view KindName(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNull:
      return "NULL";
    case ValueKind::kBool:
      return "BOOL";
    case ValueKind::kInt:
      return "INT";
    case ValueKind::kFloat:
      return "FLOAT";
    case ValueKind::kDecimal:
      return "DECIMAL";
    case ValueKind::kDate:
      return "DATE";
    case ValueKind::kTimestamp:
      return "TIMESTAMP";
    case ValueKind::kText:
      return "TEXT";
    case ValueKind::kBytes:
      return "BYTES";
    case ValueKind::kUuid:
      return "UUID";
    case ValueKind::kRef:
      return "REF";
    case ValueKind::kJson:
      return "JSON";
    case ValueKind::kList:
      return "LIST";
    case ValueKind::kObject:
      return "OBJECT";
  }
  Check(false, "every ValueKind has a name");
  return {};
}

// Bytes follow the header in the same allocation.
struct Value::Blob {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size_bytes;

  explicit Blob(std::size_t size) : size_bytes(static_cast<std::uint32_t>(size)) {}
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

struct Value::Tree {
  std::atomic<std::uint32_t> references{1};
  ObjectNames names;
  std::vector<Value> items;
};

Value::Value(ValueKind kind, std::string_view text) : raw_{static_cast<unsigned char>(kind)} {
  if (text.size() <= kInlineMax) {
    raw_[1] = static_cast<unsigned char>(text.size());
    if (!text.empty()) std::memcpy(raw_ + 2, text.data(), text.size());
    return;
  }
  Check(text.size() <= std::numeric_limits<std::uint32_t>::max(), "a text is below 4 GiB");
  raw_[1] = kShared;
  Blob* blob = new (::operator new(sizeof(Blob) + text.size())) Blob(text.size());
  std::memcpy(blob->bytes(), text.data(), text.size());
  std::memcpy(raw_ + 2, text.data(), 6);
  std::memcpy(raw_ + 8, &blob, sizeof blob);
}

Value::Value(ValueKind kind, Tree* tree) : raw_{static_cast<unsigned char>(kind), kShared} {
  std::memcpy(raw_ + 8, &tree, sizeof tree);
}

Value Value::Float(double value) {
  if (value == 0) value = 0;  // -0 becomes 0
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return {ValueKind::kFloat, std::bit_cast<std::int64_t>(value)};
}

Value Value::Decimal(std::int64_t unscaled, int scale) {
  Check(scale >= 0 && scale <= 18, "the scale of a DECIMAL is 0 to 18");
  Value value(ValueKind::kDecimal, unscaled);
  value.raw_[1] = static_cast<unsigned char>(scale);
  return value;
}

Value Value::Ref(std::vector<Value> key) {
  return {ValueKind::kRef, new Tree{.names = nullptr, .items = std::move(key)}};
}

Value Value::List(std::vector<Value> items) {
  return {ValueKind::kList, new Tree{.names = nullptr, .items = std::move(items)}};
}

Value Value::Object(ObjectNames names, std::vector<Value> items) {
  Check(names != nullptr && names->size() == items.size(), "an object has a name for each value");
  return {ValueKind::kObject, new Tree{.names = std::move(names), .items = std::move(items)}};
}

double Value::AsFloat() const { return std::bit_cast<double>(number()); }

std::string_view Value::AsText() const {
  if (!is_shared()) return {reinterpret_cast<const char*>(raw_ + 2), raw_[1]};
  Blob* blob = pointer<Blob>();
  return {blob->bytes(), blob->size_bytes};
}

std::span<const Value> Value::items() const { return pointer<Tree>()->items; }

const ObjectNames& Value::names() const { return pointer<Tree>()->names; }

std::size_t Value::shared_bytes() const {
  if (!is_shared()) return 0;
  if (!is_tree()) return sizeof(Blob) + pointer<Blob>()->size_bytes;
  std::size_t bytes = sizeof(Tree);
  for (const Value& item : items()) bytes += sizeof item + item.shared_bytes();
  return bytes;
}

void Value::Retain() const {
  std::atomic<std::uint32_t>& references =
      is_tree() ? pointer<Tree>()->references : pointer<Blob>()->references;
  references.fetch_add(1, std::memory_order_relaxed);
}

void Value::Release() {
  if (is_tree()) {
    Tree* tree = pointer<Tree>();
    if (tree->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete tree;
    return;
  }
  Blob* blob = pointer<Blob>();
  if (blob->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    blob->~Blob();
    ::operator delete(blob);
  }
}

std::strong_ordering Value::Order(const Value& a, const Value& b) {
  if (a.kind() == b.kind() && !a.is_shared() && !b.is_shared()) {
    switch (a.kind()) {
      case ValueKind::kBool:
      case ValueKind::kInt:
      case ValueKind::kDate:
      case ValueKind::kTimestamp:
        return a.number() <=> b.number();
      case ValueKind::kText:
      case ValueKind::kBytes:
      case ValueKind::kUuid:
      case ValueKind::kJson: {
        // Inline text ends in zeros, so texts that differ in those alone differ in length.
        for (const std::size_t start : {2UL, 8UL}) {
          const std::uint64_t x = BigEndian(a.raw_ + start);
          const std::uint64_t y = BigEndian(b.raw_ + start);
          if (x != y) return x <=> y;
        }
        return a.raw_[1] <=> b.raw_[1];
      }
      default:
        break;
    }
  }
  // Among shared values: the same block.
  if (std::memcmp(a.raw_, b.raw_, sizeof a.raw_) == 0) return std::strong_ordering::equal;
  const std::weak_ordering by_meaning = CompareAsSql(a, b);
  if (by_meaning < 0) return std::strong_ordering::less;
  if (by_meaning > 0) return std::strong_ordering::greater;
  if (a.kind() != b.kind()) return a.kind() <=> b.kind();
  if (a.kind() == ValueKind::kDecimal) return a.raw_[1] <=> b.raw_[1];
  if (!a.is_tree()) return std::strong_ordering::equal;
  // Trees that mean the same may still hold numbers of different kinds, or other names.
  const std::span<const Value> x = a.items();
  const std::span<const Value> y = b.items();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (const std::strong_ordering order = Order(x[i], y[i]); order != 0) return order;
  }
  if (a.names() == b.names() || a.names() == nullptr) return std::strong_ordering::equal;
  return *a.names() <=> *b.names();
}

std::weak_ordering CompareAsSql(const Value& a, const Value& b) {
  const int group = GroupOf(a.kind());
  if (group != GroupOf(b.kind())) return group <=> GroupOf(b.kind());
  switch (a.kind()) {
    case ValueKind::kNull:
      return std::weak_ordering::equivalent;
    case ValueKind::kBool:
      return a.AsInt() <=> b.AsInt();
    case ValueKind::kInt:
    case ValueKind::kFloat:
    case ValueKind::kDecimal:
      if (a.kind() == ValueKind::kInt && b.kind() == ValueKind::kInt) {
        return a.AsInt() <=> b.AsInt();
      }
      return CompareNumbers(a, b);
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return MicrosOf(a) <=> MicrosOf(b);
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kUuid:
    case ValueKind::kJson:
      return a.AsText() <=> b.AsText();
    case ValueKind::kRef:
    case ValueKind::kList:
    case ValueKind::kObject:
      break;
  }
  const std::span<const Value> x = a.items();
  const std::span<const Value> y = b.items();
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if (const std::weak_ordering order = CompareAsSql(x[i], y[i]); order != 0) return order;
  }
  return x.size() <=> y.size();
}

std::size_t Value::Hash() const {
  if (!is_shared()) return Hash64(Slice(reinterpret_cast<const char*>(raw_), sizeof raw_));
  std::uint64_t hash = raw_[0];
  if (!is_tree()) return Hash64(AsText(), hash);
  for (const Value& item : items()) {
    const std::uint64_t item_hash = item.Hash();
    hash = Hash64(Slice(reinterpret_cast<const char*>(&item_hash), sizeof item_hash), hash);
  }
  return hash;
}

}  // namespace trefoil
