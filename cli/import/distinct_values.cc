#include "cli/import/distinct_values.h"

#include <algorithm>
#include <functional>

namespace trefoil::cli {

namespace {

std::uint64_t HashOf(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

void DistinctValues::See(std::string_view text) {
  if (rising_) SeeOrder(text);
  if (overflowed_) return;
  if (!hashes_.insert(HashOf(text)).second) distinct_ = false;
  if (hashes_.size() <= values_max_) return;
  overflowed_ = true;
  hashes_ = {};
}

void DistinctValues::SeeOrder(std::string_view text) {
  const bool is_number = !text.empty() && (text[0] != '0' || text.size() == 1) &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  rising_ =
      is_number && (text.size() > last_.size() || (text.size() == last_.size() && text > last_));
  last_ = rising_ ? text : std::string_view();
}

bool DistinctValues::Includes(const DistinctValues& part) const {
  if (overflowed_ || part.overflowed_) return false;
  return std::ranges::all_of(part.hashes_,
                             [&](std::uint64_t hash) { return hashes_.contains(hash); });
}

bool DistinctValues::Contains(std::string_view text) const {
  return hashes_.contains(HashOf(text));
}

}  // namespace trefoil::cli
