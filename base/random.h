// Random: a seeded generator, so that whatever uses chance can be repeated. xoshiro256++ (Blackman
// and Vigna, 2021), its state filled by splitmix64. Not for secrets or identities: those take
// Env::RandomBytes, or SecureRandomBytes where there is no Env.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace trefoil {

// One step of splitmix64: turns a counter into a well-mixed number.
constexpr std::uint64_t SplitMix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

// One thread at a time. Usable as a standard UniformRandomBitGenerator.
class Random {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = SplitMix64(seed);
  }

  constexpr std::uint64_t Next() {
    const std::uint64_t result = Rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }
  constexpr std::uint64_t operator()() { return Next(); }
  static constexpr std::uint64_t min() { return 0; }
  static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }

  // Uniform in [0, limit); limit > 0. Biased by less than limit / 2^64.
  constexpr std::uint64_t Uniform(std::uint64_t limit) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }
  // Uniform in [low, high], both included.
  constexpr std::int64_t Between(std::int64_t low, std::int64_t high) {
    const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    const std::uint64_t offset = span == max() ? Next() : Uniform(span + 1);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }
  // True once in `n` times; n > 0.
  constexpr bool OneIn(std::uint64_t n) { return Uniform(n) == 0; }
  // Uniform in [0, 1).
  constexpr double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  void Fill(std::span<char> bytes);

 private:
  static constexpr std::uint64_t Rotate(std::uint64_t word, int bits) {
    return (word << bits) | (word >> (64 - bits));
  }

  std::array<std::uint64_t, 4> state_{};
};

// Fills `bytes` from the operating system's generator. Any thread; aborts if there is none.
void SecureRandomBytes(std::span<char> bytes);

}  // namespace trefoil
