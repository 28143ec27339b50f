#include "dataflow/exact_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/check.h"

namespace trefoil::dataflow {

namespace {

using Uint128 = unsigned __int128;

constexpr int kMinExponent = -1074;  // the unit: 2^-1074, the smallest double
constexpr int kBinBits = 32;
constexpr int kMantissaBits = 53;

constexpr std::array<std::int64_t, 19> kPowersOfTen = [] {
  std::array<std::int64_t, 19> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

constexpr Uint128 Magnitude(Int128 number) {
  return number < 0 ? -static_cast<Uint128>(number) : static_cast<Uint128>(number);
}

// Position of the highest bit plus one; 0 for 0.
constexpr int BitWidth(Uint128 number) {
  const auto high = static_cast<std::uint64_t>(number >> 64);
  return high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<std::uint64_t>(number));
}

// A non-negative number in units of 2^-1074, in digits of 32 bits, lowest first. Digit 0 is the
// fraction of a unit that a division leaves: every double is a whole number of units, so one bit of
// it and `inexact` decide the rounding.
class LongNumber {
 public:
  // Bin 66 is the last that a carry reaches; a bin spans four digits.
  static constexpr std::size_t kDigits = 72;

  void Add(std::int32_t bin, Int128 amount) {
    auto at = static_cast<std::size_t>(bin) + 1;
    for (int i = 0; i < 3; ++i, amount >>= kBinBits) {
      columns_[at++] += static_cast<std::uint32_t>(amount);
    }
    columns_[at] += static_cast<std::int64_t>(amount);
  }

  // Brings every digit into [0, 2^32); returns whether the number was negative.
  bool Normalize() {
    const bool negative = Carry() < 0;
    if (negative) {
      for (std::int64_t& column : columns_) column = -column;
      // The borrow past the top digit of the negated digits is the one just taken.
      Carry();
    }
    return negative;
  }

  void Divide(std::uint64_t divisor) {
    if (divisor == 1) return;
    Uint128 remainder = 0;
    for (std::size_t i = kDigits; i-- > 0;) {
      const Uint128 part = (remainder << kBinBits) | static_cast<Uint128>(columns_[i]);
      columns_[i] = static_cast<std::int64_t>(part / divisor);
      remainder = part % divisor;
    }
    inexact_ |= remainder != 0;
  }

  // Nearest double, ties to even.
  double Round() const {
    int top = static_cast<int>(kDigits) * kBinBits - 1;
    while (top >= 0 && !Bit(top)) --top;
    if (top < kBinBits - 1) return 0;
    const int lowest = std::max(top - (kMantissaBits - 1), kBinBits);
    std::uint64_t mantissa = 0;
    for (int i = top; i >= lowest; --i) mantissa = mantissa << 1 | Bit(i);
    bool below_half = inexact_;
    for (int i = 0; i < lowest - 1 && !below_half; ++i) below_half = Bit(i);
    if (Bit(lowest - 1) && (below_half || (mantissa & 1) != 0)) ++mantissa;
    return std::ldexp(static_cast<double>(mantissa), lowest - kBinBits + kMinExponent);
  }

 private:
  bool Bit(int i) const { return (columns_[i / kBinBits] >> (i % kBinBits) & 1) != 0; }

  std::int64_t Carry() {
    std::int64_t carry = 0;
    for (std::int64_t& column : columns_) {
      column += carry;
      carry = column >> kBinBits;
      column &= 0xffffffff;
    }
    return carry;
  }

  std::array<std::int64_t, kDigits> columns_{};
  bool inexact_ = false;
};

}  // namespace

ExactSum::ExactSum(const ExactSum& other)
    : first_(other.first_),
      rest_(other.rest_ == nullptr ? nullptr : std::make_unique<Rest>(*other.rest_)) {}

ExactSum::Rest& ExactSum::rest() {
  if (rest_ == nullptr) rest_ = std::make_unique<Rest>();
  return *rest_;
}

void ExactSum::Add(double value, std::int64_t weight) {
  if (!std::isfinite(value)) [[unlikely]] {
    Rest& special = rest();
    (std::isnan(value) ? special.nan
     : value > 0       ? special.infinity
                       : special.minus_infinity) += weight;
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int field = static_cast<int>(bits >> 52 & 0x7ff);
  std::uint64_t mantissa = bits & 0x000f'ffff'ffff'ffff;
  if (field != 0) mantissa |= 0x0010'0000'0000'0000;
  const int exponent = field == 0 ? 0 : field - 1;  // above kMinExponent
  Int128 shifted = static_cast<Int128>(mantissa) << (exponent % kBinBits);
  if (value < 0) shifted = -shifted;
  const std::int32_t bin = exponent / kBinBits;
  AddToBin(bin, shifted * static_cast<std::int64_t>(static_cast<std::uint32_t>(weight)));
  if (weight >> kBinBits != 0) AddToBin(bin + 1, shifted * (weight >> kBinBits));
}

void ExactSum::AddInteger(Int128 value) {
  constexpr int kBin = -kMinExponent / kBinBits;
  constexpr int kShift = -kMinExponent % kBinBits;
  constexpr Int128 kOneBinBelow = Int128{1} << 80;  // shifted by less than 32, below 2^116
  if (-kOneBinBelow < value && value < kOneBinBelow) {
    AddToBin(kBin, value * (Int128{1} << kShift));
    return;
  }
  AddToBin(kBin, static_cast<Int128>(static_cast<std::uint64_t>(value)) << kShift);
  AddToBin(kBin + 64 / kBinBits, (value >> 64) * (Int128{1} << kShift));
}

void ExactSum::Add(const ExactSum& other) {
  other.ForEachBin([&](const Bin& bin) { AddToBin(bin.index, bin.sum); });
  if (!other.has_special()) return;
  rest().nan += other.rest_->nan;
  rest().infinity += other.rest_->infinity;
  rest().minus_infinity += other.rest_->minus_infinity;
}

void ExactSum::AddToBin(std::int32_t index, Int128 amount) {
  Bin* bin = &first_;
  if (first_.index != index) {
    bin = nullptr;
    if (rest_ != nullptr) {
      for (Bin& other : rest_->bins) {
        if (other.index == index) bin = &other;
      }
    }
    if (bin == nullptr && first_.sum == 0) {
      first_.index = index;
      bin = &first_;
    }
    if (bin == nullptr) bin = &rest().bins.emplace_back(Bin{.sum = 0, .index = index});
  }
  bin->sum += amount;
  if (bin->sum == 0 && bin != &first_) {
    *bin = rest_->bins.back();
    rest_->bins.pop_back();
    return;
  }
  // An addend is below 2^116, so a bin that stays below 2^120 never overflows.
  constexpr Int128 kCarryAbove = Int128{1} << 120;
  if (bin->sum > kCarryAbove || bin->sum < -kCarryAbove) {
    const Int128 carry = bin->sum >> kBinBits;
    bin->sum &= 0xffffffff;
    AddToBin(index + 1, carry);
  }
}

template <typename Function>
void ExactSum::ForEachBin(const Function& function) const {
  if (first_.sum != 0) function(first_);
  if (rest_ == nullptr) return;
  for (const Bin& bin : rest_->bins) function(bin);
}

bool ExactSum::Combine(Bin& all) const {
  all = first_;
  if (rest_ == nullptr) return true;
  if (all.sum == 0) all.index = std::numeric_limits<std::int32_t>::max();
  ForEachBin([&](const Bin& bin) { all.index = std::min(all.index, bin.index); });
  all.sum = 0;
  bool fits = true;
  ForEachBin([&](const Bin& bin) {
    const int shift = (bin.index - all.index) * kBinBits;
    fits = fits && shift + BitWidth(Magnitude(bin.sum)) < 122;
    if (fits) all.sum += bin.sum * (Int128{1} << shift);
  });
  return fits;
}

double ExactSum::RoundQuotient(std::uint64_t divisor, int scale) const {
  Check(divisor != 0 && scale >= 0 && scale <= 18, "an exact sum is divided by a positive number");
  if (has_special()) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (rest_->nan != 0 || (rest_->infinity != 0 && rest_->minus_infinity != 0)) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    return rest_->infinity != 0 ? kInfinity : -kInfinity;
  }
  const auto power_of_ten = static_cast<std::uint64_t>(kPowersOfTen[scale]);
  Bin all;
  if (!Combine(all)) return RoundSlowly(divisor, power_of_ten);
  if (all.sum == 0) return 0;
  Uint128 quotient = Magnitude(all.sum);
  const int shift = 128 - BitWidth(quotient);
  quotient <<= shift;
  if (divisor != 1 || power_of_ten != 1) {
    const Uint128 divisors = static_cast<Uint128>(divisor) * power_of_ten;
    if (BitWidth(divisors) > 64) return RoundSlowly(divisor, power_of_ten);
    const bool inexact = quotient % divisors != 0;
    quotient /= divisors;  // at least 64 bits, so that the last one is free to say "and more"
    quotient |= static_cast<Uint128>(inexact);
  }
  const int exponent = all.index * kBinBits + kMinExponent - shift;
  // Below the normal range the conversion would round once and ldexp again.
  if (BitWidth(quotient) + exponent <= -1020) return RoundSlowly(divisor, power_of_ten);
  const double magnitude = std::ldexp(static_cast<double>(quotient), exponent);
  return all.sum < 0 ? -magnitude : magnitude;
}

double ExactSum::RoundSlowly(std::uint64_t divisor, std::uint64_t power_of_ten) const {
  LongNumber number;
  ForEachBin([&](const Bin& bin) { number.Add(bin.index, bin.sum); });
  const bool negative = number.Normalize();
  number.Divide(divisor);
  number.Divide(power_of_ten);
  return negative ? -number.Round() : number.Round();
}

std::size_t ExactSum::heap_bytes() const {
  return rest_ == nullptr ? 0 : sizeof(Rest) + rest_->bins.capacity() * sizeof(Bin);
}

void SumState::Add(const Value& value, std::int64_t weight) {
  switch (value.kind()) {
    case ValueKind::kInt:
      AddExact(0, value.AsInt(), weight);
      return;
    case ValueKind::kDecimal:
      AddExact(1 + value.AsDecimal().scale, value.AsDecimal().unscaled, weight);
      return;
    case ValueKind::kFloat:
      if (floats_ == nullptr) floats_ = std::make_unique<Floats>();
      count_ += weight;
      floats_->count += weight;
      floats_->sum.Add(value.AsFloat(), weight);
      return;
    default:
      return;
  }
}

void SumState::AddExact(std::int32_t kind, std::int64_t number, std::int64_t weight) {
  Part* part = &first_;
  if (first_.kind != kind) {
    part = nullptr;
    if (others_ != nullptr) {
      for (Part& other : *others_) {
        if (other.kind == kind) part = &other;
      }
    }
    if (part == nullptr && first_.count == 0 && first_.sum == 0) {
      first_.kind = kind;
      part = &first_;
    }
    if (part == nullptr) {
      if (others_ == nullptr) others_ = std::make_unique<std::vector<Part>>();
      part = &others_->emplace_back(Part{.kind = kind});
    }
  }
  count_ += weight;
  part->count += weight;
  part->sum += static_cast<Int128>(number) * weight;
}

template <typename Function>
void SumState::ForEachPart(const Function& function) const {
  if (first_.count != 0) function(first_);
  if (others_ == nullptr) return;
  for (const Part& part : *others_) {
    if (part.count != 0) function(part);
  }
}

Value SumState::Sum() const {
  if (count_ == 0) return Value();
  if (floats_ == nullptr || floats_->count == 0) return SumOfExact();
  const ExactSum sum = Mixed();
  const double rounded = sum.Round();
  return std::isfinite(rounded) || sum.has_special() ? Value::Float(rounded) : Value();
}

Value SumState::SumOfExact() const {
  std::int32_t kind = 0;
  ForEachPart([&](const Part& part) { kind = std::max(kind, part.kind); });
  const int scale = Part{.kind = kind}.scale();
  Int128 sum = 0;
  bool fits = true;
  ForEachPart([&](const Part& part) {
    Int128 scaled = 0;
    fits = fits &&
           !__builtin_mul_overflow(part.sum, Int128{kPowersOfTen[scale - part.scale()]}, &scaled);
    fits = fits && !__builtin_add_overflow(sum, scaled, &sum);
  });
  if (!fits || sum != static_cast<std::int64_t>(sum)) return Value();
  const auto number = static_cast<std::int64_t>(sum);
  return kind == 0 ? Value::Int(number) : Value::Decimal(number, scale);
}

Value SumState::Average() const {
  if (count_ <= 0) return Value();
  const auto count = static_cast<std::uint64_t>(count_);
  if (first_.count == count_) {
    ExactSum sum;
    sum.AddInteger(first_.sum);
    return Value::Float(sum.RoundQuotient(count, first_.scale()));
  }
  return Value::Float(Mixed().RoundQuotient(count, 0));
}

ExactSum SumState::Mixed() const {
  ExactSum sum;
  if (floats_ != nullptr) sum = floats_->sum;
  ForEachPart([&](const Part& part) {
    ExactSum exact;
    exact.AddInteger(part.sum);
    if (part.kind == 0) {
      sum.Add(exact);
    } else {
      sum.Add(exact.RoundQuotient(1, part.scale()), 1);
    }
  });
  return sum;
}

std::size_t SumState::heap_bytes() const {
  std::size_t bytes = 0;
  if (others_ != nullptr) bytes += sizeof *others_ + others_->capacity() * sizeof(Part);
  if (floats_ != nullptr) bytes += sizeof(Floats) + floats_->sum.heap_bytes();
  return bytes;
}

}  // namespace trefoil::dataflow
