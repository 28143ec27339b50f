// An SST as numbered pages behind one Pin: from the map where the Env maps, else from the page
// pool. A page is checked (sum and form) when it is first seen, and not again: a bit per page
// remembers that for mapped files, the pool holds only good pages. Pages that lie in frames have
// numbers from kInflatedPages on, and go through the pool everywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "lsm/frames.h"
#include "lsm/page_pool.h"
#include "lsm/sst_format.h"

namespace trefoil::lsm {

// What a page must look like besides having its sum.
enum class PageForm { kEntries, kPlain };

class PageFile {
 public:
  // `pool` may be null for mapped files only, and outlives the PageFile. `allow_map` false reads
  // through the pool. Errors: those of Env; kCorruption if the file is not of whole pages.
  static Result<std::unique_ptr<PageFile>> Open(Env& env, const std::string& path,
                                                const FileIdentity& identity, PagePool* pool,
                                                bool allow_map);

  const std::string& path() const { return file_->path(); }
  const FileIdentity& identity() const { return identity_; }
  std::uint64_t pages() const { return pages_; }
  bool mapped() const { return !map_.empty(); }

  // Makes `ref` hold the page, or the span of `pages` pages from there on. Any thread.
  // Errors: kIo, kCorruption naming file, page and offset.
  Status Pin(std::uint32_t page, std::uint32_t pages, PageForm form, PageRef& ref) const {
    if (const char* data = CheckedPage(page)) [[likely]] {
      ref = PageRef(data);
      return Ok();
    }
    return PinSlow(page, pages, form, ref);
  }
  // The mapped page if it was checked before; else null.
  const char* CheckedPage(std::uint32_t page) const {
    if (map_.empty() || page >= pages_) return nullptr;
    const std::uint64_t word = checked_[page / 64].load(std::memory_order_acquire);
    return (word >> (page % 64) & 1) != 0 ? map_.data() + std::size_t{page} * kPageBytes : nullptr;
  }
  // Where the page lies in the map, checked or not, for prefetching; null if not mapped.
  const char* MappedPage(std::uint32_t page) const {
    return map_.empty() || page >= pages_ ? nullptr : map_.data() + std::size_t{page} * kPageBytes;
  }
  // Reads a page or span without the pool, and without checks but those of frames: for verification
  // of the device itself.
  Status ReadPages(std::uint32_t page, std::uint32_t pages, char* out) const;
  // Brings pages nearer in the background (mapped) or at once (pool).
  void WillNeed(std::uint32_t page, std::uint32_t pages) const;

  // Of a compressed file, before any use of its data pages: where the section of data ends, then
  // each page or span and its frame. False if a frame cannot be there.
  void BeginFrames(std::uint64_t end_offset);
  bool AddFrame(const PageUnit& unit, std::uint32_t frame) { return frames_->Add(unit, frame); }

  // What is wrong with these bytes as this page; null if nothing is.
  const char* WhatIsWrong(std::uint32_t page, std::span<const char> bytes, PageForm form) const;

 private:
  PageFile(std::unique_ptr<File> file, const FileIdentity& identity, PagePool* pool)
      : file_(std::move(file)), identity_(identity), seed_(FileSeed(identity)), pool_(pool) {}

  Status PinSlow(std::uint32_t page, std::uint32_t pages, PageForm form, PageRef& ref) const;
  bool IsInflated(std::uint32_t page) const { return frames_ != nullptr && frames_->Holds(page); }
  Status PinMapped(std::uint32_t page, std::uint32_t pages, PageForm form, PageRef& ref) const;
  // Reads and checks; reads once more before it gives up, for a fault of the moment.
  Status ReadChecked(std::uint32_t page, std::span<char> out, PageForm form) const;
  Error Damaged(std::uint32_t page, const char* what) const;

  const std::unique_ptr<File> file_;
  const FileIdentity identity_;
  const std::uint64_t seed_;
  PagePool* const pool_;
  std::uint64_t pages_ = 0;
  std::span<const char> map_;
  std::unique_ptr<FrameTable> frames_;                       // null when the file is not compressed
  mutable std::vector<std::atomic<std::uint64_t>> checked_;  // one bit a mapped page
};

}  // namespace trefoil::lsm
