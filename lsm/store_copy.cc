// Copies and checks of a whole store.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/new_directory.h"
#include "base/str_cat.h"
#include "lsm/sst_check.h"
#include "lsm/store_impl.h"

namespace trefoil::lsm {

// Memtables are flushed, so that a copy consists of immutable files, which are linked, and a
// manifest and superblock of its own. It needs no log: its floor lies behind all of its batches.
Status StoreImpl::Checkpoint(const std::string& directory) {
  if (Status flushed = Flush(); !flushed) return flushed;
  const std::lock_guard lock(work_mutex_);
  NewDirectory copy(env_, directory);
  if (Status made = copy.Make(); !made) return made;
  const StoreContents& contents = manifest_.contents();
  std::vector<NumberedFile> files;
  for (const auto& level : contents.levels) {
    for (const auto& meta : level) {
      files.push_back({.kind = FileKind::kSst, .number = meta->number});
    }
  }
  for (const BlobMeta& blob : contents.blobs) {
    files.push_back({.kind = FileKind::kBlob, .number = blob.number});
  }
  for (const NumberedFile& file : files) {
    Status linked = env_.Link(FilePath(directory_, file), FilePath(directory, file));
    if (!linked) return linked;
  }
  Superblock superblock = {
      .uuid = superblock_.uuid, .clean = true, .last_sequence = contents.log_floor.sequence};
  bool unknown = false;
  Result<Manifest> manifest = Manifest::Create(env_, directory, superblock, contents, &unknown);
  if (!manifest) return std::move(manifest).error();
  if (Status synced = env_.SyncDirectory(ParentDirectory(directory)); !synced) return synced;
  copy.Keep();
  return Ok();
}

Result<std::vector<Damage>> StoreImpl::Verify(VerifyDepth depth) const {
  std::vector<Damage> damages;
  {
    const std::lock_guard lock(work_mutex_);
    const Result<Superblock> superblock = ReadSuperblock(env_, directory_);
    if (!superblock) {
      damages.push_back({.file = std::string(kSuperblockName), .what = superblock.error().message});
    } else if (const Result<Manifest> manifest = Manifest::Read(env_, directory_, *superblock);
               !manifest) {
      damages.push_back(
          {.file = FileName({.kind = FileKind::kManifest, .number = superblock->manifest}),
           .what = manifest.error().message});
    }
  }
  const std::shared_ptr<const ReadView> view = CurrentView();
  for (const Version::Level& level : view->version->levels()) {
    for (const auto& file : level) {
      const FileNumber number = file->meta().number;
      SstCheckOptions options;
      options.reader.identity = IdentityOf(superblock_.uuid, number);
      options.reader.pool = pool_.get();
      options.expected = &file->meta();
      options.layout = options_.key_layout;
      options.depth = depth;
      std::vector<Damage> found =
          CheckSst(env_, FilePath(directory_, {.kind = FileKind::kSst, .number = number}), options);
      std::ranges::move(found, std::back_inserter(damages));
    }
  }
  for (const auto& blob : view->version->blobs()) {
    if (depth == VerifyDepth::kFast) break;
    const Status walked = blob->file().Walk([](const BlobReference&, Slice) {});
    if (!walked) damages.push_back({.file = blob->file().path(), .what = walked.error().message});
  }
  return damages;
}

}  // namespace trefoil::lsm
