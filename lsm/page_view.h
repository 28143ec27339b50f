// Reads a page (page_format.h) in place. A PageView borrows bytes that Make has found well-formed
// once; after that nothing is checked again, so that a search costs its two or three cache misses
// and no more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "base/coding.h"
#include "lsm/internal_key.h"
#include "lsm/page_format.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// Null when `pages` (one page, or all pages of a span) is well-formed, so that PageView may read
// it; else what is wrong. Does not look at the sum. O(entries).
const char* WhatIsWrongWithPage(std::span<const char> pages);

// Pages of the span that may begin with this page, within what is left; 1 when none does.
inline std::uint32_t SpanPagesAt(const char* page, std::uint64_t pages_left) {
  if ((static_cast<unsigned char>(page[12]) & kPageSpan) == 0) return 1;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(LoadFixed32(page + 16), 1, pages_left));
}

// The first `width` bytes of `bytes`, at most 8, as a number whose order is the order of the bytes.
inline std::uint64_t LoadHead(const char* bytes, std::size_t width) {
  if (width == 8) [[likely]] {
    return __builtin_bswap64(LoadFixed64(bytes));
  }
  std::uint64_t number = 0;
  std::memcpy(&number, bytes, width);
  return width == 0 ? 0 : __builtin_bswap64(number) >> (64 - 8 * width);
}
// The same of the first 8 bytes of a key, which may be shorter: as if zeros followed.
inline std::uint64_t PaddedHead(Slice key) {
  if (key.size() >= 8) [[likely]] {
    return LoadHead(key.data(), 8);
  }
  return key.empty() ? 0 : LoadHead(key.data(), key.size()) << (8 * (8 - key.size()));
}

class PageView {
 public:
  PageView() = default;
  // `page` passed WhatIsWrongWithPage and outlives the view.
  explicit PageView(const char* page);

  const char* data() const { return page_; }
  std::uint32_t count() const { return count_; }
  bool is_span() const { return (flags_ & kPageSpan) != 0; }
  bool has_deletes() const { return (flags_ & kPageHasDeletes) != 0; }
  bool has_sequences() const { return (flags_ & kPageHasSequences) != 0; }

  // Where a key belongs: the index of the first entry whose key is >= it, count() if there is none,
  // and whether that key begins with the same prefix and head.
  struct Place {
    std::uint32_t index = 0;
    bool agrees = false;
  };
  // Reads no record unless heads tie.
  Place Find(Slice key) const;
  std::uint32_t LowerBound(Slice key) const { return Find(key).index; }
  // The first entry that has this key and is visible at `snapshot`; count() if there is none. Needs
  // place == Find(key).
  std::uint32_t FindVisible(Place place, Slice key, SequenceNumber snapshot) const;

  // The value, and what stands beside it. Borrowed from the page.
  Slice Value(std::uint32_t index) const {
    if (is_span()) return span_value_;
    const Record record = RecordAt(index);
    const std::size_t skipped = rest_length_bytes_ + RestBytes(record);
    return {record.begin + skipped, record.size_bytes - skipped};
  }
  EntryKind Kind(std::uint32_t index) const {
    if ((flags_ & (kPageHasDeletes | kPageHasBlobs)) == 0) return EntryKind::kPut;
    return KindFromColumns(index);
  }
  SequenceNumber Sequence(std::uint32_t index) const {
    return (flags_ & kPageHasSequences) == 0 ? 0 : SequenceFromColumn(index);
  }
  // Writes the key of an entry to `buffer`, which has kPageBytes bytes, and returns it; the key of
  // a span is borrowed from the page instead. Keys of one page share buffer[0, prefix).
  Slice Key(std::uint32_t index, char* buffer) const {
    if (is_span()) return span_key_;
    std::memcpy(buffer, prefix_.data(), prefix_.size());
    return KeyAfterPrefix(index, buffer);
  }
  // As Key, when `buffer` holds the prefix of this page already and the page is no span.
  Slice KeyAfterPrefix(std::uint32_t index, char* buffer) const {
    char* out = buffer + prefix_.size();
    out = PutHead(index, out);
    if (rest_length_bytes_ != 0) {
      const Record record = RecordAt(index);
      const std::size_t rest = RestBytes(record);
      std::memcpy(out, record.begin + rest_length_bytes_, rest);
      out += rest;
    }
    return {buffer, static_cast<std::size_t>(out - buffer)};
  }
  // Ask the processor for lines before they are needed: those in which LowerBound searches, the
  // footer of an entry, its record (which reads the footer).
  void PrefetchHeads() const {
    const std::size_t size_bytes = std::min<std::size_t>(std::size_t{count_} * head_bytes_, 512);
    for (std::size_t at = 0; at < size_bytes; at += 64) __builtin_prefetch(heads_ + at);
  }
  void PrefetchFooter(std::uint32_t index) const {
    if (ends_ != nullptr) __builtin_prefetch(ends_ + 2 * std::size_t{index});
  }
  void PrefetchRecord(std::uint32_t index) const {
    if (index < count_ && !is_span()) __builtin_prefetch(RecordAt(index).begin);
  }

 private:
  struct Record {
    const char* begin;
    std::size_t size_bytes;
  };
  Record RecordAt(std::uint32_t index) const {
    if (equal_record_bytes_ != 0 || ends_ == nullptr) {
      return {records_ + index * equal_record_bytes_, equal_record_bytes_};
    }
    const std::uint16_t begin = LoadFixed16(ends_ + 2 * index);
    const std::uint16_t end = LoadFixed16(ends_ + 2 * index + 2);
    return {page_ + begin, static_cast<std::size_t>(end - begin)};
  }
  std::size_t RestBytes(const Record& record) const {
    if (rest_length_bytes_ == 0) return 0;
    return rest_length_bytes_ == 1 ? LoadFixed<std::uint8_t>(record.begin)
                                   : LoadFixed16(record.begin);
  }
  Slice Rest(std::uint32_t index) const {
    const Record record = RecordAt(index);
    return {record.begin + rest_length_bytes_, RestBytes(record)};
  }
  std::uint64_t Head(std::uint32_t index) const {
    std::uint64_t head = 0;
    std::memcpy(&head, heads_ + index * head_bytes_, head_bytes_);
    return head;
  }
  char* PutHead(std::uint32_t index, char* out) const {
    if (head_bytes_ == 8) [[likely]] {
      const std::uint64_t head = __builtin_bswap64(LoadFixed64(heads_ + 8 * index));
      std::memcpy(out, &head, sizeof head);
      return out + 8;
    }
    for (std::size_t i = 0; i < head_bytes_; ++i) {
      out[i] = heads_[(index + 1) * head_bytes_ - 1 - i];
    }
    return out + head_bytes_;
  }
  // Of a key that agrees with the entry up to the end of its head.
  bool RestEquals(std::uint32_t index, Slice key) const;
  bool KeyEquals(std::uint32_t index, Slice key) const;
  std::uint32_t HeadLowerBound(std::uint64_t head) const;
  std::uint32_t HeadUpperBound(std::uint32_t from, std::uint64_t head) const;
  EntryKind KindFromColumns(std::uint32_t index) const;
  SequenceNumber SequenceFromColumn(std::uint32_t index) const;

  const char* page_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint8_t flags_ = 0;
  std::uint8_t head_bytes_ = 0;
  std::uint8_t rest_length_bytes_ = 0;
  std::uint8_t sequence_bytes_ = 0;
  Slice prefix_;
  const char* heads_ = nullptr;
  const char* records_ = nullptr;
  const char* ends_ = nullptr;  // null when records are of one size
  std::size_t equal_record_bytes_ = 0;
  const char* deletes_ = nullptr;
  const char* blobs_ = nullptr;
  const char* sequences_ = nullptr;  // the numbers
  SequenceNumber sequence_base_ = 0;
  Slice span_key_;
  Slice span_value_;
};

}  // namespace trefoil::lsm
