#include "lsm/blob_separator.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/errors.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {

namespace {

// Bytes that the sorted files refer to, by blob file.
std::map<FileNumber, std::uint64_t> LiveBytes(const LevelFiles& levels) {
  std::map<FileNumber, std::uint64_t> live;
  for (const auto& files : levels) {
    for (const FilePointer& file : files) {
      for (const BlobUse& use : file->blobs) live[use.file] += use.bytes;
    }
  }
  return live;
}

std::uint64_t GarbageOf(const BlobMeta& blob, const std::map<FileNumber, std::uint64_t>& live) {
  const auto used = live.find(blob.number);
  const std::uint64_t live_bytes = used == live.end() ? 0 : used->second;
  return blob.bytes > live_bytes ? blob.bytes - live_bytes : 0;
}

bool RefersTo(const FileMeta& file, FileNumber blob) {
  return std::ranges::any_of(file.blobs, [&](const BlobUse& use) { return use.file == blob; });
}

}  // namespace

bool BlobSeparator::Moves(FileNumber file) const {
  return std::ranges::find(options_.relocate, file) != options_.relocate.end();
}

Result<Entry> BlobSeparator::Place(const Entry& entry) {
  if (entry.kind == EntryKind::kPut && entry.value.size() > kBlobValueBytesMin) {
    return Store(entry, entry.value);
  }
  if (entry.kind != EntryKind::kBlobPut || options_.relocate.empty()) return entry;
  const std::optional<BlobReference> reference = DecodeBlobReference(entry.value);
  if (!reference) return Corruption("an entry holds no reference into a blob file");
  if (!Moves(reference->file)) return entry;
  Result<std::string> value = options_.read(entry.value);
  if (!value) return std::move(value).error();
  return Store(entry, *value);
}

Result<Entry> BlobSeparator::Store(const Entry& entry, Slice value) {
  if (writer_ == nullptr) {
    const FileNumber number = options_.new_file_number();
    created_.push_back(number);
    const NumberedFile name{.kind = FileKind::kBlob, .number = number};
    Result<std::unique_ptr<BlobFileWriter>> writer = BlobFileWriter::Create(
        *options_.env, FilePath(options_.directory, name), IdentityOf(options_.uuid, number));
    if (!writer) return std::move(writer).error();
    writer_ = *std::move(writer);
  }
  Result<BlobReference> reference = writer_->Add(value);
  if (!reference) return std::move(reference).error();
  reference_ = EncodeBlobReference(*reference);
  if (writer_->size_bytes() >= kBlobFileBytes) {
    if (Status status = Finish(); !status) return std::move(status).error();
  }
  return Entry{.key = entry.key,
               .sequence = entry.sequence,
               .kind = EntryKind::kBlobPut,
               .value = reference_};
}

Status BlobSeparator::Finish() {
  if (writer_ == nullptr) return Ok();
  if (Status status = writer_->Finish(); !status) return status;
  outputs_.push_back({.number = created_.back(),
                      .bytes = writer_->value_bytes(),
                      .size_bytes = writer_->size_bytes()});
  writer_.reset();
  return Ok();
}

std::optional<CompactionPlan> PickBlobCollection(const std::vector<BlobMeta>& blobs,
                                                 const LevelFiles& levels) {
  const std::map<FileNumber, std::uint64_t> live = LiveBytes(levels);
  const BlobMeta* worst = nullptr;
  double worst_share = 0;
  std::uint64_t all_bytes = 0;
  std::uint64_t all_garbage = 0;
  for (const BlobMeta& blob : blobs) {
    const std::uint64_t garbage = GarbageOf(blob, live);
    const double share =
        blob.bytes == 0 ? 0 : static_cast<double>(garbage) / static_cast<double>(blob.bytes);
    all_bytes += blob.bytes;
    all_garbage += garbage;
    if (live.contains(blob.number) && share > worst_share) {
      worst = &blob;
      worst_share = share;
    }
  }
  const bool half_is_garbage = 2 * all_garbage > all_bytes;
  if (worst == nullptr || (worst_share <= 0.3 && !half_is_garbage)) return std::nullopt;
  for (std::size_t level = 1; level < levels.size(); ++level) {
    for (const FilePointer& file : levels[level]) {
      if (!RefersTo(*file, worst->number)) continue;
      CompactionPlan plan;
      plan.level = plan.output_level = static_cast<int>(level);
      plan.inputs = {file};
      plan.relocate_blobs = {worst->number};
      return plan;
    }
  }
  return std::nullopt;
}

}  // namespace trefoil::lsm
