// What can be saved of a damaged SST: every page and every frame whose own sum holds, without the
// footer and the index.
#include <algorithm>
#include <cstdio>

#include "base/coding.h"
#include "base/str_cat.h"
#include "lsm/frames.h"
#include "lsm/page_view.h"
#include "lsm/sst_check.h"

namespace trefoil::lsm {

namespace {

// A key for a message: printable, shortened.
std::string Shown(Slice key) {
  constexpr std::size_t kBytesMax = 24;
  std::string text = "'";
  for (const char byte : key.Prefix(kBytesMax)) {
    if (byte >= ' ' && byte <= '~') {
      text.push_back(byte);
      continue;
    }
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += hex;
  }
  return text + (key.size() > kBytesMax ? "...'" : "'");
}

// Walks one file. Damages stay open until the next good entry says where they end.
class SstSalvager {
 public:
  SstSalvager(std::string path, std::string bytes, const FileIdentity& identity,
              const std::function<void(const Entry&)>& take)
      : path_(std::move(path)),
        bytes_(std::move(bytes)),
        seed_(FileSeed(identity)),
        pages_(bytes_.size() / kPageBytes),
        take_(take) {}

  SalvagedSst Run() {
    std::uint64_t page = 1;
    const Slice rest = Slice(bytes_).Without(std::min(bytes_.size(), kPageBytes));
    const std::optional<FrameRecord> dictionary = DecodeFrameRecord(rest, seed_, kPageBytes);
    if (dictionary && dictionary->pages == 0) {
      inflater_ = FrameInflater::Create(dictionary->content);
      page = TakeFrames(kPageBytes + dictionary->size_bytes) / kPageBytes;
    }
    while (page < pages_) {
      const std::uint32_t good = GoodPagesAt(page);
      if (good == 0) Lose(page * kPageBytes, "a page");
      if (good != 0) TakePages(Slice(bytes_).Without(page * kPageBytes).Prefix(good * kPageBytes));
      page += std::max(good, 1U);
    }
    return std::move(saved_);
  }

 private:
  // How many pages of the page or span that begins here hold what they should; 0 if it is damaged.
  std::uint32_t GoodPagesAt(std::uint64_t page) const {
    const auto good = [&](std::uint32_t pages) {
      const std::span<const char> bytes(bytes_.data() + page * kPageBytes, pages * kPageBytes);
      return LoadFixed64(bytes.data()) == PageSum(bytes, seed_, page);
    };
    if (good(1)) return 1;
    const std::uint32_t span = SpanPagesAt(bytes_.data() + page * kPageBytes, pages_ - page);
    return span > 1 && good(span) ? span : 0;
  }

  // Takes the frames from `offset` on, to the page where the section of data ends, whose offset it
  // returns. A frame may begin at every multiple of 8.
  std::uint64_t TakeFrames(std::uint64_t offset) {
    bool lost = false;
    while (offset < bytes_.size()) {
      const std::optional<FrameRecord> record =
          DecodeFrameRecord(Slice(bytes_).Without(offset), seed_, offset);
      if (record && record->pages != 0) {
        TakeFrame(*record, offset);
        offset += record->size_bytes;
        lost = false;
        continue;
      }
      const bool at_page = offset % kPageBytes == 0;
      if (at_page && GoodPagesAt(offset / kPageBytes) != 0) break;
      if (!lost && LoadFixed64(bytes_.data() + offset) != 0) {
        Lose(offset, "a frame");
        lost = true;
      }
      offset += 8;
    }
    return offset;
  }

  void TakeFrame(const FrameRecord& record, std::uint64_t offset) {
    std::string pages(std::size_t{record.pages} * kPageBytes, '\0');
    if (inflater_ == nullptr || !inflater_->Inflate(record.content, pages)) {
      return Lose(offset, "a frame");
    }
    TakePages(pages);
  }

  // A page or span whose sum holds.
  void TakePages(Slice pages) {
    if (WhatIsWrongWithPage({pages.data(), pages.size()}) != nullptr) return;  // filter or footer
    const PageView view(pages.data());
    const SstSection section = static_cast<SstSection>(pages[kPageSectionAt]);
    char buffer[kPageBytes];
    for (std::uint32_t i = 0; i < view.count(); ++i) {
      const Entry entry{.key = view.Key(i, buffer),
                        .sequence = view.Sequence(i),
                        .kind = view.Kind(i),
                        .value = view.Value(i)};
      if (section == SstSection::kData) TakeEntry(entry);
      if (section != SstSection::kRangeDeletes) continue;
      saved_.range_deletes.push_back({.start = entry.key.ToString(),
                                      .limit = entry.value.ToString(),
                                      .sequence = entry.sequence});
    }
  }

  void TakeEntry(const Entry& entry) {
    for (const std::size_t damage : open_damages_) {
      saved_.damages[damage].what += StrCat(" and before ", Shown(entry.key));
    }
    open_damages_.clear();
    take_(entry);
    ++saved_.entries;
    last_key_ = entry.key.ToString();
  }

  void Lose(std::uint64_t offset, const char* what) {
    open_damages_.push_back(saved_.damages.size());
    saved_.damages.push_back({.file = path_,
                              .offset = offset,
                              .what = StrCat(what, " is lost; keys after ", Shown(last_key_))});
  }

  const std::string path_;
  const std::string bytes_;
  const std::uint64_t seed_;
  const std::uint64_t pages_;
  const std::function<void(const Entry&)>& take_;
  std::unique_ptr<const FrameInflater> inflater_;
  SalvagedSst saved_;
  std::string last_key_;
  std::vector<std::size_t> open_damages_;  // those whose end is not known yet
};

}  // namespace

Result<SalvagedSst> SalvageSst(Env& env, const std::string& path, const FileIdentity& identity,
                               const std::function<void(const Entry&)>& take) {
  Result<std::unique_ptr<File>> file = env.Open(path, Env::OpenMode::kRead);
  if (!file) return std::move(file).error();
  const Result<std::uint64_t> size_bytes = (*file)->Size();
  if (!size_bytes) return size_bytes.error();
  std::string bytes(*size_bytes / kPageBytes * kPageBytes, '\0');
  for (std::size_t at = 0; at < bytes.size(); at += kPageBytes) {
    // A page that cannot be read is a page that is lost.
    const std::span<char> page(bytes.data() + at, kPageBytes);
    if (!(*file)->ReadAt(at, page)) std::ranges::fill(page, '\0');
  }
  return SstSalvager(path, std::move(bytes), identity, take).Run();
}

}  // namespace trefoil::lsm
