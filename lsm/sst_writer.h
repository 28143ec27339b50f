// Writes one SST (sst_format.h) from entries in their order, streaming: memory is bounded by the
// filter's hashes and the index; of a compressed file by its pages too, since the dictionary is
// trained on them. A file that compression would not make much smaller is not compressed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "lsm/file_meta.h"
#include "lsm/frames.h"
#include "lsm/internal_key.h"
#include "lsm/page_builder.h"
#include "lsm/page_sink.h"
#include "lsm/sst_format.h"

namespace trefoil::lsm {

struct SstWriterOptions {
  FileIdentity identity;
  int level = 0;
  std::size_t filter_bits_per_key = 10;  // 0 = no filter
  Compression compression = Compression::kNone;
  const KeyLayout* key_layout = nullptr;  // null: no groups; outlives the writer
};

// Filter bits a key for a file of this level: many where few files lie, few in the last, which
// holds nearly all keys.
std::size_t FilterBitsOf(int level, bool is_last_level);

class SstWriter {
 public:
  // Creates the file at `path`, which must not exist. Errors: those of Env.
  static Result<std::unique_ptr<SstWriter>> Create(Env& env, const std::string& path,
                                                   const SstWriterOptions& options);

  // Entries come in the order of internal_key.h, each once; kDeleteRange is none of them.
  Status Add(const Entry& entry);
  // Range deletes come sorted by start, then newest first.
  void AddRangeDelete(RangeDelete range_delete);

  std::uint64_t entries() const { return footer_.entries; }
  bool empty() const { return footer_.entries == 0 && range_deletes_.empty(); }
  // Bytes of the file if it ended here, roughly.
  std::uint64_t size_bytes() const;

  // Writes what is left and syncs the file; the directory is the caller's. Only once, and only
  // when not empty.
  Result<FileMeta> Finish();

 private:
  struct IndexEntry {
    std::string separator;
    PagePlace place;
    std::uint32_t frame = 0;  // of a compressed file
  };
  struct Group {
    std::string prefix;
    std::uint32_t first_page = 0;
    std::uint64_t entries = 0;
    std::uint64_t deletes = 0;
    std::uint64_t value_bytes = 0;
  };

  SstWriter(std::unique_ptr<File> file, const SstWriterOptions& options);

  Status FinishPage();
  Status AppendSpan(const Entry& entry);
  // One data page or span, with the keys that it begins and ends with.
  Status AppendData(std::span<char> pages, Slice first_key, PagePlace place);
  Status WriteIdentity();
  // Writes the data pages that were held back, in frames or as they are.
  Status WriteHeldPages();
  void Count(const Entry& entry);
  void CountGroup(const Entry& entry);
  // Writes `entries` as pages and notes where they lie.
  Status WriteSection(SstSection section, const std::vector<Entry>& entries);
  Status WriteFilter();
  Status WriteIndex();
  Status WriteRangeDeletes();
  Status WriteProperties(const FileMeta& meta);
  Status WriteSections(FileMeta& meta);
  std::uint32_t NextPage() const { return static_cast<std::uint32_t>(sink_.offset() / kPageBytes); }

  const SstWriterOptions options_;
  std::unique_ptr<File> file_;
  PageSink sink_;
  PageBuilder builder_;
  std::string held_pages_;  // all data pages, when the file may become a compressed one
  SstFooter footer_;
  std::uint32_t next_data_page_ = 1;
  std::vector<std::uint64_t> filter_hashes_;
  std::vector<IndexEntry> index_;
  std::uint64_t index_bytes_ = 0;
  std::vector<RangeDelete> range_deletes_;
  std::vector<Group> groups_;
  std::map<FileNumber, std::uint64_t> blob_bytes_;
  std::string first_key_;
  std::string last_key_;            // of the entry added last
  std::string last_prefix_;         // equality prefix added to the filter last
  std::string page_last_key_;       // of the page written last
  std::uint32_t page_deletes_ = 0;  // in builder_
  bool finished_ = false;
};

}  // namespace trefoil::lsm
