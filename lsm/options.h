// Options of a Store. Every size has a bound with a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "trefoil/slice.h"

namespace trefoil {
class Clock;
class Executor;
}  // namespace trefoil

namespace trefoil::lsm {

// Number of a WriteBatch, dense from 1; 0 is the empty store.
using SequenceNumber = std::uint64_t;

enum class Durability {
  kRelaxed,  // visible on return; durable within Options::sync_interval_ms or sync_bytes
  kDurable,  // on the device on return
};

// How the data pages of the last level are stored. The numbers stand in files.
enum class Compression : std::uint32_t {
  kNone = 0,
  kZstd = 1,  // with a dictionary for each file; a page that is not in the pool costs about 10 us
};

// What the store is told of the keys, so that it can group and filter them. Pure; any thread.
class KeyLayout {
 public:
  virtual ~KeyLayout() = default;
  // Length of the leading bytes that name a group of keys scanned together; pages end at its
  // change, the prefix directory counts by it.
  virtual std::size_t GroupPrefix(Slice key) const = 0;
  // Length of the leading bytes that an equality scan asks for, added to the filter; 0 = none.
  virtual std::size_t EqualityPrefix(Slice key) const = 0;
};

// What compaction may do with the newest entry of a key that no snapshot and no horizon needs.
enum class FilterDecision { kKeep, kDrop };
using CompactionFilter = std::function<FilterDecision(Slice key, Slice value)>;

struct StoreOptions {
  bool create = true;      // make the store if the directory is missing or empty
  bool read_only = false;  // open beside a writer; writes are refused
  // Page pool: of all pages where files are not mapped, of compressed ones everywhere.
  std::size_t cache_bytes = std::size_t{256} << 20;
  std::size_t memtable_bytes = std::size_t{64} << 20;  // active tree and sealed runs together
  std::size_t file_bytes = std::size_t{8} << 20;       // target size of an SST
  std::size_t level1_bytes = std::size_t{64} << 20;    // level n+1 holds 8 times level n
  std::uint64_t sync_interval_ms = 100;                // bound of the loss window of kRelaxed
  std::size_t sync_bytes = std::size_t{4} << 20;
  Compression compression = Compression::kNone;  // of files that a merge writes last
  bool background_work = true;                   // false: only Step() does work
  const KeyLayout* key_layout = nullptr;         // null: no groups; must outlive the store
  std::uint64_t slow_paths_seed = 0;             // of base/sometimes.h; 0: none
  CompactionFilter compaction_filter;            // empty: keep
};

}  // namespace trefoil::lsm
