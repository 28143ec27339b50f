// What a caller may choose when opening a database. Every field has a default that is right for an
// application; there are at most twelve.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "trefoil/changeset.h"

namespace trefoil {

class Env;    // internal: files, in memory or failing on purpose, for tests
class Clock;  // internal: an injected clock, for tests

enum class Durability : std::uint8_t {
  kDefault,  // what Options::durability says
  kRelaxed,  // visible on return, on the device within a tenth of a second; a crash of the machine
             // may lose a suffix of such commits, never a hole
  kDurable,  // on the device on return
};

// How long past versions can be read with AS OF. The default keeps only what snapshots pin.
struct History {
  static constexpr std::chrono::microseconds kAll = std::chrono::microseconds::max();

  std::chrono::microseconds retention{0};
};

// Where the dataflow is stepped.
enum class Propagation : std::uint8_t {
  kOnCommit,    // on the committing thread, before the commit returns
  kBackground,  // on one thread of the database
};

// How the files that hold most of the data are stored. A database may hold both kinds; what is
// written from now on follows the option.
enum class Compression : std::uint8_t {
  kNone,
  kZstd,  // smaller files; a page that is not in the cache costs some 10 us more
};

struct Options {
  bool create = true;      // make the database if the directory is missing or empty
  bool read_only = false;  // beside a writing process, too
  Durability durability = Durability::kRelaxed;
  std::size_t cache_bytes = std::size_t{256} << 20;
  Compression compression = Compression::kNone;
  std::size_t memtable_bytes = std::size_t{64} << 20;
  std::size_t live_memory_bytes = std::size_t{1} << 30;  // beyond it Watch fails with kLimit
  History history;
  Propagation propagation = Propagation::kOnCommit;
  Part part;  // what a new database is to hold; of one that exists, what it holds already, or all
  Env* env = nullptr;      // null: the file system of this machine; must outlive the database
  Clock* clock = nullptr;  // null: the clock of this machine; must outlive the database
};

}  // namespace trefoil
