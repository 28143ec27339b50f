// The working half of the soak test: one process that uses a database in every way at once until it
// is killed. What it was promised stands in a ledger in shared memory, which outlives it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace trefoil::testing {

inline constexpr int kSoakWriters = 2;
// Rows of one writer: each transaction adds one and removes the one this far behind it.
inline constexpr std::int64_t kSoakWindow = 1000;
inline constexpr int kSoakGroups = 1000;  // each has a live query
inline constexpr const char* kSoakTables =
    "TABLE item (writer INT, number INT, part INT INDEX, revision INT, value INT, text TEXT, "
    "KEY (writer, number));"
    "TABLE progress (writer INT KEY, last INT);"
    "TABLE note (number INT KEY, text TEXT)";
inline constexpr const char* kSoakLive =
    "SELECT writer, number, revision, value FROM item WHERE part = :part ORDER BY writer, number";

// All numbers only grow while one process works.
struct SoakLedger {
  std::atomic<bool> ready;  // every live query stands
  // The last transaction of each writer whose commit returned.
  std::array<std::atomic<std::int64_t>, kSoakWriters> written;
  std::atomic<std::int64_t> merged;  // the last note of the other replica that was merged
  std::atomic<std::uint64_t> commits;
  std::atomic<std::uint64_t> merges;
  std::atomic<std::uint64_t> changes;   // that live queries were told
  std::atomic<std::uint64_t> compared;  // live results with a fresh run at their version
  std::atomic<std::uint64_t> compactions;
  std::atomic<std::uint64_t> indexes;  // built
  // Commits that need no sync, by the binary logarithm of their microseconds.
  std::array<std::atomic<std::uint64_t>, 40> commit_times;
  std::atomic<std::uint64_t> memory_bytes_max;  // resident
  std::atomic<bool> failed;
  std::array<char, 1024> failure;  // what went wrong, for the parent
};

// What the value of a row is, so that a torn or mixed row shows.
constexpr std::int64_t SoakValue(std::int64_t writer, std::int64_t number, std::int64_t revision) {
  return writer * 1'000'003 + number * 31 + revision;
}

// Opens the databases in `folder` ("main" and "peer") and works until the process is killed, or
// ends it with exit code 3 when something is wrong.
[[noreturn]] void RunSoakWorker(const std::string& folder, std::uint64_t seed, SoakLedger& ledger);

}  // namespace trefoil::testing
