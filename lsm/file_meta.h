// What the manifest knows of a file: enough to choose compactions and to skip files without opening
// them.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "lsm/options.h"
#include "trefoil/slice.h"

namespace trefoil::lsm {

// Number of a log segment, SST, blob file or manifest: one series, never reused.
enum class FileNumber : std::uint64_t {};
constexpr std::uint64_t ToNumber(FileNumber number) { return static_cast<std::uint64_t>(number); }

// The blob bytes that a file refers to, per blob file.
struct BlobUse {
  FileNumber file{};
  std::uint64_t bytes = 0;

  friend bool operator==(const BlobUse&, const BlobUse&) = default;
};

// One SST. Every key of it, and every range delete, lies in [smallest, limit).
struct FileMeta {
  FileNumber number{};
  std::uint64_t size_bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t deletes = 0;
  std::uint64_t range_deletes = 0;
  std::string smallest;
  std::string
      limit;  // exclusive; the largest key followed by a zero byte, if no range delete ends later
  SequenceNumber first_sequence = 0;
  SequenceNumber last_sequence = 0;
  Hash128 root;  // over the sums of all pages
  std::vector<BlobUse> blobs;

  bool Overlaps(Slice start, Slice end) const {
    return Slice(smallest) < end && start < Slice(limit);
  }

  friend bool operator==(const FileMeta&, const FileMeta&) = default;
};

inline constexpr int kLevels = 7;

// levels[0] newest file first, files may overlap; deeper levels sorted by key, disjoint.
using LevelFiles = std::vector<std::vector<std::shared_ptr<const FileMeta>>>;

}  // namespace trefoil::lsm
