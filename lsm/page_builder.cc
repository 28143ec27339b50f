#include "lsm/page_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "lsm/page_view.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t RoundUpTo8(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

std::size_t CommonPrefix(Slice a, Slice b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t common = 0;
  while (common + 8 <= limit) {
    const std::uint64_t difference =
        LoadFixed64(a.data() + common) ^ LoadFixed64(b.data() + common);
    if (difference != 0) return common + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
    common += 8;
  }
  while (common < limit && a[common] == b[common]) ++common;
  return common;
}

// Bytes per number of a sequence column whose largest number is `largest`.
std::size_t NumberWidth(std::uint64_t largest) {
  if (largest <= 0xff) return 1;
  if (largest <= 0xffff) return 2;
  return largest <= 0xffffffff ? 4 : 8;
}

// Stores the low `width` bytes of `number`.
char* PutNumber(char* out, std::uint64_t number, std::size_t width) {
  std::memcpy(out, &number, width);
  return out + width;
}

}  // namespace

PageBuilder::Sums PageBuilder::With(const Entry& entry) const {
  Sums sums = sums_;
  const std::size_t key_bytes = entry.key.size();
  if (sums.count == 0) {
    sums.common_bytes = sums.key_bytes_min = sums.key_bytes_max = key_bytes;
  } else {
    sums.common_bytes = CommonPrefix(first_key().Prefix(sums.common_bytes), entry.key);
    sums.key_bytes_min = std::min(sums.key_bytes_min, key_bytes);
    sums.key_bytes_max = std::max(sums.key_bytes_max, key_bytes);
    sums.equal_values = sums.equal_values && items_.front().value_bytes == entry.value.size();
  }
  sums.key_bytes += key_bytes;
  sums.value_bytes += entry.value.size();
  sums.deletes += entry.kind == EntryKind::kDelete ? 1 : 0;
  sums.blobs += entry.kind == EntryKind::kBlobPut ? 1 : 0;
  if (entry.sequence != 0) {
    const bool first = sums.sequence_max == 0;
    sums.sequence_min = first ? entry.sequence : std::min(sums.sequence_min, entry.sequence);
    sums.sequence_max = std::max(sums.sequence_max, entry.sequence);
  }
  ++sums.count;
  return sums;
}

PageBuilder::Shape PageBuilder::ShapeOf(const Sums& sums) {
  Shape shape;
  shape.prefix_bytes = std::min({sums.common_bytes, sums.key_bytes_min, kPrefixBytesMax});
  const std::size_t rest_min = sums.key_bytes_min - shape.prefix_bytes;
  const std::size_t wanted = std::bit_ceil(std::clamp<std::size_t>(rest_min, 1, 8));
  if (wanted <= rest_min) {
    shape.head_bytes = wanted;
  } else if (wanted - rest_min <= shape.prefix_bytes) {
    shape.head_bytes = wanted;
    shape.prefix_bytes -= wanted - rest_min;
  } else {
    shape.head_bytes = std::bit_floor(rest_min);
  }
  const std::size_t rest_max = sums.key_bytes_max - shape.prefix_bytes - shape.head_bytes;
  shape.rest_length_bytes = rest_max == 0 ? 0 : rest_max <= 0xff ? 1 : 2;
  shape.equal_records = sums.equal_values && sums.key_bytes_min == sums.key_bytes_max;
  if (sums.sequence_max != 0) {
    shape.sequence_bytes = NumberWidth(sums.sequence_max - sums.sequence_min + 1);
  }
  return shape;
}

std::size_t PageBuilder::SizeOf(const Sums& sums, const Shape& shape) {
  const std::size_t n = sums.count;
  const std::size_t bitmap = (n + 7) / 8;
  std::size_t size = kPageHeaderBytes + RoundUpTo8(shape.prefix_bytes);
  size += sums.key_bytes - n * shape.prefix_bytes + n * shape.rest_length_bytes;
  size += sums.value_bytes;
  size += shape.equal_records ? 2 : 2 * (n + 1);
  if (sums.deletes != 0) size += bitmap;
  if (sums.blobs != 0) size += bitmap;
  if (shape.sequence_bytes != 0) size += 9 + n * shape.sequence_bytes;
  return size;
}

bool PageBuilder::Add(const Entry& entry) {
  Verify(
      [&] {
        return items_.empty() ||
               CompareEntries({.key = last_key(), .sequence = items_.back().sequence, .value = {}},
                              entry) < 0;
      },
      "entries come in their order, each once");
  if (entry.key.size() + entry.value.size() > kPageBytes) return false;
  const Sums sums = With(entry);
  if (SizeOf(sums, ShapeOf(sums)) > kPageBytes) return false;
  sums_ = sums;
  items_.push_back({.key_offset = static_cast<std::uint32_t>(bytes_.size()),
                    .key_bytes = static_cast<std::uint32_t>(entry.key.size()),
                    .value_bytes = static_cast<std::uint32_t>(entry.value.size()),
                    .kind = entry.kind,
                    .sequence = entry.sequence});
  bytes_.append(entry.key.data(), entry.key.size());
  bytes_.append(entry.value.data(), entry.value.size());
  return true;
}

// Heads, records and footer.
void PageBuilder::EncodeRecords(const Shape& shape, char* page) {
  const std::size_t skipped = shape.prefix_bytes + shape.head_bytes;
  char* head = page + kPageHeaderBytes + RoundUpTo8(shape.prefix_bytes);
  char* record = head + items_.size() * shape.head_bytes;
  std::vector<std::uint16_t> ends = {static_cast<std::uint16_t>(record - page)};
  ends.reserve(items_.size() + 1);
  for (const Item& item : items_) {
    const char* key = bytes_.data() + item.key_offset;
    head = PutNumber(head, LoadHead(key + shape.prefix_bytes, shape.head_bytes), shape.head_bytes);
    record = PutNumber(record, item.key_bytes - skipped, shape.rest_length_bytes);
    // The value follows the key, so the rest of the key and the value are one run of bytes.
    const std::size_t size_bytes = item.key_bytes - skipped + item.value_bytes;
    std::memcpy(record, key + skipped, size_bytes);
    record += size_bytes;
    ends.push_back(static_cast<std::uint16_t>(record - page));
  }
  StoreFixed16(page + 14, static_cast<std::uint16_t>(record - page));
  if (shape.equal_records) {
    StoreFixed16(record, static_cast<std::uint16_t>(ends[1] - ends[0]));
  } else {
    std::memcpy(record, ends.data(), ends.size() * 2);
  }
}

// Bitmaps and sequences; returns the end of the page's bytes.
char* PageBuilder::EncodeColumns(const Shape& shape, char* out) const {
  const auto put_bitmap = [&](EntryKind kind) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (items_[i].kind == kind) out[i / 8] = static_cast<char>(out[i / 8] | (1 << (i % 8)));
    }
    out += (items_.size() + 7) / 8;
  };
  if (sums_.deletes != 0) put_bitmap(EntryKind::kDelete);
  if (sums_.blobs != 0) put_bitmap(EntryKind::kBlobPut);
  if (shape.sequence_bytes != 0) {
    out = PutNumber(out, sums_.sequence_min, 8);
    out = PutNumber(out, shape.sequence_bytes, 1);
    for (const Item& item : items_) {
      const std::uint64_t number = item.sequence == 0 ? 0 : item.sequence - sums_.sequence_min + 1;
      out = PutNumber(out, number, shape.sequence_bytes);
    }
  }
  return out;
}

void PageBuilder::Finish(std::span<char> page) {
  Check(!items_.empty(), "a page holds at least one entry");
  Check(page.size() == kPageBytes, "a page has 4096 bytes");
  std::memset(page.data(), 0, page.size());
  const Shape shape = ShapeOf(sums_);
  unsigned flags = 0;
  if (shape.rest_length_bytes == 0) flags |= kPageWhole;
  if (shape.rest_length_bytes == 2) flags |= kPageWideRests;
  if (sums_.deletes != 0) flags |= kPageHasDeletes;
  if (sums_.deletes == sums_.count) flags |= kPageOnlyDeletes;
  if (sums_.blobs != 0) flags |= kPageHasBlobs;
  if (shape.equal_records) flags |= kPageEqualRecords;
  if (shape.sequence_bytes != 0) flags |= kPageHasSequences;
  StoreFixed16(page.data() + 8, static_cast<std::uint16_t>(items_.size()));
  page[10] = static_cast<char>(shape.prefix_bytes);
  page[11] = static_cast<char>(shape.head_bytes);
  page[12] = static_cast<char>(flags);
  std::memcpy(page.data() + kPageHeaderBytes, first_key().data(), shape.prefix_bytes);
  EncodeRecords(shape, page.data());
  char* columns = page.data() + LoadFixed16(page.data() + 14) +
                  (shape.equal_records ? 2 : 2 * (items_.size() + 1));
  const char* end = EncodeColumns(shape, columns);
  Check(static_cast<std::size_t>(end - page.data()) == SizeOf(sums_, shape),
        "a page is as large as its sums say");
  items_.clear();
  bytes_.clear();
  sums_ = {};
}

std::uint32_t SpanPages(const Entry& entry) {
  const std::size_t size_bytes = kSpanHeaderBytes + entry.key.size() + entry.value.size();
  return static_cast<std::uint32_t>((size_bytes + kPageBytes - 1) / kPageBytes);
}

void EncodeSpan(const Entry& entry, std::span<char> pages) {
  Check(pages.size() == SpanPages(entry) * kPageBytes, "a span has whole pages");
  char* out = pages.data();
  std::memset(out, 0, kSpanHeaderBytes);
  unsigned flags = kPageSpan;
  if (entry.kind == EntryKind::kDelete) flags |= kPageHasDeletes | kPageOnlyDeletes;
  if (entry.kind == EntryKind::kBlobPut) flags |= kPageHasBlobs;
  if (entry.sequence != 0) flags |= kPageHasSequences;
  StoreFixed16(out + 8, 1);
  out[12] = static_cast<char>(flags);
  StoreFixed32(out + 16, SpanPages(entry));
  StoreFixed32(out + 20, static_cast<std::uint32_t>(entry.key.size()));
  StoreFixed64(out + 24, entry.sequence);
  StoreFixed32(out + 32, static_cast<std::uint32_t>(entry.value.size()));
  std::memcpy(out + kSpanHeaderBytes, entry.key.data(), entry.key.size());
  char* value = out + kSpanHeaderBytes + entry.key.size();
  std::memcpy(value, entry.value.data(), entry.value.size());
  char* end = value + entry.value.size();
  std::memset(end, 0, static_cast<std::size_t>(out + pages.size() - end));
}

}  // namespace trefoil::lsm
