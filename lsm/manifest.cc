#include "lsm/manifest.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/errors.h"
#include "base/str_cat.h"
#include "lsm/file_names.h"

namespace trefoil::lsm {

namespace {

constexpr std::uint64_t kRewriteBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kRewriteFactor = 4;

std::string ManifestPath(const std::string& directory, FileNumber number) {
  return FilePath(directory, {.kind = FileKind::kManifest, .number = number});
}

}  // namespace

Status StoreContents::Apply(const VersionEdit& edit) {
  for (const VersionEdit::DropFile& drop : edit.dropped) {
    auto& level = levels[drop.level];
    const auto dropped =
        std::erase_if(level, [&](const auto& file) { return file->number == drop.number; });
    if (dropped != 1) {
      return Corruption(StrCat("manifest: an edit drops file ", ToNumber(drop.number),
                               ", which level ", drop.level, " does not have"));
    }
  }
  std::size_t front = 0;
  for (const VersionEdit::AddFile& add : edit.added) {
    auto& level = levels[add.level];
    auto meta = std::make_shared<const FileMeta>(add.meta);
    if (add.level == 0) {
      level.insert(level.begin() + static_cast<std::ptrdiff_t>(front++), std::move(meta));
      continue;
    }
    const auto place =
        std::ranges::upper_bound(level, Slice(add.meta.smallest), {},
                                 [](const auto& file) { return Slice(file->smallest); });
    level.insert(place, std::move(meta));
  }
  for (const BlobMeta& blob : edit.added_blobs) blobs.push_back(blob);
  for (const FileNumber number : edit.dropped_blobs) {
    if (std::erase_if(blobs, [&](const BlobMeta& blob) { return blob.number == number; }) != 1) {
      return Corruption(
          StrCat("manifest: an edit drops blob file ", ToNumber(number), ", which is not there"));
    }
  }
  if (edit.log_floor) log_floor = *edit.log_floor;
  if (edit.next_file) next_file = *edit.next_file;
  if (edit.history_horizon) history_horizon = edit.history_horizon;
  return Ok();
}

VersionEdit StoreContents::AsEdit() const {
  VersionEdit edit;
  for (std::uint32_t level = 0; level < levels.size(); ++level) {
    for (const auto& file : levels[level]) edit.added.push_back({.level = level, .meta = *file});
  }
  edit.added_blobs = blobs;
  edit.log_floor = log_floor;
  edit.next_file = next_file;
  edit.history_horizon = history_horizon;
  return edit;
}

Result<Manifest> Manifest::Read(Env& env, const std::string& directory,
                                const Superblock& superblock) {
  Manifest manifest;
  manifest.env_ = &env;
  manifest.path_ = ManifestPath(directory, superblock.manifest);
  manifest.uuid_ = superblock.uuid;
  manifest.number_ = superblock.manifest;
  Result<std::string> bytes = ReadWholeFile(env, manifest.path_);
  if (!bytes) {
    if (bytes.error().code != ErrorCode::kNotFound) return std::move(bytes).error();
    return Corruption(StrCat(manifest.path_, ": the superblock names this manifest and it is gone"),
                      "run repair");
  }
  Result<RecordFileHeader> header = DecodeHeaderPage(*bytes, kManifestMagic, superblock.uuid);
  if (!header) {
    header.error().message = StrCat(manifest.path_, ": ", header.error().message);
    return std::move(header).error();
  }
  const std::uint64_t seed = FileSeed(superblock.uuid, ToNumber(superblock.manifest));
  RecordReader reader(*bytes, seed, ChainEnd());
  while (const std::optional<Record> record = reader.Next()) {
    Result<VersionEdit> edit = DecodeVersionEdit(record->payload);
    if (!edit) return std::move(edit).error();
    if (Status applied = manifest.contents_.Apply(*edit); !applied)
      return std::move(applied).error();
    if (manifest.first_edit_end_ == 0) manifest.first_edit_end_ = reader.end().offset;
  }
  manifest.end_ = reader.end();
  if (manifest.end_.offset < superblock.manifest_bytes || reader.FindProofOfLoss()) {
    return Corruption(StrCat(manifest.path_, ": the edit at offset ", manifest.end_.offset,
                             " is damaged and was durable"),
                      "run repair");
  }
  const auto tail = bytes->begin() + static_cast<std::ptrdiff_t>(manifest.end_.offset);
  manifest.torn_ = std::any_of(tail, bytes->end(), [](char byte) { return byte != 0; });
  return manifest;
}

Result<Manifest> Manifest::Create(Env& env, const std::string& directory, Superblock& superblock,
                                  const StoreContents& contents, bool* poisoned) {
  Manifest manifest;
  manifest.env_ = &env;
  manifest.number_ = contents.next_file;
  manifest.path_ = ManifestPath(directory, manifest.number_);
  manifest.uuid_ = superblock.uuid;
  manifest.contents_ = contents;
  manifest.contents_.next_file = FileNumber{ToNumber(manifest.number_) + 1};

  const std::string payload = EncodeVersionEdit(manifest.contents_.AsEdit());
  std::string bytes =
      EncodeHeaderPage(kManifestMagic, superblock.uuid, {.number = ToNumber(manifest.number_)});
  bytes.resize(kPageBytes + RecordBytes(payload.size()));
  EncodeRecord(bytes.data() + kPageBytes, FileSeed(superblock.uuid, ToNumber(manifest.number_)), 0,
               payload, manifest.end_);
  manifest.first_edit_end_ = manifest.end_.offset;

  Result<std::unique_ptr<File>> file = env.Open(manifest.path_, Env::OpenMode::kCreate);
  if (!file) return std::move(file).error();
  manifest.file_ = *std::move(file);
  const auto give_up = [&](Error error) {
    manifest.file_.reset();
    (void)env.Remove(manifest.path_);
    return error;
  };
  if (Status written = manifest.file_->WriteAt(0, bytes); !written) return give_up(written.error());
  if (Status synced = manifest.file_->Sync(); !synced) return give_up(synced.error());
  if (Status synced = env.SyncDirectory(directory); !synced) return give_up(synced.error());
  Superblock next = superblock;
  next.manifest = manifest.number_;
  next.manifest_bytes = manifest.end_.offset;
  if (Status moved = WriteSuperblock(env, directory, next); !moved) {
    *poisoned = true;
    return std::move(moved).error();
  }
  superblock = next;
  return manifest;
}

Status Manifest::Append(const VersionEdit& edit, bool* poisoned) {
  Check(!torn_, "a torn manifest is written anew before it grows");
  StoreContents contents = contents_;
  if (Status applied = contents.Apply(edit); !applied) return applied;
  if (file_ == nullptr) {
    Result<std::unique_ptr<File>> file = env_->Open(path_, Env::OpenMode::kReadWrite);
    if (!file) return std::move(file).error();
    file_ = *std::move(file);
  }
  const std::string payload = EncodeVersionEdit(edit);
  std::string bytes(RecordBytes(payload.size()), '\0');
  ChainEnd end = end_;
  EncodeRecord(bytes.data(), FileSeed(uuid_, ToNumber(number_)), end.sequence, payload, end);
  if (Status written = file_->WriteAt(end_.offset, bytes); !written) {
    // Part of the edit, or all of it, may be there: nothing may act on that.
    *poisoned = !file_->Truncate(end_.offset) || !file_->Sync();
    return written;
  }
  if (Status synced = file_->Sync(); !synced) {
    *poisoned = true;
    return synced;
  }
  end_ = end;
  contents_ = std::move(contents);
  return Ok();
}

bool Manifest::WantsRewrite() const {
  return torn_ || (end_.offset > kRewriteBytes && end_.offset > kRewriteFactor * first_edit_end_);
}

}  // namespace trefoil::lsm
