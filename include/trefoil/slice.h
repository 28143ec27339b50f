// A Slice borrows a run of bytes: a key, a value, a page. It owns nothing, so whoever stores one
// says what outlives it. Slices compare as unsigned bytes, which is the order of every key in
// Trefoil.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace trefoil {

class Slice {
 public:
  constexpr Slice() = default;
  constexpr Slice(const char* data, std::size_t size_bytes) : bytes_(data, size_bytes) {}
  constexpr Slice(std::string_view bytes) : bytes_(bytes) {}
  constexpr Slice(const char* text) : bytes_(text) {}
  Slice(const std::string& bytes) : bytes_(bytes) {}
  // A temporary string would die before the Slice; name it first.
  Slice(std::string&&) = delete;

  constexpr const char* data() const { return bytes_.data(); }
  constexpr std::size_t size() const { return bytes_.size(); }
  constexpr bool empty() const { return bytes_.empty(); }
  constexpr const char* begin() const { return bytes_.data(); }
  constexpr const char* end() const { return bytes_.data() + bytes_.size(); }
  constexpr unsigned char operator[](std::size_t i) const {
    return static_cast<unsigned char>(bytes_[i]);
  }

  constexpr bool StartsWith(Slice prefix) const { return bytes_.starts_with(prefix.bytes_); }
  constexpr Slice Prefix(std::size_t size_bytes) const { return bytes_.substr(0, size_bytes); }
  // The rest after the first `size_bytes` bytes; there must be that many.
  constexpr Slice Without(std::size_t size_bytes) const {
    return {bytes_.data() + size_bytes, bytes_.size() - size_bytes};
  }
  constexpr void RemovePrefix(std::size_t size_bytes) { bytes_.remove_prefix(size_bytes); }

  constexpr std::string_view view() const { return bytes_; }
  std::string ToString() const { return std::string(bytes_); }

  friend constexpr bool operator==(Slice a, Slice b) { return a.bytes_ == b.bytes_; }
  // std::char_traits<char> compares as unsigned char, as memcmp does.
  friend constexpr std::strong_ordering operator<=>(Slice a, Slice b) {
    return a.bytes_ <=> b.bytes_;
  }

 private:
  std::string_view bytes_;
};

}  // namespace trefoil
