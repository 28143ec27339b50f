// The keys and values of the lsm suite: what our own keys look like. Key i is
// [order 1][attribute 1][subject 8], its value 8 to 100 bytes, both functions of i.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/random.h"
#include "trefoil/slice.h"

namespace trefoil::bench {

// A permutation of the 64-bit numbers.
constexpr std::uint64_t Mix(std::uint64_t number) {
  std::uint64_t state = number;
  return SplitMix64(state);
}

class KeyOf {
 public:
  // The i-th key; scattered keys of different i are in no order, others ascend with i.
  KeyOf(std::uint64_t i, bool scattered) {
    const std::uint64_t subject = scattered ? Mix(i) : i;
    bytes_[0] = 2;
    bytes_[1] = scattered ? static_cast<char>(i % 8) : 0;
    const std::uint64_t big_endian = __builtin_bswap64(subject);
    std::memcpy(bytes_.data() + 2, &big_endian, sizeof big_endian);
  }
  Slice slice() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, 10> bytes_{};
};

// Values, cut from a block of random bytes.
class Values {
 public:
  static constexpr std::size_t kBytesMin = 8;
  static constexpr std::size_t kBytesMax = 100;
  static constexpr double kBytesAverage = (kBytesMin + kBytesMax) / 2.0;

  Values() : bytes_(1 << 16, '\0') {
    Random random(1);
    random.Fill(bytes_);
  }
  Slice operator[](std::uint64_t i) const {
    const std::uint64_t mixed = Mix(~i);
    const std::size_t size_bytes = kBytesMin + mixed % (kBytesMax - kBytesMin + 1);
    return {bytes_.data() + (mixed >> 32) % (bytes_.size() - kBytesMax), size_bytes};
  }

 private:
  std::string bytes_;
};

// Values like cells of text: the stamp that precedes every value of ours (flags, time, site), then
// words of a small vocabulary, the common ones often.
class TextValues {
 public:
  TextValues() {
    Random random(2);
    for (std::string& word : words_) {
      word.resize(2 + random.Uniform(8));
      for (char& letter : word) letter = static_cast<char>('a' + random.Uniform(26));
    }
  }
  std::string operator[](std::uint64_t i) const {
    Random random(i);
    std::string value("\x05", 1);
    const std::uint64_t time = (1'700'000'000'000 + i * 40) << 16;
    for (int shift = 56; shift >= 0; shift -= 8) value.push_back(static_cast<char>(time >> shift));
    value.push_back(static_cast<char>(random.Uniform(3)));
    for (std::uint64_t count = 3 + random.Uniform(10); count != 0; --count) {
      value += words_[random.Uniform(1 + random.Uniform(words_.size()))];
      value.push_back(' ');
    }
    return value;
  }

 private:
  std::array<std::string, 2000> words_;
};

inline constexpr double kKeyBytes = 10;

}  // namespace trefoil::bench
