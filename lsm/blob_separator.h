// Moves large values of a merge into blob files, and values out of blob files that are mostly
// garbage into new ones. Stands between the merge and the sorted files it writes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lsm/blob_file.h"
#include "lsm/compaction_picker.h"
#include "lsm/internal_key.h"
#include "lsm/version_edit.h"

namespace trefoil::lsm {

// Values above this many bytes go to blob files.
inline constexpr std::size_t kBlobValueBytesMin = 1024;
// A blob file ends when it holds so many bytes.
inline constexpr std::uint64_t kBlobFileBytes = std::uint64_t{64} << 20;

// One thread at a time.
class BlobSeparator {
 public:
  struct Options {
    Env* env = nullptr;  // outlives the separator
    std::string directory;
    std::string uuid;
    std::function<FileNumber()> new_file_number;
    // Files whose values move; `read` reads a value by its stored reference.
    std::vector<FileNumber> relocate;
    std::function<Result<std::string>(Slice reference)> read;
  };
  explicit BlobSeparator(Options options) : options_(std::move(options)) {}

  // The entry to write in its place; its bytes live until the next call, or are those of `entry`.
  // Errors: those of Env and of `read`.
  Result<Entry> Place(const Entry& entry);
  // Ends and syncs what is open; the directory is the caller's.
  Status Finish();

  // Files that are finished; after Finish all are.
  const std::vector<BlobMeta>& outputs() const { return outputs_; }
  // All that were begun.
  const std::vector<FileNumber>& created() const { return created_; }

 private:
  Result<Entry> Store(const Entry& entry, Slice value);
  bool Moves(FileNumber file) const;

  const Options options_;
  std::unique_ptr<BlobFileWriter> writer_;  // of the file created last
  std::vector<FileNumber> created_;
  std::vector<BlobMeta> outputs_;
  std::string reference_;  // of the entry placed last
};

// A merge of one sorted file with itself (output_level == level) that moves its values out of the
// blob file with the most garbage; nothing when none is worth it. Pure. A file is worth it above
// 30 % garbage, or, when half of all blob bytes are garbage, at any. Files of level 0 are left
// alone: compaction takes them soon.
std::optional<CompactionPlan> PickBlobCollection(const std::vector<BlobMeta>& blobs,
                                                 const LevelFiles& levels);

}  // namespace trefoil::lsm
