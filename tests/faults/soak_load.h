// What the soak tests write, so that what is lost, torn or mixed shows: the transactions of each
// writer are numbered and each adds a row, removes the oldest, changes one between and says how far
// the writer is.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "trefoil/database.h"

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

// What the value of a row is, so that a torn or mixed row shows.
constexpr std::int64_t SoakValue(std::int64_t writer, std::int64_t number, std::int64_t revision) {
  return writer * 1'000'003 + number * 31 + revision;
}

// The edits of a writer's transaction `number`.
Status SoakStep(Transaction& transaction, std::int64_t writer, std::int64_t number, Random& random);

// The last transaction of the writer that is there; 0: none.
Result<std::int64_t> SoakLast(const Database& database, std::int64_t writer);

// A writer's transactions are there up to one, whole, and that one is not before `acknowledged`.
void CheckSoakWriter(const Database& database, std::int64_t writer, std::int64_t acknowledged);

// The rows of a query that must work.
Rows Ask(const Database& database, const std::string& treesql, const Params& params = {});

}  // namespace trefoil::testing
