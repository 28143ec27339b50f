// Exact sums: the state of sum() and avg(). A row that is taken back restores every bit, in any
// order, so a live aggregate equals a fresh one for ever.
//
// A FLOAT is an integer of 53 bits times a power of two. ExactSum keeps one 128-bit integer per
// power 2^(32 k - 1074) that occurred: a value is shifted by at most 31 bits into its bin, which
// leaves room for 2^43 additions before a carry into the next bin. Data of one magnitude lives in
// the first bin, inside the object.
//
//   bin        63 ........ 34        33 ....... 1        0
//   weight   2^942         2^14    2^-18      2^-1042   2^-1074
//
// I1: the sum of bin * 2^(32 k - 1074) over all bins is the exact sum of the finite values.
// Source: Kulisch, "Computer Arithmetic and Validity", chapter 8 (the long accumulator); the bins
// follow Neal, "Fast exact summation using small and large superaccumulators" (2015).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "trefoil/value.h"

namespace trefoil::dataflow {

using Int128 = __int128;

class ExactSum {
 public:
  ExactSum() = default;
  ExactSum(ExactSum&&) = default;
  ExactSum& operator=(ExactSum&&) = default;
  ExactSum(const ExactSum& other);
  ExactSum& operator=(const ExactSum& other) { return *this = ExactSum(other); }

  // Adds `weight` copies of `value`; a negative weight takes copies back.
  void Add(double value, std::int64_t weight);
  // Adds an integer exactly.
  void AddInteger(Int128 value);
  void Add(const ExactSum& other);

  // The exact sum rounded once, to nearest, ties to even: infinite when it is beyond the largest
  // double; NaN and infinities follow IEEE addition.
  double Round() const { return RoundQuotient(1, 0); }
  // The exact sum divided by `divisor` > 0 and by 10^`scale`, rounded once. The sum itself may be
  // beyond any double.
  double RoundQuotient(std::uint64_t divisor, int scale) const;
  // Whether a NaN or an infinity is among the values, so that Round() is not the sum of numbers.
  bool has_special() const { return rest_ != nullptr && rest_->HasSpecial(); }

  std::size_t heap_bytes() const;

 private:
  struct Bin {
    Int128 sum = 0;
    std::int32_t index = 0;
  };
  // What does not fit the common case.
  struct Rest {
    std::vector<Bin> bins;  // distinct indices, none equal to first_.index, in no order
    std::int64_t nan = 0;
    std::int64_t infinity = 0;
    std::int64_t minus_infinity = 0;

    bool HasSpecial() const { return nan != 0 || infinity != 0 || minus_infinity != 0; }
  };

  void AddToBin(std::int32_t index, Int128 amount);
  Rest& rest();
  // All bins in one, when its 128 bits hold them.
  bool Combine(Bin& all) const;
  double RoundSlowly(std::uint64_t divisor, std::uint64_t power_of_ten) const;
  template <typename Function>
  void ForEachBin(const Function& function) const;

  Bin first_;
  std::unique_ptr<Rest> rest_;  // null: one bin is enough
};

// The state of sum() and avg() over one group: INT and DECIMAL in 128 bits, FLOAT exactly.
// A sum has the widest kind among its values: FLOAT, else DECIMAL of the largest scale, else INT.
// Values that are not numbers are ignored. Mixed kinds are allowed; the answer depends on nothing
// but the multiset of values.
class SumState {
 public:
  // Adds `weight` copies of `value`; a negative weight takes copies back.
  void Add(const Value& value, std::int64_t weight);

  // How many numbers are in.
  std::int64_t count() const { return count_; }
  // The sum; NULL when there are no values or the result type cannot hold the sum.
  Value Sum() const;
  // The mean as FLOAT, rounded once (for a mixture of FLOAT and DECIMAL, at most twice); NULL when
  // there are no values.
  Value Average() const;

  std::size_t heap_bytes() const;

 private:
  // Sum of the values of one exact kind.
  struct Part {
    std::int32_t kind = 0;  // 0: INT; 1 + scale: DECIMAL
    std::int64_t count = 0;
    Int128 sum = 0;

    int scale() const { return kind == 0 ? 0 : kind - 1; }
  };
  struct Floats {
    std::int64_t count = 0;
    ExactSum sum;
  };

  void AddExact(std::int32_t kind, std::int64_t number, std::int64_t weight);
  template <typename Function>
  void ForEachPart(const Function& function) const;
  Value SumOfExact() const;
  // Everything in one exact sum; each DECIMAL part is rounded to a double first.
  ExactSum Mixed() const;

  std::int64_t count_ = 0;
  Part first_;
  std::unique_ptr<std::vector<Part>> others_;  // kinds other than first_.kind
  std::unique_ptr<Floats> floats_;
};

}  // namespace trefoil::dataflow
