// Frames: how the data pages of a compressed SST are stored. Pages are built as in any other file,
// then each page or span becomes one zstd frame, made with a dictionary that was trained on pages
// of this file. The dictionary knows what pages share, so that frames of one page are hardly larger
// than frames of several would be, and a look-up inflates nothing but what it reads.
//
//   section of data, from page 1 of the file on:
//            record of the dictionary | { record of a frame } | zeros up to a whole page
//   record   at a multiple of 8: sum 8 | first page 4 | pages 4 | stored bytes 4 | zero 4 |
//            stored bytes | zeros up to 8
//
// The sum is XXH3 of the bytes after it, seeded with the file's seed plus the record's offset. The
// dictionary has first page 0 and pages 0. Data pages of a compressed file are numbered from
// kInflatedPages + 1 on, so that no number means both such a page and one that lies in the file.
// Source: zstd (RFC 8878), and dictionaries for blocks as in RocksDB.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "lsm/page_format.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

inline constexpr std::uint32_t kInflatedPages = std::uint32_t{1} << 31;
inline constexpr std::size_t kFrameHeaderBytes = 24;

// A page of entries, or a span, by its number.
struct PageUnit {
  std::uint32_t page = 0;
  std::uint32_t pages = 1;
};

struct CompressedPages {
  std::string bytes;                  // the whole section
  std::vector<std::uint32_t> frames;  // for each unit, where its record begins, / 8
};
// Compresses units that stand one after the other in `pages`, sums included; the section is to lie
// at kPageBytes of the file. Nothing if that saves less than an eighth. The same input gives the
// same bytes with one version of zstd.
std::optional<CompressedPages> CompressPages(Slice pages, std::span<const PageUnit> units,
                                             std::uint64_t file_seed);

// A record as it lies in a file; `content` points into the bytes given.
struct FrameRecord {
  std::uint32_t first_page = 0;
  std::uint32_t pages = 0;
  Slice content;
  std::size_t size_bytes = 0;  // of the record
};
// The record that `bytes` begin with; nothing if there is none whose sum holds.
std::optional<FrameRecord> DecodeFrameRecord(Slice bytes, std::uint64_t file_seed,
                                             std::uint64_t offset);

// Undoes frames of one dictionary. Any thread.
class FrameInflater {
 public:
  // Null if the bytes are no dictionary; no bytes are one that says nothing.
  static std::unique_ptr<const FrameInflater> Create(Slice dictionary);
  ~FrameInflater();
  FrameInflater(const FrameInflater&) = delete;
  FrameInflater& operator=(const FrameInflater&) = delete;

  // Fills `pages` from a frame; false if the frame does not hold exactly that many bytes.
  bool Inflate(Slice frame, std::span<char> pages) const;

 private:
  struct Dictionary;
  explicit FrameInflater(std::unique_ptr<const Dictionary> dictionary);

  const std::unique_ptr<const Dictionary> dictionary_;
};

// The frames of an open file. Add before anything else; then any thread.
class FrameTable {
 public:
  // `map` is empty where the Env does not map; both outlive the table. The section of data ends at
  // `end_offset`.
  FrameTable(const File& file, std::span<const char> map, std::uint64_t file_seed,
             std::uint64_t end_offset)
      : file_(file), map_(map), seed_(file_seed), end_offset_(end_offset) {}

  // Units come in their order. False if `frame` (offset / 8) cannot be.
  bool Add(const PageUnit& unit, std::uint32_t frame);
  bool Holds(std::uint32_t page) const;
  // Fills `pages` with the unit that begins with this page, which must be in the table. A record
  // that the map shows damaged is read once more from the device. Errors: kIo, kCorruption naming
  // file and offset.
  Status Inflate(std::uint32_t page, std::span<char> pages) const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    PageUnit unit;
  };

  // Calls `use(record)`, which says whether the record is good, on the record between two offsets.
  template <typename Use>
  Status ReadRecord(std::uint64_t offset, std::uint64_t end, const Use& use) const;
  template <typename Use>
  bool IsGood(Slice bytes, std::uint64_t offset, const Use& use) const;
  Result<const FrameInflater*> Inflater() const;

  const File& file_;
  const std::span<const char> map_;
  const std::uint64_t seed_;
  const std::uint64_t end_offset_;
  std::vector<Place> places_;

  mutable std::mutex mutex_;
  mutable std::unique_ptr<const FrameInflater>
      inflater_;  // guarded by mutex_; made when first used
};

}  // namespace trefoil::lsm
