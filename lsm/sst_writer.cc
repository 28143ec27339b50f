#include "lsm/sst_writer.h"

#include <algorithm>

#include "base/check.h"
#include "base/coding.h"
#include "lsm/blob_reference.h"
#include "lsm/filter.h"

namespace trefoil::lsm {

namespace {

// A page this full ends at a change of group.
constexpr std::size_t kGroupEndBytes = kPageBytes * 3 / 4;

// The shortest key that is > `before` and <= `key`; needs before < key.
Slice ShortestSeparator(Slice before, Slice key) {
  std::size_t common = 0;
  while (common < before.size() && before[common] == key[common]) ++common;
  return key.Prefix(common + 1);
}

}  // namespace

std::size_t FilterBitsOf(int level, bool is_last_level) {
  if (level <= 1) return 16;
  return is_last_level ? 8 : 12;
}

Result<std::unique_ptr<SstWriter>> SstWriter::Create(Env& env, const std::string& path,
                                                     const SstWriterOptions& options) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kCreate);
  if (!file) return std::move(file).error();
  std::unique_ptr<SstWriter> writer(new SstWriter(*std::move(file), options));
  if (options.compression == Compression::kNone) {
    if (Status status = writer->WriteIdentity(); !status) return std::move(status).error();
  }
  return writer;
}

Status SstWriter::WriteIdentity() {
  std::string page = EncodeIdentityPage(options_.identity, options_.level, footer_.compression);
  return sink_.Append(page, 0);
}

SstWriter::SstWriter(std::unique_ptr<File> file, const SstWriterOptions& options)
    : options_(options), file_(std::move(file)), sink_(*file_, FileSeed(options.identity)) {}

std::uint64_t SstWriter::size_bytes() const {
  return sink_.offset() + held_pages_.size() + builder_.size_bytes() + index_bytes_ +
         footer_.entries * options_.filter_bits_per_key / 8;
}

Status SstWriter::Add(const Entry& entry) {
  Check(entry.kind != EntryKind::kDeleteRange, "range deletes are no entries");
  if (options_.key_layout != nullptr && !builder_.empty() &&
      builder_.size_bytes() >= kGroupEndBytes) {
    const std::size_t group = options_.key_layout->GroupPrefix(entry.key);
    if (!builder_.last_key().StartsWith(entry.key.Prefix(group))) {
      if (Status status = FinishPage(); !status) return status;
    }
  }
  if (!builder_.Add(entry)) {
    if (!builder_.empty()) {
      if (Status status = FinishPage(); !status) return status;
    }
    if (!builder_.Add(entry)) {
      Count(entry);
      return AppendSpan(entry);
    }
  }
  page_deletes_ += entry.kind == EntryKind::kDelete ? 1 : 0;
  Count(entry);
  return Ok();
}

void SstWriter::Count(const Entry& entry) {
  const bool new_key = footer_.entries == 0 || Slice(last_key_) != entry.key;
  if (footer_.entries == 0) {
    first_key_ = entry.key.ToString();
    footer_.first_sequence = footer_.last_sequence = entry.sequence;
  }
  ++footer_.entries;
  footer_.deletes += entry.kind == EntryKind::kDelete ? 1 : 0;
  footer_.data_bytes += entry.key.size() + entry.value.size();
  footer_.first_sequence = std::min(footer_.first_sequence, entry.sequence);
  footer_.last_sequence = std::max(footer_.last_sequence, entry.sequence);
  if (entry.kind == EntryKind::kBlobPut) {
    const std::optional<BlobReference> reference = DecodeBlobReference(entry.value);
    Check(reference.has_value(), "the value of a blob put is a reference");
    blob_bytes_[reference->file] += reference->size_bytes;
  }
  if (new_key && options_.filter_bits_per_key != 0) {
    filter_hashes_.push_back(FilterHashOfKey(entry.key));
  }
  if (options_.key_layout != nullptr) CountGroup(entry);
  if (new_key) last_key_.assign(entry.key.data(), entry.key.size());
}

void SstWriter::CountGroup(const Entry& entry) {
  const Slice group = entry.key.Prefix(options_.key_layout->GroupPrefix(entry.key));
  if (groups_.empty() || Slice(groups_.back().prefix) != group) {
    groups_.push_back({.prefix = group.ToString(), .first_page = next_data_page_});
  }
  Group& counts = groups_.back();
  ++counts.entries;
  counts.deletes += entry.kind == EntryKind::kDelete ? 1 : 0;
  counts.value_bytes += entry.value.size();
  const Slice prefix = entry.key.Prefix(options_.key_layout->EqualityPrefix(entry.key));
  if (!prefix.empty() && options_.filter_bits_per_key != 0 && Slice(last_prefix_) != prefix) {
    filter_hashes_.push_back(FilterHashOfPrefix(prefix));
    last_prefix_ = prefix.ToString();
  }
}

void SstWriter::AddRangeDelete(RangeDelete range_delete) {
  Check(range_deletes_.empty() || range_deletes_.back().start < range_delete.start ||
            (range_deletes_.back().start == range_delete.start &&
             range_deletes_.back().sequence > range_delete.sequence),
        "range deletes come sorted by start, then newest first");
  range_deletes_.push_back(std::move(range_delete));
}

Status SstWriter::FinishPage() {
  const std::string first_key = builder_.first_key().ToString();
  std::string last_key = builder_.last_key().ToString();
  unsigned flags = page_deletes_ != 0 ? kIndexHasDeletes : 0;
  if (page_deletes_ == builder_.count()) flags |= kIndexOnlyDeletes;
  const PagePlace place{.page = next_data_page_,
                        .pages = 1,
                        .entries = static_cast<std::uint16_t>(builder_.count()),
                        .flags = static_cast<std::uint8_t>(flags)};
  alignas(8) char page[kPageBytes];
  builder_.Finish(page);
  page_deletes_ = 0;
  Status status = AppendData(page, first_key, place);
  page_last_key_ = std::move(last_key);
  return status;
}

Status SstWriter::AppendSpan(const Entry& entry) {
  std::string pages(std::size_t{SpanPages(entry)} * kPageBytes, '\0');
  EncodeSpan(entry, pages);
  const unsigned flags =
      entry.kind == EntryKind::kDelete ? kIndexHasDeletes | kIndexOnlyDeletes : 0;
  const PagePlace place{.page = next_data_page_,
                        .pages = SpanPages(entry),
                        .entries = 1,
                        .flags = static_cast<std::uint8_t>(flags)};
  Status status = AppendData(pages, entry.key, place);
  page_last_key_ = entry.key.ToString();
  return status;
}

Status SstWriter::AppendData(std::span<char> pages, Slice first_key, PagePlace place) {
  Slice separator = first_key;
  if (!index_.empty()) {
    Check(Slice(page_last_key_) <= first_key, "pages come in the order of their keys");
    if (Slice(page_last_key_) == first_key) {
      place.flags |= kIndexContinues;
    } else {
      separator = ShortestSeparator(page_last_key_, first_key);
    }
  }
  index_.push_back({.separator = separator.ToString(), .place = place});
  index_bytes_ += separator.size() + kPagePlaceBytes + 4;
  next_data_page_ += place.pages;
  if (options_.compression == Compression::kNone) return sink_.Append(pages, place.page);
  held_pages_.append(pages.data(), pages.size());
  return Ok();
}

Status SstWriter::WriteHeldPages() {
  const std::uint64_t seed = FileSeed(options_.identity);
  std::vector<PageUnit> units;
  std::vector<std::uint64_t> sums;
  std::size_t at = 0;
  for (const IndexEntry& entry : index_) {
    const PageUnit unit = {.page = kInflatedPages + entry.place.page, .pages = entry.place.pages};
    const std::span<char> pages(held_pages_.data() + at, std::size_t{unit.pages} * kPageBytes);
    sums.push_back(PageSum(pages, seed, unit.page));
    StoreFixed64(pages.data(), sums.back());
    units.push_back(unit);
    at += pages.size();
  }
  const std::optional<CompressedPages> compressed =
      units.empty() ? std::nullopt : CompressPages(held_pages_, units, seed);
  if (compressed) footer_.compression = options_.compression;
  if (Status status = WriteIdentity(); !status) return status;
  if (compressed) {
    footer_.inflated_pages = next_data_page_ - 1;
    for (std::size_t i = 0; i < index_.size(); ++i) {
      index_[i].place.page = units[i].page;
      index_[i].frame = compressed->frames[i];
    }
    for (Group& group : groups_) group.first_page += kInflatedPages;
    return sink_.AppendSummed(compressed->bytes, sums);
  }
  at = 0;
  for (const IndexEntry& entry : index_) {
    const std::size_t size_bytes = std::size_t{entry.place.pages} * kPageBytes;
    const std::span<char> pages(held_pages_.data() + at, size_bytes);
    if (Status status = sink_.Append(pages, entry.place.page); !status) return status;
    at += size_bytes;
  }
  return Ok();
}

Status SstWriter::WriteSection(SstSection section, const std::vector<Entry>& entries) {
  SectionPlace& place = footer_.sections[static_cast<std::size_t>(section)];
  place.first_page = NextPage();
  PageBuilder builder;
  const auto finish_page = [&]() -> Status {
    if (builder.empty()) return Ok();
    char page[kPageBytes];
    builder.Finish(page);
    page[kPageSectionAt] = static_cast<char>(section);
    return sink_.Append(page, NextPage());
  };
  for (const Entry& entry : entries) {
    if (builder.Add(entry)) continue;
    if (Status status = finish_page(); !status) return status;
    if (builder.Add(entry)) continue;
    std::string pages(std::size_t{SpanPages(entry)} * kPageBytes, '\0');
    EncodeSpan(entry, pages);
    pages[kPageSectionAt] = static_cast<char>(section);
    if (Status status = sink_.Append(pages, NextPage()); !status) return status;
  }
  Status status = finish_page();
  place.pages = NextPage() - place.first_page;
  return status;
}

Status SstWriter::WriteFilter() {
  footer_.filter_buckets = FilterBuckets(filter_hashes_.size(), options_.filter_bits_per_key);
  std::string pages = BuildFilter(filter_hashes_, footer_.filter_buckets);
  SectionPlace& place = footer_.sections[static_cast<std::size_t>(SstSection::kFilter)];
  place = {.first_page = NextPage(),
           .pages = static_cast<std::uint32_t>(pages.size() / kPageBytes)};
  for (std::uint32_t i = 0; i < place.pages; ++i) {
    const std::span<char> page(pages.data() + i * kPageBytes, kPageBytes);
    if (Status status = sink_.Append(page, place.first_page + i); !status) return status;
  }
  return Ok();
}

// Separators of continuing pages repeat, and entries of one key need descending sequences: the
// number of repeats still to come serves as one.
Status SstWriter::WriteIndex() {
  std::vector<std::string> places;
  places.reserve(index_.size());
  std::vector<Entry> entries(index_.size());
  for (std::size_t i = index_.size(); i-- > 0;) {
    const bool repeated = i + 1 < index_.size() && index_[i].separator == index_[i + 1].separator;
    const SequenceNumber sequence = repeated ? entries[i + 1].sequence + 1 : 0;
    places.push_back(EncodePagePlace(index_[i].place));
    if (footer_.compression != Compression::kNone) {
      AppendFixed32(places.back(), index_[i].frame);
    }
    entries[i] = {.key = index_[i].separator,
                  .sequence = sequence,
                  .kind = EntryKind::kPut,
                  .value = places.back()};
  }
  return WriteSection(SstSection::kIndex, entries);
}

Status SstWriter::WriteRangeDeletes() {
  std::vector<Entry> entries;
  for (const RangeDelete& range : range_deletes_) {
    entries.push_back({.key = range.start,
                       .sequence = range.sequence,
                       .kind = EntryKind::kPut,
                       .value = range.limit});
  }
  return WriteSection(SstSection::kRangeDeletes, entries);
}

Status SstWriter::WriteProperties(const FileMeta& meta) {
  std::vector<std::pair<std::string, std::string>> properties;
  properties.emplace_back(PropertyName(PropertyTag::kSmallest), meta.smallest);
  properties.emplace_back(PropertyName(PropertyTag::kLimit), meta.limit);
  const auto add = [&](PropertyTag tag, Slice name, auto... numbers) {
    std::string value;
    (value.append(reinterpret_cast<const char*>(&numbers), sizeof numbers), ...);
    properties.emplace_back(PropertyName(tag, name), std::move(value));
  };
  for (const BlobUse& use : meta.blobs) {
    std::string name;
    AppendBigEndian64(name, ToNumber(use.file));
    add(PropertyTag::kBlobUse, name, use.bytes);
  }
  for (const Group& group : groups_) {
    add(PropertyTag::kGroup, group.prefix, group.first_page, group.entries, group.deletes,
        group.value_bytes);
  }
  std::vector<Entry> entries;
  for (const auto& [name, value] : properties) {
    entries.push_back({.key = name, .sequence = 0, .kind = EntryKind::kPut, .value = value});
  }
  return WriteSection(SstSection::kProperties, entries);
}

// All sections after the data, and the footer.
Status SstWriter::WriteSections(FileMeta& meta) {
  if (options_.compression != Compression::kNone) {
    if (Status status = WriteHeldPages(); !status) return status;
  }
  footer_.sections[static_cast<std::size_t>(SstSection::kData)] = {.first_page = 1,
                                                                   .pages = NextPage() - 1};
  if (Status status = WriteFilter(); !status) return status;
  if (Status status = WriteIndex(); !status) return status;
  if (Status status = WriteRangeDeletes(); !status) return status;
  if (Status status = WriteProperties(meta); !status) return status;
  meta.root = footer_.root = sink_.Root();
  std::string page = EncodeFooterPage(options_.identity, footer_);
  if (Status status = sink_.Append(page, NextPage()); !status) return status;
  if (Status status = sink_.Flush(); !status) return status;
  return file_->Sync();
}

Result<FileMeta> SstWriter::Finish() {
  Check(!finished_, "an SST is finished once");
  Check(!empty(), "an SST holds something");
  finished_ = true;
  if (!builder_.empty()) {
    if (Status status = FinishPage(); !status) return std::move(status).error();
  }
  FileMeta meta;
  meta.number = options_.identity.number;
  meta.smallest = first_key_;
  if (footer_.entries != 0) meta.limit = last_key_ + '\0';
  for (const RangeDelete& range : range_deletes_) {
    const bool first = footer_.entries == 0 && footer_.range_deletes == 0;
    if (first || range.start < meta.smallest) meta.smallest = range.start;
    meta.limit = std::max(meta.limit, range.limit);
    footer_.first_sequence =
        first ? range.sequence : std::min(footer_.first_sequence, range.sequence);
    footer_.last_sequence = std::max(footer_.last_sequence, range.sequence);
    ++footer_.range_deletes;
  }
  for (const auto& [number, bytes] : blob_bytes_) meta.blobs.push_back({number, bytes});
  if (Status status = WriteSections(meta); !status) return std::move(status).error();
  meta.size_bytes = sink_.offset();
  meta.entries = footer_.entries;
  meta.deletes = footer_.deletes;
  meta.range_deletes = footer_.range_deletes;
  meta.first_sequence = footer_.first_sequence;
  meta.last_sequence = footer_.last_sequence;
  return meta;
}

}  // namespace trefoil::lsm
