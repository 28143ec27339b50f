// A Value is the content of one cell of a row: 16 bytes, immutable, cheap to copy, safe to share
// between threads. Short text lives inside; longer text, lists and objects are shared by reference
// count. The same type is stored, flows through the engine and is handed to the user.
//
//   byte 0    kind
//   byte 1    TEXT, BYTES, JSON, UUID: length when inline (<= 14), 255 when shared; DECIMAL: scale
//   inline    bytes 2..15 hold the text
//   otherwise bytes 2..7 hold the first six bytes of a shared text (for comparison without a miss),
//             bytes 8..15 a number or a pointer
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trefoil {

// In the order in which values of different kinds sort; the numbers (INT, FLOAT, DECIMAL) share one
// numeric order, DATE and TIMESTAMP one order in time.
enum class ValueKind : std::uint8_t {
  kNull,
  kBool,
  kInt,        // 64-bit
  kFloat,      // IEEE double; -0 is stored as 0, NaN is one canonical NaN and sorts last
  kDecimal,    // 64-bit integer scaled by 10^scale, scale 0..18
  kDate,       // days since 1970-01-01
  kTimestamp,  // microseconds since 1970-01-01T00:00:00Z
  kText,       // UTF-8
  kBytes,
  kUuid,    // 16 bytes
  kRef,     // the key of a row whose key has several fields; a one-field key refers by its value
  kJson,    // canonical JSON text
  kList,    // in results only
  kObject,  // in results only: names and values
};

// "INT", "TEXT", ...: the spelling of TreeSQL.
std::string_view KindName(ValueKind kind);

struct Decimal {
  std::int64_t unscaled = 0;
  int scale = 0;  // digits after the point, 0..18
};

class Value;
using ObjectNames = std::shared_ptr<const std::vector<std::string>>;

class Value {
 public:
  Value() : raw_{} {}  // NULL
  static Value Bool(bool value) { return {ValueKind::kBool, std::int64_t{value}}; }
  static Value Int(std::int64_t value) { return {ValueKind::kInt, value}; }
  static Value Float(double value);
  static Value Decimal(std::int64_t unscaled, int scale);
  static Value Date(std::int64_t days) { return {ValueKind::kDate, days}; }
  static Value Timestamp(std::int64_t micros) { return {ValueKind::kTimestamp, micros}; }
  static Value Text(std::string_view text) { return {ValueKind::kText, text}; }
  static Value Bytes(std::string_view bytes) { return {ValueKind::kBytes, bytes}; }
  static Value Uuid(std::string_view bytes16) { return {ValueKind::kUuid, bytes16}; }
  static Value Json(std::string_view canonical) { return {ValueKind::kJson, canonical}; }
  static Value Ref(std::vector<Value> key);
  static Value List(std::vector<Value> items);
  // `names` and `items` have equal length.
  static Value Object(ObjectNames names, std::vector<Value> items);

  Value(const Value& other) {
    std::memcpy(raw_, other.raw_, sizeof raw_);
    if (is_shared()) Retain();
  }
  Value(Value&& other) noexcept {
    std::memcpy(raw_, other.raw_, sizeof raw_);
    other.raw_[0] = 0;
    other.raw_[1] = 0;
  }
  Value& operator=(const Value& other) { return *this = Value(other); }
  Value& operator=(Value&& other) noexcept {
    char swapped[sizeof raw_];
    std::memcpy(swapped, raw_, sizeof raw_);
    std::memcpy(raw_, other.raw_, sizeof raw_);
    std::memcpy(other.raw_, swapped, sizeof raw_);
    return *this;
  }
  ~Value() {
    if (is_shared()) Release();
  }

  ValueKind kind() const { return static_cast<ValueKind>(raw_[0]); }
  bool is_null() const { return kind() == ValueKind::kNull; }
  bool is_number() const { return kind() >= ValueKind::kInt && kind() <= ValueKind::kDecimal; }

  // Each accessor needs the kind it names.
  bool AsBool() const { return number() != 0; }
  std::int64_t AsInt() const { return number(); }  // INT; days of a DATE, micros of a TIMESTAMP
  double AsFloat() const;
  trefoil::Decimal AsDecimal() const { return {number(), raw_[1]}; }
  std::string_view AsText() const;       // TEXT, BYTES, UUID, JSON; valid while this Value lives
  std::span<const Value> items() const;  // REF, LIST, OBJECT; valid while this Value lives
  const ObjectNames& names() const;      // OBJECT

  // Bytes on the heap that this value shares.
  std::size_t shared_bytes() const;

  // Identity and the one total order: by kind group, then by number, time or bytes; numbers that
  // are equal but of different kinds stay distinct and sort by kind, so equal means same.
  friend bool operator==(const Value& a, const Value& b) {
    if (!a.is_shared() && !b.is_shared()) return std::memcmp(a.raw_, b.raw_, sizeof a.raw_) == 0;
    return Order(a, b) == std::strong_ordering::equal;
  }
  friend std::strong_ordering operator<=>(const Value& a, const Value& b) { return Order(a, b); }

  // Equal values have equal hashes. Not stable between releases: never stored.
  std::size_t Hash() const;

 private:
  struct Blob;
  struct Tree;
  static constexpr std::size_t kInlineMax = 14;
  static constexpr unsigned char kShared = 255;

  Value(ValueKind kind, std::int64_t number) : raw_{static_cast<unsigned char>(kind)} {
    std::memcpy(raw_ + 8, &number, sizeof number);
  }
  Value(ValueKind kind, std::string_view text);
  Value(ValueKind kind, Tree* tree);

  static std::strong_ordering Order(const Value& a, const Value& b);

  bool is_tree() const { return kind() == ValueKind::kRef || kind() >= ValueKind::kList; }
  bool is_shared() const { return raw_[1] == kShared; }
  std::int64_t number() const {
    std::int64_t number;
    std::memcpy(&number, raw_ + 8, sizeof number);
    return number;
  }
  template <typename T>
  T* pointer() const {
    T* pointer;
    std::memcpy(&pointer, raw_ + 8, sizeof pointer);
    return pointer;
  }
  void Retain() const;
  void Release();

  alignas(8) unsigned char raw_[16];
};

static_assert(sizeof(Value) == 16);

// Order of two values by what they mean to SQL's comparisons: as the total order, but 1, 1.0 and
// 1.00 are equal, as are a DATE and its midnight. Neither may be NULL for a meaningful answer.
std::weak_ordering CompareAsSql(const Value& a, const Value& b);

// The JSON form of api.md: INT and DECIMAL exact, FLOAT the shortest text that reads back, BYTES
// base64, times ISO 8601, NaN and infinities as strings, JSON as it is.
void AppendJson(std::string& out, const Value& value);
std::string ToJson(const Value& value);

// What CAST(value AS TEXT) gives: text as it is, everything else as in JSON without quotes.
std::string ToText(const Value& value);

// The inverse of ToText: `text` as a value of `kind` (BOOL to JSON), or nothing when it is none.
// A DECIMAL takes the scale that its digits show.
std::optional<Value> ParseValue(std::string_view text, ValueKind kind);

}  // namespace trefoil

template <>
struct std::hash<trefoil::Value> {
  std::size_t operator()(const trefoil::Value& value) const { return value.Hash(); }
};
