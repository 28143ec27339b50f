#include "lsm/page_view.h"

#include <algorithm>
#include <bit>

namespace trefoil::lsm {

namespace {

constexpr std::size_t RoundUpTo8(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

bool BitAt(const char* bits, std::uint32_t index) {
  return ((static_cast<unsigned char>(bits[index / 8]) >> (index % 8)) & 1) != 0;
}

// The number of heads below `head` among `count` sorted ones. Halves without a branch that depends
// on the data, so that the loads of several searches can overlap.
template <typename Head>
std::uint32_t CountBelow(const char* heads, std::uint32_t count, Head head) {
  std::uint32_t base = 0;
  while (count > 1) {
    const std::uint32_t half = count / 2;
    const bool below = LoadFixed<Head>(heads + (base + half - 1) * sizeof(Head)) < head;
    base += below ? half : 0;
    count -= half;
  }
  if (count == 1 && LoadFixed<Head>(heads + base * sizeof(Head)) < head) ++base;
  return base;
}

// The ends of records, or the record of one size, lie between heads and footer.
const char* WhatIsWrongWithRecords(const char* page, std::size_t records, std::size_t footer) {
  const std::uint32_t count = LoadFixed16(page + 8);
  const std::uint8_t flags = static_cast<std::uint8_t>(page[12]);
  const std::size_t rest_length_bytes = (flags & kPageWhole) != 0       ? 0
                                        : (flags & kPageWideRests) != 0 ? 2
                                                                        : 1;
  const bool equal = (flags & kPageEqualRecords) != 0;
  const std::size_t equal_bytes = LoadFixed16(page + footer);
  if (equal && records + count * equal_bytes != footer)
    return "records of one size miss the footer";
  if (!equal && equal_bytes != records) return "the first record does not follow the heads";
  std::size_t begin = records;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t end = equal ? begin + equal_bytes : LoadFixed16(page + footer + 2 * (i + 1));
    if (end < begin + rest_length_bytes || end > footer) return "a record lies outside its place";
    std::size_t rest = 0;
    if (rest_length_bytes == 1) rest = LoadFixed<std::uint8_t>(page + begin);
    if (rest_length_bytes == 2) rest = LoadFixed16(page + begin);
    if (begin + rest_length_bytes + rest > end) return "a key reaches beyond its record";
    begin = end;
  }
  return begin == footer ? nullptr : "the last record does not end at the footer";
}

const char* WhatIsWrongWithSpan(std::span<const char> pages) {
  const char* page = pages.data();
  if (LoadFixed16(page + 8) != 1) return "a span has not one entry";
  if (LoadFixed32(page + 16) * std::uint64_t{kPageBytes} != pages.size()) {
    return "a span has another number of pages than its index says";
  }
  const std::uint64_t size_bytes =
      kSpanHeaderBytes + std::uint64_t{LoadFixed32(page + 20)} + LoadFixed32(page + 32);
  return size_bytes <= pages.size() ? nullptr : "an entry reaches beyond its span";
}

}  // namespace

const char* WhatIsWrongWithPage(std::span<const char> pages) {
  if (pages.size() < kPageBytes) return "it is shorter than a page";
  const char* page = pages.data();
  const std::uint8_t flags = static_cast<std::uint8_t>(page[12]);
  if ((flags & kPageSpan) != 0) return WhatIsWrongWithSpan(pages);
  if (pages.size() != kPageBytes) return "a page stands where the index says a span";
  const std::size_t count = LoadFixed16(page + 8);
  const std::size_t prefix = static_cast<unsigned char>(page[10]);
  const std::size_t width = static_cast<unsigned char>(page[11]);
  const std::size_t footer = LoadFixed16(page + 14);
  if (count == 0) return "it has no entries";
  if (width > 8 || (width != 0 && !std::has_single_bit(width))) return "no such head width";
  const std::size_t records = kPageHeaderBytes + RoundUpTo8(prefix) + count * width;
  if (records > footer) return "the heads reach beyond the footer";
  std::size_t end = footer + ((flags & kPageEqualRecords) != 0 ? 2 : 2 * (count + 1));
  if ((flags & kPageHasDeletes) != 0) end += (count + 7) / 8;
  if ((flags & kPageHasBlobs) != 0) end += (count + 7) / 8;
  if ((flags & kPageHasSequences) != 0) {
    if (end + 9 > kPageBytes) return "the sequences reach beyond the page";
    const std::size_t sequence_bytes = static_cast<unsigned char>(page[end + 8]);
    if (sequence_bytes > 8 || !std::has_single_bit(sequence_bytes)) return "no such sequence width";
    end += 9 + count * sequence_bytes;
  }
  if (end > kPageBytes) return "the footer reaches beyond the page";
  return WhatIsWrongWithRecords(page, records, footer);
}

PageView::PageView(const char* page)
    : page_(page),
      count_(LoadFixed16(page + 8)),
      flags_(static_cast<std::uint8_t>(page[12])),
      head_bytes_(static_cast<std::uint8_t>(page[11])) {
  if (is_span()) {
    const std::size_t key_bytes = LoadFixed32(page + 20);
    span_key_ = Slice(page + kSpanHeaderBytes, key_bytes);
    span_value_ = Slice(page + kSpanHeaderBytes + key_bytes, LoadFixed32(page + 32));
    return;
  }
  if ((flags_ & kPageWhole) == 0) rest_length_bytes_ = (flags_ & kPageWideRests) != 0 ? 2 : 1;
  prefix_ = Slice(page + kPageHeaderBytes, static_cast<unsigned char>(page[10]));
  heads_ = page + kPageHeaderBytes + RoundUpTo8(prefix_.size());
  records_ = heads_ + std::size_t{count_} * head_bytes_;
  const char* footer = page + LoadFixed16(page + 14);
  if ((flags_ & kPageEqualRecords) != 0) {
    equal_record_bytes_ = LoadFixed16(footer);
    footer += 2;
  } else {
    ends_ = footer;
    footer += 2 * (std::size_t{count_} + 1);
  }
  const std::size_t bitmap = (std::size_t{count_} + 7) / 8;
  if ((flags_ & kPageHasDeletes) != 0) {
    deletes_ = footer;
    footer += bitmap;
  }
  if ((flags_ & kPageHasBlobs) != 0) {
    blobs_ = footer;
    footer += bitmap;
  }
  if ((flags_ & kPageHasSequences) != 0) {
    sequence_base_ = LoadFixed64(footer);
    sequence_bytes_ = static_cast<std::uint8_t>(footer[8]);
    sequences_ = footer + 9;
  }
}

std::uint32_t PageView::HeadLowerBound(std::uint64_t head) const {
  switch (head_bytes_) {
    case 8:
      return CountBelow<std::uint64_t>(heads_, count_, head);
    case 4:
      return CountBelow<std::uint32_t>(heads_, count_, static_cast<std::uint32_t>(head));
    case 2:
      return CountBelow<std::uint16_t>(heads_, count_, static_cast<std::uint16_t>(head));
    case 1:
      return CountBelow<std::uint8_t>(heads_, count_, static_cast<std::uint8_t>(head));
    default:
      return 0;
  }
}

// The end of the heads equal to `head`, which begin at `from`.
std::uint32_t PageView::HeadUpperBound(std::uint32_t from, std::uint64_t head) const {
  std::uint32_t step = 1;
  std::uint32_t end = from;
  while (end < count_ && Head(end) == head) {
    from = end + 1;
    end += step;
    step *= 2;
  }
  std::uint32_t limit = std::min(end, count_);
  while (from < limit) {
    const std::uint32_t middle = from + (limit - from) / 2;
    if (Head(middle) == head) {
      from = middle + 1;
    } else {
      limit = middle;
    }
  }
  return from;
}

PageView::Place PageView::Find(Slice key) const {
  if (is_span()) return {.index = span_key_ < key ? 1U : 0U, .agrees = span_key_ == key};
  const std::size_t shared = std::min(key.size(), prefix_.size());
  const int order = std::memcmp(key.data(), prefix_.data(), shared);
  if (order != 0) return {.index = order < 0 ? 0 : count_};
  if (key.size() < prefix_.size()) return {};
  const Slice rest = key.Without(prefix_.size());
  if (rest.size() < head_bytes_) {
    // Every key here is longer, so one whose head equals the padded target is greater.
    const std::uint64_t head = LoadHead(rest.data(), rest.size());
    return {.index = HeadLowerBound(rest.empty() ? 0 : head << (8 * (head_bytes_ - rest.size())))};
  }
  const std::uint64_t head = LoadHead(rest.data(), head_bytes_);
  std::uint32_t begin = HeadLowerBound(head);
  if (begin == count_ || Head(begin) != head) return {.index = begin};
  const Slice tail = rest.Without(head_bytes_);
  if (tail.empty() || Rest(begin) >= tail) return {.index = begin, .agrees = true};
  const std::uint32_t heads_end = HeadUpperBound(begin, head);
  ++begin;
  for (std::uint32_t end = heads_end; begin < end;) {
    const std::uint32_t middle = begin + (end - begin) / 2;
    if (Rest(middle) < tail) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return {.index = begin, .agrees = begin < heads_end};
}

bool PageView::RestEquals(std::uint32_t index, Slice key) const {
  if (is_span()) return true;
  const std::size_t skipped = prefix_.size() + head_bytes_;
  return rest_length_bytes_ == 0 ? key.size() == skipped : Rest(index) == key.Without(skipped);
}

// Of another entry than the one where the key belongs.
bool PageView::KeyEquals(std::uint32_t index, Slice key) const {
  return Head(index) == LoadHead(key.data() + prefix_.size(), head_bytes_) &&
         RestEquals(index, key);
}

std::uint32_t PageView::FindVisible(Place place, Slice key, SequenceNumber snapshot) const {
  if (!place.agrees || !RestEquals(place.index, key)) return count_;
  std::uint32_t index = place.index;
  while (Sequence(index) > snapshot) {
    if (++index == count_ || !KeyEquals(index, key)) return count_;
  }
  return index;
}

EntryKind PageView::KindFromColumns(std::uint32_t index) const {
  if (is_span()) {
    return (flags_ & kPageHasDeletes) != 0 ? EntryKind::kDelete : EntryKind::kBlobPut;
  }
  if (deletes_ != nullptr && BitAt(deletes_, index)) return EntryKind::kDelete;
  if (blobs_ != nullptr && BitAt(blobs_, index)) return EntryKind::kBlobPut;
  return EntryKind::kPut;
}

SequenceNumber PageView::SequenceFromColumn(std::uint32_t index) const {
  if (is_span()) return LoadFixed64(page_ + 24);
  std::uint64_t number = 0;
  std::memcpy(&number, sequences_ + std::size_t{index} * sequence_bytes_, sequence_bytes_);
  return number == 0 ? 0 : sequence_base_ + number - 1;
}

}  // namespace trefoil::lsm
