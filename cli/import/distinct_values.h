// The distinct values of one column, as a bounded set of 64-bit hashes: enough to tell whether a
// column can be a key, and whether all values of one column are among those of another. Two values
// with one hash (expected once in about 2^32 distinct values) can make a key look like none; a
// reference that is wrongly found is refused when the rows are added.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trefoil::cli {

class DistinctValues {
 public:
  // 64 MiB at most for a column.
  static constexpr std::size_t kValuesMax = std::size_t{1} << 22;

  explicit DistinctValues(std::size_t values_max = kValuesMax) : values_max_(values_max) {}

  void See(std::string_view text);

  // No value came twice. Whole numbers that only rise are known to be unique however many there
  // are; otherwise a column with more than values_max values is not.
  bool all_distinct() const { return distinct_ && (rising_ || !overflowed_); }
  // True when all values of `part` are values of this; false when either has too many to tell.
  bool Includes(const DistinctValues& part) const;
  bool Contains(std::string_view text) const;

 private:
  void SeeOrder(std::string_view text);

  std::size_t values_max_;
  boost::unordered_flat_set<std::uint64_t> hashes_;
  std::string last_;         // the value before, while they rise
  bool rising_ = true;       // digits only, each a larger number than the one before
  bool distinct_ = true;     // as far as the set reaches
  bool overflowed_ = false;  // the set is not followed any more, and empty
};

}  // namespace trefoil::cli
