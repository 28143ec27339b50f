#include "schema/key_codec.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/coding.h"

namespace trefoil::schema {

namespace {

using Int128 = __int128;
using Uint128 = unsigned __int128;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
constexpr unsigned char kIntZero = 0x80;
constexpr unsigned char kEscaped = 0xFF;
constexpr unsigned char kTextEnd = 0x01;
constexpr unsigned char kRefEnd = 0x00;

enum Tag : unsigned char {
  kTagNull = 1,
  kTagBool,
  kTagNumber,
  kTagTime,
  kTagText,
  kTagBytes,
  kTagUuid,
  kTagRef,
  kTagJson,
};

// What follows the double of a dynamic number.
constexpr unsigned char kExactInt = 0;
constexpr unsigned char kExactFloat = 1;
constexpr unsigned char kExactDecimal = 2;  // + scale
constexpr unsigned char kInexact = 32;

// Reads bytes that may be complemented (a descending part).
class Reader {
 public:
  Reader(Slice bytes, bool descending)
      : bytes_(bytes), mask_(descending ? 0xFF : 0), size_(bytes.size()) {}

  bool Take(unsigned char* byte) {
    if (position_ == size_) return false;
    *byte = At(position_++);
    return true;
  }
  bool TakeBigEndian(int count, std::uint64_t* number) {
    if (size_ - position_ < static_cast<std::size_t>(count)) return false;
    std::uint64_t read = 0;
    for (int i = 0; i < count; ++i) read = read << 8 | At(position_++);
    *number = read;
    return true;
  }
  bool Skip(std::size_t count) {
    if (size_ - position_ < count) return false;
    position_ += count;
    return true;
  }
  std::size_t position() const { return position_; }

  // Moves to the next zero byte; appends what is passed over to `text`, which may be null. False
  // when there is none.
  bool TakeToZero(std::string* text) {
    if (position_ == size_) return false;
    const char* start = bytes_.data() + position_;
    const void* zero = std::memchr(start, mask_, size_ - position_);
    if (zero == nullptr) return false;
    const auto count = static_cast<std::size_t>(static_cast<const char*>(zero) - start);
    position_ += count;
    if (text == nullptr) return true;
    text->append(start, count);
    if (mask_ == 0) return true;
    for (std::size_t i = text->size() - count; i < text->size(); ++i) {
      (*text)[i] = static_cast<char>(~(*text)[i]);
    }
    return true;
  }

 private:
  unsigned char At(std::size_t i) const { return bytes_[i] ^ mask_; }

  Slice bytes_;
  unsigned char mask_;
  std::size_t size_;
  std::size_t position_ = 0;
};

void AppendByte(std::string& key, unsigned byte) { key.push_back(static_cast<char>(byte)); }

void AppendBigEndian(std::string& key, std::uint64_t number, int count) {
  for (int shift = (count - 1) * 8; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(number >> shift));
  }
}

void AppendInt(std::string& key, std::int64_t number) {
  const std::size_t start = key.size();
  key.resize(start + kKeyNumberBytesMax);
  key.resize(static_cast<std::size_t>(WriteKeyNumber(key.data() + start, number) - key.data()));
}

bool TakeInt(Reader& reader, std::int64_t* number) {
  unsigned char first;
  if (!reader.Take(&first)) return false;
  const bool negative = first < kIntZero;
  const int bytes = negative ? kIntZero - first : first - kIntZero;
  if (bytes > 8) return false;
  std::uint64_t magnitude = 0;
  if (!reader.TakeBigEndian(bytes, &magnitude)) return false;
  if (bytes == 0) {
    *number = 0;
    return true;
  }
  if (negative) magnitude = ~magnitude << (64 - bytes * 8) >> (64 - bytes * 8);
  if (magnitude >> ((bytes - 1) * 8) == 0) return false;  // not minimal
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (magnitude > kMax + (negative ? 1 : 0)) return false;
  *number = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

bool SkipInt(Reader& reader) {
  unsigned char first;
  if (!reader.Take(&first)) return false;
  return reader.Skip(
      static_cast<std::size_t>(first < kIntZero ? kIntZero - first : first - kIntZero));
}

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

void AppendFloat(std::string& key, double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  AppendBigEndian(key, (bits & kSignBit) != 0 ? ~bits : bits | kSignBit, 8);
}

bool TakeFloat(Reader& reader, double* number) {
  std::uint64_t bits;
  if (!reader.TakeBigEndian(8, &bits)) return false;
  bits = (bits & kSignBit) != 0 ? bits & ~kSignBit : ~bits;
  *number = std::bit_cast<double>(bits);
  // Only the forms that Value::Float leaves: no -0, one NaN.
  return std::bit_cast<std::uint64_t>(Value::Float(*number).AsFloat()) == bits;
}

// `text` may be null: the part is only skipped.
bool TakeText(Reader& reader, std::string* text) {
  while (reader.TakeToZero(text)) {
    unsigned char zero;
    unsigned char next;
    if (!reader.Take(&zero) || !reader.Take(&next)) return false;
    if (next == kTextEnd) return true;
    if (next != kEscaped) return false;
    if (text != nullptr) text->push_back('\0');
  }
  return false;
}

Value TextOfKind(ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::kText:
      return Value::Text(text);
    case ValueKind::kBytes:
      return Value::Bytes(text);
    default:
      return Value::Json(text);
  }
}

// The largest double that is not above the number (an INT or DECIMAL).
double FloorToDouble(const Value& number) {
  double floor = number.kind() == ValueKind::kInt
                     ? static_cast<double>(number.AsInt())
                     : static_cast<double>(number.AsDecimal().unscaled) /
                           std::pow(10.0, number.AsDecimal().scale);
  const double infinity = std::numeric_limits<double>::infinity();
  while (CompareAsSql(Value::Float(floor), number) > 0) floor = std::nextafter(floor, -infinity);
  for (;;) {
    const double above = std::nextafter(floor, infinity);
    if (CompareAsSql(Value::Float(above), number) > 0) return floor;
    floor = above;
  }
}

// number * 10^18 of an INT or DECIMAL: below 2^123 in magnitude.
Int128 Scaled18(const Value& number) {
  const bool is_int = number.kind() == ValueKind::kInt;
  Int128 scaled = is_int ? number.AsInt() : number.AsDecimal().unscaled;
  for (int i = is_int ? 0 : number.AsDecimal().scale; i < 18; ++i) scaled *= 10;
  return scaled;
}

void AppendDynamicNumber(std::string& key, const Value& number) {
  if (number.kind() == ValueKind::kFloat) {
    AppendFloat(key, number.AsFloat());
    AppendByte(key, kExactFloat);
    return;
  }
  const bool is_int = number.kind() == ValueKind::kInt;
  const Value floor = Value::Float(FloorToDouble(number));
  AppendFloat(key, floor.AsFloat());
  if (CompareAsSql(floor, number) != 0) {
    AppendByte(key, kInexact);
    const Uint128 scaled = static_cast<Uint128>(Scaled18(number));
    AppendBigEndian(key, static_cast<std::uint64_t>(scaled >> 64) ^ kSignBit, 8);
    AppendBigEndian(key, static_cast<std::uint64_t>(scaled), 8);
  }
  const int scale = is_int ? 0 : number.AsDecimal().scale;
  AppendByte(key, is_int ? kExactInt : static_cast<unsigned>(kExactDecimal + scale));
  AppendInt(key, is_int ? number.AsInt() : number.AsDecimal().unscaled);
}

bool TakeDynamicNumber(Reader& reader, Value* value) {
  double floor;
  unsigned char form;
  if (!TakeFloat(reader, &floor) || !reader.Take(&form)) return false;
  if (form == kExactFloat) {
    *value = Value::Float(floor);
    return true;
  }
  const bool inexact = form == kInexact;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  if (inexact &&
      (!reader.TakeBigEndian(8, &high) || !reader.TakeBigEndian(8, &low) || !reader.Take(&form))) {
    return false;
  }
  std::int64_t number;
  if (form == kExactFloat || form > kExactDecimal + 18 || !TakeInt(reader, &number)) return false;
  *value = form == kExactInt ? Value::Int(number) : Value::Decimal(number, form - kExactDecimal);
  if (FloorToDouble(*value) != floor) return false;
  if ((CompareAsSql(Value::Float(floor), *value) != 0) != inexact) return false;
  if (!inexact) return true;
  const Uint128 scaled = static_cast<Uint128>(high ^ kSignBit) << 64 | low;
  return static_cast<Int128>(scaled) == Scaled18(*value);
}

void AppendDynamicTime(std::string& key, const Value& time) {
  if (time.kind() == ValueKind::kDate) {
    AppendInt(key, time.AsInt());
    AppendByte(key, 0);
    return;
  }
  std::int64_t day = time.AsInt() / kMicrosPerDay;
  std::int64_t micros = time.AsInt() % kMicrosPerDay;
  if (micros < 0) {
    day -= 1;
    micros += kMicrosPerDay;
  }
  AppendInt(key, day);
  AppendByte(key, 1);
  AppendInt(key, micros);
}

bool TakeDynamicTime(Reader& reader, Value* value) {
  std::int64_t day;
  unsigned char form;
  if (!TakeInt(reader, &day) || !reader.Take(&form) || form > 1) return false;
  if (form == 0) {
    *value = Value::Date(day);
    return true;
  }
  std::int64_t micros;
  if (!TakeInt(reader, &micros) || micros < 0 || micros >= kMicrosPerDay) return false;
  const Int128 total = Int128{day} * kMicrosPerDay + micros;
  if (total < std::numeric_limits<std::int64_t>::min() ||
      total > std::numeric_limits<std::int64_t>::max()) {
    return false;
  }
  *value = Value::Timestamp(static_cast<std::int64_t>(total));
  return true;
}

// The dynamic kind that a tag stands for, as the kind of a plain part; numbers and times differ.
struct TagKind {
  Tag tag;
  ValueKind kind;
};
constexpr TagKind kPlainTags[] = {
    {kTagBool, ValueKind::kBool}, {kTagText, ValueKind::kText}, {kTagBytes, ValueKind::kBytes},
    {kTagUuid, ValueKind::kUuid}, {kTagRef, ValueKind::kRef},   {kTagJson, ValueKind::kJson},
};

void AppendPlain(std::string& key, ValueKind kind, const Value& value);

void AppendDynamic(std::string& key, const Value& value) {
  if (value.is_null()) return AppendByte(key, kTagNull);
  if (value.is_number()) {
    AppendByte(key, kTagNumber);
    return AppendDynamicNumber(key, value);
  }
  if (value.kind() == ValueKind::kDate || value.kind() == ValueKind::kTimestamp) {
    AppendByte(key, kTagTime);
    return AppendDynamicTime(key, value);
  }
  for (const TagKind& entry : kPlainTags) {
    if (entry.kind != value.kind()) continue;
    AppendByte(key, entry.tag);
    return AppendPlain(key, entry.kind, value);
  }
  Check(false, "a list or an object is never a key");
}

void AppendPlain(std::string& key, ValueKind kind, const Value& value) {
  Check(kind == ValueKind::kNull || value.kind() == kind, "a key part has the kind of its column");
  switch (kind) {
    case ValueKind::kNull:
      return AppendDynamic(key, value);
    case ValueKind::kBool:
      return AppendByte(key, value.AsBool() ? 1 : 0);
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
      return AppendInt(key, value.AsInt());
    case ValueKind::kDecimal:
      return AppendInt(key, value.AsDecimal().unscaled);
    case ValueKind::kFloat:
      return AppendFloat(key, value.AsFloat());
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson:
      return AppendEscaped(key, Slice(value.AsText()));
    case ValueKind::kUuid:
      Check(value.AsText().size() == 16, "a UUID has 16 bytes");
      key.append(value.AsText());
      return;
    case ValueKind::kRef:
      for (const Value& item : value.items()) AppendDynamic(key, item);
      return AppendByte(key, kRefEnd);
    case ValueKind::kList:
    case ValueKind::kObject:
      break;
  }
  Check(false, "a list or an object is never a key");
}

bool TakePlain(Reader& reader, const KeyPart& part, int depth, Value* value);

bool TakeDynamic(Reader& reader, unsigned char tag, int depth, Value* value) {
  switch (tag) {
    case kTagNull:
      *value = Value();
      return true;
    case kTagNumber:
      return TakeDynamicNumber(reader, value);
    case kTagTime:
      return TakeDynamicTime(reader, value);
    default:
      break;
  }
  for (const TagKind& entry : kPlainTags) {
    if (entry.tag == tag) return TakePlain(reader, {.kind = entry.kind}, depth, value);
  }
  return false;
}

bool TakeRef(Reader& reader, int depth, Value* value) {
  if (depth == kMaxRefDepth) return false;
  std::vector<Value> items;
  for (unsigned char tag; reader.Take(&tag);) {
    if (tag == kRefEnd) {
      *value = Value::Ref(std::move(items));
      return true;
    }
    if (!TakeDynamic(reader, tag, depth + 1, &items.emplace_back())) return false;
  }
  return false;
}

bool TakeNumberOfKind(Reader& reader, const KeyPart& part, Value* value) {
  std::int64_t number;
  if (!TakeInt(reader, &number)) return false;
  switch (part.kind) {
    case ValueKind::kInt:
      *value = Value::Int(number);
      return true;
    case ValueKind::kDate:
      *value = Value::Date(number);
      return true;
    case ValueKind::kTimestamp:
      *value = Value::Timestamp(number);
      return true;
    default:
      *value = Value::Decimal(number, part.scale);
      return true;
  }
}

bool TakePlain(Reader& reader, const KeyPart& part, int depth, Value* value) {
  unsigned char byte;
  switch (part.kind) {
    case ValueKind::kNull:
      return reader.Take(&byte) && TakeDynamic(reader, byte, depth, value);
    case ValueKind::kBool:
      if (!reader.Take(&byte) || byte > 1) return false;
      *value = Value::Bool(byte == 1);
      return true;
    case ValueKind::kInt:
    case ValueKind::kDate:
    case ValueKind::kTimestamp:
    case ValueKind::kDecimal:
      return TakeNumberOfKind(reader, part, value);
    case ValueKind::kFloat: {
      double number;
      if (!TakeFloat(reader, &number)) return false;
      *value = Value::Float(number);
      return true;
    }
    case ValueKind::kText:
    case ValueKind::kBytes:
    case ValueKind::kJson: {
      std::string text;
      if (!TakeText(reader, &text)) return false;
      *value = TextOfKind(part.kind, text);
      return true;
    }
    case ValueKind::kUuid: {
      char bytes[16];
      for (char& target : bytes) {
        if (!reader.Take(&byte)) return false;
        target = static_cast<char>(byte);
      }
      *value = Value::Uuid({bytes, sizeof bytes});
      return true;
    }
    case ValueKind::kRef:
      return TakeRef(reader, depth, value);
    case ValueKind::kList:
    case ValueKind::kObject:
      break;
  }
  return false;
}

bool IsKeyAtDepth(const Value& value, int depth) {
  if (value.kind() == ValueKind::kList || value.kind() == ValueKind::kObject) return false;
  if (value.kind() != ValueKind::kRef) return true;
  if (depth == kMaxRefDepth) return false;
  for (const Value& item : value.items()) {
    if (!IsKeyAtDepth(item, depth + 1)) return false;
  }
  return true;
}

}  // namespace

char* WriteKeyNumber(char* to, std::int64_t number) {
  const bool negative = number < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  const int bytes = magnitude == 0 ? 0 : (64 - __builtin_clzll(magnitude) + 7) / 8;
  *to++ = static_cast<char>(negative ? kIntZero - bytes : kIntZero + bytes);
  if (bytes == 0) return to;
  const std::uint64_t big_endian =
      __builtin_bswap64((negative ? ~magnitude : magnitude) << (64 - bytes * 8));
  std::memcpy(to, &big_endian, sizeof big_endian);
  return to + bytes;
}

void AppendKeyPart(std::string& key, const KeyPart& part, const Value& value) {
  const std::size_t start = key.size();
  if (part.nullable) AppendByte(key, value.is_null() ? 0 : 1);
  if (!part.nullable || !value.is_null()) AppendPlain(key, part.kind, value);
  if (!part.descending) return;
  for (std::size_t i = start; i < key.size(); ++i) key[i] = static_cast<char>(~key[i]);
}

bool TakeKeyPart(Slice& key, const KeyPart& part, Value* value) {
  Reader reader(key, part.descending);
  unsigned char present = 1;
  if (part.nullable && (!reader.Take(&present) || present > 1)) return false;
  if (present == 0) {
    *value = Value();
  } else if (!TakePlain(reader, part, 0, value)) {
    return false;
  }
  // A dynamic part has its own NULL; behind a presence byte it would be a second one.
  if (present == 1 && part.nullable && value->is_null()) return false;
  key.RemovePrefix(reader.position());
  return true;
}

bool TakeKeyNumber(Slice& key, std::int64_t* number) {
  Reader reader(key, /*descending=*/false);
  if (!TakeInt(reader, number)) return false;
  key.RemovePrefix(reader.position());
  return true;
}

bool SkipKeyPart(Slice& key, const KeyPart& part) {
  Reader reader(key, part.descending);
  unsigned char present = 1;
  if (part.nullable && !reader.Take(&present)) return false;
  bool ok = true;
  if (present != 0) {
    switch (part.kind) {
      case ValueKind::kBool:
        ok = reader.Skip(1);
        break;
      case ValueKind::kInt:
      case ValueKind::kDate:
      case ValueKind::kTimestamp:
      case ValueKind::kDecimal:
        ok = SkipInt(reader);
        break;
      case ValueKind::kFloat:
        ok = reader.Skip(8);
        break;
      case ValueKind::kUuid:
        ok = reader.Skip(16);
        break;
      case ValueKind::kText:
      case ValueKind::kBytes:
      case ValueKind::kJson:
        ok = TakeText(reader, nullptr);
        break;
      default: {
        Value ignored;
        ok = TakePlain(reader, part, 0, &ignored);
        break;
      }
    }
  }
  if (ok) key.RemovePrefix(reader.position());
  return ok;
}

bool CanBeKey(const Value& value) { return IsKeyAtDepth(value, 0); }

std::string PrefixLimit(std::string prefix) {
  while (!prefix.empty()) {
    const auto last = static_cast<unsigned char>(prefix.back());
    if (last != 0xFF) {
      prefix.back() = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

}  // namespace trefoil::schema
