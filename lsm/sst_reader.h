// An open SST as a Run: index and range deletes in memory, pages behind a PageFile. Immutable, so
// any number of threads read it without locks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lsm/filter.h"
#include "lsm/page_file.h"
#include "lsm/page_view.h"
#include "lsm/run.h"
#include "lsm/sst_format.h"
#include "lsm/sst_index.h"

namespace trefoil::lsm {

struct SstReaderOptions {
  FileIdentity identity;
  PagePool* pool = nullptr;  // may be null when the Env maps; outlives the reader
  bool allow_map = true;
};

// Counts of one group of keys (KeyLayout::GroupPrefix) in a file.
struct GroupCounts {
  std::string prefix;
  std::uint32_t first_page = 0;
  std::uint64_t entries = 0;
  std::uint64_t deletes = 0;
  std::uint64_t value_bytes = 0;
};

// What the property pages say.
struct SstProperties {
  std::string smallest;
  std::string limit;
  std::vector<BlobUse> blobs;
  std::vector<GroupCounts> groups;
};

// Fills the lookup from an entry of a page, whose bytes live as long as the run or are copied.
enum class PageLife { kOfTheRun, kShort };
void TakeEntry(const PageView& view, std::uint32_t entry, PageLife life, PointLookup& lookup);

class SstReader final : public Run {
 public:
  // Reads and checks the footer, the index and the range deletes; data pages are checked when they
  // are first read. Errors: those of Env, kCorruption, kForeignDatabase, kNewerFormat; each names
  // the file and the place.
  static Result<std::unique_ptr<SstReader>> Open(Env& env, const std::string& path,
                                                 const SstReaderOptions& options);

  std::unique_ptr<RunCursor> NewCursor(const CursorOptions& options) const override;
  Status Get(PointLookup& lookup) const override;
  Status MultiGet(std::span<PointLookup* const> lookups) const override;
  bool MayContainPrefix(Slice equality_prefix) const override;
  std::span<const RangeDelete> range_deletes() const override { return range_deletes_; }
  std::uint64_t ApproximateCount(Slice start, Slice limit) const override;
  std::uint64_t ApproximateBytes(Slice start, Slice limit) const override;

  // False only if no entry has a key of this hash (FilterHashOfKey).
  bool MayContainKey(std::uint64_t hash) const { return FilterMayContain(hash); }

  FilterGuess& filter_guess() const { return filter_guess_; }

  // Looks for the key from page `page` of the index on; its entries may reach over several.
  Status GetFromPages(PointLookup& lookup, std::uint32_t page) const;
  // True if the page after `page` begins with more entries of a key on it.
  bool ContinuesAfter(std::uint32_t page, Slice key) const;

  const SstFooter& footer() const { return footer_; }
  const SstIndex& index() const { return index_; }
  const PageFile& file() const { return *file_; }
  // Reads the property pages. Errors: kIo, kCorruption.
  Result<SstProperties> ReadProperties() const;
  // The file's entry in a manifest, from its own pages; for repair.
  Result<FileMeta> ReadMeta() const;

 private:
  SstReader() = default;

  Status ReadFooter();
  Status ReadIndex();
  Status ReadRangeDeletes();
  // Calls `take` for every entry of a section; it returns false to refuse one.
  Status ReadSection(SstSection section, const std::function<bool(const Entry&)>& take) const;
  // Of a key; about, when its page cannot be read.
  std::uint64_t EntriesBefore(Slice key) const;
  // False only if the filter excludes the hash. A filter that cannot be read excludes nothing.
  bool FilterMayContain(std::uint64_t hash) const;

  std::unique_ptr<PageFile> file_;
  SstFooter footer_;
  SstIndex index_;
  mutable FilterGuess filter_guess_;
  std::vector<RangeDelete> range_deletes_;
};

}  // namespace trefoil::lsm
