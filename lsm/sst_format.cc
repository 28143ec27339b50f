#include "lsm/sst_format.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/filter.h"
#include "lsm/frames.h"

namespace trefoil::lsm {

namespace {

// Offsets that identity and footer share.
constexpr std::size_t kMagicAt = 8;
constexpr std::size_t kFormatAt = 16;
constexpr std::size_t kUuidAt = 24;
constexpr std::size_t kFileAt = 40;
// Offsets of the footer alone.
constexpr std::size_t kCompressionAt = 20;
constexpr std::size_t kSectionsAt = 48;
constexpr std::size_t kFilterBucketsAt = kSectionsAt + 8 * kSstSections;
constexpr std::size_t kCountsAt = kFilterBucketsAt + 4;
constexpr std::size_t kInflatedPagesAt = kCountsAt + 64;

std::string PageWith(std::uint64_t magic, const FileIdentity& identity) {
  std::string page(kPageBytes, '\0');
  StoreFixed64(page.data() + kMagicAt, magic);
  StoreFixed32(page.data() + kFormatAt, kSstFormat);
  std::memcpy(page.data() + kUuidAt, identity.uuid.data(), kUuidBytes);
  StoreFixed64(page.data() + kFileAt, ToNumber(identity.number));
  return page;
}

// What identity and footer have in common: magic, format, database, file, sum.
Status CheckPage(std::span<const char> page, std::uint64_t magic, const FileIdentity& identity,
                 std::uint64_t page_number, const std::string& path) {
  const std::string place =
      StrCat(path, ": page ", page_number, " at offset ", page_number * kPageBytes);
  if (LoadFixed64(page.data() + kMagicAt) != magic) {
    return Corruption(StrCat(place, ": it is no ", page_number == 0 ? "first" : "last",
                             " page of an SST; the file was damaged or cut"));
  }
  if (const std::uint32_t format = LoadFixed32(page.data() + kFormatAt); format > kSstFormat) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat(place, ": format ", format, " is newer than ", kSstFormat,
                            ", the newest that this program reads"),
                     "use a newer release");
  }
  if (std::memcmp(page.data() + kUuidAt, identity.uuid.data(), kUuidBytes) != 0) {
    return MakeError(ErrorCode::kForeignDatabase,
                     StrCat(place, ": the file belongs to another database"));
  }
  if (LoadFixed64(page.data()) != PageSum(page, FileSeed(identity), page_number)) {
    return Corruption(StrCat(place, ": checksum mismatch; the file was damaged"));
  }
  return Ok();
}

}  // namespace

FileIdentity IdentityOf(Slice uuid, FileNumber number) {
  Check(uuid.size() == kUuidBytes, "a database uuid has 16 bytes");
  FileIdentity identity{.uuid = {}, .number = number};
  std::memcpy(identity.uuid.data(), uuid.data(), kUuidBytes);
  return identity;
}

std::uint64_t FileSeed(const FileIdentity& identity) {
  return Hash64(Slice(identity.uuid.data(), kUuidBytes), ToNumber(identity.number));
}

std::uint64_t PageSum(std::span<const char> pages, std::uint64_t file_seed, std::uint64_t page) {
  return Hash64(Slice(pages.data() + 8, pages.size() - 8), file_seed + page);
}

std::string EncodePagePlace(const PagePlace& place) {
  std::string bytes;
  AppendFixed32(bytes, place.page);
  AppendFixed32(bytes, place.pages);
  AppendFixed16(bytes, place.entries);
  bytes.push_back(static_cast<char>(place.flags));
  return bytes;
}

PagePlace DecodePagePlace(Slice bytes) {
  Check(bytes.size() >= kPagePlaceBytes, "a page's place has 11 bytes");
  return {.page = LoadFixed32(bytes.data()),
          .pages = LoadFixed32(bytes.data() + 4),
          .entries = LoadFixed16(bytes.data() + 8),
          .flags = static_cast<std::uint8_t>(bytes[10])};
}

std::string PropertyName(PropertyTag tag, Slice name) {
  std::string full(1, static_cast<char>(tag));
  full.append(name.data(), name.size());
  return full;
}

std::string EncodeIdentityPage(const FileIdentity& identity, int level, Compression compression) {
  std::string page = PageWith(kSstIdentityMagic, identity);
  StoreFixed32(page.data() + 48, static_cast<std::uint32_t>(level));
  StoreFixed32(page.data() + 52, static_cast<std::uint32_t>(compression));
  return page;
}

std::string EncodeFooterPage(const FileIdentity& identity, const SstFooter& footer) {
  std::string page = PageWith(kSstFooterMagic, identity);
  StoreFixed32(page.data() + kCompressionAt, static_cast<std::uint32_t>(footer.compression));
  char* out = page.data() + kSectionsAt;
  for (const SectionPlace& section : footer.sections) {
    StoreFixed32(out, section.first_page);
    StoreFixed32(out + 4, section.pages);
    out += 8;
  }
  StoreFixed32(page.data() + kFilterBucketsAt, footer.filter_buckets);
  out = page.data() + kCountsAt;
  for (const std::uint64_t number :
       {footer.data_bytes, footer.entries, footer.deletes, footer.range_deletes,
        footer.first_sequence, footer.last_sequence, footer.root.low, footer.root.high}) {
    StoreFixed64(out, number);
    out += 8;
  }
  StoreFixed32(page.data() + kInflatedPagesAt, footer.inflated_pages);
  return page;
}

Result<SstFooter> DecodeFooterPage(std::span<const char> page, const FileIdentity& identity,
                                   std::uint64_t file_pages, const std::string& path) {
  Status status = CheckPage(page, kSstFooterMagic, identity, file_pages - 1, path);
  if (!status) return std::move(status).error();
  SstFooter footer;
  const std::uint32_t compression = LoadFixed32(page.data() + kCompressionAt);
  if (compression > static_cast<std::uint32_t>(Compression::kZstd)) {
    return MakeError(ErrorCode::kNewerFormat,
                     StrCat(path, ": compression ", compression, " is not known to this program"),
                     "use a newer release");
  }
  footer.compression = static_cast<Compression>(compression);
  for (std::size_t i = 0; i < kSstSections; ++i) {
    const char* at = page.data() + kSectionsAt + 8 * i;
    footer.sections[i] = {.first_page = LoadFixed32(at), .pages = LoadFixed32(at + 4)};
    const std::uint64_t end =
        std::uint64_t{footer.sections[i].first_page} + footer.sections[i].pages;
    if (end >= file_pages) {
      return Corruption(StrCat(path, ": section ", i, " ends at page ", end, " of ", file_pages));
    }
  }
  footer.filter_buckets = LoadFixed32(page.data() + kFilterBucketsAt);
  const std::uint64_t filter_pages =
      (std::uint64_t{footer.filter_buckets} + kFilterBucketsPerPage - 1) / kFilterBucketsPerPage;
  if (footer.section(SstSection::kFilter).pages != filter_pages) {
    return Corruption(StrCat(path, ": the filter has another number of pages than buckets need"));
  }
  const char* counts = page.data() + kCountsAt;
  footer.data_bytes = LoadFixed64(counts);
  footer.entries = LoadFixed64(counts + 8);
  footer.deletes = LoadFixed64(counts + 16);
  footer.range_deletes = LoadFixed64(counts + 24);
  footer.first_sequence = LoadFixed64(counts + 32);
  footer.last_sequence = LoadFixed64(counts + 40);
  footer.root = {.low = LoadFixed64(counts + 48), .high = LoadFixed64(counts + 56)};
  footer.inflated_pages = LoadFixed32(page.data() + kInflatedPagesAt);
  const bool compressed = footer.compression != Compression::kNone;
  if (compressed != (footer.inflated_pages != 0) || footer.inflated_pages >= kInflatedPages) {
    return Corruption(
        StrCat(path, ": the footer counts ", footer.inflated_pages, " compressed pages"));
  }
  return footer;
}

Status CheckIdentityPage(std::span<const char> page, const FileIdentity& identity,
                         const std::string& path) {
  return CheckPage(page, kSstIdentityMagic, identity, 0, path);
}

}  // namespace trefoil::lsm
