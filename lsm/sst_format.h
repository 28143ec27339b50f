// The parts of an SST around its data pages. Every page, and every span of pages, begins with its
// sum: XXH3 of the bytes after it, seeded with the file's seed plus the page's number, so that a
// page proves that it is this page of this file of this database.
//
//   page 0   identity: sum 8 | magic 8 | format 4 | zero 4 | uuid 16 | file 8 | level at birth 4 |
//            compression 4 | zeros
//   then     data pages, filter pages, index pages, range-delete pages, property pages
//   last     footer: sum 8 | magic 8 | format 4 | compression 4 | uuid 16 | file 8 |
//            5 sections x (first page 4 | pages 4) | filter buckets 4 | bytes of data 8 |
//            entries 8 | deletes 8 | range deletes 8 | first and last sequence 16 | root 16 |
//            inflated pages 4 | zeros
//
// Index, range deletes and properties are pages of entries (page_format.h) themselves:
//   index          shortest separator -> page 4 | pages 4 | entries 2 | flags 1
//   range deletes  start -> limit, with its sequence
//   properties     tag 1 + name -> value: see PropertyTag
// A separator is <= every key of its page and > every key before, or equal to the first key of the
// page when the page before ends with the same key (kIndexContinues).
// The root is XXH3-128 of the sums of all pages before the footer, in their order.
//
// A compressed file holds frames (frames.h) where the data pages would be. The footer counts the
// pages in them, and an index entry says where the frame of its page begins.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/hash.h"
#include "lsm/file_meta.h"
#include "lsm/page_format.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

inline constexpr std::uint64_t kSstIdentityMagic = 0x4449'5453'5346'5254;  // "TRFSSTID"
inline constexpr std::uint64_t kSstFooterMagic = 0x5446'5453'5346'5254;    // "TRFSSTFT"
inline constexpr std::uint32_t kSstFormat = 1;
inline constexpr std::size_t kUuidBytes = 16;

// Which file of which database a page belongs to.
struct FileIdentity {
  std::array<char, kUuidBytes> uuid{};
  FileNumber number{};
};
FileIdentity IdentityOf(Slice uuid, FileNumber number);
std::uint64_t FileSeed(const FileIdentity& identity);
// The sum of a page or span, over the bytes after the first 8.
std::uint64_t PageSum(std::span<const char> pages, std::uint64_t file_seed, std::uint64_t page);

enum IndexFlag : std::uint8_t {
  kIndexContinues = 1,    // the first key is the last key of the page before
  kIndexHasDeletes = 2,   // some entry is a deletion
  kIndexOnlyDeletes = 4,  // all are
};
// Where a page of entries lies and what it holds.
struct PagePlace {
  std::uint32_t page = 0;
  std::uint32_t pages = 1;  // > 1 for a span
  std::uint16_t entries = 0;
  std::uint8_t flags = 0;
};
inline constexpr std::size_t kPagePlaceBytes = 11;
inline constexpr std::size_t kFramedPlaceBytes = kPagePlaceBytes + 4;  // then frame offset / 8
std::string EncodePagePlace(const PagePlace& place);
// `bytes` has at least kPagePlaceBytes bytes.
PagePlace DecodePagePlace(Slice bytes);

enum class PropertyTag : char {
  kSmallest = 1,  // -> the smallest key of entries and range deletes
  kLimit = 2,     // -> an exclusive upper bound of both
  kBlobUse = 3,   // + blob file 8, big-endian -> bytes referred to 8
  kGroup = 6,     // + group prefix -> first page 4 | entries 8 | deletes 8 | value bytes 8
};
std::string PropertyName(PropertyTag tag, Slice name = {});

// Stored in footers and in pages of entries; never renumbered.
enum class SstSection : std::uint8_t { kData, kFilter, kIndex, kRangeDeletes, kProperties };
inline constexpr std::size_t kSstSections = 5;

struct SectionPlace {
  std::uint32_t first_page = 0;
  std::uint32_t pages = 0;
};

struct SstFooter {
  Compression compression = Compression::kNone;
  std::array<SectionPlace, kSstSections> sections{};
  std::uint32_t filter_buckets = 0;
  std::uint64_t data_bytes = 0;  // keys and values, before any encoding
  std::uint64_t entries = 0;
  std::uint64_t deletes = 0;
  std::uint64_t range_deletes = 0;
  SequenceNumber first_sequence = 0;
  SequenceNumber last_sequence = 0;
  Hash128 root;
  std::uint32_t inflated_pages = 0;  // data pages in frames; 0 when not compressed

  const SectionPlace& section(SstSection which) const {
    return sections[static_cast<std::size_t>(which)];
  }
};

// Whole pages, without their sums.
std::string EncodeIdentityPage(const FileIdentity& identity, int level, Compression compression);
std::string EncodeFooterPage(const FileIdentity& identity, const SstFooter& footer);
// Takes the footer from the last page of a file of `file_pages` pages.
// Errors, all naming `path`: kForeignDatabase, kNewerFormat, kCorruption.
Result<SstFooter> DecodeFooterPage(std::span<const char> page, const FileIdentity& identity,
                                   std::uint64_t file_pages, const std::string& path);
// Checks the identity page. Errors as above.
Status CheckIdentityPage(std::span<const char> page, const FileIdentity& identity,
                         const std::string& path);

}  // namespace trefoil::lsm
