// The page: the 4 kB unit of which every SST is made. It holds entries in the order of
// internal_key.h; what their keys share is stored once, the next few bytes of each key stand
// together as numbers (the heads), so that a search reads two or three cache lines.
//
//   0   sum 8               XXH3 of bytes 8.. of all its pages, seeded with file and page
//   8   entries 2
//   10  prefix length 1     bytes that every key begins with
//   11  head width 1        0, 1, 2, 4 or 8 key bytes after the prefix
//   12  flags 1
//   13  section 1           of the SST that the page belongs to (SstSection)
//   14  footer offset 2
//   16  prefix, zeros up to a multiple of 8
//       heads: entries x width, little-endian numbers whose order is the order of the bytes
//       records: [rest length 1 or 2 | rest of the key |] value, one after the other
//       footer: (entries + 1) x 2 offsets where records begin and end; or, when all records are of
//               one size, that size 2
//       deletes: one bit an entry, when flagged; blobs: the same
//       sequences, when flagged: base 8 | width 1 | entries x width numbers n: the sequence is 0
//               if n = 0, else base + n - 1
//
// An entry too large for a page takes a span of whole pages of its own:
//
//   0   as above, with entries 1, prefix length 0, head width 0, footer offset 0
//   16  pages 4 | key length 4 | sequence 8 | value length 4 | zero 4 | 40 key | value | zeros
//
// I1 Keys do not descend, and the entries of one key have descending sequences.
// I2 Without the sequence column every sequence is 0 and every key occurs once.
// I3 Each key has at least prefix length + head width bytes.
// Source: measured against restart points in docs/decisions; prefix and offsets as in a slotted
// page, heads as in Graefe and Larson, "B-Tree Indexes and CPU Caches", 2001.
#pragma once

#include <cstddef>
#include <cstdint>

namespace trefoil::lsm {

inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kPageHeaderBytes = 16;
inline constexpr std::size_t kSpanHeaderBytes = 40;
inline constexpr std::size_t kPageSectionAt = 13;
inline constexpr std::size_t kPrefixBytesMax = 255;

// Bits of the flags byte.
enum PageFlag : std::uint8_t {
  kPageWhole = 1,          // prefix and head are the whole key; records are bare values
  kPageHasDeletes = 2,     // some entry is a deletion
  kPageOnlyDeletes = 4,    // all are
  kPageHasBlobs = 8,       // some value is a reference into a blob file
  kPageEqualRecords = 16,  // the footer is one size
  kPageHasSequences = 32,
  kPageWideRests = 64,  // rest lengths take 2 bytes
  kPageSpan = 128,
};

}  // namespace trefoil::lsm
