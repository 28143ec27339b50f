#include "lsm/sst_reader.h"

#include <algorithm>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/filter.h"
#include "lsm/page_view.h"
#include "lsm/sst_cursor.h"
#include "lsm/sst_multi_get.h"

namespace trefoil::lsm {

void TakeEntry(const PageView& view, std::uint32_t entry, PageLife life, PointLookup& lookup) {
  lookup.found = true;
  lookup.sequence = view.Sequence(entry);
  lookup.kind = view.Kind(entry);
  if (life == PageLife::kOfTheRun) {
    lookup.value.Borrow(view.Value(entry));
  } else {
    lookup.value.Copy(view.Value(entry));
  }
}

Result<std::unique_ptr<SstReader>> SstReader::Open(Env& env, const std::string& path,
                                                   const SstReaderOptions& options) {
  std::unique_ptr<SstReader> reader(new SstReader);
  Result<std::unique_ptr<PageFile>> file =
      PageFile::Open(env, path, options.identity, options.pool, options.allow_map);
  if (!file) return std::move(file).error();
  reader->file_ = *std::move(file);
  if (Status status = reader->ReadFooter(); !status) return std::move(status).error();
  if (Status status = reader->ReadIndex(); !status) return std::move(status).error();
  if (Status status = reader->ReadRangeDeletes(); !status) return std::move(status).error();
  return reader;
}

Status SstReader::ReadFooter() {
  char page[kPageBytes];
  const std::uint64_t last = file_->pages() - 1;
  if (Status status = file_->ReadPages(static_cast<std::uint32_t>(last), 1, page); !status) {
    return status;
  }
  Result<SstFooter> footer =
      DecodeFooterPage(page, file_->identity(), file_->pages(), file_->path());
  if (!footer) return std::move(footer).error();
  footer_ = *footer;
  return Ok();
}

Status SstReader::ReadSection(SstSection section,
                              const std::function<bool(const Entry&)>& take) const {
  const SectionPlace& place = footer_.section(section);
  const std::uint32_t end = place.first_page + place.pages;
  char key[kPageBytes];
  for (std::uint32_t page = place.first_page; page < end;) {
    // How many pages a span has stands in its first; its sum proves it.
    char first[kPageBytes];
    if (Status status = file_->ReadPages(page, 1, first); !status) return status;
    const bool span = (static_cast<unsigned char>(first[12]) & kPageSpan) != 0;
    const std::uint32_t pages = span ? LoadFixed32(first + 16) : 1;
    const std::uint32_t sane_pages = std::clamp<std::uint32_t>(pages, 1, end - page);
    PageRef ref;
    if (Status status = file_->Pin(page, sane_pages, PageForm::kEntries, ref); !status) {
      return status;
    }
    const PageView view(ref.data());
    for (std::uint32_t i = 0; i < view.count(); ++i) {
      const Entry entry{.key = view.Key(i, key),
                        .sequence = view.Sequence(i),
                        .kind = view.Kind(i),
                        .value = view.Value(i)};
      if (!take(entry)) {
        return Corruption(StrCat(file_->path(), ": page ", page, " at offset ",
                                 std::uint64_t{page} * kPageBytes, ": entry ", i, " of section ",
                                 static_cast<int>(section), " has no sense"));
      }
    }
    page += sane_pages;
  }
  return Ok();
}

Status SstReader::ReadIndex() {
  const SectionPlace& data = footer_.section(SstSection::kData);
  const bool framed = footer_.compression != Compression::kNone;
  const std::size_t place_bytes = framed ? kFramedPlaceBytes : kPagePlaceBytes;
  std::uint64_t next_page = framed ? kInflatedPages + 1 : data.first_page;
  const std::uint64_t end = next_page + (framed ? footer_.inflated_pages : data.pages);
  if (framed) file_->BeginFrames((std::uint64_t{data.first_page} + data.pages) * kPageBytes);
  Status status = ReadSection(SstSection::kIndex, [&](const Entry& entry) {
    if (entry.value.size() != place_bytes) return false;
    const PagePlace place = DecodePagePlace(entry.value);
    if (place.page != next_page || place.pages == 0 || next_page + place.pages > end) return false;
    const std::uint32_t count = index_.size();
    if (count != 0 && entry.key < index_.separator(count - 1)) return false;
    next_page += place.pages;
    index_.Add(entry.key, place);
    if (!framed) return true;
    return file_->AddFrame({.page = place.page, .pages = place.pages},
                           LoadFixed32(entry.value.data() + kPagePlaceBytes));
  });
  if (!status) return status;
  if (next_page != end || index_.EntriesBefore(index_.size()) != footer_.entries) {
    return Corruption(StrCat(file_->path(), ": the index does not cover the data pages"));
  }
  if (index_.size() != 0) index_.Finish();
  return Ok();
}

Status SstReader::ReadRangeDeletes() {
  return ReadSection(SstSection::kRangeDeletes, [&](const Entry& entry) {
    if (entry.value <= entry.key) return false;
    range_deletes_.push_back({.start = entry.key.ToString(),
                              .limit = entry.value.ToString(),
                              .sequence = entry.sequence});
    return true;
  });
}

Result<SstProperties> SstReader::ReadProperties() const {
  SstProperties properties;
  Status status = ReadSection(SstSection::kProperties, [&](const Entry& entry) {
    if (entry.key.empty()) return false;
    const Slice name = entry.key.Without(1);
    const Slice value = entry.value;
    switch (static_cast<PropertyTag>(entry.key[0])) {
      case PropertyTag::kSmallest:
        properties.smallest = value.ToString();
        return true;
      case PropertyTag::kLimit:
        properties.limit = value.ToString();
        return true;
      case PropertyTag::kBlobUse: {
        Slice number = name;
        const std::optional<std::uint64_t> file = ReadBigEndian64(number);
        if (!file || value.size() != 8) return false;
        properties.blobs.push_back({.file = FileNumber{*file}, .bytes = LoadFixed64(value.data())});
        return true;
      }
      case PropertyTag::kGroup:
        if (value.size() != 28) return false;
        properties.groups.push_back({.prefix = name.ToString(),
                                     .first_page = LoadFixed32(value.data()),
                                     .entries = LoadFixed64(value.data() + 4),
                                     .deletes = LoadFixed64(value.data() + 12),
                                     .value_bytes = LoadFixed64(value.data() + 20)});
        return true;
      default:
        return true;  // a property of a later release
    }
  });
  if (!status) return std::move(status).error();
  return properties;
}

Result<FileMeta> SstReader::ReadMeta() const {
  Result<SstProperties> properties = ReadProperties();
  if (!properties) return std::move(properties).error();
  FileMeta meta;
  meta.number = file_->identity().number;
  meta.size_bytes = file_->pages() * kPageBytes;
  meta.entries = footer_.entries;
  meta.deletes = footer_.deletes;
  meta.range_deletes = footer_.range_deletes;
  meta.smallest = std::move(properties->smallest);
  meta.limit = std::move(properties->limit);
  meta.first_sequence = footer_.first_sequence;
  meta.last_sequence = footer_.last_sequence;
  meta.root = footer_.root;
  meta.blobs = std::move(properties->blobs);
  return meta;
}

std::unique_ptr<RunCursor> SstReader::NewCursor(const CursorOptions& options) const {
  return std::make_unique<SstCursor>(*file_, index_, options.sequential);
}

bool SstReader::FilterMayContain(std::uint64_t hash) const {
  if (footer_.filter_buckets == 0) return true;
  const FilterPlace place = PlaceInFilter(hash, footer_.filter_buckets);
  const std::uint32_t page = footer_.section(SstSection::kFilter).first_page + place.page;
  if (const char* data = file_->CheckedPage(page)) [[likely]] {
    return BucketMayContain(data + place.offset, hash);
  }
  PageRef ref;
  if (!file_->Pin(page, 1, PageForm::kPlain, ref)) return true;
  return BucketMayContain(ref.data() + place.offset, hash);
}

bool SstReader::MayContainPrefix(Slice equality_prefix) const {
  return FilterMayContain(FilterHashOfPrefix(equality_prefix));
}

bool SstReader::ContinuesAfter(std::uint32_t page, Slice key) const {
  return page + 1 < index_.size() && (index_.place(page + 1).flags & kIndexContinues) != 0 &&
         index_.separator(page + 1) == key;
}

Status SstReader::GetFromPages(PointLookup& lookup, std::uint32_t page) const {
  for (; page < index_.size(); ++page) {
    const PagePlace& place = index_.place(page);
    PageRef ref;
    if (Status status = file_->Pin(place.page, place.pages, PageForm::kEntries, ref); !status) {
      return status;
    }
    const PageView view(ref.data());
    const std::uint32_t entry =
        view.FindVisible(view.Find(lookup.key), lookup.key, lookup.snapshot);
    if (entry < view.count()) {
      const bool is_mapped = ref.data() == file_->MappedPage(place.page);
      TakeEntry(view, entry, is_mapped ? PageLife::kOfTheRun : PageLife::kShort, lookup);
      return Ok();
    }
    if (!ContinuesAfter(page, lookup.key)) return Ok();
  }
  return Ok();
}

Status SstReader::Get(PointLookup& lookup) const {
  if (index_.size() == 0) return Ok();
  if (filter_guess_.asks() && !FilterMayContain(lookup.hash)) {
    filter_guess_.Note(1, 0);
    return Ok();
  }
  Status got = GetFromPages(lookup, index_.FirstPageOf(lookup.key));
  filter_guess_.Note(1, lookup.found ? 1 : 0);
  return got;
}

Status SstReader::MultiGet(std::span<PointLookup* const> lookups) const {
  std::vector<SstLookup> open;
  open.reserve(lookups.size());
  for (PointLookup* lookup : lookups) {
    if (!lookup->found) open.push_back({.file = this, .lookup = lookup});
  }
  return MultiGetFromFiles(open);
}

std::uint64_t SstReader::EntriesBefore(Slice key) const {
  const std::uint32_t page = index_.FirstPageOf(key);
  const PagePlace& place = index_.place(page);
  PageRef ref;
  const bool is_read = file_->Pin(place.page, place.pages, PageForm::kEntries, ref).has_value();
  return index_.EntriesBefore(page) +
         (is_read ? PageView(ref.data()).LowerBound(key) : place.entries / 2);
}

std::uint64_t SstReader::ApproximateCount(Slice start, Slice limit) const {
  if (index_.size() == 0) return 0;
  const std::uint64_t before = start.empty() ? 0 : EntriesBefore(start);
  const std::uint64_t end =
      limit.empty() ? index_.EntriesBefore(index_.size()) : EntriesBefore(limit);
  return end > before ? end - before : 0;
}

std::uint64_t SstReader::ApproximateBytes(Slice start, Slice limit) const {
  if (footer_.entries == 0) return 0;
  const std::uint64_t bytes = file_->pages() * kPageBytes;
  return ApproximateCount(start, limit) * (bytes / footer_.entries);
}

}  // namespace trefoil::lsm
