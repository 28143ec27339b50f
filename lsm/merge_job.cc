#include "lsm/merge_job.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {

namespace {

constexpr std::uint64_t kEntryOverheadBytes = 16;  // so that empty values cost something too

}  // namespace

MergeJob::MergeJob(MergeJobOptions options, std::vector<std::unique_ptr<RunCursor>> cursors,
                   std::shared_ptr<const void> inputs)
    : options_(std::move(options)),
      inputs_(std::move(inputs)),
      rules_(options_.rules),
      merge_(std::move(cursors)),
      blobs_({.env = options_.env,
              .directory = options_.directory,
              .uuid = options_.uuid,
              .new_file_number = options_.new_file_number,
              .relocate = options_.relocate_blobs,
              .read = options_.read_blob}) {}

MergeJob::~MergeJob() {
  writer_.reset();
  if (released_) return;
  // A file that cannot be removed now is found by the next open.
  for (const NumberedFile& file : created_) {
    (void)options_.env->Remove(FilePath(options_.directory, file));
  }
  for (const FileNumber number : blobs_.created()) {
    const NumberedFile file = {.kind = FileKind::kBlob, .number = number};
    (void)options_.env->Remove(FilePath(options_.directory, file));
  }
}

Result<bool> MergeJob::Step(std::uint64_t budget_bytes) {
  if (!started_) {
    merge_.SeekToFirst();
    started_ = true;
  }
  std::uint64_t done_bytes = 0;
  for (; merge_.Valid(); merge_.Next()) {
    if (done_bytes >= budget_bytes || options_.sometimes->OneIn(500)) return false;
    const Entry& entry = merge_.entry();
    done_bytes += entry.key.size() + entry.value.size() + kEntryOverheadBytes;
    const std::optional<Entry> kept = rules_.Keep(entry);
    if (!kept) continue;
    if (Status written = Write(*kept); !written) return std::move(written).error();
  }
  if (Status read = merge_.status(); !read) return std::move(read).error();
  const bool ranges_left = std::ranges::any_of(
      rules_.range_deletes(), [&](const auto& range) { return range.limit > region_start_; });
  if (writer_ == nullptr && ranges_left) {
    if (Status made = StartOutput(); !made) return std::move(made).error();
  }
  if (writer_ != nullptr) {
    if (Status ended = FinishOutput(std::nullopt); !ended) return std::move(ended).error();
  }
  if (Status ended = blobs_.Finish(); !ended) return std::move(ended).error();
  return true;
}

Status MergeJob::Write(const Entry& entry) {
  const bool new_key = Slice(last_key_) != entry.key || writer_ == nullptr;
  if (new_key && writer_ != nullptr && WantsCut(entry.key)) {
    if (Status ended = FinishOutput(entry.key); !ended) return ended;
  }
  if (writer_ == nullptr) {
    if (Status made = StartOutput(); !made) return made;
  }
  if (new_key) last_key_.assign(entry.key.view());
  Result<Entry> placed = blobs_.Place(entry);
  if (!placed) return std::move(placed).error();
  return writer_->Add(*placed);
}

bool MergeJob::WantsCut(Slice next_key) {
  const std::uint64_t size_bytes = writer_->size_bytes();
  bool at_border = false;
  while (border_ < options_.borders.size() && Slice(options_.borders[border_]) <= next_key) {
    at_border = true;
    ++border_;
  }
  return size_bytes >= options_.file_bytes || options_.sometimes->OneIn(200) ||
         (at_border && size_bytes >= options_.file_bytes / 2);
}

Status MergeJob::StartOutput() {
  const NumberedFile file = {.kind = FileKind::kSst, .number = options_.new_file_number()};
  created_.push_back(file);
  Result<std::unique_ptr<SstWriter>> writer = SstWriter::Create(
      *options_.env, FilePath(options_.directory, file),
      {.identity = IdentityOf(options_.uuid, file.number),
       .level = options_.output_level,
       .filter_bits_per_key = FilterBitsOf(options_.output_level, options_.last_level),
       .compression = options_.compression,
       .key_layout = options_.key_layout});
  if (!writer) return std::move(writer).error();
  writer_ = *std::move(writer);
  return Ok();
}

Status MergeJob::FinishOutput(std::optional<Slice> limit) {
  std::vector<RangeDelete> parts;
  for (const RangeDelete& range : rules_.range_deletes()) {
    RangeDelete part = {.start = std::max(range.start, region_start_),
                        .limit = range.limit,
                        .sequence = range.sequence};
    if (limit && Slice(part.limit) > *limit) part.limit = limit->ToString();
    if (part.start < part.limit) parts.push_back(std::move(part));
  }
  std::ranges::sort(parts, [](const RangeDelete& a, const RangeDelete& b) {
    if (a.start != b.start) return a.start < b.start;
    return a.sequence != b.sequence ? a.sequence > b.sequence : a.limit > b.limit;
  });
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // Cut to one start, several of one batch may remain; the longest comes first.
    const bool repeated = i != 0 && parts[i].start == parts[i - 1].start &&
                          parts[i].sequence == parts[i - 1].sequence;
    if (!repeated) writer_->AddRangeDelete(parts[i]);
  }
  Result<FileMeta> meta = writer_->Finish();
  writer_.reset();
  if (!meta) return std::move(meta).error();
  outputs_.push_back(*std::move(meta));
  if (limit) region_start_ = limit->ToString();
  return Ok();
}

std::uint64_t MergeJob::bytes_written() const {
  std::uint64_t bytes = 0;
  for (const FileMeta& meta : outputs_) bytes += meta.size_bytes;
  for (const BlobMeta& meta : blobs_.outputs()) bytes += meta.size_bytes;
  return bytes;
}

}  // namespace trefoil::lsm
