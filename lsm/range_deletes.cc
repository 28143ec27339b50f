#include "lsm/range_deletes.h"

#include <algorithm>

namespace trefoil::lsm {

RangeDeleteSet::RangeDeleteSet(std::span<const RangeDelete> deletes) {
  std::vector<Slice> borders;
  std::vector<const RangeDelete*> by_start;
  for (const RangeDelete& range : deletes) {
    if (range.start >= range.limit) continue;
    borders.emplace_back(range.start);
    borders.emplace_back(range.limit);
    by_start.push_back(&range);
  }
  std::ranges::sort(borders);
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  std::ranges::sort(by_start, {}, [](const RangeDelete* range) { return Slice(range->start); });

  std::vector<const RangeDelete*> open;  // ranges that cover the current fragment
  std::size_t next = 0;
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    std::erase_if(open,
                  [&](const RangeDelete* range) { return Slice(range->limit) <= borders[i]; });
    while (next < by_start.size() && Slice(by_start[next]->start) == borders[i]) {
      open.push_back(by_start[next++]);
    }
    if (open.empty()) continue;
    Fragment fragment{.start = borders[i].ToString(), .limit = borders[i + 1].ToString()};
    for (const RangeDelete* range : open) fragment.sequences.push_back(range->sequence);
    std::ranges::sort(fragment.sequences, std::greater<>());
    fragment.sequences.erase(std::ranges::unique(fragment.sequences).begin(),
                             fragment.sequences.end());
    fragments_.push_back(std::move(fragment));
  }
}

const RangeDeleteSet::Fragment* RangeDeleteSet::Find(Slice key) const {
  const auto after = std::ranges::upper_bound(
      fragments_, key, {}, [](const Fragment& fragment) { return Slice(fragment.start); });
  if (after == fragments_.begin()) return nullptr;
  const Fragment& fragment = *std::prev(after);
  return key < Slice(fragment.limit) ? &fragment : nullptr;
}

SequenceNumber RangeDeleteSet::NewestCovering(Slice key, SequenceNumber snapshot) const {
  const Fragment* fragment = Find(key);
  if (fragment == nullptr) return 0;
  const auto visible = std::ranges::lower_bound(fragment->sequences, snapshot, std::greater<>());
  return visible == fragment->sequences.end() ? 0 : *visible;
}

}  // namespace trefoil::lsm
