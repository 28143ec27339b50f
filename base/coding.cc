#include "base/coding.h"

namespace trefoil {

namespace {

// Numbers below this are their own ordered varint; first bytes from here on give a length.
constexpr unsigned kOrderedVarintInline = 240;

template <typename Number>
void AppendFixed(std::string& out, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

template <typename Number>
std::optional<Number> ReadFixed(Slice& input) {
  if (input.size() < sizeof(Number)) return std::nullopt;
  const Number number = LoadFixed<Number>(input.data());
  input.RemovePrefix(sizeof number);
  return number;
}

// The low `bytes` bytes, at least one.
void AppendBigEndian(std::string& out, std::uint64_t number, unsigned bytes) {
  const std::uint64_t encoded = __builtin_bswap64(number << (64 - 8 * bytes));
  out.append(reinterpret_cast<const char*>(&encoded), bytes);
}

// At most 8 bytes.
std::uint64_t LoadBigEndian(Slice bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) number = number << 8 | bytes[i];
  return number;
}

}  // namespace

void AppendFixed16(std::string& out, std::uint16_t number) { AppendFixed(out, number); }
void AppendFixed32(std::string& out, std::uint32_t number) { AppendFixed(out, number); }
void AppendFixed64(std::string& out, std::uint64_t number) { AppendFixed(out, number); }
std::optional<std::uint16_t> ReadFixed16(Slice& input) { return ReadFixed<std::uint16_t>(input); }
std::optional<std::uint32_t> ReadFixed32(Slice& input) { return ReadFixed<std::uint32_t>(input); }
std::optional<std::uint64_t> ReadFixed64(Slice& input) { return ReadFixed<std::uint64_t>(input); }

void AppendBigEndian64(std::string& out, std::uint64_t number) { AppendBigEndian(out, number, 8); }

std::optional<std::uint64_t> ReadBigEndian64(Slice& input) {
  const std::optional<Slice> bytes = ReadBytes(input, 8);
  if (!bytes) return std::nullopt;
  return LoadBigEndian(*bytes);
}

void AppendVarint(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

std::optional<std::uint64_t> ReadVarint(Slice& input) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < input.size() && i < kMaxVarintBytes; ++i) {
    const std::uint64_t byte = input[i];
    if (i == kMaxVarintBytes - 1 && byte > 1) return std::nullopt;  // above 64 bits
    number |= (byte & 0x7f) << (7 * i);
    if (byte >= 0x80) continue;
    if (byte == 0 && i > 0) return std::nullopt;  // longer than needed
    input.RemovePrefix(i + 1);
    return number;
  }
  return std::nullopt;
}

void AppendLengthPrefixed(std::string& out, Slice bytes) {
  AppendVarint(out, bytes.size());
  out.append(bytes.view());
}

std::optional<Slice> ReadLengthPrefixed(Slice& input) {
  Slice rest = input;
  const std::optional<std::uint64_t> size_bytes = ReadVarint(rest);
  if (!size_bytes) return std::nullopt;
  const std::optional<Slice> bytes = ReadBytes(rest, *size_bytes);
  if (bytes) input = rest;
  return bytes;
}

std::optional<Slice> ReadBytes(Slice& input, std::uint64_t size_bytes) {
  if (input.size() < size_bytes) return std::nullopt;
  const Slice bytes = input.Prefix(size_bytes);
  input.RemovePrefix(size_bytes);
  return bytes;
}

void AppendOrderedVarint(std::string& out, std::uint64_t number) {
  if (number < kOrderedVarintInline) {
    out.push_back(static_cast<char>(number));
    return;
  }
  const unsigned bytes = static_cast<unsigned>(std::bit_width(number) + 7) / 8;
  out.push_back(static_cast<char>(kOrderedVarintInline - 1 + bytes));
  AppendBigEndian(out, number, bytes);
}

std::optional<std::uint64_t> ReadOrderedVarint(Slice& input) {
  if (input.empty()) return std::nullopt;
  const unsigned first = input[0];
  if (first < kOrderedVarintInline) {
    input.RemovePrefix(1);
    return first;
  }
  const std::size_t bytes = first - kOrderedVarintInline + 1;
  if (bytes > 8 || input.size() < 1 + bytes) return std::nullopt;
  const std::uint64_t number = LoadBigEndian(input.Without(1).Prefix(bytes));
  const bool is_shortest = bytes == 1 ? number >= kOrderedVarintInline : input[1] != 0;
  if (!is_shortest) return std::nullopt;
  input.RemovePrefix(1 + bytes);
  return number;
}

void AppendEscaped(std::string& out, Slice bytes) {
  std::string_view rest = bytes.view();
  for (std::size_t zero; (zero = rest.find('\0')) != rest.npos; rest.remove_prefix(zero + 1)) {
    out.append(rest.substr(0, zero));
    out.append("\0\xff", 2);
  }
  out.append(rest);
  out.append("\0\x01", 2);
}

std::optional<std::string> ReadEscaped(Slice& input) {
  std::string bytes;
  std::string_view rest = input.view();
  for (;;) {
    const std::size_t zero = rest.find('\0');
    if (zero == rest.npos || zero + 1 == rest.size()) return std::nullopt;
    bytes.append(rest.substr(0, zero));
    const char mark = rest[zero + 1];
    rest.remove_prefix(zero + 2);
    if (mark == '\x01') break;
    if (mark != '\xff') return std::nullopt;
    bytes.push_back('\0');
  }
  input = Slice(rest);
  return bytes;
}

}  // namespace trefoil
