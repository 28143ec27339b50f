#include "lsm/page_file.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/page_view.h"

namespace trefoil::lsm {

Result<std::unique_ptr<PageFile>> PageFile::Open(Env& env, const std::string& path,
                                                 const FileIdentity& identity, PagePool* pool,
                                                 bool allow_map) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kRead);
  if (!file) return std::move(file).error();
  Result<std::uint64_t> size_bytes = (*file)->Size();
  if (!size_bytes) return std::move(size_bytes).error();
  if (*size_bytes == 0 || *size_bytes % kPageBytes != 0) {
    return Corruption(StrCat(path, ": ", *size_bytes, " bytes are no whole number of pages of ",
                             kPageBytes, "; the file was cut"));
  }
  std::unique_ptr<PageFile> result(new PageFile(*std::move(file), identity, pool));
  result->pages_ = *size_bytes / kPageBytes;
  if (allow_map) {
    Result<std::span<char>> map = result->file_->Map(*size_bytes, /*writable=*/false);
    if (!map) return std::move(map).error();
    result->map_ = *map;
    result->checked_ = std::vector<std::atomic<std::uint64_t>>((result->pages_ + 63) / 64);
  }
  Check(result->mapped() || pool != nullptr, "a file that is not mapped needs a pool");
  return result;
}

Error PageFile::Damaged(std::uint32_t page, const char* what) const {
  if (page >= kInflatedPages) {
    return Corruption(StrCat(path(), ": compressed page ", page - kInflatedPages, ": ", what,
                             "; the file was damaged"));
  }
  return Corruption(StrCat(path(), ": page ", page, " at offset ", std::uint64_t{page} * kPageBytes,
                           ": ", what, "; the file was damaged"));
}

const char* PageFile::WhatIsWrong(std::uint32_t page, std::span<const char> bytes,
                                  PageForm form) const {
  if (LoadFixed64(bytes.data()) != PageSum(bytes, seed_, page)) return "checksum mismatch";
  return form == PageForm::kEntries ? WhatIsWrongWithPage(bytes) : nullptr;
}

void PageFile::BeginFrames(std::uint64_t end_offset) {
  frames_ = std::make_unique<FrameTable>(*file_, map_, seed_, end_offset);
}

Status PageFile::ReadPages(std::uint32_t page, std::uint32_t pages, char* out) const {
  const std::span<char> bytes(out, std::size_t{pages} * kPageBytes);
  if (IsInflated(page)) return frames_->Inflate(page, bytes);
  return file_->ReadAt(std::uint64_t{page} * kPageBytes, bytes);
}

Status PageFile::ReadChecked(std::uint32_t page, std::span<char> out, PageForm form) const {
  const char* wrong = nullptr;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::uint32_t pages = static_cast<std::uint32_t>(out.size() / kPageBytes);
    if (Status status = ReadPages(page, pages, out.data()); !status) return status;
    wrong = WhatIsWrong(page, out, form);
    if (wrong == nullptr) return Ok();
  }
  return Damaged(page, wrong);
}

Status PageFile::PinMapped(std::uint32_t page, std::uint32_t pages, PageForm form,
                           PageRef& ref) const {
  const std::span<const char> bytes =
      map_.subspan(std::size_t{page} * kPageBytes, std::size_t{pages} * kPageBytes);
  if (WhatIsWrong(page, bytes, form) == nullptr) {
    checked_[page / 64].fetch_or(std::uint64_t{1} << (page % 64), std::memory_order_release);
    ref = PageRef(bytes.data());
    return Ok();
  }
  std::unique_ptr<char[]> own(new char[bytes.size()]);
  if (Status status = ReadChecked(page, {own.get(), bytes.size()}, form); !status) return status;
  ref = PageRef(std::move(own));
  return Ok();
}

Status PageFile::PinSlow(std::uint32_t page, std::uint32_t pages, PageForm form,
                         PageRef& ref) const {
  if (pages == 0 || (!IsInflated(page) && std::uint64_t{page} + pages > pages_)) {
    return Damaged(page, "a page beyond the end of the file is referred to");
  }
  if (mapped() && !IsInflated(page)) return PinMapped(page, pages, form, ref);
  if (pages == 1 && pool_ != nullptr) {
    const PagePool::Key key{.file = identity_.number, .page = page};
    ref = pool_->Find(key);
    if (ref) return Ok();
    char bytes[kPageBytes];
    if (Status status = ReadChecked(page, bytes, form); !status) return status;
    ref = pool_->Insert(key, bytes);
    return Ok();
  }
  const std::size_t size_bytes = std::size_t{pages} * kPageBytes;
  std::unique_ptr<char[]> own(new char[size_bytes]);
  if (Status status = ReadChecked(page, {own.get(), size_bytes}, form); !status) return status;
  ref = PageRef(std::move(own));
  return Ok();
}

void PageFile::WillNeed(std::uint32_t page, std::uint32_t pages) const {
  if (page >= pages_) return;
  pages = static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, pages_ - page));
  file_->WillNeed(std::uint64_t{page} * kPageBytes, std::uint64_t{pages} * kPageBytes);
}

}  // namespace trefoil::lsm
