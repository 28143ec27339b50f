// Numbers and bytes as they lie in files and keys. Append* writes to the end of a string; Read*
// takes from the front of a Slice and returns nothing, leaving the Slice as it was, when the bytes
// are no encoding. Every decoder is total, and every value has exactly one encoding that decodes.
//
//   fixed           little-endian, 2, 4 or 8 bytes
//   varint          LEB128: 7 bits a byte, low bits first, 0x80 = more follows; at most 10 bytes
//   ordered varint  0..239: the byte itself; else 239 + n, then n big-endian bytes (n = 1..8);
//                   byte order is number order, and no encoding is a prefix of another
//   escaped bytes   0x00 becomes 0x00 0xFF; the end is 0x00 0x01: byte order is kept, prefix-free
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "trefoil/slice.h"

namespace trefoil {

static_assert(std::endian::native == std::endian::little, "stored numbers are copied as they lie");

// The fixed-width number at `bytes`, which must have sizeof(Number) readable bytes.
template <typename Number>
Number LoadFixed(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}
inline std::uint16_t LoadFixed16(const char* bytes) { return LoadFixed<std::uint16_t>(bytes); }
inline std::uint32_t LoadFixed32(const char* bytes) { return LoadFixed<std::uint32_t>(bytes); }
inline std::uint64_t LoadFixed64(const char* bytes) { return LoadFixed<std::uint64_t>(bytes); }

inline void StoreFixed16(char* to, std::uint16_t number) { std::memcpy(to, &number, 2); }
inline void StoreFixed32(char* to, std::uint32_t number) { std::memcpy(to, &number, 4); }
inline void StoreFixed64(char* to, std::uint64_t number) { std::memcpy(to, &number, 8); }

void AppendFixed16(std::string& out, std::uint16_t number);
void AppendFixed32(std::string& out, std::uint32_t number);
void AppendFixed64(std::string& out, std::uint64_t number);
std::optional<std::uint16_t> ReadFixed16(Slice& input);
std::optional<std::uint32_t> ReadFixed32(Slice& input);
std::optional<std::uint64_t> ReadFixed64(Slice& input);

// Big-endian, for keys: byte order is number order.
void AppendBigEndian64(std::string& out, std::uint64_t number);
std::optional<std::uint64_t> ReadBigEndian64(Slice& input);

inline constexpr std::size_t kMaxVarintBytes = 10;
void AppendVarint(std::string& out, std::uint64_t number);
std::optional<std::uint64_t> ReadVarint(Slice& input);
constexpr std::size_t VarintSize(std::uint64_t number) {
  return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

// Small numbers of either sign in few bytes: 0, -1, 1, -2, ... become 0, 1, 2, 3, ...
constexpr std::uint64_t ZigZag(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}
constexpr std::int64_t UnZigZag(std::uint64_t number) {
  return static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
}

// A varint length and the bytes. The Slice read points into the input.
void AppendLengthPrefixed(std::string& out, Slice bytes);
std::optional<Slice> ReadLengthPrefixed(Slice& input);
// The next `size_bytes` bytes; points into the input.
std::optional<Slice> ReadBytes(Slice& input, std::uint64_t size_bytes);

inline constexpr std::size_t kMaxOrderedVarintBytes = 9;
void AppendOrderedVarint(std::string& out, std::uint64_t number);
std::optional<std::uint64_t> ReadOrderedVarint(Slice& input);

void AppendEscaped(std::string& out, Slice bytes);
std::optional<std::string> ReadEscaped(Slice& input);

}  // namespace trefoil
