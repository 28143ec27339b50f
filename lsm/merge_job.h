// A MergeJob writes sorted runs as new files of one level: a flush (memtables to level 0) or a
// compaction. It works in steps of a given size, so that one thread can do it between other things.
//
//   runs -> MergingCursor -> DropRules -> BlobSeparator -> SstWriter | SstWriter | ...
//
// Outputs end only between keys, so that all entries of a key lie in one file, and each takes the
// part of the range deletes between its first key and that of the next. Nothing refers to the
// outputs until the store's manifest does; a job that goes without Release removes them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/sometimes.h"
#include "lsm/blob_separator.h"
#include "lsm/drop_rules.h"
#include "lsm/file_meta.h"
#include "lsm/merging_cursor.h"
#include "lsm/sst_writer.h"

namespace trefoil::lsm {

struct MergeJobOptions {
  Env* env = nullptr;  // outlives the job
  std::string directory;
  std::string uuid;
  int output_level = 0;
  bool last_level = false;  // no deeper level has files
  Compression compression = Compression::kNone;
  std::uint64_t file_bytes = 0;      // an output ends when it has so many
  std::vector<std::string> borders;  // ascending; an output that is half full ends at one
  const KeyLayout* key_layout = nullptr;
  std::function<FileNumber()> new_file_number;
  std::vector<FileNumber> relocate_blobs;  // values in these blob files are written anew
  std::function<Result<std::string>(Slice reference)> read_blob;
  DropRules::Options rules;
  const Sometimes* sometimes = nullptr;  // not null; outlives the job
};

// One thread at a time.
class MergeJob {
 public:
  // `cursors` newest first; `inputs` keeps alive what they read.
  MergeJob(MergeJobOptions options, std::vector<std::unique_ptr<RunCursor>> cursors,
           std::shared_ptr<const void> inputs);
  ~MergeJob();
  MergeJob(const MergeJob&) = delete;
  MergeJob& operator=(const MergeJob&) = delete;

  // Works through about `budget_bytes` of input; true when all is written and synced (the directory
  // is the caller's). After an error the job is of no more use.
  Result<bool> Step(std::uint64_t budget_bytes);

  const std::vector<FileMeta>& outputs() const { return outputs_; }
  const std::vector<BlobMeta>& blob_outputs() const { return blobs_.outputs(); }
  std::uint64_t bytes_written() const;
  // The outputs are the manifest's now.
  void Release() { released_ = true; }

 private:
  Status Write(const Entry& entry);
  Status StartOutput();
  // Ends the output before `limit`; nothing = at the end of all keys.
  Status FinishOutput(std::optional<Slice> limit);
  bool WantsCut(Slice next_key);

  const MergeJobOptions options_;
  const std::shared_ptr<const void> inputs_;
  DropRules rules_;
  MergingCursor merge_;
  BlobSeparator blobs_;
  bool started_ = false;
  std::size_t border_ = 0;    // the first border that may still lie ahead
  std::string last_key_;      // written last
  std::string region_start_;  // range deletes before it went to earlier outputs
  std::unique_ptr<SstWriter> writer_;
  std::vector<FileMeta> outputs_;
  std::vector<NumberedFile> created_;  // sorted files
  bool released_ = false;
};

}  // namespace trefoil::lsm
