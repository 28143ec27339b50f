// A TableFile is an SST in use: what the manifest knows of it and its open reader, shared by every
// version that contains it. When the manifest has dropped the file and the last version lets go,
// its number goes to the Graveyard, from where background work removes it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lsm/file_meta.h"
#include "lsm/file_names.h"
#include "lsm/sst_reader.h"

namespace trefoil::lsm {

// Files that nobody can ask for any more. Any thread.
class Graveyard {
 public:
  void Add(NumberedFile file) {
    const std::lock_guard lock(mutex_);
    files_.push_back(file);
  }
  std::vector<NumberedFile> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(files_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<NumberedFile> files_;
};

// Tells the graveyard of a file when the last reference goes, if it was dropped before.
class FileTenure {
 public:
  FileTenure(NumberedFile file, std::shared_ptr<Graveyard> graveyard)
      : file_(file), graveyard_(std::move(graveyard)) {}
  FileTenure(const FileTenure&) = delete;
  FileTenure& operator=(const FileTenure&) = delete;
  ~FileTenure() {
    if (dropped_.load(std::memory_order_acquire)) graveyard_->Add(file_);
  }
  // The manifest does not know the file any more, durably. Any thread.
  void Drop() const { dropped_.store(true, std::memory_order_release); }

 private:
  const NumberedFile file_;
  const std::shared_ptr<Graveyard> graveyard_;
  mutable std::atomic<bool> dropped_{false};
};

class TableFile {
 public:
  TableFile(std::shared_ptr<const FileMeta> meta, std::shared_ptr<const SstReader> run,
            std::shared_ptr<Graveyard> graveyard)
      : tenure_({.kind = FileKind::kSst, .number = meta->number}, std::move(graveyard)),
        meta_(std::move(meta)),
        run_(std::move(run)) {}

  const FileMeta& meta() const { return *meta_; }
  const std::shared_ptr<const FileMeta>& shared_meta() const { return meta_; }
  const SstReader& run() const { return *run_; }
  void Drop() const { tenure_.Drop(); }

 private:
  const FileTenure tenure_;  // last to go: the file is closed when the graveyard learns of it
  const std::shared_ptr<const FileMeta> meta_;
  const std::shared_ptr<const SstReader> run_;
};

}  // namespace trefoil::lsm
