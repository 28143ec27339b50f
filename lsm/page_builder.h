// Collects entries until a page is full and encodes them (page_format.h). Knows at every Add how
// large the page would become, because the shape depends only on sums and extremes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lsm/internal_key.h"
#include "lsm/page_format.h"

namespace trefoil::lsm {

class PageBuilder {
 public:
  // Takes a copy of the entry if it fits beside the others. False leaves the page as it was; an
  // entry that does not fit an empty page needs a span. Entries come in the order of
  // internal_key.h.
  bool Add(const Entry& entry);
  bool empty() const { return items_.empty(); }
  std::uint32_t count() const { return static_cast<std::uint32_t>(items_.size()); }
  // Bytes of the page as it stands.
  std::size_t size_bytes() const { return SizeOf(sums_, ShapeOf(sums_)); }
  Slice first_key() const { return KeyOf(items_.front()); }
  Slice last_key() const { return KeyOf(items_.back()); }

  // Writes the page, without its sum, and starts an empty one. `page` has kPageBytes bytes.
  void Finish(std::span<char> page);

 private:
  struct Item {
    std::uint32_t key_offset;
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;  // the value follows the key in bytes_
    EntryKind kind;
    SequenceNumber sequence;
  };
  // What the size of the page depends on.
  struct Sums {
    std::uint32_t count = 0;
    std::uint32_t deletes = 0;
    std::uint32_t blobs = 0;
    std::size_t common_bytes = 0;  // leading bytes that the first and the last key share
    std::size_t key_bytes = 0;
    std::size_t key_bytes_min = 0;
    std::size_t key_bytes_max = 0;
    std::size_t value_bytes = 0;
    bool equal_values = true;
    SequenceNumber sequence_min = 0;  // among those that are not zero
    SequenceNumber sequence_max = 0;
  };
  struct Shape {
    std::size_t prefix_bytes = 0;
    std::size_t head_bytes = 0;
    std::size_t rest_length_bytes = 0;  // 0 when whole
    std::size_t sequence_bytes = 0;     // 0 = no column
    bool equal_records = false;
  };

  static Shape ShapeOf(const Sums& sums);
  static std::size_t SizeOf(const Sums& sums, const Shape& shape);
  Sums With(const Entry& entry) const;
  Slice KeyOf(const Item& item) const { return {bytes_.data() + item.key_offset, item.key_bytes}; }
  void EncodeRecords(const Shape& shape, char* page);
  char* EncodeColumns(const Shape& shape, char* out) const;

  std::vector<Item> items_;
  std::string bytes_;
  Sums sums_;
};

// Pages that a span for this entry takes.
std::uint32_t SpanPages(const Entry& entry);
// Writes the entry as a span, without the sum; `pages` has SpanPages(entry) * kPageBytes bytes.
void EncodeSpan(const Entry& entry, std::span<char> pages);

}  // namespace trefoil::lsm
