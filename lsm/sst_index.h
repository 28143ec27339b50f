// The index of an SST in memory: the separators of its pages as a static 16-ary tree of 8-byte
// heads, so that finding a page of 100,000 costs about four cache misses.
//
// Heads are the 8 bytes after the prefix that all separators share. Layer 0 holds them all, each
// layer above the first of every 16 below; a search counts the heads <= its own in one block of
// each layer. Ties go to the full separators.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lsm/sst_format.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

class SstIndex {
 public:
  // Pages come in their order, with ascending separators.
  void Add(Slice separator, const PagePlace& place);
  // Builds the tree; no Add after it.
  void Finish();

  std::uint32_t size() const { return static_cast<std::uint32_t>(places_.size()); }
  const PagePlace& place(std::uint32_t i) const { return places_[i]; }
  Slice separator(std::uint32_t i) const {
    return {separators_.data() + ends_[i], static_cast<std::size_t>(ends_[i + 1] - ends_[i])};
  }
  // Entries in the pages before page i; i may be size().
  std::uint64_t EntriesBefore(std::uint32_t i) const { return entries_before_[i]; }
  std::size_t memory_bytes() const;

  // The first page that may hold `key`: the last whose separator is <= key, or, when the key began
  // on pages before it, the first of those. Page 0 if the key is below all. Needs size() > 0.
  std::uint32_t FirstPageOf(Slice key) const;
  // The same, of a key that is probably found soon behind page `near`.
  std::uint32_t FirstPageNear(std::uint32_t near, Slice key) const;
  // Asks the processor for what FirstPageOf will read first.
  void Prefetch() const;

 private:
  static constexpr std::uint32_t kFanOut = 16;

  std::uint64_t HeadOf(Slice key) const;
  // The last page with a separator <= key, for a key that is not below all.
  std::uint32_t LastAtMost(Slice key) const;

  std::string separators_;
  std::vector<std::uint32_t> ends_ = {0};  // of the separators
  std::vector<PagePlace> places_;
  std::vector<std::uint64_t> entries_before_ = {0};
  std::string prefix_;                              // that all separators share
  std::vector<std::vector<std::uint64_t>> layers_;  // 0 = all heads; each padded to whole blocks
};

}  // namespace trefoil::lsm
