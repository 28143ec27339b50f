// A VersionEdit is one atomic change of what the store consists of: one record of the manifest.
//
//   edit  = field*                         field = tag varint | size varint | bytes
//
// Tags below 128 must be known to the reader; the others may be skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lsm/file_meta.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// A blob file; `bytes` is the payload it was written with.
struct BlobMeta {
  FileNumber number{};
  std::uint64_t bytes = 0;
  std::uint64_t size_bytes = 0;  // of the file

  friend bool operator==(const BlobMeta&, const BlobMeta&) = default;
};

// Where replay of the log begins: in `segment`, skipping sequences up to `sequence`.
struct LogFloor {
  std::uint64_t segment = 1;
  SequenceNumber sequence = 0;

  friend bool operator==(const LogFloor&, const LogFloor&) = default;
};

struct VersionEdit {
  struct AddFile {
    std::uint32_t level = 0;
    FileMeta meta;

    friend bool operator==(const AddFile&, const AddFile&) = default;
  };
  struct DropFile {
    std::uint32_t level = 0;
    FileNumber number{};

    friend bool operator==(const DropFile&, const DropFile&) = default;
  };

  std::vector<AddFile> added;  // to the front of level 0 in this order: the first is the newest
  std::vector<DropFile> dropped;
  std::vector<BlobMeta> added_blobs;
  std::vector<FileNumber> dropped_blobs;
  std::optional<LogFloor> log_floor;
  std::optional<FileNumber> next_file;  // no number from this on is in use
  std::optional<SequenceNumber> history_horizon;

  friend bool operator==(const VersionEdit&, const VersionEdit&) = default;
};

std::string EncodeVersionEdit(const VersionEdit& edit);
// Total. Errors: kCorruption; kNewerFormat for a field that must be known and is not.
Result<VersionEdit> DecodeVersionEdit(Slice bytes);

}  // namespace trefoil::lsm
