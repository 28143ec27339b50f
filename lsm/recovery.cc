// Replays the log. The chain of records is followed through the segments until it ends; then the
// rest is searched for a record that proves by `synced` that something durable is missing. Without
// such proof the end is a torn tail, which is cut: the next session goes on in a new segment that
// links to the last record found here.
//
// After a clean close the superblock says where the chain ends, so that no more is read than holds
// batches that are in no file yet; mostly that is nothing.
#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/store_impl.h"
#include "lsm/write_batch_reader.h"

namespace trefoil::lsm {

namespace {

// How much of a segment is read at first after a clean close.
constexpr std::uint64_t kCleanReadBytes = std::uint64_t{256} << 10;

struct SegmentFile {
  FileNumber file{};
  std::string path;
  std::uint64_t size_bytes = 0;
  std::string bytes = {};  // of a clean store: as many as were needed
  RecordFileHeader header = {};
};

class LogRecovery {
 public:
  LogRecovery(Env& env, const std::string& directory, const Superblock& superblock,
              const LogFloor& floor)
      : env_(env), directory_(directory), superblock_(superblock), floor_(floor) {
    log_.memtable = std::make_shared<Memtable>();
    log_.end = {.sequence = floor.sequence};
    log_.last_segment = floor.segment - 1;
  }

  Result<RecoveredLog> Run() {
    if (Status loaded = LoadSegments(); !loaded) return std::move(loaded).error();
    if (Status followed = FollowChain(); !followed) return std::move(followed).error();
    if (Status intact = CheckTail(); !intact) return std::move(intact).error();
    return std::move(log_);
  }

 private:
  // Reads the segments that may be part of the chain; the headers of the others are enough.
  Status LoadSegments() {
    Result<std::vector<std::string>> names = env_.List(directory_);
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
      const std::optional<NumberedFile> file = ParseFileName(name);
      if (!file) continue;
      log_.last_file = std::max(log_.last_file, ToNumber(file->number));
      if (file->kind != FileKind::kLog) continue;
      if (Status loaded = LoadSegment(*file); !loaded) return loaded;
    }
    return Ok();
  }

  Status LoadSegment(NumberedFile file) {
    SegmentFile segment = {.file = file.number, .path = FilePath(directory_, file)};
    Result<std::string> page = ReadWholeFile(env_, segment.path, kPageBytes);
    if (!page) return std::move(page).error();
    // A spare that no session has begun: the header is written before any record.
    if (std::ranges::all_of(*page, [](char byte) { return byte == 0; })) {
      log_.unneeded.push_back(file.number);
      return Ok();
    }
    Result<RecordFileHeader> header = DecodeHeaderPage(*page, kLogMagic, superblock_.uuid);
    if (!header && header.error().code != ErrorCode::kCorruption) {
      header.error().message = StrCat(segment.path, ": ", header.error().message);
      return std::move(header).error();
    }
    if (header) {
      segment.header = *header;
      log_.last_segment = std::max(log_.last_segment, header->number);
      if (header->number < floor_.segment) {
        log_.unneeded.push_back(file.number);
        return Ok();
      }
    }
    const bool whole = !superblock_.clean || !header;
    if (Status read = ReadSegment(segment, whole ? ~std::uint64_t{0} : kPageBytes); !read) {
      return read;
    }
    if (!header) {
      unreadable_.push_back(std::move(segment));
      return Ok();
    }
    const std::uint64_t number = segment.header.number;
    if (!segments_.emplace(number, std::move(segment)).second) {
      return Corruption(StrCat(directory_, ": two log files say they are segment ", number));
    }
    return Ok();
  }

  // Reads up to `size_bytes` from the front.
  Status ReadSegment(SegmentFile& segment, std::uint64_t size_bytes) {
    Result<std::unique_ptr<File>> file = env_.Open(segment.path, Env::OpenMode::kRead);
    if (!file) return std::move(file).error();
    Result<std::uint64_t> size = (*file)->Size();
    if (!size) return std::move(size).error();
    segment.size_bytes = *size;
    segment.bytes.assign(std::min(*size, size_bytes), '\0');
    return (*file)->ReadAt(0, segment.bytes);
  }

  // Whether all batches are in files, and where the chain ends is known without reading it.
  bool NeedsNoReplay() const {
    return superblock_.clean && superblock_.last_sum != 0 && segments_.contains(floor_.segment) &&
           superblock_.last_sequence == floor_.sequence;
  }

  void TakeCleanEnd() {
    log_.end = {
        .offset = kPageBytes, .sum = superblock_.last_sum, .sequence = superblock_.last_sequence};
    for (const auto& [number, segment] : segments_) {
      // A segment behind the end was begun for a commit that failed.
      if (segment.header.first_sequence > log_.end.sequence && number != floor_.segment) continue;
      log_.segments.push_back(
          {.segment = number, .file = segment.file, .size_bytes = segment.size_bytes});
    }
  }

  Status FollowChain() {
    if (NeedsNoReplay()) {
      TakeCleanEnd();
      return Ok();
    }
    const auto floor = segments_.find(floor_.segment);
    if (floor == segments_.end()) {
      if (segments_.empty()) return Ok();
      return Lost(StrCat("log segment ", floor_.segment, " is missing or its header is damaged"));
    }
    const RecordFileHeader& header = floor->second.header;
    if (header.first_sequence > floor_.sequence + 1) {
      return Lost(StrCat("log segment ", floor_.segment, " begins at batch ", header.first_sequence,
                         ", batches from ", floor_.sequence + 1, " are missing"));
    }
    log_.end.sequence = header.first_sequence - 1;
    log_.end.sum = header.previous_sum;
    for (auto next = floor; next != segments_.end(); next = FindNextSegment()) {
      current_ = &next->second;
      log_.end.offset = kPageBytes;
      log_.segments.push_back(
          {.segment = next->first, .file = current_->file, .size_bytes = current_->size_bytes});
      if (Status replayed = ReplaySegment(); !replayed) return replayed;
    }
    return Ok();
  }

  // What lies behind a clean end belongs to a commit that failed.
  bool IsComplete(const ChainEnd& end) const {
    return superblock_.clean && end.sequence >= superblock_.last_sequence;
  }

  // The first later segment that goes on where the chain ends.
  std::map<std::uint64_t, SegmentFile>::iterator FindNextSegment() {
    return std::find_if(segments_.upper_bound(current_->header.number), segments_.end(),
                        [&](const auto& entry) {
                          const RecordFileHeader& header = entry.second.header;
                          return header.first_sequence == log_.end.sequence + 1 &&
                                 header.previous_sum == log_.end.sum;
                        });
  }

  // Of a clean store piece by piece, until the end that it names.
  Status ReplaySegment() {
    for (std::uint64_t bytes = kCleanReadBytes;; bytes *= 4) {
      if (current_->bytes.size() < std::min(bytes, current_->size_bytes)) {
        if (Status read = ReadSegment(*current_, bytes); !read) return read;
      }
      if (Status replayed = ReplayBytes(); !replayed) return replayed;
      if (IsComplete(log_.end) || current_->bytes.size() == current_->size_bytes) return Ok();
    }
  }

  Status ReplayBytes() {
    const std::uint64_t seed = FileSeed(superblock_.uuid, current_->header.number);
    RecordReader reader(current_->bytes, seed, log_.end);
    while (!IsComplete(reader.end())) {
      const std::optional<Record> record = reader.Next();
      if (!record) break;
      if (record->sequence <= floor_.sequence) continue;
      if (!ApplyEncodedBatch(*log_.memtable, record->payload, record->sequence)) {
        return Lost(StrCat(current_->path, ": batch ", record->sequence, " is malformed"));
      }
    }
    log_.end = reader.end();
    return Ok();
  }

  Status CheckTail() {
    const SequenceNumber last = log_.end.sequence;
    const std::uint64_t current =
        current_ == nullptr ? floor_.segment - 1 : current_->header.number;
    const bool complete = IsComplete(log_.end);
    if (current_ != nullptr && !complete) {
      const std::uint64_t seed = FileSeed(superblock_.uuid, current);
      if (Status intact = CheckNoProof(*current_, log_.end.offset, seed); !intact) return intact;
    }
    for (auto later = segments_.upper_bound(current); !complete && later != segments_.end();
         ++later) {
      const std::uint64_t seed = FileSeed(superblock_.uuid, later->first);
      if (Status intact = CheckNoProof(later->second, kPageBytes, seed); !intact) {
        return intact;
      }
    }
    for (const SegmentFile& segment : unreadable_) {
      const std::uint64_t seed = FileSeed(superblock_.uuid, current + 1);
      if (Status intact = CheckNoProof(segment, kPageBytes, seed); !intact) return intact;
      log_.unneeded.push_back(segment.file);
    }
    for (const auto& [number, segment] : segments_) {
      if (!std::ranges::count(log_.segments, number, &RecoveredLog::OldSegment::segment)) {
        log_.unneeded.push_back(segment.file);
      }
    }
    if (last < floor_.sequence || (superblock_.clean && last < superblock_.last_sequence)) {
      return Lost(StrCat("the log ends at batch ", last, ", batches up to ",
                         std::max(floor_.sequence, superblock_.last_sequence), " were durable"));
    }
    return Ok();
  }

  Status CheckNoProof(const SegmentFile& segment, std::uint64_t from, std::uint64_t seed) const {
    const std::optional<std::uint64_t> proof =
        FindRecordSyncedAfter(segment.bytes, from, seed, log_.end.sequence);
    if (!proof) return Ok();
    const std::string place = current_ == nullptr
                                  ? std::string("its first record")
                                  : StrCat(current_->path, " offset ", log_.end.offset);
    return Lost(StrCat("the log is damaged at ", place, ": batch ", log_.end.sequence + 1,
                       " was durable, as ", segment.path, " offset ", *proof, " proves"));
  }

  static Error Lost(std::string message) { return Corruption(std::move(message), "run repair"); }

  Env& env_;
  const std::string& directory_;
  const Superblock& superblock_;
  const LogFloor floor_;
  std::map<std::uint64_t, SegmentFile> segments_;  // by segment number, from the floor on
  std::vector<SegmentFile> unreadable_;            // without a valid header: spares, mostly
  SegmentFile* current_ = nullptr;
  RecoveredLog log_;
};

}  // namespace

bool ApplyEncodedBatch(Memtable& memtable, Slice encoded, SequenceNumber sequence) {
  WriteBatchReader reader(encoded);
  while (const std::optional<Edit> edit = reader.Next()) {
    if (edit->kind == EntryKind::kDeleteRange) {
      memtable.InsertRangeDelete(
          {.start = edit->key.ToString(), .limit = edit->value.ToString(), .sequence = sequence});
    } else {
      memtable.Insert(
          {.key = edit->key, .sequence = sequence, .kind = edit->kind, .value = edit->value});
    }
  }
  return !reader.damaged();
}

Result<RecoveredLog> RecoverLog(Env& env, const std::string& directory,
                                const Superblock& superblock, const LogFloor& floor) {
  return LogRecovery(env, directory, superblock, floor).Run();
}

}  // namespace trefoil::lsm
