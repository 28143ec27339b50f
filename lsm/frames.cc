#include "lsm/frames.h"

#include <zdict.h>
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/str_cat.h"

namespace trefoil::lsm {

namespace {

constexpr int kLevel = 3;
constexpr std::size_t kDictionaryBytesMax = std::size_t{16} << 10;
constexpr std::size_t kDictionaryBytesMin = std::size_t{1} << 10;  // a smaller one gains nothing
// A dictionary may take so large a part of what it helps to compress.
constexpr std::size_t kPagesBytesPerDictionaryByte = 32;
constexpr std::size_t kSamplesMax = 128;  // pages that the dictionary is trained on
// What takes more than this part of its pages is stored as it is.
constexpr std::uint64_t kWorthwhileEighths = 7;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

// Empty when the pages are too few, or too much alike, to learn from.
std::string TrainDictionary(Slice pages) {
  const std::size_t limit =
      std::min(kDictionaryBytesMax, pages.size() / kPagesBytesPerDictionaryByte);
  if (limit < kDictionaryBytesMin) return {};
  const std::size_t count = pages.size() / kPageBytes;
  const std::size_t step = (count + kSamplesMax - 1) / kSamplesMax;
  std::string samples;
  std::vector<std::size_t> sizes;
  for (std::size_t page = 0; page < count; page += step) {
    samples.append(pages.data() + page * kPageBytes, kPageBytes);
    sizes.push_back(kPageBytes);
  }
  std::string dictionary(limit, '\0');
  const std::size_t size_bytes =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(), sizes.data(),
                            static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(size_bytes) != 0) return {};
  dictionary.resize(size_bytes);
  return dictionary;
}

std::size_t RecordBytesOf(std::size_t content_bytes) {
  return kFrameHeaderBytes + (content_bytes + 7) / 8 * 8;
}

// Compresses the pages frame by frame; one thread, one use.
class FrameWriter {
 public:
  FrameWriter(Slice dictionary, std::uint64_t file_seed)
      : seed_(file_seed),
        context_(ZSTD_createCCtx()),
        dictionary_(ZSTD_createCDict(dictionary.data(), dictionary.size(), kLevel)) {
    Check(context_ != nullptr && dictionary_ != nullptr, "zstd gets the memory that it needs");
    Append({.page = 0, .pages = 0}, dictionary);
  }

  void AddFrame(const PageUnit& unit, Slice pages) {
    content_.resize(ZSTD_compressBound(pages.size()));
    const std::size_t size_bytes =
        ZSTD_compress_usingCDict(context_.get(), content_.data(), content_.size(), pages.data(),
                                 pages.size(), dictionary_.get());
    Check(ZSTD_isError(size_bytes) == 0, "zstd compresses into a buffer of its own bound");
    Append(unit, Slice(content_.data(), size_bytes));
  }

  // Where the next record begins in the file.
  std::uint64_t offset() const { return kPageBytes + bytes_.size(); }
  std::string Finish() {
    bytes_.resize((bytes_.size() + kPageBytes - 1) / kPageBytes * kPageBytes);
    return std::move(bytes_);
  }

 private:
  void Append(const PageUnit& unit, Slice content) {
    const std::uint64_t at = offset();
    std::string record(8, '\0');
    AppendFixed32(record, unit.page);
    AppendFixed32(record, unit.pages);
    AppendFixed32(record, static_cast<std::uint32_t>(content.size()));
    AppendFixed32(record, 0);
    record.append(content.view());
    record.resize(RecordBytesOf(content.size()));
    StoreFixed64(record.data(), Hash64(Slice(record).Without(8), seed_ + at));
    bytes_ += record;
  }

  const std::uint64_t seed_;
  const std::unique_ptr<ZSTD_CCtx, FreeZstd> context_;
  const std::unique_ptr<ZSTD_CDict, FreeZstd> dictionary_;
  std::string content_;
  std::string bytes_;
};

}  // namespace

std::optional<CompressedPages> CompressPages(Slice pages, std::span<const PageUnit> units,
                                             std::uint64_t file_seed) {
  const std::string dictionary = TrainDictionary(pages);
  FrameWriter writer(dictionary, file_seed);
  CompressedPages result;
  Slice rest = pages;
  for (const PageUnit& unit : units) {
    const std::size_t size_bytes = std::size_t{unit.pages} * kPageBytes;
    const std::uint64_t frame = writer.offset() / 8;
    if (frame > UINT32_MAX) return std::nullopt;
    result.frames.push_back(static_cast<std::uint32_t>(frame));
    writer.AddFrame(unit, rest.Prefix(size_bytes));
    rest = rest.Without(size_bytes);
  }
  Check(rest.empty(), "the units are all of the pages");
  result.bytes = writer.Finish();
  if (result.bytes.size() > pages.size() / 8 * kWorthwhileEighths) return std::nullopt;
  return result;
}

std::optional<FrameRecord> DecodeFrameRecord(Slice bytes, std::uint64_t file_seed,
                                             std::uint64_t offset) {
  if (bytes.size() < kFrameHeaderBytes || LoadFixed32(bytes.data() + 20) != 0) return std::nullopt;
  FrameRecord record = {.first_page = LoadFixed32(bytes.data() + 8),
                        .pages = LoadFixed32(bytes.data() + 12)};
  if ((record.first_page == 0) != (record.pages == 0)) return std::nullopt;
  const std::size_t content_bytes = LoadFixed32(bytes.data() + 16);
  record.size_bytes = RecordBytesOf(content_bytes);
  if (record.size_bytes > bytes.size()) return std::nullopt;
  const Slice summed = bytes.Prefix(record.size_bytes).Without(8);
  if (LoadFixed64(bytes.data()) != Hash64(summed, file_seed + offset)) return std::nullopt;
  record.content = bytes.Without(kFrameHeaderBytes).Prefix(content_bytes);
  return record;
}

struct FrameInflater::Dictionary {
  std::unique_ptr<ZSTD_DDict, FreeZstd> digested;
};

FrameInflater::FrameInflater(std::unique_ptr<const Dictionary> dictionary)
    : dictionary_(std::move(dictionary)) {}

FrameInflater::~FrameInflater() = default;

std::unique_ptr<const FrameInflater> FrameInflater::Create(Slice dictionary) {
  auto made = std::make_unique<Dictionary>();
  made->digested.reset(ZSTD_createDDict(dictionary.data(), dictionary.size()));
  if (made->digested == nullptr) return nullptr;
  return std::unique_ptr<const FrameInflater>(new FrameInflater(std::move(made)));
}

bool FrameInflater::Inflate(Slice frame, std::span<char> pages) const {
  // Some 150 KB, which would otherwise be mapped anew for each frame.
  static thread_local const std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  Check(context != nullptr, "zstd gets the memory that it needs");
  const std::size_t size_bytes =
      ZSTD_decompress_usingDDict(context.get(), pages.data(), pages.size(), frame.data(),
                                 frame.size(), dictionary_->digested.get());
  return ZSTD_isError(size_bytes) == 0 && size_bytes == pages.size();
}

bool FrameTable::Add(const PageUnit& unit, std::uint32_t frame) {
  const std::uint64_t offset = std::uint64_t{frame} * 8;
  if (offset <= kPageBytes || offset + kFrameHeaderBytes > end_offset_) return false;
  if (!places_.empty() && offset < places_.back().offset + kFrameHeaderBytes) return false;
  places_.push_back({.offset = offset, .unit = unit});
  return true;
}

bool FrameTable::Holds(std::uint32_t page) const {
  if (places_.empty() || page < places_.front().unit.page) return false;
  const PageUnit& last = places_.back().unit;
  return page < std::uint64_t{last.page} + last.pages;
}

template <typename Use>
bool FrameTable::IsGood(Slice bytes, std::uint64_t offset, const Use& use) const {
  const std::optional<FrameRecord> record = DecodeFrameRecord(bytes, seed_, offset);
  if (!record) return false;
  // Behind the last record the section is zeros; behind the others it is nothing.
  const std::string_view rest = bytes.Without(record->size_bytes).view();
  return rest.find_first_not_of('\0') == std::string_view::npos && use(*record);
}

template <typename Use>
Status FrameTable::ReadRecord(std::uint64_t offset, std::uint64_t end, const Use& use) const {
  const std::size_t size_bytes = end - offset;
  if (!map_.empty() && IsGood(Slice(map_.data() + offset, size_bytes), offset, use)) return Ok();
  std::string bytes(size_bytes, '\0');
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (Status read = file_.ReadAt(offset, bytes); !read) return read;
    if (IsGood(bytes, offset, use)) return Ok();
  }
  return Corruption(StrCat(file_.path(), ": frame at offset ", offset,
                           ": checksum mismatch; the file was damaged"));
}

Result<const FrameInflater*> FrameTable::Inflater() const {
  const std::lock_guard lock(mutex_);
  if (inflater_ == nullptr) {
    Status read = ReadRecord(kPageBytes, places_.front().offset, [&](const FrameRecord& record) {
      if (record.pages == 0) inflater_ = FrameInflater::Create(record.content);
      return inflater_ != nullptr;
    });
    if (!read) return std::move(read).error();
  }
  return inflater_.get();
}

Status FrameTable::Inflate(std::uint32_t page, std::span<char> pages) const {
  Check(Holds(page), "a page that is inflated has a frame");
  const auto place = std::ranges::lower_bound(
      places_, page, {}, [](const Place& candidate) { return candidate.unit.page; });
  if (place == places_.end() || place->unit.page != page ||
      place->unit.pages * kPageBytes != pages.size()) {
    return Corruption(StrCat(file_.path(), ": compressed page ", page - kInflatedPages,
                             ": no frame holds what is asked for; the file was damaged"));
  }
  Result<const FrameInflater*> inflater = Inflater();
  if (!inflater) return std::move(inflater).error();
  const auto after = std::next(place);
  const std::uint64_t end = after == places_.end() ? end_offset_ : after->offset;
  return ReadRecord(place->offset, end, [&](const FrameRecord& record) {
    return record.first_page == page && record.pages == place->unit.pages &&
           (*inflater)->Inflate(record.content, pages);
  });
}

}  // namespace trefoil::lsm
