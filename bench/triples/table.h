// The table of the triples suite, in two databases: one row a task, eight columns (INT, TEXT, REF,
// TIMESTAMP), one secondary index. Any failure ends the program with a message.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/random.h"
#include "bench/engine.h"
#include "lsm/options.h"

namespace trefoil::bench {

inline constexpr std::uint64_t kPeople = 1000;
// Facts of one row: what stands in the seven columns that are no key, and that the row exists.
inline constexpr std::uint64_t kFactsPerRow = 8;

// The i-th row, a function of i: keys and times ascend, everything else is in no order.
struct TaskRow {
  explicit TaskRow(std::uint64_t i);

  std::int64_t id;
  std::string title;    // 13 to 24 bytes
  std::int64_t owner;   // a person; indexed
  std::int64_t author;  // a person
  std::int64_t created;
  std::int64_t due;
  std::int64_t state;   // 0 to 4
  std::int64_t points;  // 0 to 999
};

class TaskTable {
 public:
  virtual ~TaskTable() = default;  // closes cleanly

  // What was set, and how the engine differs from the other; one line.
  virtual std::string settings() const = 0;
  // Inserts the rows [first, last) as one transaction.
  virtual void Insert(std::uint64_t first, std::uint64_t last) = 0;
  // Sets `state`, which no index holds, of one row that exists, as one transaction.
  virtual void SetState(std::uint64_t id, std::int64_t state) = 0;
  // Reads all columns of rows that exist; a sum of what was read.
  virtual std::uint64_t ReadRow(std::uint64_t id) = 0;
  virtual std::uint64_t ReadRows(std::span<const std::uint64_t> ids) = 0;
  // Reads title and points of all rows; how many there are.
  virtual std::uint64_t ScanTwoColumns() = 0;
  // Returns when the files have their smallest form.
  virtual void Settle() = 0;
};

// `directory` exists. Commits are relaxed: they reach the operating system, not the device.
std::unique_ptr<TaskTable> OpenTrefoilTable(const std::string& directory);
std::unique_ptr<TaskTable> OpenSqliteTable(const std::string& directory);

// Entries of the store that one commit writes, and bytes of clocks at rest, which only ours has.
struct EntriesPerCommit {
  std::uint64_t insert = 0;
  std::uint64_t update = 0;
};
EntriesPerCommit CountEntriesPerCommit();
// Writes the cells of the table in `directory` to a store with their stamps and to one without, and
// divides the difference of the two stores' sizes at rest by the number of cells.
double ClockBytesPerCell(const std::string& directory, const std::string& scratch,
                         lsm::Compression compression);
// Bytes at rest of everything in `directory`, written to a store with zstd.
std::uint64_t CompressedBytes(const std::string& directory, const std::string& scratch);

// `log`: count the files of the store's own log, which is written ahead, too.
std::uint64_t BytesOfFiles(const std::string& directory, bool log = true);

}  // namespace trefoil::bench
