// The working half of the soak test: one process that uses a database in every way at once until it
// is killed. What it was promised stands in a ledger in shared memory, which outlives it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "tests/faults/soak_load.h"

namespace trefoil::testing {

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

// Opens the databases in `folder` ("main" and "peer") and works until the process is killed, or
// ends it with exit code 3 when something is wrong.
[[noreturn]] void RunSoakWorker(const std::string& folder, std::uint64_t seed, SoakLedger& ledger);

}  // namespace trefoil::testing
