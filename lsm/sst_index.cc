#include "lsm/sst_index.h"

#include <algorithm>

#include "base/check.h"
#include "lsm/page_view.h"

namespace trefoil::lsm {

namespace {

// The number of heads <= `head` among the 16 of a block. Halves without a branch that depends on
// the data.
std::uint32_t CountAtMost(const std::uint64_t* block, std::uint64_t head) {
  std::uint32_t count = 0;
  for (std::uint32_t half = 8; half != 0; half /= 2) {
    count += half * static_cast<std::uint32_t>(block[count + half - 1] <= head);
  }
  return count + (block[count] <= head ? 1 : 0);
}

}  // namespace

void SstIndex::Add(Slice separator, const PagePlace& place) {
  separators_.append(separator.data(), separator.size());
  ends_.push_back(static_cast<std::uint32_t>(separators_.size()));
  entries_before_.push_back(entries_before_.back() + place.entries);
  places_.push_back(place);
}

void SstIndex::Finish() {
  Check(!places_.empty(), "an index has at least one page");
  const Slice first = separator(0);
  const Slice last = separator(size() - 1);
  std::size_t common = 0;
  while (common < std::min(first.size(), last.size()) && first[common] == last[common]) ++common;
  prefix_ = first.Prefix(common).ToString();
  std::vector<std::uint64_t> heads(size());
  for (std::uint32_t i = 0; i < size(); ++i) heads[i] = HeadOf(separator(i));
  while (true) {
    const std::size_t count = heads.size();
    heads.resize((count + kFanOut - 1) / kFanOut * kFanOut, ~std::uint64_t{0});
    layers_.push_back(heads);
    if (count <= kFanOut) break;
    std::vector<std::uint64_t> above;
    for (std::size_t i = 0; i < count; i += kFanOut) above.push_back(heads[i]);
    heads = std::move(above);
  }
}

std::size_t SstIndex::memory_bytes() const {
  return separators_.size() + size() * (sizeof(PagePlace) + 4 + 8 + 8 + 1);
}

// `key` begins with the prefix of all separators.
std::uint64_t SstIndex::HeadOf(Slice key) const { return PaddedHead(key.Without(prefix_.size())); }

std::uint32_t SstIndex::LastAtMost(Slice key) const {
  if (!key.StartsWith(prefix_)) return size() - 1;
  const std::uint64_t head = HeadOf(key);
  std::size_t i = 0;
  for (std::size_t layer = layers_.size(); layer-- > 0;) {
    const std::uint32_t count = CountAtMost(layers_[layer].data() + i * kFanOut, head);
    i = i * kFanOut + (count == 0 ? 0 : count - 1);
    // Padding counts too when the head is the largest there is.
    const std::size_t real = layer == 0 ? size() : layers_[layer - 1].size() / kFanOut;
    i = std::min(i, real - 1);
  }
  if (layers_[0][i] != head) return static_cast<std::uint32_t>(i);
  // Separators with the same head: the last that is <= key in full, or the page before them.
  const auto begin = layers_[0].begin();
  std::uint32_t low = static_cast<std::uint32_t>(std::lower_bound(begin, begin + i, head) - begin);
  std::uint32_t high = static_cast<std::uint32_t>(i) + 1;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (separator(middle) <= key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

std::uint32_t SstIndex::FirstPageOf(Slice key) const {
  if (key < separator(0)) return 0;
  std::uint32_t i = LastAtMost(key);
  while (i > 0 && (places_[i].flags & kIndexContinues) != 0 && separator(i) == key) --i;
  return i;
}

// Steps get longer until one would pass the key.
std::uint32_t SstIndex::FirstPageNear(std::uint32_t near, Slice key) const {
  constexpr std::uint32_t kStepMax = 64;
  const std::vector<std::uint64_t>& heads = layers_[0];
  if (!key.StartsWith(prefix_)) return FirstPageOf(key);
  const std::uint64_t head = HeadOf(key);
  if (heads[near] >= head) return FirstPageOf(key);
  std::uint32_t low = near;  // its head is below the key's
  std::uint32_t step = 1;
  for (; low + step < size() && heads[low + step] < head; step *= 2) {
    if (step == kStepMax) return FirstPageOf(key);
    low += step;
  }
  std::uint32_t high = std::min(low + step, size());  // the end, or its head is not below
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (heads[middle] < head) {
      low = middle;
    } else {
      high = middle;
    }
  }
  // A tie is for the full separators.
  return high < size() && heads[high] == head ? FirstPageOf(key) : low;
}

void SstIndex::Prefetch() const {
  __builtin_prefetch(layers_.back().data());
  __builtin_prefetch(layers_.back().data() + 8);
}

}  // namespace trefoil::lsm
