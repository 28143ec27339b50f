#include "lsm/log_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {

namespace {

// Of a new segment. The first sync writes all pages that are writable, whether they hold records
// or not.
constexpr std::uint64_t kPopulatedBytes = std::uint64_t{4} << 20;

}  // namespace

LogWriter::LogWriter(LogOptions options, std::uint64_t last_segment, ChainEnd end)
    : options_(std::move(options)),
      end_(end),
      current_segment_(last_segment + 1),
      last_sequence_(end.sequence) {}

LogWriter::~LogWriter() = default;

Result<std::shared_ptr<LogWriter::Segment>> LogWriter::NewSegment(std::uint64_t size_bytes) {
  auto segment = std::make_shared<Segment>();
  segment->file_number = options_.new_file_number();
  segment->size_bytes = size_bytes;
  const std::string path =
      FilePath(options_.directory, {.kind = FileKind::kLog, .number = segment->file_number});
  Result<std::unique_ptr<File>> file = options_.env->Open(path, Env::OpenMode::kCreate);
  if (!file) return std::move(file).error();
  segment->file = *std::move(file);
  const auto give_up = [&](Error error) {
    segment->file.reset();
    (void)options_.env->Remove(path);
    return error;
  };
  if (Status made = segment->file->Allocate(size_bytes); !made) return give_up(made.error());
  if (Status synced = segment->file->Sync(); !synced) return give_up(synced.error());
  if (Status synced = options_.env->SyncDirectory(options_.directory); !synced) {
    return give_up(synced.error());
  }
  Result<std::span<char>> map = segment->file->Map(size_bytes, /*writable=*/true);
  if (!map) return give_up(std::move(map).error());
  segment->map = *map;
  if (!segment->map.empty()) {
    segment->file->WillNeed(0, std::min<std::uint64_t>(size_bytes, kPopulatedBytes));
  }
  return segment;
}

Status LogWriter::Store(Segment& segment, std::uint64_t offset, Slice bytes) {
  if (segment.map.empty()) return segment.file->WriteAt(offset, bytes);
  std::memcpy(segment.map.data() + offset, bytes.data(), bytes.size());
  return Ok();
}

// Makes a segment with room for the record the current one.
Status LogWriter::StartSegment(std::size_t record_bytes) {
  const std::uint64_t size_bytes =
      std::max<std::uint64_t>(options_.segment_bytes, kPageBytes + record_bytes);
  std::shared_ptr<Segment> segment;
  {
    const std::lock_guard lock(mutex_);
    const auto fits = std::ranges::find_if(
        spares_, [&](const auto& spare) { return spare->size_bytes >= size_bytes; });
    if (fits != spares_.end()) {
      segment = std::move(*fits);
      spares_.erase(fits);
    }
  }
  if (segment == nullptr) {
    const std::uint64_t inline_bytes = std::max<std::uint64_t>(
        std::min(options_.segment_bytes, kLogSegmentBytesInline), kPageBytes + record_bytes);
    Result<std::shared_ptr<Segment>> made = NewSegment(inline_bytes);
    if (!made) return std::move(made).error();
    segment = *std::move(made);
  }
  segment->number = current_ == nullptr ? current_segment_.load() : current_->number + 1;
  const std::string header = EncodeHeaderPage(
      kLogMagic, options_.uuid,
      {.number = segment->number, .first_sequence = end_.sequence + 1, .previous_sum = end_.sum});
  const std::lock_guard lock(mutex_);
  if (Status stored = Store(*segment, 0, header); !stored) {
    spares_.push_back(std::move(segment));
    return stored;
  }
  current_ = segment;
  current_segment_ = segment->number;
  file_seed_ = FileSeed(options_.uuid, segment->number);
  end_.offset = kPageBytes;
  unsynced_.push_back(segment);
  chain_.push_back(std::move(segment));
  return Ok();
}

Result<SequenceNumber> LogWriter::Append(SequenceNumber synced, Slice payload) {
  const std::size_t record_bytes = RecordBytes(payload.size());
  if (current_ == nullptr || end_.offset + record_bytes > current_->size_bytes ||
      options_.sometimes->OneIn(100)) {
    if (Status started = StartSegment(record_bytes); !started) return std::move(started).error();
  }
  const std::uint64_t offset = end_.offset;
  if (!current_->map.empty()) {
    EncodeRecord(current_->map.data() + offset, file_seed_, synced, payload, end_);
  } else {
    record_.resize(record_bytes);
    ChainEnd next = end_;
    EncodeRecord(record_.data(), file_seed_, synced, payload, next);
    if (Status written = current_->file->WriteAt(offset, record_); !written) {
      return std::move(written).error();
    }
    end_ = next;
  }
  const std::uint64_t middle = current_->size_bytes / 2;
  wants_spare_ = offset < middle && end_.offset >= middle;
  unsynced_bytes_.fetch_add(record_bytes, std::memory_order_relaxed);
  appended_bytes_.fetch_add(record_bytes, std::memory_order_relaxed);
  current_offset_.store(end_.offset, std::memory_order_relaxed);
  last_sequence_.store(end_.sequence, std::memory_order_release);
  return end_.sequence;
}

void LogWriter::GoOnAfter(SequenceNumber sequence) {
  Check(sequence > end_.sequence, "sequences are left out forward");
  current_.reset();
  current_segment_ = current_segment_ + 1;
  end_.sequence = sequence;
  last_sequence_.store(sequence, std::memory_order_release);
}

Result<SequenceNumber> LogWriter::Sync() {
  // The sequence first: everything up to it lies in the segments listed after it.
  const SequenceNumber target = last_sequence();
  const std::uint64_t pending = unsynced_bytes();
  std::vector<std::shared_ptr<Segment>> segments;
  {
    const std::lock_guard lock(mutex_);
    segments = unsynced_;
  }
  for (const std::shared_ptr<Segment>& segment : segments) {
    if (Status synced = segment->file->Sync(); !synced) return std::move(synced).error();
    syncs_.fetch_add(1, std::memory_order_relaxed);
  }
  unsynced_bytes_.fetch_sub(pending, std::memory_order_relaxed);
  // The last one is still being written; those before it are complete.
  if (!segments.empty()) segments.pop_back();
  const std::lock_guard lock(mutex_);
  std::erase_if(unsynced_, [&](const std::shared_ptr<Segment>& segment) {
    return std::ranges::find(segments, segment) != segments.end();
  });
  return target;
}

void LogWriter::Retire(std::uint64_t segment) {
  std::vector<FileNumber> removed;
  {
    const std::lock_guard lock(mutex_);
    while (!chain_.empty() && chain_.front()->number < segment) {
      std::shared_ptr<Segment> old = std::move(chain_.front());
      chain_.pop_front();
      std::erase(unsynced_, old);
      const bool fits = old->file != nullptr && old->size_bytes == options_.segment_bytes;
      if (spares_.size() < kLogSparesMax && fits) {
        spares_.push_back(std::move(old));
      } else {
        removed.push_back(old->file_number);
      }
    }
  }
  // A file that cannot be removed now is found by the next open.
  for (const FileNumber number : removed) {
    (void)options_.env->Remove(
        FilePath(options_.directory, {.kind = FileKind::kLog, .number = number}));
  }
}

void LogWriter::PopulateAhead(std::uint64_t bytes) const {
  std::shared_ptr<Segment> segment;
  {
    const std::lock_guard lock(mutex_);
    if (!chain_.empty()) segment = chain_.back();
  }
  const std::uint64_t offset = current_offset_.load(std::memory_order_relaxed);
  if (segment == nullptr || segment->map.empty() || offset >= segment->size_bytes) return;
  segment->file->WillNeed(offset, std::min(bytes, segment->size_bytes - offset));
}

Status LogWriter::PrepareSpare() {
  {
    const std::lock_guard lock(mutex_);
    if (!spares_.empty() || appended_bytes() == 0) return Ok();
  }
  Result<std::shared_ptr<Segment>> made = NewSegment(options_.segment_bytes);
  if (!made) return std::move(made).error();
  const std::lock_guard lock(mutex_);
  spares_.push_back(*std::move(made));
  return Ok();
}

void LogWriter::Trim() {
  const auto path_of = [&](const Segment& segment) {
    return FilePath(options_.directory, {.kind = FileKind::kLog, .number = segment.file_number});
  };
  for (std::shared_ptr<Segment>& spare : spares_) {
    const std::string path = path_of(*spare);
    spare.reset();
    (void)options_.env->Remove(path);
  }
  spares_.clear();
  if (current_ == nullptr) return;
  current_->file.reset();  // a mapped file keeps its size
  Result<std::unique_ptr<File>> file =
      options_.env->Open(path_of(*current_), Env::OpenMode::kReadWrite);
  if (file) (void)(*file)->Truncate((end_.offset + kPageBytes - 1) / kPageBytes * kPageBytes);
}

void LogWriter::AdoptOld(std::uint64_t segment, FileNumber file, std::uint64_t size_bytes) {
  auto old = std::make_shared<Segment>();
  old->file_number = file;
  old->size_bytes = size_bytes;
  old->number = segment;
  const std::lock_guard lock(mutex_);
  Check(chain_.empty() || chain_.back()->number < segment, "segments are adopted in order");
  chain_.push_back(std::move(old));
}

std::uint64_t LogWriter::file_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const std::shared_ptr<Segment>& segment : chain_) bytes += segment->size_bytes;
  return bytes;
}

}  // namespace trefoil::lsm
