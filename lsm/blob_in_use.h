// A blob file in use: what the manifest knows of it and its open reader, shared by every version
// that contains it. Goes to the graveyard as a TableFile does.
#pragma once

#include <memory>
#include <utility>

#include "lsm/blob_file.h"
#include "lsm/table_file.h"
#include "lsm/version_edit.h"

namespace trefoil::lsm {

class BlobInUse {
 public:
  BlobInUse(const BlobMeta& meta, std::unique_ptr<const BlobFile> file,
            std::shared_ptr<Graveyard> graveyard)
      : tenure_({.kind = FileKind::kBlob, .number = meta.number}, std::move(graveyard)),
        meta_(meta),
        file_(std::move(file)) {}

  const BlobMeta& meta() const { return meta_; }
  const BlobFile& file() const { return *file_; }
  void Drop() const { tenure_.Drop(); }

 private:
  const FileTenure tenure_;  // last to go: the file is closed when the graveyard learns of it
  const BlobMeta meta_;
  const std::unique_ptr<const BlobFile> file_;
};

}  // namespace trefoil::lsm
