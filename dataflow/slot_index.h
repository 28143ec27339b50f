// SlotIndex: an open-addressing directory from hashes to slot numbers; the things in the slots live
// elsewhere and are compared by the caller. Linear probing, backward-shift deletion (Knuth, TAOCP
// volume 3, section 6.4, algorithm R), at most 4/5 full. 8 bytes per place.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace trefoil::dataflow {

class SlotIndex {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = 0xffffffff;

  // The slot whose hash is `hash` and for which `matches(slot)` holds, or kNone.
  template <typename Matches>
  Slot Find(std::uint64_t hash, const Matches& matches) const {
    if (places_.empty()) return kNone;
    const std::uint32_t tag = TagOf(hash);
    for (std::size_t i = tag & mask(); places_[i].slot != kNone; i = (i + 1) & mask()) {
      if (places_[i].tag == tag && matches(places_[i].slot)) return places_[i].slot;
    }
    return kNone;
  }

  // `slot` must not be there.
  void Insert(std::uint64_t hash, Slot slot) {
    if ((used_ + 1) * 5 > places_.size() * 4) Grow();
    Place({TagOf(hash), slot});
    ++used_;
  }

  // `slot` must be there under this hash.
  void Replace(std::uint64_t hash, Slot slot, Slot by) { places_[PlaceOf(hash, slot)].slot = by; }

  // `slot` must be there under this hash.
  void Erase(std::uint64_t hash, Slot slot) {
    std::size_t hole = PlaceOf(hash, slot);
    for (std::size_t i = (hole + 1) & mask(); places_[i].slot != kNone; i = (i + 1) & mask()) {
      // An entry may move back into the hole if that does not put it before its home.
      const std::size_t home = places_[i].tag & mask();
      if (((i - home) & mask()) >= ((i - hole) & mask())) {
        places_[hole] = places_[i];
        hole = i;
      }
    }
    places_[hole] = {};
    --used_;
  }

  void Clear() {
    places_.clear();
    used_ = 0;
  }
  std::size_t size() const { return used_; }
  std::size_t bytes() const { return places_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    Slot slot = kNone;
  };

  static std::uint32_t TagOf(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t mask() const { return places_.size() - 1; }

  std::size_t PlaceOf(std::uint64_t hash, Slot slot) const {
    Check(!places_.empty(), "a slot that is looked up stands in the index");
    std::size_t i = TagOf(hash) & mask();
    while (places_[i].slot != slot) {
      Check(places_[i].slot != kNone, "a slot that is looked up stands in the index");
      i = (i + 1) & mask();
    }
    return i;
  }

  void Place(Entry entry) {
    std::size_t i = entry.tag & mask();
    while (places_[i].slot != kNone) i = (i + 1) & mask();
    places_[i] = entry;
  }

  void Grow() {
    std::vector<Entry> old(places_.empty() ? 8 : places_.size() * 2);
    old.swap(places_);
    for (const Entry& entry : old) {
      if (entry.slot != kNone) Place(entry);
    }
  }

  std::vector<Entry> places_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace trefoil::dataflow
