#include "lsm/sst_cursor.h"

#include <algorithm>

#include "base/check.h"

namespace trefoil::lsm {

namespace {

// Read-ahead begins at the third page in a row and doubles up to this many pages.
constexpr std::uint32_t kAheadPagesFirst = 4;
constexpr std::uint32_t kAheadPagesMax = 64;
constexpr std::uint32_t kAheadPagesSequential = 256;

}  // namespace

SstCursor::SstCursor(const PageFile& file, const SstIndex& index, bool sequential)
    : file_(file), index_(index), sequential_(sequential), key_buffer_(new char[kPageBytes]) {}

bool SstCursor::LoadPage(std::uint32_t i) {
  if (i >= index_.size()) {
    valid_ = false;
    return false;
  }
  const PagePlace& place = index_.place(i);
  status_ = file_.Pin(place.page, place.pages, PageForm::kEntries, page_);
  if (!status_) {
    valid_ = false;
    return false;
  }
  page_index_ = i;
  view_ = PageView(page_.data());
  return true;
}

void SstCursor::LoadEntry(std::uint32_t entry) {
  entry_.key = view_.Key(entry, key_buffer_.get());
  LoadBesideKey(entry);
}

// Another entry of the page whose prefix the buffer holds; spans have one only.
void SstCursor::LoadNeighbour(std::uint32_t entry) {
  entry_.key = view_.KeyAfterPrefix(entry, key_buffer_.get());
  LoadBesideKey(entry);
}

void SstCursor::LoadBesideKey(std::uint32_t entry) {
  entry_index_ = entry;
  entry_.value = view_.Value(entry);
  entry_.kind = view_.Kind(entry);
  entry_.sequence = view_.Sequence(entry);
  valid_ = true;
}

void SstCursor::ReadAhead() {
  const std::uint32_t max = sequential_ ? kAheadPagesSequential : kAheadPagesMax;
  if (++run_pages_ < (sequential_ ? 1U : 2U)) return;
  const std::uint32_t page = index_.place(page_index_).page;
  if (page + ahead_pages_ / 2 < ahead_end_) return;
  ahead_pages_ = sequential_ ? max : std::clamp(2 * ahead_pages_, kAheadPagesFirst, max);
  const std::uint32_t begin = std::max(page + 1, ahead_end_);
  file_.WillNeed(begin, ahead_pages_);
  ahead_end_ = begin + ahead_pages_;
}

void SstCursor::NextPage() {
  if (!LoadPage(page_index_ + 1)) return;
  ReadAhead();
  LoadEntry(0);
}

void SstCursor::PrevPage() {
  if (page_index_ == 0) {
    valid_ = false;
    return;
  }
  if (LoadPage(page_index_ - 1)) LoadEntry(view_.count() - 1);
}

void SstCursor::SeekToFirst() {
  if (LoadPage(0)) LoadEntry(0);
}

void SstCursor::SeekToLast() {
  if (LoadPage(std::max(index_.size(), 1U) - 1)) LoadEntry(view_.count() - 1);
}

void SstCursor::Seek(Slice target) {
  run_pages_ = ahead_pages_ = ahead_end_ = 0;
  if (index_.size() == 0 || !LoadPage(index_.FirstPageOf(target))) return;
  const std::uint32_t entry = view_.LowerBound(target);
  if (entry < view_.count()) {
    LoadEntry(entry);
  } else {
    NextPage();
  }
}

void SstCursor::SeekBefore(Slice target) {
  if (index_.size() == 0 || !LoadPage(index_.FirstPageOf(target))) return;
  const std::uint32_t entry = view_.LowerBound(target);
  if (entry > 0) {
    LoadEntry(entry - 1);
  } else {
    PrevPage();
  }
}

void SstCursor::Next() {
  Check(valid_, "a cursor that ended is not moved");
  if (entry_index_ + 1 < view_.count()) [[likely]] {
    LoadNeighbour(entry_index_ + 1);
  } else {
    NextPage();
  }
}

void SstCursor::Prev() {
  Check(valid_, "a cursor that ended is not moved");
  if (entry_index_ > 0) {
    LoadNeighbour(entry_index_ - 1);
  } else {
    PrevPage();
  }
}

Status SstCursor::status() const { return status_ ? Ok() : Status(Error(status_.error())); }

}  // namespace trefoil::lsm
