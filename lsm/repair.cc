// Repair reads what is readable of a damaged store and writes it to a new one, oldest file first,
// so that newer entries win as they did. What the manifest says is used if it can be read;
// otherwise all sorted files are taken, in the order of their newest sequence. The log comes last,
// every record that verifies by itself.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/blob_file.h"
#include "lsm/blob_reference.h"
#include "lsm/file_names.h"
#include "lsm/manifest.h"
#include "lsm/page_pool.h"
#include "lsm/range_deletes.h"
#include "lsm/sst_check.h"
#include "lsm/sst_reader.h"
#include "lsm/store.h"
#include "lsm/superblock.h"
#include "lsm/write_batch_reader.h"

namespace trefoil::lsm {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
constexpr std::size_t kPoolBytes = std::size_t{1} << 20;
constexpr std::size_t kUuidOffsetInSst = 24;
constexpr std::size_t kUuidOffsetInRecords = 16;

struct SavedEntry {
  std::string key;
  std::string value;
  SequenceNumber sequence = 0;
  EntryKind kind{};
};

class Repairer {
 public:
  Repairer(Env& env, const std::string& from) : env_(env), from_(from) {}

  Result<RepairReport> Run(const std::string& to) {
    if (Status listed = ListFiles(); !listed) return std::move(listed).error();
    if (Status identified = Identify(); !identified) return std::move(identified).error();
    Result<bool> taken = env_.Exists(to);
    if (!taken) return std::move(taken).error();
    if (*taken) {
      return MakeError(ErrorCode::kAlreadyExists, StrCat(to, ": repair writes to a new directory"),
                       "name a directory that does not exist");
    }
    Result<std::unique_ptr<Store>> store = Store::Open(env_, to, StoreOptions());
    if (!store) return std::move(store).error();
    store_ = *std::move(store);
    for (const FileNumber number : order_) {
      if (Status saved = SaveFile(number); !saved) return std::move(saved).error();
    }
    if (Status saved = SaveLog(); !saved) return std::move(saved).error();
    if (Status flushed = store_->Flush(); !flushed) return std::move(flushed).error();
    return std::move(report_);
  }

 private:
  Status ListFiles() {
    Result<std::vector<std::string>> names = env_.List(from_);
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
      if (const std::optional<NumberedFile> file = ParseFileName(name)) files_.push_back(*file);
    }
    if (files_.empty()) return NotFound(StrCat(from_, ": there are no files of a store"));
    return Ok();
  }

  // Finds the uuid, and the order of the files: the manifest's if it can be read.
  Status Identify() {
    Result<Superblock> superblock = ReadSuperblock(env_, from_);
    if (superblock) {
      uuid_ = superblock->uuid;
      Result<Manifest> manifest = Manifest::Read(env_, from_, *superblock);
      if (manifest) {
        TakeOrder(manifest->contents());
        return Ok();
      }
      Report(StrCat(from_, "/",
                    FileName({.kind = FileKind::kManifest, .number = superblock->manifest})),
             manifest.error().message);
    } else {
      Report(StrCat(from_, "/", kSuperblockName), superblock.error().message);
      if (Status voted = VoteUuid(); !voted) return voted;
    }
    return OrderBySequence();
  }

  void TakeOrder(const StoreContents& contents) {
    floor_ = contents.log_floor;
    for (auto level = contents.levels.rbegin(); level != contents.levels.rend(); ++level) {
      // Level 0 lists the newest first; the files of another level do not touch each other.
      for (auto file = level->rbegin(); file != level->rend(); ++file) {
        order_.push_back((*file)->number);
      }
    }
  }

  // The uuid that most files carry.
  Status VoteUuid() {
    std::map<std::string, int> votes;
    for (const NumberedFile& file : files_) {
      Result<std::string> page = ReadWholeFile(env_, FilePath(from_, file), kPageBytes);
      if (!page || page->size() < kPageBytes) continue;
      const bool records = file.kind == FileKind::kLog || file.kind == FileKind::kManifest;
      ++votes[page->substr(records ? kUuidOffsetInRecords : kUuidOffsetInSst, kUuidBytes)];
    }
    if (votes.empty()) return Corruption(StrCat(from_, ": no file says which store it belongs to"));
    uuid_ =
        std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
    return Ok();
  }

  Status OrderBySequence() {
    std::vector<std::pair<SequenceNumber, FileNumber>> order;
    for (const NumberedFile& file : files_) {
      if (file.kind != FileKind::kSst) continue;
      Result<std::unique_ptr<SstReader>> reader =
          SstReader::Open(env_, FilePath(from_, file),
                          {.identity = IdentityOf(uuid_, file.number), .pool = &pool_});
      if (reader) in_files_ = std::max(in_files_, (*reader)->footer().last_sequence);
      // A file without a footer may be old or new; between equals its number decides.
      order.emplace_back(reader ? (*reader)->footer().last_sequence : 0, file.number);
    }
    std::ranges::sort(order);
    for (const auto& [sequence, number] : order) order_.push_back(number);
    return Ok();
  }

  // The newest entry of each key of a file, and the range deletes beside them.
  Status SaveFile(FileNumber number) {
    const std::string path = FilePath(from_, {.kind = FileKind::kSst, .number = number});
    std::vector<SavedEntry> entries;
    Result<SalvagedSst> salvaged =
        SalvageSst(env_, path, IdentityOf(uuid_, number), [&](const Entry& entry) {
          if (!entries.empty() && Slice(entries.back().key) == entry.key) return;
          entries.push_back({.key = entry.key.ToString(),
                             .value = entry.value.ToString(),
                             .sequence = entry.sequence,
                             .kind = entry.kind});
        });
    if (!salvaged) {
      Report(path, salvaged.error().message);
      return Ok();
    }
    std::ranges::move(salvaged->damages, std::back_inserter(report_.damages));
    WriteBatch batch;
    for (const RangeDelete& range : salvaged->range_deletes) {
      batch.DeleteRange(range.start, range.limit);
    }
    if (Status written = WriteOut(batch); !written) return written;
    const RangeDeleteSet hidden(salvaged->range_deletes);
    for (SavedEntry& entry : entries) {
      if (hidden.NewestCovering(entry.key, kLatestSequence) > entry.sequence) continue;
      if (!Resolve(entry)) continue;
      entry.kind == EntryKind::kDelete ? batch.Delete(entry.key)
                                       : batch.Put(entry.key, entry.value);
      ++report_.entries_saved;
      if (batch.encoded().size() < kBatchBytes) continue;
      if (Status written = WriteOut(batch); !written) return written;
    }
    return WriteOut(batch);
  }

  Status WriteOut(WriteBatch& batch) {
    if (batch.empty()) return Ok();
    const Result<SequenceNumber> written = store_->Write(batch, Durability::kRelaxed);
    batch.Clear();
    return written ? Ok() : Status(written.error());
  }

  // Puts the value in the place of a reference; false, and reported, if it cannot be read.
  bool Resolve(SavedEntry& entry) {
    if (entry.kind != EntryKind::kBlobPut) return true;
    const std::optional<BlobReference> reference = DecodeBlobReference(entry.value);
    if (!reference) return false;
    const std::string path = FilePath(from_, {.kind = FileKind::kBlob, .number = reference->file});
    std::unique_ptr<BlobFile>& file = blobs_[reference->file];
    if (file == nullptr) {
      Result<std::unique_ptr<BlobFile>> opened =
          BlobFile::Open(env_, path, IdentityOf(uuid_, reference->file));
      if (!opened) {
        Report(path, StrCat("the value of key ", entry.key, ": ", opened.error().message));
        return false;
      }
      file = *std::move(opened);
    }
    Result<std::string> value = file->Read(*reference);
    if (!value) {
      Report(path, StrCat("the value of key ", entry.key, ": ", value.error().message));
      return false;
    }
    entry.value = *std::move(value);
    return true;
  }

  // Every record that verifies, wherever it stands; where two have one sequence, that of the later
  // segment, for the other was cut off.
  Status SaveLog() {
    std::map<std::uint64_t, NumberedFile> segments;
    for (const NumberedFile& file : files_) {
      if (file.kind != FileKind::kLog) continue;
      const Result<std::string> page = ReadWholeFile(env_, FilePath(from_, file), kPageBytes);
      if (!page) continue;
      const Result<RecordFileHeader> header = DecodeHeaderPage(*page, kLogMagic, uuid_);
      if (header && header->number >= floor_.segment) segments.emplace(header->number, file);
    }
    std::map<SequenceNumber, std::string> records;
    for (const auto& [number, file] : segments) {
      const Result<std::string> bytes = ReadWholeFile(env_, FilePath(from_, file));
      if (!bytes) {
        Report(FilePath(from_, file), bytes.error().message);
        continue;
      }
      CollectRecords(*bytes, FileSeed(uuid_, number), records);
    }
    SequenceNumber next = floor_.sequence + 1;
    for (const auto& [sequence, payload] : records) {
      if (sequence < next) continue;
      // What is in files need not be in the log.
      next = std::max(next, std::min(sequence, in_files_ + 1));
      if (sequence > next) {
        Report(from_, StrCat("the log lacks batches ", next, " to ", sequence - 1));
      }
      next = sequence + 1;
      if (Status applied = ApplyRecord(payload); !applied) return applied;
    }
    return Ok();
  }

  static void CollectRecords(Slice bytes, std::uint64_t seed,
                             std::map<SequenceNumber, std::string>& records) {
    for (std::uint64_t offset = kPageBytes; offset < bytes.size();) {
      const std::optional<Record> record = DecodeRecord(bytes, offset, seed);
      if (record) records[record->sequence] = record->payload.ToString();
      offset += record ? RecordBytes(record->payload.size()) : 8;
    }
  }

  Status ApplyRecord(Slice payload) {
    WriteBatch batch;
    WriteBatchReader reader(payload);
    while (const std::optional<Edit> edit = reader.Next()) {
      ++report_.entries_saved;
      if (edit->kind == EntryKind::kPut) batch.Put(edit->key, edit->value);
      if (edit->kind == EntryKind::kDelete) batch.Delete(edit->key);
      if (edit->kind == EntryKind::kDeleteRange) batch.DeleteRange(edit->key, edit->value);
    }
    return WriteOut(batch);
  }

  void Report(std::string file, std::string what) {
    report_.damages.push_back({.file = std::move(file), .what = std::move(what)});
  }

  Env& env_;
  const std::string from_;
  std::vector<NumberedFile> files_;
  std::string uuid_;
  LogFloor floor_;
  SequenceNumber in_files_ = 0;    // newest batch in a sorted file, when no manifest says so
  std::vector<FileNumber> order_;  // of sorted files, those with older entries first
  std::map<FileNumber, std::unique_ptr<BlobFile>> blobs_;
  std::unique_ptr<Store> store_;
  RepairReport report_;
  PagePool pool_{kPoolBytes};
};

}  // namespace

Result<RepairReport> Repair(Env& env, const std::string& from, const std::string& to) {
  return Repairer(env, from).Run(to);
}

}  // namespace trefoil::lsm
