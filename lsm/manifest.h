// The manifest is a chain of edits (record_format.h, version_edit.h); what the store consists of is
// the sum of them. An edit is synced before anything acts on it, so that files are removed only
// when no reopen can ask for them. A manifest that has grown well past what it describes is written
// anew under a new number, and the superblock moves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "lsm/file_meta.h"
#include "lsm/superblock.h"
#include "lsm/version_edit.h"

namespace trefoil::lsm {

// What the edits add up to.
struct StoreContents {
  LevelFiles levels = LevelFiles(kLevels);
  std::vector<BlobMeta> blobs;
  LogFloor log_floor;
  FileNumber next_file{1};
  std::optional<SequenceNumber> history_horizon;  // empty: no history is kept

  // Errors: kCorruption when the edit drops what is not there.
  Status Apply(const VersionEdit& edit);
  // The one edit that leads from nothing to this.
  VersionEdit AsEdit() const;
};

class Manifest {
 public:
  Manifest() = default;

  // Reads the manifest that the superblock names. Damage before its durable end is an error; a torn
  // tail is not, and is cut by the next write.
  // Errors: kCorruption, kNewerFormat, kForeignDatabase, kIo.
  static Result<Manifest> Read(Env& env, const std::string& directory,
                               const Superblock& superblock);
  // Writes a manifest with one edit, under the number contents.next_file, and points the superblock
  // to it, both durable. If that last step fails (`*poisoned` is set) the superblock may name
  // either manifest, and nothing more may be written; other failures leave all as it was.
  static Result<Manifest> Create(Env& env, const std::string& directory, Superblock& superblock,
                                 const StoreContents& contents, bool* poisoned);

  const StoreContents& contents() const { return contents_; }
  FileNumber number() const { return number_; }
  std::uint64_t size_bytes() const { return end_.offset; }

  // Applies an edit, durable on return. If a sync fails (`*poisoned` is set) the edit may or may
  // not be on the device, and nothing more may be written; other failures leave all as it was.
  Status Append(const VersionEdit& edit, bool* poisoned);
  // True when it is time for Create under a new number.
  bool WantsRewrite() const;

 private:
  std::unique_ptr<File> file_;  // null after Read, until the first Append
  Env* env_ = nullptr;
  std::string path_;
  std::string uuid_;
  FileNumber number_{};
  StoreContents contents_;
  ChainEnd end_;
  std::uint64_t first_edit_end_ = 0;  // where the edits after the first begin
  bool torn_ = false;
};

}  // namespace trefoil::lsm
