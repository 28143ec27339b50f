// The key codec turns values into bytes whose unsigned order is the order of the values, so that
// the store, which knows bytes only, sorts facts and index entries as queries need them. Every
// encoding is prefix-free, so a composite key is the plain concatenation of its parts, and a
// descending part is the complement of its bytes. docs/format.md holds test vectors.
//
//   BOOL              1 byte: 0 or 1
//   INT, DATE, TIMESTAMP, DECIMAL (unscaled, the scale is the column's)
//                     0x80 + n, n big-endian bytes of a positive number, n = 0..8 minimal;
//                     0x80 - n, n complemented bytes of the magnitude of a negative one
//   FLOAT             8 bytes big-endian, all bits flipped if negative, else the sign bit
//   UUID              16 bytes
//   TEXT, BYTES, JSON the bytes with 0x00 as 0x00 0xFF, then 0x00 0x01
//   REF               each item as a dynamic part, then 0x00
//   dynamic           tag, then a form that keeps the total order between kinds:
//     1 NULL | 2 BOOL | 3 number | 4 time | 5 TEXT | 6 BYTES | 7 UUID | 8 REF | 9 JSON
//     number          FLOAT form of the largest double <= it, then one byte and the rest:
//                       0 INT (exact), INT form | 1 FLOAT | 2 + scale DECIMAL (exact), INT form
//                       32 not exact: 16 bytes number * 10^18 (sign flipped), then 0 or 2 + scale,
//                       INT form
//     time            INT form of the day, then 0 DATE | 1 TIMESTAMP and INT form of its micros
//   nullable part     0x00 for NULL, or 0x01 and the part
//
// I1 bytes(a) < bytes(b) as a < b in the total order of Value (of REFs whose items at one place
// have one kind, as those to one type have). I2 No encoding is a proper prefix of another of the
// same part. I3 Decoding accepts exactly what encoding makes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "schema/schema.h"
#include "trefoil/slice.h"
#include "trefoil/value.h"

namespace trefoil::schema {

// How one component of a key is encoded.
struct KeyPart {
  ValueKind kind = ValueKind::kNull;  // kNull: dynamic
  std::uint8_t scale = 0;             // DECIMAL only
  bool nullable = false;
  bool descending = false;

  friend bool operator==(const KeyPart&, const KeyPart&) = default;
};

// Appends `value`, which must be of the part's kind (and scale), or NULL where that is allowed.
void AppendKeyPart(std::string& key, const KeyPart& part, const Value& value);

// Takes one part from the front of `key`; false when the bytes are not an encoding of the part.
bool TakeKeyPart(Slice& key, const KeyPart& part, Value* value);

// The same of an INT, DATE, TIMESTAMP or the digits of a DECIMAL, ascending and never NULL.
bool TakeKeyNumber(Slice& key, std::int64_t* number);

// Writes it at `to`, which has room for kKeyNumberBytesMax, and returns the end.
inline constexpr std::size_t kKeyNumberBytesMax = 9;
char* WriteKeyNumber(char* to, std::int64_t number);

// Drops one part from the front of `key` without making a value; the bytes are trusted as far as
// finding the end of the part goes.
bool SkipKeyPart(Slice& key, const KeyPart& part);

// True when the value can be a component of a key: everything but LIST and OBJECT, and REFs nested
// at most kMaxRefDepth deep.
bool CanBeKey(const Value& value);
inline constexpr int kMaxRefDepth = 4;

// The first key behind every key that begins with `prefix`; empty when there is none.
std::string PrefixLimit(std::string prefix);

}  // namespace trefoil::schema
